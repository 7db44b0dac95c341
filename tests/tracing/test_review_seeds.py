"""Seeded known non-matches: like any candidate to the examiner, without effect, counted for supervisors alone."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from api.schemas.review import candidate_out, change_out, review_out
from models.audit import AuditEvent
from models.candidate import Candidate, CandidateState
from models.claim import ClaimMethod
from models.confirmation import Confirmation, ConfirmationMethod
from models.exclusion import Exclusion, ExclusionEvidence
from models.notification import Notification, NotificationKind
from models.outcome import OutcomeKind
from models.review import Opinion, Review
from models.review_protocol import RequestKind, ReviewSeed, SeedReview
from models.user import Role
from tests.factories.records import make_case
from tests.factories.seed_field import Field
from tests.factories.stories import describe, run_jobs
from tests.factories.world import World
from tracing import exclusions
from tracing.access import Viewer
from tracing.candidate_changes import ChangeView, list_changes
from tracing.candidates import get_candidate
from tracing.claims import ClaimResult, record_claim
from tracing.confirmation import OpinionsMissing, ReportTaken, ReviewsMissing, confirm, recall
from tracing.outcomes import record_outcome
from tracing.photos import open_photo
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.setting_groups import ReviewSettings
from tracing.review import AlreadyJudged, NotInReview, withdraw_review
from tracing.review_quality import Measure
from tracing.review_queue import review_queue
from tracing.review_requests import ask_for
from tracing.review_watch import assign_all
from tracing.services import Services


@pytest.fixture
def sowing(any_services: Services) -> Services:
    """Services that sow beside every candidate."""
    return replace(
        any_services,
        settings=any_services.settings.model_copy(update={"review": ReviewSettings(seeds=True, pace=False)}),
        review_rules=any_services.review_rules.model_copy(update={"seed_rate": 1.0, "small_number": 2}),
    )


@pytest.fixture
def field(sowing: Services, world: World, now: datetime) -> Field:
    return Field(sowing, world, now)


def test_a_seed_is_like_any_candidate_to_examiners_and_not_there_for_others(field: Field) -> None:
    field.describe(field.first, field.second)
    seed = field.seed()
    for viewer in (field.first, field.second):
        views = field.listed(viewer)
        assert {view.candidate.id for view in views} == {field.real, seed}
        shapes = {frozenset(candidate_out(view, field.services.parameters).model_dump()) for view in views}
        assert len(shapes) == 1
        assert {(view.sealed, view.rank, view.candidate.state) for view in views} == {(True, None, CandidateState.OPEN)}
        assert len({view.candidate.proposed_at for view in views}) == 1
    with unit_of_work(field.services.db) as session:
        (item,) = review_queue(session, field.services, field.first, now=field.later).items
        assert item.waiting == 2
        assert open_photo(session, field.services, field.first, field.known_photo, now=field.later)
    for role in (Role.STATION_STAFF, Role.BUREAU_SUPERVISOR, Role.POLICE_SUPERVISOR, Role.CASEWORKER):
        viewer = field.world.viewer(field.world.a.users[role])
        assert [view.candidate.id for view in field.listed(viewer)] == [field.real]
        with pytest.raises(errors.NotFound), unit_of_work(field.services.db) as session:
            get_candidate(session, viewer, seed, now=field.later)
        with pytest.raises(errors.NotFound), unit_of_work(field.services.db) as session:
            open_photo(session, field.services, viewer, field.known_photo, now=field.later)


def test_an_answer_to_a_seed_has_the_shape_of_an_opinion_and_no_effect(field: Field) -> None:
    field.describe(field.first, field.second)
    seed = field.seed()
    answers = [field.judge(field.first, one) for one in (field.real, seed)]
    assert len({frozenset(review_out(one, "x").model_dump()) for one in answers}) == 1
    assert [one.seconds for one in answers] == [90, 90]
    with pytest.raises(AlreadyJudged):
        field.judge(field.first, seed)
    views = field.listed(field.first)
    assert sorted(view.rank or 0 for view in views) == [1, 2]
    assert {(len(view.reviews), view.candidate.state) for view in views} == {(1, CandidateState.JUDGED)}
    assert len({frozenset(candidate_out(view, field.services.parameters).model_dump()) for view in views}) == 1
    with read_only(field.services.db) as session:
        assert session.scalars(select(Review.candidate_id)).all() == [field.real]
        shape = select(AuditEvent.action, AuditEvent.object_kind, AuditEvent.detail).where(
            AuditEvent.object_id.in_([str(field.real), str(seed)]), AuditEvent.actor_id == field.first.user_id
        )
        events = session.execute(shape).all()
        of_both = [(action, kind, frozenset(detail)) for action, kind, detail in events]
        assert len(of_both) == 4
        assert len(set(of_both)) == 2
    with unit_of_work(field.services.db) as session:
        withdraw_review(session, field.first, seed, now=field.later + timedelta(minutes=3))
        assert session.scalar(select(func.count()).select_from(SeedReview)) == 1
    assert {view.sealed for view in field.listed(field.first)} == {True, False}
    with unit_of_work(field.services.db) as session:
        assert ask_for(session, field.first, seed, RequestKind.PHOTO, now=field.later).case_id == field.case


def test_nobody_is_confirmed_as_a_seed(field: Field) -> None:
    field.describe(field.first, field.second)
    seed = field.seed()

    def attempt(method: ConfirmationMethod) -> None:
        with unit_of_work(field.services.db) as session:
            confirm(
                session, field.second, field.case, seed, method, reference="D-1", grounds="一致", now=field.later
            )  # fmt: skip

    with pytest.raises(OpinionsMissing):
        attempt(ConfirmationMethod.AGREEING_REVIEWS)
    field.judge(field.first, seed)
    with pytest.raises(OpinionsMissing):
        attempt(ConfirmationMethod.AGREEING_REVIEWS)
    field.judge(field.second, seed, Opinion.NEITHER)
    with pytest.raises(ReviewsMissing) as refused:
        attempt(ConfirmationMethod.AGREEING_REVIEWS)
    assert refused.value.params["agreeing"] == 1
    with unit_of_work(field.services.db) as session:
        withdraw_review(session, field.second, seed, now=field.later + timedelta(minutes=3))
    field.judge(field.second, seed)
    with pytest.raises(ReviewsMissing) as refused:  # not blind, as with a candidate
        attempt(ConfirmationMethod.AGREEING_REVIEWS)
    assert refused.value.params["agreeing"] == 1
    with pytest.raises(ReportTaken):
        attempt(ConfirmationMethod.DNA)
    lead = ClaimResult(ClaimMethod.NAME, field.services.local_day(field.later), "王警官", candidate_id=seed)
    with pytest.raises(ReportTaken), unit_of_work(field.services.db) as session:
        record_claim(session, field.services, field.first, field.case, lead, now=field.later)
    with pytest.raises(IntegrityError), unit_of_work(field.services.db) as session:  # whatever code runs
        session.add(
            Confirmation(
                case_id=field.case, candidate_id=seed, report_id=field.known, method=ConfirmationMethod.DNA,
                reference="D", grounds="x", confirmed_by_id=field.second.user_id, confirmed_at=field.later,
            )
        )  # fmt: skip
    with pytest.raises(IntegrityError), unit_of_work(field.services.db) as session:
        session.add(
            Review(
                candidate_id=seed, examiner_id=field.second.user_id, opinion=Opinion.SUPPORTS, grade=2,
                committed_at=field.later,
            )
        )  # fmt: skip
    changes = ("UPDATE seed_review SET grade = 0", "DELETE FROM seed_review", "UPDATE review_seed SET posterior = 0")
    for statement in changes:
        with pytest.raises(IntegrityError, match="gate: "), unit_of_work(field.services.db) as session:
            session.execute(text(statement))


def test_what_refuses_a_candidate_refuses_a_seed(field: Field) -> None:
    """The same checks in the same order: nothing but a whole confirmation tells the two apart."""
    field.describe(field.first, field.second)
    seed = field.seed()

    def refused(candidate: uuid.UUID, method: ConfirmationMethod, reference: str | None, grounds: str) -> object:
        with pytest.raises(errors.TracingError) as told, unit_of_work(field.services.db) as session:
            confirm(
                session, field.second, field.case, candidate, method, reference=reference, grounds=grounds,
                now=field.later,
            )  # fmt: skip
        return type(told.value), told.value.params

    reviews, dna = ConfirmationMethod.AGREEING_REVIEWS, ConfirmationMethod.DNA
    ways = (
        (reviews, None, ""),
        (dna, None, ""),
        (dna, None, "一致"),
        (dna, "x" * 200, "一致"),
        (reviews, None, "一致"),
    )
    for way in ways:
        assert refused(seed, *way) == refused(field.real, *way)
    for opinion in (Opinion.SUPPORTS, Opinion.OPPOSES):
        viewer = field.first if opinion is Opinion.SUPPORTS else field.second
        for one in (seed, field.real):
            field.judge(viewer, one, opinion)
        assert refused(seed, reviews, None, "一致") == refused(field.real, reviews, None, "一致")
    stranger = ClaimResult(
        ClaimMethod.FINGERPRINT, field.services.local_day(field.later), "王警官", name="李某",
        identity_number="11010519491231002X", reference="D-7",
    )  # fmt: skip
    with unit_of_work(field.services.db) as session:
        record_claim(session, field.services, field.first, field.case, stranger, now=field.later)
    assert refused(seed, dna, "D-1", "一致") == refused(field.real, dna, "D-1", "一致")


def test_a_seed_is_excluded_like_a_candidate(field: Field) -> None:
    field.describe(field.first, field.second)
    seed = field.seed()

    def exclude(candidate: uuid.UUID, evidence: ExclusionEvidence, reference: str | None = None) -> Exclusion:
        with unit_of_work(field.services.db) as session:
            return exclusions.exclude(
                session, field.first, candidate, evidence, reference=reference, reason="指纹不符", now=field.later
            )

    def refused(candidate: uuid.UUID, evidence: ExclusionEvidence) -> object:
        with pytest.raises(errors.TracingError) as told:
            exclude(candidate, evidence)
        return type(told.value), told.value.params

    for evidence in (ExclusionEvidence.DNA, ExclusionEvidence.NEW_PHOTO, ExclusionEvidence.EXAMINERS_AGREED):
        assert refused(seed, evidence) == refused(field.real, evidence)
    made = exclude(seed, ExclusionEvidence.FINGERPRINT, "Z-1")
    assert (made.candidate_id, made.case_id, made.evidence) == (seed, field.case, ExclusionEvidence.FINGERPRINT)
    assert refused(seed, ExclusionEvidence.DNA)[0] is exclusions.ExclusionStands  # type: ignore[index]
    with pytest.raises(NotInReview):
        field.judge(field.second, seed)
    for viewer in (field.first, field.second):
        assert [view.candidate.id for view in field.listed(viewer)] == [field.real]
        with unit_of_work(field.services.db) as session:
            (shown,) = exclusions.list_exclusions(session, viewer, field.case, now=field.later).items
            assert shown.candidate_id == seed
            (item,) = review_queue(session, field.services, viewer, now=field.later).items
            assert item.waiting == 1
    supervisor = field.world.viewer(field.world.a.users[Role.POLICE_SUPERVISOR])
    with unit_of_work(field.services.db) as session:
        assert exclusions.list_exclusions(session, supervisor, field.case, now=field.later).items == ()
    with pytest.raises(IntegrityError, match="gate: "), unit_of_work(field.services.db) as session:
        session.execute(text("DELETE FROM seed_exclusion"))


def test_the_queue_does_not_count_before_the_features(field: Field) -> None:
    """Seeds are sown when they are noted: a count that grew with it would give them away."""

    def waiting(viewer: Viewer) -> int | None:
        with unit_of_work(field.services.db) as session:
            (item,) = review_queue(session, field.services, viewer, now=field.later).items
            return item.waiting

    assert waiting(field.first) is None
    field.describe(field.first)
    assert waiting(field.first) == 2
    assert waiting(field.second) is None


def test_a_judged_seed_tells_how_its_score_came_about(field: Field) -> None:
    field.describe(field.first, field.second)
    seed = field.seed()

    def told(viewer: Viewer, candidate: uuid.UUID | None = None) -> list[ChangeView]:
        with unit_of_work(field.services.db) as session:
            found = list_changes(session, viewer, field.case, candidate_id=candidate, now=field.later)
            return list(found.items)

    assert told(field.first) == []
    for one in (field.real, seed):
        field.judge(field.first, one)
    assert told(field.second) == []
    (of_seed,), (of_real,) = told(field.first, seed), told(field.first, field.real)
    assert change_out(of_seed).model_dump().keys() == change_out(of_real).model_dump().keys()
    assert (of_seed.row.at, of_seed.row.change) == (of_real.row.at, of_real.row.change)
    assert sorted(one.row.rank_after or 0 for one in (of_seed, of_real)) in ([1, 1], [1, 2])
    assert {one.row.candidate_id for one in told(field.first)} == {field.real, seed}


def test_the_first_answer_to_a_seed_counts_even_if_it_was_withdrawn(field: Field) -> None:
    field.describe(field.first)
    seed = field.seed()
    field.judge(field.first, seed, Opinion.SUPPORTS)
    with unit_of_work(field.services.db) as session:
        withdraw_review(session, field.first, seed, now=field.later + timedelta(minutes=3))
    field.later += timedelta(minutes=5)
    field.judge(field.first, seed, Opinion.OPPOSES)
    supervisor = field.world.viewer(field.world.a.users[Role.POLICE_SUPERVISOR])
    assert field.quality(supervisor)[field.first.user_id].seeds == Measure(1, 1, few=True)


def test_a_dispute_about_a_seed_calls_nobody(field: Field) -> None:
    field.describe(field.first, field.second)
    seed = field.seed()
    assign_all(field.services, field.later)
    for viewer, opinion in ((field.first, Opinion.SUPPORTS), (field.second, Opinion.OPPOSES)):
        field.judge(viewer, field.real, Opinion.NEITHER)
        field.judge(viewer, seed, opinion)
    assert assign_all(field.services, field.later + timedelta(days=9)) == 0
    with read_only(field.services.db) as session:
        kinds = set(session.scalars(select(Notification.kind).where(Notification.object_id == field.case)))
        assert kinds <= {NotificationKind.REVIEW_WAITING}


def test_results_are_the_supervisors_alone(field: Field) -> None:
    field.describe(field.first, field.second)
    seed = field.seed()
    field.judge(field.first, seed, Opinion.STRONGLY_SUPPORTS)
    field.judge(field.second, seed, Opinion.OPPOSES)
    field.judge(field.first, field.real, Opinion.SUPPORTS)
    field.judge(field.second, field.real, Opinion.STRONGLY_OPPOSES)
    supervisor = field.world.viewer(field.world.a.users[Role.POLICE_SUPERVISOR])
    with unit_of_work(field.services.db) as session:
        confirm(
            session, supervisor, field.case, field.real, ConfirmationMethod.DNA, reference="D-2", grounds="DNA",
            now=field.later + timedelta(hours=1),
        )  # fmt: skip
    found = field.quality(supervisor)
    assert set(found) == {one.id for one in field.world.a.people() if one.role.value.startswith("police")}
    first, second = found[field.first.user_id], found[field.second.user_id]
    assert (first.seeds, second.seeds) == (Measure(1, 1, few=True), Measure(0, 1, few=True))
    assert (first.misses, second.misses) == (Measure(0, 1, few=True), Measure(1, 1, few=True))
    assert (first.opinions, first.seconds) == (1, 90)
    assert {view.candidate.state for view in field.listed(field.first)} == {
        CandidateState.CONFIRMED, CandidateState.CLOSED,
    }  # fmt: skip
    for viewer in field.world.viewers():
        if viewer.role is not Role.POLICE_SUPERVISOR:
            with pytest.raises(errors.Forbidden):
                field.quality(viewer)
    assert field.first.user_id not in field.quality(field.world.viewer(field.world.b.users[Role.POLICE_SUPERVISOR]))


def test_what_is_no_longer_known_to_be_somebody_else_is_no_seed(field: Field) -> None:
    field.describe(field.first)
    field.judge(field.first, field.seed(), Opinion.SUPPORTS)
    police = field.world.viewer(field.world.b.users[Role.POLICE_SUPERVISOR])
    with unit_of_work(field.services.db) as session:
        recall(session, field.services, police, field.elsewhere, reason="DNA 有误", now=field.later)
    run_jobs(field.services, field.later)
    ids = {view.candidate.id for view in field.listed(field.first)}
    assert field.seed() not in ids
    with read_only(field.services.db) as session:  # and the search now finds the report itself
        pair = select(Candidate.id).where(Candidate.case_id == field.case, Candidate.report_id == field.known)
        assert session.scalars(pair).one() in ids
    supervisor = field.world.viewer(field.world.a.users[Role.POLICE_SUPERVISOR])
    assert field.quality(supervisor)[field.first.user_id].seeds.of == 0


def test_only_what_is_known_is_sown(field: Field, any_services: Services) -> None:
    staff = field.world.viewer(field.world.a.users[Role.STATION_STAFF])

    def sown(services: Services, at: datetime) -> int:
        with unit_of_work(services.db) as session:
            case = make_case(session, services, staff, now=at)
        run_jobs(services, at)
        with unit_of_work(services.db) as session:
            describe(session, services, field.first, case.id, now=at)
            return len(session.scalars(select(ReviewSeed.id).where(ReviewSeed.case_id == case.id)).all())

    assert sown(any_services, field.later) == 0  # off by the setting
    assert sown(field.services, field.later) == 0  # admitted today: nothing shows yet that there are two people
    field.describe(field.first)
    field.describe(field.second)
    assert field.seed()
    with pytest.raises(IntegrityError, match="gate: a seed is known"), unit_of_work(field.services.db) as session:
        session.execute(
            text(
                "INSERT INTO review_seed SELECT case_id, :report, confirmation_id, log10_lr, posterior,"
                " face_similarity, terms, model_version, index_version, parameters_version, gallery_size, proposed_at,"
                " sown_at, :id"
                " FROM review_seed"
            ),
            {"report": _sql(field.report, field.services), "id": _sql(uuid.uuid4(), field.services)},
        )
    assert sown(field.services, field.later + timedelta(days=9)) == 0  # sown once already


def _sql(value: uuid.UUID, services: Services) -> object:
    return value.hex if services.db.engine.dialect.name == "sqlite" else value


def test_who_had_gone_home_before_is_not_known_to_be_two(sowing: Services, world: World, now: datetime) -> None:
    """Somebody may wander again: the reported person could be this one."""
    field = Field(sowing, world, now)
    caseworker = field.world.viewer(field.world.b.users[Role.CASEWORKER])
    with unit_of_work(sowing.db) as session:
        record_outcome(
            session, sowing, caseworker, field.elsewhere, OutcomeKind.LEFT, None, occurred_on=sowing.local_day(now),
            note_text=None, now=now + timedelta(hours=1),
        )  # fmt: skip
    field.describe(field.first)
    assert [view.candidate.id for view in field.listed(field.first)] == [field.real]
