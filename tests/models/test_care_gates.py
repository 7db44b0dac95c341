"""Raw SQL against referrals, visits, links and duplicates: nobody answers for another, nothing is changed or lost."""

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy.exc import IntegrityError

from models.referral import REFERRAL_TRANSITIONS, ReferralState
from models.user import Role
from tests.models.sql import AT, Ground, gate, insert, run, scalar

TABLES = (
    "referral", "referral_move", "follow_up_visit", "follow_up_end", "wandering_link", "duplicate_pair",
    "duplicate_decision",
)  # fmt: skip
CHANGES = {
    "referral_move": "to_state = 'done'",
    "follow_up_visit": "visitor = 'changed'",
    "follow_up_end": "reason = 'other'",
    "wandering_link": "reason = 'changed'",
    "duplicate_pair": "posterior = 1",
    "duplicate_decision": "verdict = 'different'",
}
# The end before the visit that it rests on.
WITHDRAWN = ("follow_up_end", "follow_up_visit", "wandering_link", "duplicate_decision")


class Care:
    """One row of each table, and how to make more."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.db = ground, ground.db
        self.people = {role: user.id for role, user in ground.world.a.users.items()}
        self.case, self.other = ground.story.case_id, ground.other.case_id
        self.outcome, self.milestone = uuid.uuid4(), uuid.uuid4()
        staff = self.people[Role.STATION_STAFF]
        confirmation_id = ground.confirm(method="dna", reference="D-1")
        ground.put("identified")
        ground.release(confirmation_id)
        insert(
            self.db, "kin_verification", id=uuid.uuid4(), case_id=self.case,
            confirmation_id=confirmation_id, result="verified", evidence_sealed=b"x",
            questions_asked=2, questions_agreeing=2, documents=[], dna_required=False, dna_reasons=[],
            policy_version="CN-1", verified_at=AT, verified_by_id=self.people[Role.CASEWORKER],
        )  # fmt: skip
        insert(
            self.db, "outcome", id=self.outcome, case_id=self.case, kind="reunited", occurred_on=AT.date(),
            recorded_by_id=staff, recorded_at=AT,
        )  # fmt: skip
        insert(
            self.db, "milestone", id=self.milestone, case_id=self.case, kind="followed_up", occurred_at=AT,
            recorded_by_id=staff, recorded_at=AT,
        )  # fmt: skip

    def referral(self, **changed: object) -> uuid.UUID:
        identity = uuid.uuid4()
        values: dict[str, object] = {
            "id": identity, "case_id": self.case, "kind": "low_income", "state": "draft",
            "sender_id": self.ground.world.a.station.id, "receiver_id": self.ground.world.a.receiving.id,
            "content_sealed": b"x", "policy_version": "1", "created_by_id": self.people[Role.CASEWORKER],
            "created_at": AT,
        }  # fmt: skip
        insert(self.db, "referral", **(values | changed))
        return identity

    def step(self, referral: uuid.UUID, before: str, after: str, by: uuid.UUID | None = None) -> uuid.UUID:
        """The history row of a move, without the move."""
        identity = uuid.uuid4()
        receiving = after in ("accepted", "rejected", "done")
        insert(
            self.db, "referral_move", id=identity, referral_id=referral, from_state=before, to_state=after,
            actor_id=by or self.people[Role.RECEIVING_UNIT if receiving else Role.CASEWORKER], at=AT, text_sealed=b"x",
        )  # fmt: skip
        return identity

    def put(self, referral: uuid.UUID, state: str) -> None:
        run(self.db, "UPDATE referral SET state = :state WHERE id = :id", state=state, id=referral)

    def send(self, referral: uuid.UUID) -> None:
        self.step(referral, "draft", "sent")
        run(
            self.db,
            "UPDATE referral SET state = 'sent', sent_at = :at, sent_by_id = :by, answer_due_at = :at WHERE id = :id",
            at=AT, by=self.people[Role.CASEWORKER], id=referral,
        )  # fmt: skip

    def visit(self, **changed: object) -> uuid.UUID:
        identity = uuid.uuid4()
        values: dict[str, object] = {
            "id": identity, "case_id": self.case, "outcome_id": self.outcome, "method": "home", "result": "met",
            "present": [], "assessment": {}, "danger": False, "policy_version": "1", "visitor": "x",
            "visited_at": AT, "milestone_id": self.milestone, "recorded_by_id": self.people[Role.CASEWORKER],
            "recorded_at": AT,
        }  # fmt: skip
        insert(self.db, "follow_up_visit", **(values | changed))
        return identity

    def end(self, visit: uuid.UUID | None, **changed: object) -> uuid.UUID:
        identity = uuid.uuid4()
        values: dict[str, object] = {
            "id": identity, "case_id": self.case, "outcome_id": self.outcome,
            "reason": "other" if visit is None else "stable", "visit_id": visit,
            "decided_by_id": self.people[Role.CASEWORKER], "decided_at": AT,
        }  # fmt: skip
        insert(self.db, "follow_up_end", **(values | changed))
        return identity

    def wandering(self, later: uuid.UUID, earlier: uuid.UUID) -> uuid.UUID:
        identity = uuid.uuid4()
        insert(
            self.db, "wandering_link", id=identity, case_id=later, earlier_case_id=earlier, basis="staff", reason="x",
            linked_by_id=self.people[Role.CASEWORKER], linked_at=AT,
        )  # fmt: skip
        return identity

    def pair(self) -> uuid.UUID:
        """That of the two cases, which the search has proposed."""
        found = scalar(self.db, "SELECT id FROM duplicate_pair WHERE kind = 'case'")
        return found if isinstance(found, uuid.UUID) else uuid.UUID(str(found))

    def pair_again(self, *, swapped: bool) -> None:
        ends = sorted((self.case, self.other), key=str, reverse=swapped)
        insert(
            self.db, "duplicate_pair", id=uuid.uuid4(), pair=f"{ends[0]}:{ends[1]}", kind="case", first_case_id=ends[0],
            second_case_id=ends[1], basis="staff", policy_version="1", proposed_at=AT,
            proposed_by_id=self.people[Role.STATION_STAFF],
        )  # fmt: skip

    def decision(self, pair: uuid.UUID, **changed: object) -> uuid.UUID:
        identity = uuid.uuid4()
        values: dict[str, object] = {
            "id": identity, "pair_id": pair, "verdict": "same", "reason": "x",
            "decided_by_id": self.people[Role.STATION_STAFF], "decided_at": AT,
        }  # fmt: skip
        insert(self.db, "duplicate_decision", **(values | changed))
        return identity


@pytest.fixture
def care(ground: Ground) -> Care:
    """On both databases."""
    return Care(ground)


@pytest.fixture
def kept(care: Care) -> dict[str, uuid.UUID]:
    """One row of each table, by table."""
    referral, visit, pair = care.referral(), care.visit(), care.pair()
    return {
        "referral": referral,
        "referral_move": care.step(referral, "draft", "sent"),
        "follow_up_visit": visit,
        "follow_up_end": care.end(visit),
        "wandering_link": care.wandering(care.other, care.case),
        "duplicate_pair": pair,
        "duplicate_decision": care.decision(pair),
    }


def test_no_row_is_deleted_changed_or_brought_back(care: Care, kept: dict[str, uuid.UUID]) -> None:
    for table in TABLES:
        with gate(f"{table} rows are never deleted"):
            run(care.db, f"DELETE FROM {table} WHERE id = :id", id=kept[table])
    for table, change in CHANGES.items():
        with pytest.raises(IntegrityError, match="gate: "):
            run(care.db, f"UPDATE {table} SET {change} WHERE id = :id", id=kept[table])
    columns = "withdrawn_at = {}, withdrawn_by_id = {}, withdrawal_reason = {}"
    for table in WITHDRAWN:
        update = f"UPDATE {table} SET {columns} WHERE id = :id"
        by = care.people[Role.CASEWORKER]
        assert run(care.db, update.format(":at", ":by", "'x'"), at=AT, by=by, id=kept[table]) == 1
        with gate(f"{table} rows are withdrawn, never changed"):
            run(care.db, update.format("NULL", "NULL", "NULL"), id=kept[table])


def test_the_moves_of_a_referral_are_those_of_the_table(care: Care) -> None:
    ways: dict[ReferralState, list[str]] = {
        ReferralState.DRAFT: [],
        ReferralState.SENT: ["sent"],
        ReferralState.ACCEPTED: ["sent", "accepted"],
        ReferralState.REJECTED: ["sent", "rejected"],
        ReferralState.DONE: ["sent", "accepted", "done"],
        ReferralState.WITHDRAWN: ["sent", "withdrawn"],
    }
    for state, way in ways.items():
        for wanted in ReferralState:
            if wanted is state:
                continue
            referral, before = care.referral(), "draft"
            for step in way:
                if step == "sent":
                    care.send(referral)
                else:
                    care.step(referral, before, step)
                    care.put(referral, step)
                before = step
            if wanted is not ReferralState.DRAFT:
                care.step(referral, before, wanted.value)
            if wanted in REFERRAL_TRANSITIONS[state] and wanted is not ReferralState.SENT:
                care.put(referral, wanted.value)
            else:
                with pytest.raises(IntegrityError):
                    care.put(referral, wanted.value)


def test_a_referral_is_sent_by_the_station_and_answered_by_the_receiver(care: Care) -> None:
    world = care.ground.world
    referral = care.referral()
    with gate("no such move of a referral, or nobody made it"):
        run(
            care.db,
            "UPDATE referral SET state = 'sent', sent_at = :at, sent_by_id = :by, answer_due_at = :at WHERE id = :id",
            at=AT, by=care.people[Role.CASEWORKER], id=referral,
        )  # fmt: skip
    with gate("only the station sends"):
        care.step(referral, "draft", "sent", care.people[Role.RECEIVING_UNIT])
    care.send(referral)
    for other in (
        care.people[Role.CASEWORKER], care.people[Role.HEALTH_LIAISON], world.b.users[Role.RECEIVING_UNIT].id,
    ):  # fmt: skip
        with gate("only the receiving organisation answers"):
            care.step(referral, "sent", "accepted", other)
    for change in ("content_sealed = x'00'", "kind = 'job'", "answer_due_at = NULL"):
        spelt = change.replace("x'00'", "'\\x00'") if care.db.engine.dialect.name == "postgresql" else change
        with pytest.raises(IntegrityError):
            run(care.db, f"UPDATE referral SET {spelt} WHERE id = :id", id=referral)
    with gate("a referral stays where it was made"):
        run(care.db, "UPDATE referral SET case_id = :case WHERE id = :id", case=care.other, id=referral)


def test_what_a_referral_needs(care: Care) -> None:
    world = care.ground.world
    with gate("not an organisation that receives referrals"):
        care.referral(receiver_id=world.a.police.id)
    with gate("the station refers"):
        care.referral(created_by_id=care.people[Role.POLICE_EXAMINER])
    with gate("a referral begins as a draft"):
        care.referral(state="accepted", sent_at=AT, sent_by_id=care.people[Role.CASEWORKER], answer_due_at=AT)
    draft = scalar(care.db, "SELECT count(*) FROM case_file WHERE state = 'draft'")
    assert draft == 0
    run(care.db, "UPDATE case_file SET state = 'draft' WHERE id = :id", id=care.other)
    with gate("a referral needs a case that was handed in"):
        care.referral(case_id=care.other)


def test_follow_up_follows_a_return_home(care: Care) -> None:
    refused: tuple[Callable[[], object], ...] = (
        lambda: care.visit(case_id=care.other),
        lambda: care.end(None, case_id=care.other),
    )
    for one in refused:
        with gate("follow-up follows a return home"):
            one()
    with gate("the station follows up"):
        care.visit(recorded_by_id=care.people[Role.POLICE_EXAMINER])
    dangerous = care.visit(danger=True)
    with gate("stable rests on a standing visit"):
        care.end(dangerous)
    care.end(None)
    with pytest.raises(IntegrityError):  # one decision stands
        care.end(None)


def test_links_are_in_order_and_decisions_one_at_a_time(care: Care) -> None:
    with pytest.raises(IntegrityError):
        care.wandering(care.case, care.case)
    run(care.db, "UPDATE case_file SET created_at = :at WHERE id = :id", at=AT.replace(year=2030), id=care.other)
    with gate("not an earlier case"):
        care.wandering(care.case, care.other)
    for swapped in (True, False):
        with pytest.raises(IntegrityError):
            care.pair_again(swapped=swapped)
    pair = care.pair()
    with gate("a human of the station or the police decides"):
        care.decision(pair, decided_by_id=care.people[Role.CASEWORKER])
    with gate("a decision has its reason"):
        care.decision(pair, reason=" ")
    decision = care.decision(pair)
    with pytest.raises(IntegrityError):
        care.decision(pair, verdict="different")
    with gate("no standing link with a confirmed report"):
        insert(
            care.db, "duplicate_closure", id=uuid.uuid4(), candidate_id=care.ground.story.candidate,
            decision_id=decision, confirmation_id=care.ground.story.candidate, closed_at=AT,
        )  # fmt: skip
