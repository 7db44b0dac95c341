"""The matching pass: who is proposed to whom, once a revision, and that what people judged is left alone."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from matcher.vocabulary import EvidenceKind, GalleryKind, Sex
from models.candidate import Candidate, CandidateState, MatchPass
from models.case import Case, CaseState
from models.review import Opinion
from tests.factories.faces import BLUE, DARK_RED, GREEN, RED, make_photo_bytes
from tests.factories.records import REPORTED, SEEN, attach, facts, make_case, make_report
from tests.factories.stories import candidate_of, commit_opinion, examiners, judged_case, run_jobs, state_of
from tests.factories.world import World
from tracing.access import Viewer
from tracing.cases import Circumstances, edit_case, move_case
from tracing.facts import Facts
from tracing.matching import match_job, request_match
from tracing.photos import choose_face, list_photos, remove_photo
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.reports import withdraw_report
from tracing.services import Services

NOTHING = Facts()
REDDISH, LIKE_RED = make_photo_bytes(RED), make_photo_bytes(DARK_RED)


def admit(
    services: Services, viewer: Viewer, now: datetime, *, photo: bytes | None = None, known: Facts = SEEN
) -> uuid.UUID:
    with unit_of_work(services.db) as session:
        return make_case(session, services, viewer, known=known, photo=photo, now=now).id


def report(
    services: Services, viewer: Viewer, now: datetime, *, photo: bytes | None = None, known: Facts = REPORTED
) -> uuid.UUID:
    with unit_of_work(services.db) as session:
        return make_report(session, services, viewer, known=known, photo=photo, now=now).id


def candidates(services: Services) -> Sequence[Candidate]:
    with read_only(services.db) as session:
        return session.scalars(select(Candidate).order_by(Candidate.log10_lr.desc())).all()


def passes(services: Services) -> Sequence[MatchPass]:
    with read_only(services.db) as session:
        return session.scalars(select(MatchPass)).all()


def test_a_new_case_finds_the_report(colour: Services, staff: Viewer, reporter: Viewer, now: datetime) -> None:
    wanted = report(colour, reporter, now, photo=LIKE_RED, known=NOTHING)
    report(colour, reporter, now, photo=make_photo_bytes(GREEN), known=NOTHING)
    run_jobs(colour, now)
    case_id = admit(colour, staff, now, photo=REDDISH, known=NOTHING)
    assert state_of(colour, case_id) is CaseState.SUBMITTED
    run_jobs(colour, now)
    (found,) = [one for one in candidates(colour) if one.log10_lr > 1]
    assert (found.case_id, found.report_id, found.other_case_id) == (case_id, wanted, None)
    assert (found.state, found.listed) == (CandidateState.OPEN, True)
    assert found.face_similarity is not None
    assert 0.95 < found.face_similarity <= 1.0001
    assert [term["kind"] for term in found.terms if term["log10_lr"] > 1] == ["face"]
    assert state_of(colour, case_id) is CaseState.IN_REVIEW


def test_a_new_report_finds_the_case(colour: Services, staff: Viewer, reporter: Viewer, now: datetime) -> None:
    case_id = admit(colour, staff, now, photo=REDDISH, known=NOTHING)
    run_jobs(colour, now)
    assert state_of(colour, case_id) is CaseState.UNRESOLVED
    report_id = report(colour, reporter, now, photo=LIKE_RED, known=NOTHING)
    run_jobs(colour, now)
    (found,) = candidates(colour)
    assert (found.case_id, found.report_id) == (case_id, report_id)
    assert state_of(colour, case_id) is CaseState.IN_REVIEW


def test_reports_are_not_searched_among_reports(colour: Services, reporter: Viewer, now: datetime) -> None:
    report(colour, reporter, now, photo=REDDISH)
    report(colour, reporter, now, photo=LIKE_RED)
    run_jobs(colour, now)
    assert candidates(colour) == []
    assert len(passes(colour)) == 2


def test_two_cases_share_one_candidate_found_from_both_sides(
    colour: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    first = admit(colour, staff, now, photo=REDDISH, known=NOTHING)
    run_jobs(colour, now)
    second = admit(colour, reporter, now + timedelta(days=1), photo=LIKE_RED, known=NOTHING)
    run_jobs(colour, now + timedelta(days=1))
    (found,) = candidates(colour)
    assert (found.case_id, found.other_case_id, found.report_id) == (second, first, None)
    before = found.updated_at
    with unit_of_work(colour.db) as session:
        attach(session, colour, staff, GalleryKind.CASE, first, make_photo_bytes((220, 35, 35)), now=now)
    run_jobs(colour, now + timedelta(days=1))
    (again,) = candidates(colour)
    assert (again.id, again.case_id, again.other_case_id) == (found.id, second, first)
    assert again.updated_at > before


def test_a_photograph_on_which_somebody_has_to_choose_matches_after_the_choice(
    colour: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    report(colour, reporter, now, photo=LIKE_RED, known=NOTHING)
    case_id = admit(colour, staff, now, photo=make_photo_bytes(GREEN, RED), known=NOTHING)
    run_jobs(colour, now)
    assert not [one for one in candidates(colour) if one.face_similarity is not None]
    with unit_of_work(colour.db) as session:
        (photo,) = list_photos(session, session.get_one(Case, case_id).profile_id)
        choose_face(session, colour, staff, photo.id, photo.faces[1].id, now=now)
    run_jobs(colour, now)
    (found,) = [one for one in candidates(colour) if one.face_similarity is not None]
    assert found.log10_lr > 1


def test_a_judged_candidate_is_not_touched(
    colour: Services, world: World, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    report(colour, reporter, now, photo=LIKE_RED)
    case_id = admit(colour, staff, now, photo=REDDISH)
    run_jobs(colour, now)
    judged = candidate_of(colour, case_id)
    with unit_of_work(colour.db) as session:
        commit_opinion(session, colour, examiners(world)[0], judged.id, Opinion.OPPOSES, None, now=now)
    edit(colour, staff, case_id, facts(sex=Sex.FEMALE, age=20), now)
    run_jobs(colour, now)
    after = candidate_of(colour, case_id)
    assert after.state is CandidateState.JUDGED
    columns = ("log10_lr", "posterior", "terms", "face_similarity", "updated_at", "listed", "proposed_at")
    assert [getattr(after, name) for name in columns] == [getattr(judged, name) for name in columns]
    assert len(passes(colour)) == 3


def edit(services: Services, viewer: Viewer, case_id: uuid.UUID, known: Facts, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        circumstances = Circumstances(services.local_day(now), services.local_day(now), "450702")
        edit_case(session, services, viewer, case_id, circumstances, known, version=None, now=now)


def test_an_open_candidate_follows_new_evidence(
    colour: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    report(colour, reporter, now, known=facts(sex=Sex.MALE, age=44, name="韦建国"))
    case_id = admit(colour, staff, now, known=facts(sex=Sex.MALE))
    run_jobs(colour, now)
    before = candidate_of(colour, case_id)
    edit(colour, staff, case_id, facts(sex=Sex.MALE, name="韦建国"), now)
    run_jobs(colour, now)
    after = candidate_of(colour, case_id)
    assert after.id == before.id
    assert after.log10_lr > before.log10_lr + 1
    assert EvidenceKind.NAME.value in {term["kind"] for term in after.terms}


def test_a_candidate_that_is_no_longer_proposed_leaves_the_list_and_is_kept(
    colour: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    report(colour, reporter, now, photo=LIKE_RED, known=NOTHING)
    case_id = admit(colour, staff, now, photo=REDDISH, known=NOTHING)
    run_jobs(colour, now)
    with unit_of_work(colour.db) as session:
        (photo,) = list_photos(session, session.get_one(Case, case_id).profile_id)
        remove_photo(session, colour, staff, photo.id, now=now)
        attach(session, colour, staff, GalleryKind.CASE, case_id, make_photo_bytes(GREEN), now=now)
    run_jobs(colour, now)
    found = candidate_of(colour, case_id)
    assert (found.listed, found.state) == (False, CandidateState.OPEN)


def test_a_pass_is_stored_once_a_revision_and_versions(
    colour: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    report(colour, reporter, now)
    case_id = admit(colour, staff, now)
    run_jobs(colour, now)
    before = [(one.id, one.updated_at, one.log10_lr) for one in candidates(colour)]
    with unit_of_work(colour.db) as session:
        for _ in range(2):
            request_match(session, colour, GalleryKind.CASE, case_id, now=now)
    assert run_jobs(colour, now) == 0
    # Even if a worker that died after storing its effects is run again by hand.
    claimed = jobs.ClaimedJob(
        uuid.uuid4(), "match", "again", {"kind": "case", "id": str(case_id)}, 1, utc_now(), token="t"
    )
    match_job(colour, claimed, lambda _session: None)
    assert len(passes(colour)) == 2
    assert [(one.id, one.updated_at, one.log10_lr) for one in candidates(colour)] == before


def test_new_parameters_are_a_new_pass(colour: Services, staff: Viewer, now: datetime) -> None:
    case_id = admit(colour, staff, now)
    run_jobs(colour, now)
    newer = replace(colour, parameters=replace(colour.parameters, version="another-1"))
    with unit_of_work(newer.db) as session:
        request_match(session, newer, GalleryKind.CASE, case_id, now=now)
    assert run_jobs(newer, now) == 1
    assert {one.parameters_version for one in passes(newer)} == {colour.parameters.version, "another-1"}


def test_without_an_engine_attributes_alone_propose(
    any_services: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    wanted = report(any_services, reporter, now, photo=LIKE_RED)
    report(any_services, reporter, now, known=facts(sex=Sex.FEMALE, age=8, height=120, name="陈小燕"))
    case_id = admit(any_services, staff, now, photo=REDDISH)
    run_jobs(any_services, now)
    found = candidate_of(any_services, case_id)
    assert found.report_id == wanted
    assert found.face_similarity is None
    assert found.model_version == "none"
    assert {term["kind"] for term in found.terms} >= {"sex", "age", "height", "name"}


def test_the_list_is_short_and_holds_the_strongest(
    any_services: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    limit = any_services.settings.matching.candidate_limit
    for height in range(160, 160 + limit + 4):
        report(any_services, reporter, now, known=facts(sex=Sex.MALE, age=45, height=height, name="韦建国"))
    run_jobs(any_services, now)
    case_id = admit(any_services, staff, now, known=facts(sex=Sex.MALE, age=45, height=172, name="韦建国"))
    run_jobs(any_services, now)
    assert [one.candidates for one in passes(any_services) if one.kind is GalleryKind.CASE] == [limit]
    first = [one.log10_lr for one in candidates(any_services) if one.listed]
    assert len(first) == limit
    # Better ones that come later take the place of the weakest, whoever finds them.
    for _ in range(3):
        report(any_services, reporter, now, known=facts(sex=Sex.MALE, age=45, height=172, name="韦建国"))
    run_jobs(any_services, now)
    listed = [one.log10_lr for one in candidates(any_services) if one.listed]
    assert len(listed) == limit
    assert min(listed) > min(first)
    assert len(candidates(any_services)) == limit + 3
    assert {one.case_id for one in candidates(any_services)} == {case_id}


def test_who_is_identified_or_withdrawn_is_not_proposed(
    services: Services, world: World, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    judged_case(services, world, CaseState.IDENTIFIED, now=now)
    withdrawn = report(services, reporter, now)
    with unit_of_work(services.db) as session:
        withdraw_report(session, services, reporter, withdrawn, now=now)
    case_id = admit(services, staff, now)
    run_jobs(services, now)
    with read_only(services.db) as session:
        found = session.scalars(select(Candidate).where(Candidate.case_id == case_id)).all()
    assert found == []
    assert state_of(services, case_id) is CaseState.UNRESOLVED


def test_a_case_that_left_before_its_pass_stays_left_and_can_still_be_found(
    services: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    case_id = admit(services, staff, now)
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, case_id, CaseState.LEFT, reason="自行离站", now=now)
    run_jobs(services, now)
    assert state_of(services, case_id) is CaseState.LEFT
    report_id = report(services, reporter, now)
    run_jobs(services, now)
    assert state_of(services, case_id) is CaseState.LEFT
    assert candidate_of(services, case_id).report_id == report_id


def test_another_colour_is_no_candidate(colour: Services, staff: Viewer, reporter: Viewer, now: datetime) -> None:
    report(colour, reporter, now, photo=make_photo_bytes(BLUE), known=NOTHING)
    case_id = admit(colour, staff, now, photo=REDDISH, known=NOTHING)
    run_jobs(colour, now)
    assert not [one for one in candidates(colour) if one.case_id == case_id and one.listed]
    assert state_of(colour, case_id) is CaseState.UNRESOLVED
