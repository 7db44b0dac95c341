"""Raw SQL against admission, sightings, lookouts, patrols on both databases: what no code may do."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from models.user import Role
from tests.factories.network import network_records
from tests.factories.records import make_case
from tests.factories.world import World
from tests.models.sql import AT, gate, insert, run, scalar
from tracing.platform.db import unit_of_work
from tracing.services import Services

UNTRACED = "a person of known identity is not traced"


class Street:
    """The records of the network, a draft case, and the database itself."""

    def __init__(self, services: Services, world: World, now: datetime) -> None:
        staff = world.viewer(world.a.users[Role.STATION_STAFF])
        self.db, self.world = services.db, world
        with unit_of_work(services.db) as session:
            self.case_id = make_case(session, services, staff, submitted=False, now=now).id
            found = network_records(session, services, world, self.case_id, now=now)
        self.ids = {name: uuid.UUID(value) for name, value in found.items()}

    def user(self, role: Role) -> uuid.UUID:
        """The account of a role."""
        return self.world.a.users[role].id

    def put(self, table: str, identity: uuid.UUID, **values: object) -> int:
        """Write columns of one row."""
        written = ", ".join(f"{name} = :{name}" for name in values)
        return run(self.db, f"UPDATE {table} SET {written} WHERE id = :id", id=identity, **values)

    def case(self, **values: object) -> int:
        """Write columns of the case."""
        return self.put("case_file", self.case_id, **values)


@pytest.fixture
def street(any_services: Services, world: World, now: datetime) -> Street:
    """On both databases."""
    return Street(any_services, world, now)


def test_a_known_identity_is_in_no_state_of_the_search(street: Street) -> None:
    street.case(admission_kind="known_identity")
    for state in ("submitted", "searching", "in_review", "unresolved"):
        with gate(UNTRACED):
            street.case(state=state)
    for state in ("settled", "recalled"):  # a dossier and a confirmation are missing as well
        with pytest.raises(IntegrityError, match="gate"):
            street.case(state=state)
    with gate("a stay without tracing needs a stated identity"):
        street.case(state="in_care")
    street.case(admission_kind="unknown_identity")
    with gate("a stay without tracing needs a stated identity"):
        street.case(state="in_care")


def test_a_known_identity_stays_known_until_it_is_disproved(street: Street) -> None:
    street.case(admission_kind="known_identity")
    street.case(state="left")
    change = {"admission_kind": "unknown_identity"}
    with gate("a known identity stays known until it is disproved"):
        street.case(**change)
    disproof, staff = uuid.uuid4(), street.user(Role.STATION_STAFF)
    values = {"case_id": street.case_id, "reason": "raw", "recorded_by_id": staff, "recorded_at": AT}
    insert(street.db, "identity_disproof", id=disproof, **values)
    assert street.case(**change) == 1
    with gate("a known identity stays known until it is disproved"):
        street.case(admission_kind="known_identity")
    with gate("identity_disproof is append-only"):
        street.put("identity_disproof", disproof, reason="another")


def test_what_was_recorded_does_not_change(street: Street) -> None:
    ids = street.ids
    admission = scalar(street.db, "SELECT id FROM admission_record")
    admission_id = admission if isinstance(admission, uuid.UUID) else uuid.UUID(str(admission))
    with gate("sightings are withdrawn or erased"):
        street.put("sighting", ids["sighting_id"], place="elsewhere")
    with gate("patrols are withdrawn"):
        street.put("patrol", ids["patrol_id"], people_met=99)
    with gate("a lookout widens and ends"):
        street.put("lookout", ids["lookout_id"], division="110101")
    with gate("admission records are superseded"):
        street.put("admission_record", admission_id, fingerprint_reason="another")
    with gate("handovers are received once"):
        street.put("hospital_handover", ids["handover_id"], officer="another")
    with gate("lookout_answer is append-only"):
        run(street.db, "UPDATE lookout_answer SET at = :at", at=AT)
    with gate("lookout_ring is append-only"):
        run(street.db, "UPDATE lookout_ring SET division = '11'")


@pytest.mark.parametrize(
    "table",
    ["sighting_link", "lookout_answer", "lookout_ring", "hospital_handover", "patrol", "admission_record"],
)
def test_nothing_is_deleted(street: Street, table: str) -> None:
    with gate(f"{table} rows are kept"):
        run(street.db, f"DELETE FROM {table}")


def test_a_link_is_decided_once_and_by_the_station_or_the_police(street: Street) -> None:
    link, liaison = uuid.uuid4(), street.user(Role.COMMUNITY_LIAISON)
    values = {
        "sighting_id": street.ids["sighting_id"], "case_id": street.case_id, "origin": False, "created_at": AT,
        "similarity": 0.99, "log10_lr": 2.0, "model_version": "x",
    }  # fmt: skip
    accepted = {"state": "accepted", "decided_at": AT, "decided_by_id": liaison}
    with gate("stations and police link to a case"):
        insert(street.db, "sighting_link", id=link, **values, **accepted)
    with gate("a link begins proposed or accepted"):
        insert(street.db, "sighting_link", id=link, **values, **(accepted | {"state": "refused"}))
    insert(street.db, "sighting_link", id=link, **values, state="proposed")
    with gate("stations and police decide a proposal"):
        street.put("sighting_link", link, **accepted)
    staff = street.user(Role.STATION_STAFF)
    assert street.put("sighting_link", link, **(accepted | {"decided_by_id": staff})) == 1
    with gate("links are decided once"):
        street.put("sighting_link", link, state="refused")


def test_an_ended_lookout_takes_nothing_more(street: Street) -> None:
    lookout, liaison = street.ids["lookout_id"], street.user(Role.COMMUNITY_LIAISON)
    street.put("lookout", lookout, ended_at=AT + timedelta(hours=1), end_kind="found", next_ring_at=None)
    answer = {"lookout_id": lookout, "organisation_id": street.world.a.community.id, "user_id": liaison}
    with gate("the lookout has ended"):
        insert(street.db, "lookout_answer", id=uuid.uuid4(), **answer, seen=False, at=AT)
    with gate("the lookout has ended"):
        insert(
            street.db, "lookout_ring", id=uuid.uuid4(), lookout_id=lookout, ring=9, level="city", division="11",
            opened_at=AT,
        )  # fmt: skip
    with gate("a lookout widens and ends"):
        street.put("lookout", lookout, ended_at=None, end_kind=None)


def test_only_the_hospital_itself_receives(street: Street) -> None:
    for user in (street.user(Role.STATION_STAFF), street.world.b.users[Role.HEALTH_LIAISON].id):
        with gate("the liaison of that hospital receives"):
            street.put("hospital_handover", street.ids["handover_id"], received_at=AT, received_by_id=user)
    doctor = street.user(Role.HEALTH_LIAISON)
    assert street.put("hospital_handover", street.ids["handover_id"], received_at=AT, received_by_id=doctor) == 1
