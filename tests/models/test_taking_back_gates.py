"""Raw SQL against what takes decisions back, on both databases: only a recall or a withdrawn outcome leads back."""

import uuid
from datetime import timedelta

import pytest

from models.outcome import OutcomeKind
from models.user import Role
from tests.models.sql import AT, Ground, gate, insert, run

K = OutcomeKind
STATE_OF = {
    K.LEFT: "left", K.MISSING_AGAIN: "left", K.TRANSFERRED: "transferred", K.DECEASED: "deceased",
    K.SETTLED: "settled",
}  # fmt: skip
ENDS_NOTHING = "only the withdrawal of its outcome undoes the end of a stay"
NOT_ENOUGH = "two agreeing examiners or a decisive method"


def outcome(ground: Ground, kind: str) -> uuid.UUID:
    identity = uuid.uuid4()
    insert(
        ground.db, "outcome", id=identity, case_id=ground.story.case_id, kind=kind, occurred_on=AT.date(),
        dossier_version="1" if kind == "settled" else None,
        recorded_by_id=ground.world.a.users[Role.CASEWORKER].id, recorded_at=AT,
    )  # fmt: skip
    return identity


def withdraw(ground: Ground, outcome_id: uuid.UUID) -> None:
    run(
        ground.db,
        "UPDATE outcome SET withdrawn_at = :at, withdrawn_by_id = :user, withdrawal_reason = 'raw' WHERE id = :id",
        at=AT, user=ground.world.a.users[Role.CASEWORKER].id, id=outcome_id,
    )  # fmt: skip


def recall(ground: Ground, confirmation_id: uuid.UUID, user_id: uuid.UUID) -> None:
    run(
        ground.db,
        "UPDATE confirmation SET recalled_at = :at, recalled_by_id = :user, recall_reason = 'raw' WHERE id = :id",
        at=AT, user=user_id, id=confirmation_id,
    )  # fmt: skip


def released(ground: Ground) -> uuid.UUID:
    confirmation_id = ground.confirm(method="dna", reference="D-1")
    ground.put("identified")
    ground.release(confirmation_id)
    insert(
        ground.db, "kin_verification", id=uuid.uuid4(), case_id=ground.story.case_id, confirmation_id=confirmation_id,
        result="verified", evidence_sealed=b"x", questions_asked=2, questions_agreeing=2, documents=[],
        dna_required=False, dna_reasons=[], policy_version="CN-1", verified_at=AT,
        verified_by_id=ground.world.a.users[Role.CASEWORKER].id,
    )  # fmt: skip
    return confirmation_id


def test_a_case_and_its_confirmation_are_recalled_together_from_wherever_it_is(ground: Ground) -> None:
    with gate("there is no confirmation to recall"):
        ground.put("recalled")
    confirmation_id = ground.confirm(method="dna", reference="D-1")
    ground.put("identified")
    ground.put("left")
    ground.put("closed")
    with gate("a police supervisor recalls a confirmation together with its case"):
        recall(ground, confirmation_id, ground.supervisor_id)
    with gate("a closed case is recalled, or stays closed"):
        ground.put("searching")
    ground.put("recalled")
    with gate("a case is recalled together with its confirmation"):
        ground.put("searching")
    with gate("a police supervisor recalls a confirmation together with its case"):
        recall(ground, confirmation_id, ground.examiner_ids[0])
    recall(ground, confirmation_id, ground.supervisor_id)
    assert ground.put("searching") == 1


@pytest.mark.parametrize("kind", sorted(STATE_OF))
def test_the_end_of_a_stay_is_undone_by_withdrawing_its_outcome_alone(ground: Ground, kind: OutcomeKind) -> None:
    released(ground)
    standing = outcome(ground, kind.value)
    ground.put(STATE_OF[kind])
    with gate(ENDS_NOTHING):
        ground.put("family_contacted")
    again = outcome(ground, kind.value)
    withdraw(ground, standing)
    with gate(ENDS_NOTHING):  # the other one says the same
        ground.put("family_contacted")
    withdraw(ground, again)
    assert ground.put("family_contacted") == 1


def test_a_withdrawn_return_leads_back_and_is_not_followed_up(ground: Ground) -> None:
    released(ground)
    home, staff = outcome(ground, "reunited"), ground.world.a.users[Role.STATION_STAFF].id
    ground.put("reunified")

    def visit() -> uuid.UUID:
        identity = uuid.uuid4()
        insert(
            ground.db, "follow_up_visit", id=identity, case_id=ground.story.case_id, outcome_id=home, method="phone",
            result="unreachable", present=[], danger=False, policy_version="1", visitor="陈某", visited_at=AT,
            recorded_by_id=staff, recorded_at=AT,
        )  # fmt: skip
        return identity

    visit()
    with gate(ENDS_NOTHING):
        ground.put("family_contacted")
    withdraw(ground, home)
    for attempt in (
        visit,
        lambda: insert(
            ground.db, "follow_up_end", id=uuid.uuid4(), case_id=ground.story.case_id, outcome_id=home, reason="other",
            explanation_sealed=b"x", decided_by_id=staff, decided_at=AT,
        ),
    ):  # fmt: skip
        with gate("this return home was withdrawn"):
            attempt()
    assert ground.put("family_contacted") == 1


def test_the_visit_that_shows_stability_stays(ground: Ground) -> None:
    released(ground)
    home, staff, visit, milestone, end = outcome(ground, "reunited"), ground.world.a.users[Role.STATION_STAFF].id, *(
        uuid.uuid4() for _ in range(3)
    )  # fmt: skip
    insert(
        ground.db, "milestone", id=milestone, case_id=ground.story.case_id, kind="followed_up", occurred_at=AT,
        recorded_by_id=staff, recorded_at=AT,
    )  # fmt: skip
    insert(
        ground.db, "follow_up_visit", id=visit, case_id=ground.story.case_id, outcome_id=home, method="home",
        result="met", present=["family"], assessment={}, danger=False, policy_version="1", visitor="陈某",
        visited_at=AT, milestone_id=milestone, recorded_by_id=staff, recorded_at=AT,
    )  # fmt: skip
    insert(
        ground.db, "follow_up_end", id=end, case_id=ground.story.case_id, outcome_id=home, reason="stable",
        visit_id=visit, decided_by_id=staff, decided_at=AT,
    )  # fmt: skip
    taken = "UPDATE {} SET withdrawn_at = :at, withdrawn_by_id = :user, withdrawal_reason = 'raw' WHERE id = :id"
    with gate("the end of the follow-up rests on this visit"):
        run(ground.db, taken.format("follow_up_visit"), at=AT, user=staff, id=visit)
    run(ground.db, taken.format("follow_up_end"), at=AT, user=staff, id=end)
    assert run(ground.db, taken.format("follow_up_visit"), at=AT, user=staff, id=visit) == 1


def test_a_notice_that_no_longer_holds_is_not_answered(ground: Ground) -> None:
    confirmation_id = released(ground)
    moved, attempt, user = outcome(ground, "transferred"), uuid.uuid4(), ground.world.a.users[Role.CASEWORKER].id
    insert(
        ground.db, "contact_attempt", id=attempt, case_id=ground.story.case_id, confirmation_id=confirmation_id,
        channel="local_police", result="refused", attempted_at=AT, recorded_by_id=user, recorded_at=AT,
    )  # fmt: skip
    notices = {"transfer": uuid.uuid4(), "refusal": uuid.uuid4()}
    for kind, identity in notices.items():
        insert(
            ground.db, "home_notice", id=identity, case_id=ground.story.case_id, kind=kind,
            outcome_id=moved if kind == "transfer" else None, attempt_id=attempt if kind == "refusal" else None,
            receiver="厦门市救助管理站", document_number="移字1", sent_on=AT.date(), created_by_id=user, created_at=AT,
        )  # fmt: skip
    withdraw(ground, moved)
    ground.put("recalled")
    recall(ground, confirmation_id, ground.supervisor_id)
    answered = "UPDATE home_notice SET answer = 'received', answered_at = :at, answered_by_id = :user WHERE id = :id"
    for identity in notices.values():
        with gate("this notice no longer holds"):
            run(ground.db, answered, at=AT, user=user, id=identity)


def test_features_come_before_an_opinion(ground: Ground) -> None:
    values: dict[str, object] = {
        "candidate_id": ground.story.candidate, "examiner_id": ground.examiner_ids[0], "opinion": "supports",
        "grade": 2, "committed_at": AT,
    }  # fmt: skip
    ground.note(ground.examiner_ids[1])
    ground.note(ground.examiner_ids[0], ground.other.candidate)
    with gate("features are noted before an opinion"):
        insert(ground.db, "review", id=uuid.uuid4(), **values)
    ground.note(ground.examiner_ids[0])
    insert(ground.db, "review", id=uuid.uuid4(), **values)


@pytest.mark.parametrize("looked", [True, False])
def test_who_agrees_after_a_look_agrees_with_nobody(ground: Ground, *, looked: bool) -> None:
    first, second = ground.examiner_ids
    ground.review(first, -3, withdrawn_at=AT + timedelta(minutes=2))
    ground.review(first)
    ground.note(second)
    insert(
        ground.db, "review", id=uuid.uuid4(), candidate_id=ground.story.candidate, examiner_id=second,
        opinion="supports", grade=2, committed_at=AT + timedelta(minutes=1 if looked else 3),
    )  # fmt: skip
    if looked:
        with gate(NOT_ENOUGH):
            ground.confirm()
        ground.confirm(method="dna", reference="D-1")
    else:
        ground.confirm()
