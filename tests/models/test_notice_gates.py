"""Raw SQL against notices and tips: nobody is public by one hand, nobody found, nothing changed or lost."""

import uuid

import pytest
from sqlalchemy.exc import IntegrityError

from models.case import CaseState
from models.notice import PUBLIC_STATES
from models.user import Role
from tests.models.sql import AT, Ground, gate, insert, run


class Poster:
    """Notices as somebody would type them who has the database's password."""

    def __init__(self, ground: Ground) -> None:
        self.db, self.case_id, self.users = ground.db, ground.story.case_id, ground.world.a.users
        self.other_case_id = ground.other.case_id
        self.notice_id = uuid.uuid4()
        insert(self.db, "notice", id=self.notice_id, case_id=self.case_id, token="t" * 32, created_at=AT)

    def settle(self) -> None:
        """The outcome with its dossier, without which nobody comes to that state."""
        insert(
            self.db, "outcome", id=uuid.uuid4(), case_id=self.case_id, kind="settled", route=None,
            occurred_on=AT.date(), note=None, recorded_by_id=self.by(Role.CASEWORKER), recorded_at=AT,
            dossier_version="CN-1",
        )  # fmt: skip

    def by(self, role: Role) -> uuid.UUID:
        return self.users[role].id

    def draft(self, number: int = 1, **changed: object) -> uuid.UUID:
        identity = uuid.uuid4()
        values: dict[str, object] = {
            "id": identity, "notice_id": self.notice_id, "number": number, "state": "proposed", "policy_version": "x",
            "content_sealed": b"x", "wish": "cannot_express", "danger": "no_sign",
            "drafted_by_id": self.by(Role.STATION_STAFF), "drafted_at": AT,
        }  # fmt: skip
        insert(self.db, "notice_version", **(values | changed))
        return identity

    def set(self, version_id: uuid.UUID, **columns: object) -> None:
        told = ", ".join(f"{name} = :{name}" for name in columns)
        run(self.db, f"UPDATE notice_version SET {told} WHERE id = :id", id=version_id, **columns)

    def publish(self, version_id: uuid.UUID, role: Role = Role.BUREAU_SUPERVISOR) -> None:
        self.set(version_id, state="published", decided_by_id=self.by(role), decided_at=AT)

    def tip(self, version_id: uuid.UUID, **changed: object) -> uuid.UUID:
        identity = uuid.uuid4()
        values: dict[str, object] = {
            "id": identity, "case_id": self.case_id, "version_id": version_id, "digest": str(identity),
            "content_sealed": b"x", "has_contact": False, "has_photo": False, "state": "received", "received_at": AT,
        }  # fmt: skip
        insert(self.db, "tip", **(values | changed))
        return identity

    def decide(self, tip_id: uuid.UUID, state: str, role: Role = Role.STATION_STAFF) -> None:
        insert(
            self.db, "tip_decision", id=uuid.uuid4(), tip_id=tip_id, accepted=state == "accepted", reason="x",
            decided_by_id=self.by(role), decided_at=AT,
        )  # fmt: skip
        run(self.db, "UPDATE tip SET state = :state WHERE id = :id", state=state, id=tip_id)

    def clue(self, tip_id: uuid.UUID, **changed: object) -> None:
        values: dict[str, object] = {
            "id": uuid.uuid4(), "case_id": self.case_id, "tip_id": tip_id, "kind": "food", "text": "x",
            "confidence": "unsure", "heard_at": AT, "recorded_by_id": self.by(Role.STATION_STAFF), "recorded_at": AT,
        }  # fmt: skip
        insert(self.db, "clue", **(values | changed))


@pytest.fixture
def poster(ground: Ground) -> Poster:
    return Poster(ground)


def test_it_begins_as_a_draft_of_the_station(poster: Poster) -> None:
    for role in Role:
        if role is not Role.STATION_STAFF:
            with gate("a notice begins as a draft of the station"):
                poster.draft(drafted_by_id=poster.by(role))
    with gate("a notice begins as a draft of the station"):
        poster.draft(state="published", decided_by_id=poster.by(Role.BUREAU_SUPERVISOR), decided_at=AT)
    for column, value in (("wish", "objects"), ("danger", "suspected")):
        with pytest.raises(IntegrityError, match="wanted_and_safe"):
            poster.draft(1, **{column: value})
    with gate("a notice shows a photograph of its own case"):
        poster.draft(photo_id=uuid.uuid4())


def test_only_a_supervisor_who_did_not_draft_it_publishes(poster: Poster) -> None:
    version = poster.draft()
    for role in Role:
        if role not in (Role.BUREAU_SUPERVISOR, Role.POLICE_SUPERVISOR):
            with gate("a supervisor who did not draft it"):
                poster.publish(version, role)
    run(
        poster.db, "UPDATE user_account SET role = 'bureau_supervisor' WHERE id = :id",
        id=poster.by(Role.STATION_STAFF),
    )  # fmt: skip
    with gate("a supervisor who did not draft it"):
        poster.publish(version, Role.STATION_STAFF)
    with pytest.raises(IntegrityError):
        poster.set(version, state="published")
    poster.publish(version, Role.POLICE_SUPERVISOR)


@pytest.mark.parametrize("state", ["left", "deceased", "transferred", "closed", "draft"])
def test_nobody_is_published_in_a_state_in_which_nobody_is_sought(ground: Ground, poster: Poster, state: str) -> None:
    version = poster.draft()
    poster.settle()
    assert {CaseState.IN_CARE, CaseState(state)}.isdisjoint(PUBLIC_STATES)
    ground.put(state)
    with gate("nobody is sought in this state"):
        poster.publish(version)


def test_somebody_who_is_sought_is_published(ground: Ground, poster: Poster) -> None:
    version = poster.draft()
    poster.settle()
    # The settled last: nobody who was settled is merely submitted.
    for number, state in enumerate(sorted(PUBLIC_STATES, key=lambda one: one is CaseState.SETTLED), start=2):
        ground.put(state.value)
        poster.publish(version)
        poster.set(version, state="replaced", replaced_at=AT)
        version = poster.draft(number=number)


def test_nobody_of_known_identity_comes_to_a_state_of_the_public(ground: Ground, poster: Poster) -> None:
    ground.put("draft")
    poster.settle()
    run(ground.db, "UPDATE case_file SET admission_kind = 'known_identity' WHERE id = :id", id=poster.case_id)
    for state in PUBLIC_STATES:
        with gate("a person of known identity is not traced"):
            ground.put(state.value)
    version = poster.draft()
    with gate("nobody is sought in this state"):
        poster.publish(version)


def test_versions_end_and_never_change(poster: Poster) -> None:
    version = poster.draft()
    with pytest.raises(IntegrityError):
        poster.draft(number=2)  # one waits at a time
    poster.publish(version)
    for columns in ({"content_sealed": b"y"}, {"decided_by_id": poster.by(Role.POLICE_SUPERVISOR)}, {"number": 7}):
        with gate("notices are replaced or withdrawn, never changed"):
            poster.set(version, **columns)
    with gate("no such move of a notice"):
        poster.set(version, state="proposed")
    poster.set(version, state="withdrawn", withdrawn_at=AT, withdrawal_reason="x")
    with pytest.raises(IntegrityError, match="gate: "):  # of two gates, either may answer
        poster.set(version, state="published", withdrawn_at=None, withdrawal_reason=None)
    with gate("the address of a notice stays"):
        run(poster.db, "UPDATE notice SET token = 'other' WHERE id = :id", id=poster.notice_id)


def test_tips_are_decided_on_by_decisions(poster: Poster) -> None:
    version = poster.draft()
    with gate("a tip is about the case of its notice"):
        poster.tip(version, case_id=poster.other_case_id)
    with gate("a tip begins as received"):
        poster.tip(version, state="accepted")
    tip = poster.tip(version)
    with gate("a tip is decided on by a decision"):
        run(poster.db, "UPDATE tip SET state = 'accepted' WHERE id = :id", id=tip)
    with gate("tips are decided on, never changed"):
        run(poster.db, "UPDATE tip SET content_sealed = :new WHERE id = :id", new=b"y", id=tip)
    with gate("the station decides on tips"):
        poster.decide(tip, "accepted", Role.POLICE_SUPERVISOR)
    with gate("a tip gives unsure clues"):
        poster.clue(tip)  # not accepted yet
    poster.decide(tip, "rejected")
    poster.decide(tip, "accepted")
    for wrong in ({"confidence": "sure"}, {"case_id": poster.other_case_id}):
        with gate("a tip gives unsure clues"):
            poster.clue(tip, **wrong)
    poster.clue(tip)
    with gate("tips are decided on, never changed"):
        run(poster.db, "UPDATE tip SET state = 'received' WHERE id = :id", id=tip)
    with gate("clues are corrected by a new row"):
        run(poster.db, "UPDATE clue SET tip_id = NULL WHERE tip_id = :id", id=tip)


def test_no_row_is_deleted(poster: Poster) -> None:
    version = poster.draft()
    poster.decide(poster.tip(version), "rejected")
    for table in ("tip_decision", "tip", "notice_version", "notice"):
        with pytest.raises(IntegrityError, match="gate: "):
            run(poster.db, f"DELETE FROM {table}")
        if poster.db.engine.dialect.name == "postgresql":
            with pytest.raises(IntegrityError, match=r"gate: \w+ is not emptied"):
                run(poster.db, f"TRUNCATE {table} CASCADE")
        else:
            with pytest.raises(IntegrityError):
                run(poster.db, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
