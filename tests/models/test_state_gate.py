"""Raw SQL against the case's state and the contact release, on both databases: there is no way around the police."""

import uuid

import pytest

from models.case import CONTACT_OPEN, GATED, CaseState
from models.user import Role
from tests.models.sql import AT, Ground, gate, insert, run, scalar

UNCONFIRMED = "this state needs a standing confirmation"
UNRELEASED = "this state needs a contact release"
UNRELEASABLE = "no standing confirmation to release"
NEW_ID = uuid.UUID(int=20260302)
ORDER = [CaseState.IDENTIFIED, CaseState.CONTACT_RELEASED, CaseState.FAMILY_CONTACTED, CaseState.REUNIFIED]


def state(ground: Ground) -> object:
    return scalar(ground.db, "SELECT state FROM case_file WHERE id = :id", id=ground.story.case_id)


def recall(ground: Ground, confirmation_id: uuid.UUID) -> None:
    ground.put("recalled")
    run(
        ground.db,
        "UPDATE confirmation SET recalled_at = :at, recalled_by_id = :user, recall_reason = 'raw' WHERE id = :id",
        at=AT, user=ground.supervisor_id, id=confirmation_id,
    )  # fmt: skip


@pytest.mark.parametrize("wanted", sorted(GATED))
def test_no_gated_state_without_a_confirmation(ground: Ground, wanted: CaseState) -> None:
    for examiner_id in ground.examiner_ids:  # two agreeing reviews alone open nothing
        ground.review(examiner_id)
    with gate("this state needs"):
        ground.put(wanted)
    assert state(ground) == "in_review"


@pytest.mark.parametrize("wanted", sorted(CONTACT_OPEN))
def test_a_confirmation_alone_opens_no_contact(ground: Ground, wanted: CaseState) -> None:
    ground.confirm(method="dna", reference="D-1")
    assert ground.put("identified") == 1
    with gate(UNRELEASED):
        ground.put(wanted)
    assert state(ground) == "identified"


def test_the_confirmation_of_another_case_opens_nothing(ground: Ground) -> None:
    ground.confirm(method="dna", reference="D-1", case_id=ground.other.case_id, candidate_id=ground.other.candidate)
    with gate(UNCONFIRMED):
        ground.put("identified")


def test_with_confirmation_and_release_the_way_is_open(ground: Ground) -> None:
    confirmation_id = ground.confirm(method="dna", reference="D-1")
    ground.put("identified")
    ground.release(confirmation_id)
    insert(
        ground.db, "kin_verification", id=NEW_ID, case_id=ground.story.case_id, confirmation_id=confirmation_id,
        result="verified", evidence_sealed=b"x", questions_asked=2, questions_agreeing=2, documents=[],
        dna_required=False, dna_reasons=[], policy_version="CN-1", verified_at=AT,
        verified_by_id=ground.supervisor_id,
    )  # fmt: skip
    for wanted in ORDER[1:]:
        assert ground.put(wanted) == 1
    assert state(ground) == "reunified"


@pytest.mark.parametrize("wanted", sorted(GATED))
def test_a_recalled_confirmation_opens_nothing(ground: Ground, wanted: CaseState) -> None:
    confirmation_id = ground.confirm(method="dna", reference="D-1")
    ground.release(confirmation_id)
    recall(ground, confirmation_id)
    with gate("this state needs"):
        ground.put(wanted)


@pytest.mark.parametrize("wanted", sorted(GATED))
def test_no_case_begins_in_a_gated_state(ground: Ground, wanted: CaseState) -> None:
    # A profile of its own, so that nothing but the gate can refuse the row.
    run(ground.db, "INSERT INTO subject (id, master_key_id, created_at) VALUES (:id, 'k', :at)", id=NEW_ID, at=AT)
    run(
        ground.db,
        "INSERT INTO profile (id, subject_id, revision, no_marks) VALUES (:id, :id, 1, :no)",
        id=NEW_ID, no=False,
    )  # fmt: skip
    values: dict[str, object] = {
        "id": NEW_ID, "number": "C-1", "organisation_id": ground.world.a.station.id,
        "created_by_id": ground.world.a.users[Role.STATION_STAFF].id, "profile_id": NEW_ID, "state_since": AT,
        "admitted_on": AT.date(), "photo_refused": False, "created_at": AT, "updated_at": AT, "version": 1,
    }  # fmt: skip
    with gate("this state needs"):
        insert(ground.db, "case_file", state=wanted.value, **values)
    insert(ground.db, "case_file", state="draft", **values)


@pytest.mark.parametrize(
    "changed", [{"wish": "objects"}, {"danger": "suspected"}, {"wish": "objects", "danger": "suspected"}]
)
def test_no_release_when_the_person_objects_or_danger_is_suspected(ground: Ground, changed: dict[str, str]) -> None:
    confirmation_id = ground.confirm(method="dna", reference="D-1")
    with gate("the person objects, or danger is suspected"):
        ground.release(confirmation_id, **changed)


def test_no_release_of_a_recalled_confirmation(ground: Ground) -> None:
    confirmation_id = ground.confirm(method="dna", reference="D-1")
    recall(ground, confirmation_id)
    with gate(UNRELEASABLE):
        ground.release(confirmation_id)


def test_no_release_for_another_case(ground: Ground) -> None:
    confirmation_id = ground.confirm(method="dna", reference="D-1")
    with gate(UNRELEASABLE):
        ground.release(confirmation_id, case_id=ground.other.case_id)


@pytest.mark.parametrize("role", [role for role in Role if not role.value.startswith("police")])
def test_nobody_but_the_police_releases(ground: Ground, role: Role) -> None:
    confirmation_id = ground.confirm(method="dna", reference="D-1")
    with gate(UNRELEASABLE):
        ground.release(confirmation_id, released_by_id=ground.world.a.users[role].id)
