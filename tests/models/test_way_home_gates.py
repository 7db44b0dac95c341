"""Raw SQL against exclusions, contact, kin and papers, on both databases: no way around the protocol."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from models.user import Role
from tests.models.sql import AT, Ground, gate, insert, run

FIRST = "the first attempt goes through the local police or the village committee"
UNRELEASED = "no contact without a standing, released confirmation"
STOPPED = "the person objects, or danger is suspected"
UNVERIFIED = "nobody is handed over before the kin are verified"


@pytest.fixture
def confirmation_id(ground: Ground) -> uuid.UUID:
    """A released confirmation by an official document; the case is `family_contacted`."""
    made = ground.confirm(method="official_document", reference="P-1")
    ground.put("identified")
    ground.release(made)
    ground.put("contact_released")
    ground.put("family_contacted")
    return made


def attempt(ground: Ground, confirmation_id: uuid.UUID | None, channel: str = "local_police") -> uuid.UUID:
    identity = uuid.uuid4()
    insert(
        ground.db, "contact_attempt", id=identity, case_id=ground.story.case_id, confirmation_id=confirmation_id,
        channel=channel, result="no_answer", attempted_at=AT, recorded_at=AT,
        recorded_by_id=ground.world.a.users[Role.CASEWORKER].id,
    )  # fmt: skip
    return identity


def screen(ground: Ground, ordinal: int, role: Role = Role.CASEWORKER, **changed: str) -> uuid.UUID:
    identity = uuid.uuid4()
    values = {"wish": "wants_contact", "danger": "no_sign"} | changed
    insert(
        ground.db, "contact_screening", id=identity, case_id=ground.story.case_id, ordinal=ordinal, asked_on=AT.date(),
        recorded_at=AT, recorded_by_id=ground.world.a.users[role].id, **values,
    )  # fmt: skip
    return identity


def verify(ground: Ground, confirmation_id: uuid.UUID, *, result: str = "verified", dna: bool = False) -> uuid.UUID:
    identity = uuid.uuid4()
    insert(
        ground.db, "kin_verification", id=identity, case_id=ground.story.case_id, confirmation_id=confirmation_id,
        result=result, evidence_sealed=b"x", questions_asked=2, questions_agreeing=2, documents=[],
        dna_required=dna, dna_reasons=[], policy_version="CN-1", verified_at=AT,
        verified_by_id=ground.world.a.users[Role.CASEWORKER].id,
    )  # fmt: skip
    return identity


def outcome(ground: Ground, kind: str, **more: object) -> uuid.UUID:
    identity = uuid.uuid4()
    insert(
        ground.db, "outcome", id=identity, case_id=ground.story.case_id, kind=kind, occurred_on=AT.date(),
        recorded_at=AT, recorded_by_id=ground.world.a.users[Role.CASEWORKER].id, **more,
    )  # fmt: skip
    return identity


def exclude(ground: Ground, **changed: object) -> uuid.UUID:
    identity = uuid.uuid4()
    values: dict[str, object] = {
        "id": identity, "case_id": ground.story.case_id, "candidate_id": ground.story.candidate, "evidence": "dna",
        "reference": "D-1", "reason": "raw", "excluded_by_id": ground.examiner_ids[0], "excluded_at": AT,
    }  # fmt: skip
    insert(ground.db, "exclusion", **(values | changed))
    return identity


def take_out(ground: Ground, *, state: str = "excluded", listed: bool = False) -> None:
    run(
        ground.db, "UPDATE candidate SET state = :state, listed = :listed WHERE id = :id",
        state=state, listed=listed, id=ground.story.candidate,
    )  # fmt: skip


def test_an_excluded_pair_is_neither_listed_nor_confirmed(ground: Ground) -> None:
    take_out(ground)
    made = exclude(ground)
    for state, listed in (("open", False), ("excluded", True), ("judged", True)):
        with gate("this pair is excluded"):
            take_out(ground, state=state, listed=listed)
    with gate("this pair is excluded"):
        ground.confirm(method="dna", reference="D-1")
    with gate("a police supervisor reopens"):
        _reopen(ground, made, ground.examiner_ids[0])
    _reopen(ground, made, ground.supervisor_id)
    take_out(ground, state="open", listed=True)
    ground.confirm(method="dna", reference="D-1")


def _reopen(ground: Ground, exclusion_id: uuid.UUID, user_id: uuid.UUID) -> None:
    run(
        ground.db,
        "UPDATE exclusion SET reopened_at = :at, reopened_by_id = :user, reopen_evidence = 'new_photo',"
        " reopen_reason = 'raw' WHERE id = :id",
        at=AT, user=user_id, id=exclusion_id,
    )  # fmt: skip


def test_what_an_exclusion_rests_on(ground: Ground) -> None:
    with gate("only the police exclude"):
        exclude(ground, excluded_by_id=ground.world.a.users[Role.STATION_STAFF].id)
    with gate("not a candidate of this case"):
        exclude(ground, candidate_id=ground.other.candidate)
    for wrong in ({"evidence": "new_photo"}, {"reference": None}):
        with pytest.raises(IntegrityError):
            exclude(ground, **wrong)
    exclude(ground)
    with pytest.raises(IntegrityError):  # one stands
        exclude(ground)


def test_no_attempt_without_a_release(ground: Ground) -> None:
    with gate(UNRELEASED):
        attempt(ground, None)
    made = ground.confirm(method="dna", reference="D-1")
    with gate(UNRELEASED):
        attempt(ground, made)


@pytest.mark.parametrize("channel", ["telephone", "visit"])
def test_the_first_attempt_is_local(ground: Ground, confirmation_id: uuid.UUID, channel: str) -> None:
    with gate(FIRST):
        attempt(ground, confirmation_id, channel)
    attempt(ground, confirmation_id, "village_committee")
    attempt(ground, confirmation_id, channel)


def test_only_a_police_supervisor_makes_an_exception(ground: Ground, confirmation_id: uuid.UUID) -> None:
    def allow(user_id: uuid.UUID) -> None:
        insert(
            ground.db, "contact_exception", id=uuid.uuid4(), case_id=ground.story.case_id, reason="raw",
            confirmation_id=confirmation_id, allowed_by_id=user_id, allowed_at=AT,
        )  # fmt: skip

    with gate("a police supervisor allows exceptions"):
        allow(ground.examiner_ids[0])
    allow(ground.supervisor_id)
    attempt(ground, confirmation_id, "telephone")


@pytest.mark.parametrize("changed", [{"wish": "objects"}, {"danger": "suspected"}])
def test_an_objection_or_a_danger_stops_everything(
    ground: Ground, confirmation_id: uuid.UUID, changed: dict[str, str]
) -> None:
    verify(ground, confirmation_id)
    screen(ground, 1, Role.CASEWORKER, **changed)
    with gate(STOPPED):
        attempt(ground, confirmation_id)
    with gate(UNVERIFIED):
        outcome(ground, "reunited")
    with gate(UNVERIFIED):
        ground.put("reunified")
    screen(ground, 2, Role.POLICE_EXAMINER)
    attempt(ground, confirmation_id)
    ground.put("reunified")


def test_screenings_are_counted_and_the_police_clear_up_a_danger(ground: Ground) -> None:
    with gate("screenings are counted one by one"):
        screen(ground, 2)
    screen(ground, 1, danger="suspected")
    for ordinal in (1, 3):
        with gate("screenings are counted one by one"):
            screen(ground, ordinal)
    with gate("the police clear up a suspected danger"):
        screen(ground, 2)
    screen(ground, 2, danger="suspected")
    with gate(STOPPED):
        ground.release(ground.confirm(method="dna", reference="D-1"))
    screen(ground, 3, Role.POLICE_SUPERVISOR)


@pytest.mark.parametrize("kind", ["reunited", "escorted_home"])
def test_nobody_is_handed_over_before_the_kin_are_verified(
    ground: Ground, confirmation_id: uuid.UUID, kind: str
) -> None:
    def refused() -> None:
        with gate(UNVERIFIED):
            outcome(ground, kind)
        with gate(UNVERIFIED):
            ground.put("reunified")

    refused()
    verify(ground, confirmation_id, result="not_verified")
    refused()
    made = verify(ground, confirmation_id)
    run(
        ground.db,
        "UPDATE kin_verification SET withdrawn_at = :at, withdrawn_by_id = :user, withdrawal_reason = 'raw'"
        " WHERE id = :id",
        at=AT, user=ground.supervisor_id, id=made,
    )  # fmt: skip
    refused()
    verify(ground, confirmation_id)
    outcome(ground, kind)
    ground.put("reunified")


def test_a_kinship_that_needs_dna_has_it(ground: Ground, confirmation_id: uuid.UUID) -> None:
    with gate("the kinship has to be shown by DNA"):
        verify(ground, confirmation_id, dna=True)
    verify(ground, confirmation_id, result="not_verified", dna=True)
    insert(
        ground.db, "identity_claim", id=uuid.uuid4(), case_id=ground.story.case_id, method="dna", grade="confirmed",
        candidate_id=ground.story.candidate, reference="D-1", custody="raw", officer="raw", obtained_on=AT.date(),
        recorded_by_id=ground.examiner_ids[0], recorded_at=AT,
    )  # fmt: skip
    verify(ground, confirmation_id, dna=True)


def test_nobody_is_settled_without_a_dossier(ground: Ground) -> None:
    with gate("a settlement needs its dossier"):
        outcome(ground, "settled")
    with gate("a settlement needs its dossier"):
        ground.put("settled")
    outcome(ground, "settled", dossier_version="CN-1")
    ground.put("settled")


def test_rows_are_kept_and_never_changed(ground: Ground, confirmation_id: uuid.UUID) -> None:
    call, asked, kin = attempt(ground, confirmation_id), screen(ground, 1), verify(ground, confirmation_id)
    ended = outcome(ground, "hospital")
    excluded = uuid.uuid4()
    insert(
        ground.db, "exclusion", id=excluded, case_id=ground.other.case_id, candidate_id=ground.other.candidate,
        evidence="dna", reference="D-1", reason="raw", excluded_by_id=ground.examiner_ids[0], excluded_at=AT,
    )  # fmt: skip
    paper, notice, signed, trip, plan = (uuid.uuid4() for _ in range(5))
    user = ground.supervisor_id
    insert(
        ground.db, "dossier_item", id=paper, case_id=ground.story.case_id, item="photos", done_on=AT.date(),
        recorded_by_id=user, recorded_at=AT,
    )  # fmt: skip
    insert(
        ground.db, "home_notice", id=notice, case_id=ground.story.case_id, kind="refusal", attempt_id=call,
        sent_on=AT.date(), created_by_id=user, created_at=AT,
    )  # fmt: skip
    insert(ground.db, "handover", id=signed, outcome_id=ended, receiver_sealed=b"x", signed_on=AT.date())
    insert(
        ground.db, "escort_trip", id=trip, outcome_id=ended, escorts="raw", transport="train", from_division="450702",
        to_division="350203", departed_at=AT - timedelta(hours=1), arrived_at=AT,
    )  # fmt: skip
    insert(
        ground.db, "contact_plan", id=plan, case_id=ground.story.case_id, confirmation_id=confirmation_id,
        channel="local_police", unit_sealed=b"x", call_back_number="1", script_version="1", made_by_id=user, made_at=AT,
    )  # fmt: skip
    for table, identity, change in (
        ("contact_attempt", call, "channel = 'visit'"),
        ("contact_screening", asked, "wish = 'objects'"),
        ("kin_verification", kin, "result = 'not_verified'"),
        ("outcome", ended, "kind = 'left'"),
        ("exclusion", excluded, "reason = 'x'"),
        ("dossier_item", paper, "item = 'application'"),
        ("home_notice", notice, "division = '45'"),
        ("handover", signed, "reference = 'x'"),
        ("escort_trip", trip, "escorts = 'x'"),
        ("contact_plan", plan, "call_back_number = '2'"),
    ):
        with pytest.raises(IntegrityError, match="gate: "):
            run(ground.db, f"UPDATE {table} SET {change} WHERE id = :id", id=identity)
        with pytest.raises(IntegrityError, match="gate: "):
            run(ground.db, f"DELETE FROM {table} WHERE id = :id", id=identity)
        if ground.db.engine.dialect.name == "postgresql":
            with pytest.raises(IntegrityError, match=r"gate: \w+ is not emptied"):
                run(ground.db, f"TRUNCATE {table} CASCADE")
