"""Identity claims: grades, whom they name, what they block, how a conflict ends, and what stays sealed."""

import threading
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from models.candidate import Candidate
from models.case import CaseState
from models.claim import GRADES, ClaimGrade, ClaimMethod, IdentityClaim
from models.confirmation import Confirmation, ConfirmationMethod
from models.contact import DangerScreen, PersonWish
from models.notification import Notification, NotificationKind
from models.review import Opinion
from models.user import Role
from tests.factories.records import IDENTITY_NUMBER, make_case, make_report
from tests.factories.stories import Story, commit_opinion, examiners, judged_case, run_jobs, state_of, two_reviews
from tests.factories.world import World
from tracing import claims
from tracing.access import Permission, Viewer
from tracing.cases import CaseClosed, ReasonMissing, move_case
from tracing.claim_gate import ClaimsConflict
from tracing.claims import ClaimResult
from tracing.confirmation import NotThisCase, confirm, recall
from tracing.contact import release_contact
from tracing.facts import InvalidFacts
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

OTHER_NUMBER = "11010519491231002X"  # the example of GB 11643
DAY = date(2026, 3, 1)


@pytest.fixture
def story(any_services: Services, world: World, now: datetime) -> Story:
    """A case in review."""
    return judged_case(any_services, world, CaseState.IN_REVIEW, now=now)


def dna(candidate_id: uuid.UUID | None = None, **more: str) -> ClaimResult:
    return ClaimResult(
        ClaimMethod.DNA, DAY, "王警官", candidate_id, reference=more.pop("reference", "D-2026-11"),
        custody="3月1日采血，市局物证所比对", **more,
    )  # fmt: skip


def record(services: Services, viewer: Viewer, story: Story, given: ClaimResult, now: datetime) -> IdentityClaim:
    with unit_of_work(services.db) as session:
        return claims.record_claim(session, services, viewer, story.case_id, given, now=now)


def decide(
    services: Services, viewer: Viewer, story: Story, now: datetime, reference: str | None = "X-1"
) -> Confirmation:
    with unit_of_work(services.db) as session:
        return confirm(
            session, viewer, story.case_id, story.candidate, ConfirmationMethod.DNA,
            reference=reference, grounds="亲缘关系成立", now=now,
        )  # fmt: skip


def slugs(call: Callable[[], object]) -> set[tuple[str | None, str]]:
    with pytest.raises(InvalidFacts) as refused:
        call()
    return {(one.field, one.slug) for one in refused.value.problems}


def test_the_grade_follows_from_the_method(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    first = examiners(world)[0]
    for method in ClaimMethod:
        custody = "采样封存" if method is ClaimMethod.DNA else None
        given = ClaimResult(method, DAY, "王警官", story.candidate, reference="R-1", custody=custody)
        assert record(services, first, story, given, now).grade is GRADES[method]
    leads = {ClaimMethod.FACE, ClaimMethod.NAME, ClaimMethod.INTERVIEW, ClaimMethod.SELF_STATEMENT}
    assert {method for method, grade in GRADES.items() if grade is ClaimGrade.LEAD} == leads


def test_what_is_missing_is_named(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    first = examiners(world)[0]

    def of(given: ClaimResult) -> set[tuple[str | None, str]]:
        return slugs(lambda: record(services, first, story, given, now))

    bare = ClaimResult(ClaimMethod.DNA, DAY + timedelta(days=90), " ")
    assert of(bare) == {
        ("officer", "empty_value"), ("obtained_on", "date_in_future"), ("candidate_id", "claim_names_nobody"),
        ("reference", "reference_missing"), ("custody", "custody_missing"),
    }  # fmt: skip
    assert of(dna(story.candidate, name="韦某")) == {("candidate_id", "claim_names_nobody")}
    assert of(dna(name="韦某")) == {("identity_number", "claim_number_missing")}
    assert of(dna(name="韦某", identity_number="110105194912310021")) == {("identity_number", "bad_identity_number")}
    with unit_of_work(services.db) as session:
        other = make_case(session, services, world.viewer(world.a.users[Role.STATION_STAFF]), now=now)
    with pytest.raises(NotThisCase):
        record(services, first, Story(other.id), dna(story.candidate), now)


def test_who_writes_and_who_settles(any_services: Services, world: World, story: Story, now: datetime) -> None:
    made = record(any_services, examiners(world)[0], story, dna(story.candidate), now)
    for viewer in world.viewers():
        inside = viewer.path.startswith(world.a.bureau.path)
        if not (viewer.may(Permission.CLAIM) and inside):
            with pytest.raises((errors.Forbidden, errors.NotFound)):
                record(any_services, viewer, story, dna(story.candidate), now)
            with pytest.raises((errors.Forbidden, errors.NotFound)), unit_of_work(any_services.db) as session:
                claims.withdraw_claim(session, viewer, made.id, reason="x", now=now)
            with pytest.raises((errors.Forbidden, errors.NotFound)), unit_of_work(any_services.db) as session:
                claims.open_identity(session, any_services, viewer, made.id, now=now)
        if not (viewer.may(Permission.CLAIM_SETTLE) and inside):
            with pytest.raises((errors.Forbidden, errors.NotFound)), unit_of_work(any_services.db) as session:
                claims.settle_claim(session, viewer, made.id, reason="x", now=now)


def test_a_result_on_somebody_else_blocks_until_it_is_withdrawn(
    any_services: Services, world: World, supervisor: Viewer, story: Story, now: datetime
) -> None:
    first = examiners(world)[0]
    two_reviews(any_services, world, story.candidate, now=now)
    record(any_services, first, story, ClaimResult(ClaimMethod.FACE, DAY, "王警官", name="李某"), now)  # a lead
    wrong = record(any_services, first, story, dna(name="李某", identity_number=OTHER_NUMBER), now)
    record(any_services, first, story, dna(story.candidate, reference="D-2"), now)
    with pytest.raises(ClaimsConflict) as refused:
        decide(any_services, supervisor, story, now)
    assert refused.value.params == {"methods": [ClaimMethod.DNA]}
    with read_only(any_services.db) as session:
        assert session.scalars(select(Confirmation)).all() == []
        told = select(Notification.recipient_id).where(Notification.kind == NotificationKind.CLAIMS_CONFLICT)
        assert session.scalars(told).all() == [supervisor.user_id]  # by the second: the first contradicts nothing
    with pytest.raises(ReasonMissing), unit_of_work(any_services.db) as session:
        claims.withdraw_claim(session, first, wrong.id, reason=" ", now=now)
    with unit_of_work(any_services.db) as session:
        claims.withdraw_claim(session, first, wrong.id, reason="样本弄混", now=now)
    with pytest.raises(claims.ClaimEnded), unit_of_work(any_services.db) as session:
        claims.withdraw_claim(session, first, wrong.id, reason="再次", now=now)
    decide(any_services, supervisor, story, now)
    assert state_of(any_services, story.case_id) is CaseState.IDENTIFIED


def test_a_supervisor_settles_with_a_reason(
    any_services: Services, world: World, supervisor: Viewer, story: Story, now: datetime
) -> None:
    first = examiners(world)[0]
    lead = record(any_services, first, story, ClaimResult(ClaimMethod.NAME, DAY, "王警官", story.candidate), now)
    with pytest.raises(claims.LeadBlocksNothing), unit_of_work(any_services.db) as session:
        claims.settle_claim(session, supervisor, lead.id, reason="x", now=now)
    other = record(any_services, first, story, dna(name="李某", identity_number=OTHER_NUMBER), now)
    with unit_of_work(any_services.db) as session:
        settled = claims.settle_claim(session, supervisor, other.id, reason="同一人的旧号码", now=now)
    assert (settled.settled_by_id, settled.withdrawn_at, settled.stands) == (supervisor.user_id, None, False)
    decide(any_services, supervisor, story, now)


def test_a_confirmation_rests_on_the_recorded_result(
    any_services: Services, world: World, staff: Viewer, supervisor: Viewer, story: Story, now: datetime
) -> None:
    first = examiners(world)[0]
    older = record(any_services, first, story, dna(story.candidate, reference="D-1"), now)
    newer = record(any_services, first, story, dna(story.candidate, reference="D-2"), now + timedelta(hours=1))
    made = decide(any_services, supervisor, story, now, None)
    assert (made.claim_id, made.reference) == (newer.id, "D-2")
    for end in (claims.withdraw_claim, claims.settle_claim):
        with pytest.raises(claims.ClaimInUse), unit_of_work(any_services.db) as session:
            end(session, supervisor, newer.id, reason="x", now=now)
    for reference, expected in (("D-1", older.id), ("D-3", None)):
        undo(any_services, supervisor, staff, story, now)
        made = decide(any_services, supervisor, story, now, reference)
        assert (made.claim_id, made.reference) == (expected, reference)


def undo(services: Services, viewer: Viewer, staff: Viewer, story: Story, now: datetime) -> None:
    """Recalled and searched again, so that it can be confirmed anew."""
    with unit_of_work(services.db) as session:
        recall(session, services, viewer, story.case_id, reason="重新核对", now=now)
        move_case(session, services, staff, story.case_id, CaseState.SEARCHING, reason="重新核对", now=now)
    run_jobs(services, now)


def test_a_result_after_the_confirmation_stops_the_release(
    any_services: Services, world: World, supervisor: Viewer, story: Story, now: datetime
) -> None:
    first = examiners(world)[0]
    decide(any_services, supervisor, story, now)
    made = record(any_services, first, story, dna(name="李某", identity_number=OTHER_NUMBER), now)
    with pytest.raises(ClaimsConflict), unit_of_work(any_services.db) as session:
        release_contact(session, first, story.case_id, PersonWish.WANTS_CONTACT, DangerScreen.NO_SIGN, now=now)
    with unit_of_work(any_services.db) as session:
        (view,) = claims.list_claims(session, first, story.case_id, now=now)
    assert (view.claim.id, view.conflicts) == (made.id, True)


def test_a_number_that_a_candidate_has_names_that_candidate(
    services: Services, world: World, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    with unit_of_work(services.db) as session:
        report = make_report(session, services, reporter, identity_number=IDENTITY_NUMBER, now=now)
    run_jobs(services, now)
    with read_only(services.db) as session:
        numbered = session.scalars(select(Candidate).where(Candidate.report_id == report.id)).one()
    first = examiners(world)[0]
    by_number = record(services, first, story, dna(name="韦某", identity_number=IDENTITY_NUMBER), now)
    by_choice = record(services, first, story, dna(numbered.id), now)
    assert by_number.candidate_id == numbered.id
    assert by_number.names_the_same(by_choice)
    assert by_number.person_digest == by_choice.person_digest
    with unit_of_work(services.db) as session:
        assert not any(view.conflicts for view in claims.list_claims(session, first, story.case_id, now=now))


def test_the_identity_stays_sealed_and_its_opening_is_for_the_police(
    services: Services, world: World, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    first = examiners(world)[0]
    made = record(services, first, story, dna(name="李某某", identity_number=OTHER_NUMBER), now)
    stored = services.settings.data_dir.joinpath("guitu.sqlite3").read_bytes()
    stored += services.settings.data_dir.joinpath("guitu.sqlite3-wal").read_bytes()
    assert OTHER_NUMBER.encode() not in stored
    assert "李某某".encode() not in stored
    with unit_of_work(services.db) as session:
        opened = claims.open_identity(session, services, first, made.id, now=now)
    assert (opened.name, opened.identity_number) == ("李某某", OTHER_NUMBER)


def test_an_examiner_does_not_see_whom_it_names_before_the_own_opinion(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    record(services, first, story, dna(story.candidate), now)

    def look(viewer: Viewer) -> claims.ClaimView:
        with unit_of_work(services.db) as session:
            (view,) = claims.list_claims(session, viewer, story.case_id, now=now)
        return view

    assert not look(first).sealed  # recorded it
    assert not look(staff).sealed  # judges nothing
    assert (look(second).sealed, look(second).candidate_id, look(second).report_number) == (True, None, None)
    with unit_of_work(services.db) as session:
        commit_opinion(session, services, second, story.candidate, Opinion.NEITHER, None, now=now)
    assert look(second).candidate_id == story.candidate


def test_a_closed_case_takes_no_result(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.CLOSED, now=now)
    with pytest.raises(CaseClosed):
        record(services, examiners(world)[0], story, dna(story.candidate), now)


@pytest.mark.postgres
def test_a_result_and_a_confirmation_that_race(
    postgres_services: Services, world: World, supervisor: Viewer, now: datetime
) -> None:
    """Whoever is first: either the confirmation is refused, or the result comes after it and stops the release."""
    services = postgres_services
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    first = examiners(world)[0]
    start, ended = threading.Barrier(2), list[str]()

    def run(what: Callable[[], object]) -> None:
        start.wait()
        try:
            what()
            ended.append("done")
        except errors.TracingError as error:
            ended.append(error.slug)

    other = dna(name="李某", identity_number=OTHER_NUMBER)
    both = (lambda: record(services, first, story, other, now), lambda: decide(services, supervisor, story, now))
    threads = [threading.Thread(target=run, args=(one,)) for one in both]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(ended) in (["claims_conflict", "done"], ["done", "done"])
    with pytest.raises(errors.Conflict), unit_of_work(services.db) as session:
        release_contact(session, first, story.case_id, PersonWish.WANTS_CONTACT, DangerScreen.NO_SIGN, now=now)
