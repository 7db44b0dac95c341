"""Review (复核): the examiner's queue, and one candidate face to face with the unknown person."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.bench import SHOWN_AS, bench
from api.web.brief import brief_of
from api.web.candidate_rows import changes_of, score_of
from api.web.forms import choice, optional_choice
from api.web.opinions import disputed, findings
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateState
from models.case import Case
from models.review import FeatureFinding, Opinion
from models.review_protocol import FeatureBasis, RequestKind
from tracing import review
from tracing.access import Permission, examines, require
from tracing.candidates import candidate_photos, get_candidate, list_candidates, seen_side
from tracing.cases import get_case
from tracing.features import FeaturesMissing, are_noted, own_features
from tracing.parameter_sets import in_force
from tracing.profiles import current_facts
from tracing.review import FeatureRemark
from tracing.review_policy import feature_lists, features_named
from tracing.review_queue import review_queue, take_case
from tracing.review_requests import RequestView, ask_for, list_requests
from tracing.review_states import UNDECIDED

router = APIRouter()
CHANGES_SHOWN = 10
SHOWN = 50
SCALE = sorted((opinion for opinion in Opinion if opinion.grade is not None), key=lambda one: one.grade or 0)
OUTSIDE = (Opinion.CANNOT_TELL, Opinion.POSSIBLE_RELATIVE)


def show_queue(page: Page) -> Response:
    """Cases whose candidates wait for this examiner."""
    cursor = page.request.query_params.get("cursor") or None
    found = review_queue(page.session, page.services, page.viewer, cursor=cursor, limit=SHOWN, now=page.now)
    return render(
        page, "review/queue.html", items=found.items, next_cursor=found.next_cursor, first=cursor is None,
        brief_of=brief_of,
    )  # fmt: skip


@router.get("/review")
def queue(page: PageDep) -> Response:
    """The queue."""
    return show_queue(page)


@router.post("/cases/{case_id}/review")
def take(page: Annotated[Page, posted(show_queue)], case_id: uuid.UUID) -> Response:
    """Take the case and begin with it."""
    take_case(page.session, page.services, page.viewer, case_id, now=page.now)
    return redirect(page, f"/cases/{case_id}/review", done(page, "The case is yours for the time being."))


@router.get("/cases/{case_id}/review")
def begin(page: PageDep, case_id: uuid.UUID) -> Response:
    """Where the review of a case goes on: its person's features, then each candidate that waits, in shuffled order."""
    require(page.viewer, Permission.REVIEW)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    try:
        waiting = next(_waiting(page, case), None)
    except FeaturesMissing as missing:
        return redirect(page, f"/cases/{missing.case_id}/features", query={"next": "review"})
    return redirect(page, f"/cases/{case_id}#candidates" if waiting is None else f"/candidates/{waiting}")


def show_candidate(page: Page, candidate_id: uuid.UUID) -> Response:
    """Side by side; score and colleagues' opinions only once the own opinion is committed."""
    try:
        view = get_candidate(page.session, page.viewer, candidate_id, now=page.now)
    except FeaturesMissing as missing:
        return redirect(page, f"/cases/{missing.case_id}/features", query={"candidate": str(candidate_id)})
    candidate = view.candidate
    case = seen_side(page.session, page.viewer, candidate)
    ours, theirs = candidate_photos(page.session, view)
    other, other_profile = view.other, view.other_profile
    if case is not candidate.case:  # a pair of cases, found from the other one's side
        ours, theirs, other, other_profile = theirs, ours, candidate.case, candidate.case.profile
    asked = (
        page.may(Permission.REVIEW)
        and view.own_review is None
        and candidate.case.state in review.REVIEWABLE
        and candidate.state in UNDECIDED
    )
    # A supervisor may look without having described the person, but not judge; an examiner has described it by now.
    judging = asked and (
        examines(page.viewer)
        or any(are_noted(page.session, page.viewer, one) for one in (case, other) if isinstance(one, Case))
    )
    return render(
        page,
        "review/candidate.html",
        candidate=candidate,
        case=case,
        other=other,
        other_kind=GalleryKind.CASE if isinstance(other, Case) else GalleryKind.REPORT,
        facts=current_facts(case.profile),
        other_facts=current_facts(other_profile),
        bench=bench(page, ours, theirs, other),
        shown_as=SHOWN_AS,
        score=score_of(page, view, in_force(page.session, page.services).parameters),
        sealed=view.sealed,
        changes=None if view.sealed else changes_of(page, case, CHANGES_SHOWN, candidate_id=candidate.id),
        own=view.own_review,
        reviews=view.reviews,
        judging=judging,
        describe_first=asked and not judging,
        may_withdraw=view.own_review is not None and candidate.state is CandidateState.JUDGED,
        next_id=_next(page, case, candidate),
        scale=SCALE,
        least_look=page.services.review_rules.least_look_seconds if page.services.settings.review.pace else None,
        outside=OUTSIDE,
        answers_of_feature=list(FeatureFinding),
        findings=findings(view.reviews),
        disputed=disputed(view.reviews),
        names=features_named(),
        described=_described(page, case) if judging else {},
        compared=feature_lists()[FeatureBasis.FACIAL].features
        if ours
        else feature_lists()[FeatureBasis.NON_FACIAL].features,
        values=page.typed.values if page.problem else {},
        kinds=list(RequestKind),
        requests=_asked(page, case) if judging else [],
    )


def _described(page: Page, case: Case) -> Mapping[str, str | None]:
    """What the examiner noted of the unknown person, to be compared feature by feature."""
    own = own_features(page.session, page.services, page.viewer, case, now=page.now)
    return own[0].noted if own else {}


def _asked(page: Page, case: Case) -> list[RequestView]:
    """What the examiner has asked the station for and not taken back."""
    listed = list_requests(page.session, page.viewer, case, now=page.now).items
    return [one for one in listed if one.mine and one.row.withdrawn_at is None]


def _waiting(page: Page, case: Case) -> Iterator[uuid.UUID]:
    """The candidates of the case that wait for this examiner, in the order shown. Raises FeaturesMissing."""
    for view in list_candidates(page.session, page.viewer, case, facts=False, now=page.now):
        if view.sealed and view.candidate.case_id == case.id:
            yield view.candidate.id


def _next(page: Page, case: Case, candidate: Candidate) -> uuid.UUID | None:
    """Another candidate of the case that still waits for this examiner."""
    if not page.may(Permission.REVIEW):
        return None
    try:
        return next((one for one in _waiting(page, case) if one != candidate.id), None)
    except FeaturesMissing:  # of a pair of cases, the other one's person was described
        return None


@router.get("/candidates/{candidate_id}")
def read(page: PageDep, candidate_id: uuid.UUID) -> Response:
    """The candidate's page."""
    return show_candidate(page, candidate_id)


@router.post("/candidates/{candidate_id}/opinion")
def commit(page: Annotated[Page, posted(show_candidate)], candidate_id: uuid.UUID) -> Response:
    """Commit the opinion; only then is the score shown."""
    opinion = choice(page.typed, "opinion", Opinion)
    review.commit_review(
        page.session, page.services, page.viewer, candidate_id, opinion, page.typed.optional("remarks"),
        features=_compared(page), now=page.now,
    )  # fmt: skip
    return redirect(
        page, f"/candidates/{candidate_id}", done(page, "Your opinion is committed. The score is open now.")
    )


def _compared(page: Page) -> list[FeatureRemark]:
    """The features of the form that have a finding."""
    found = []
    for key in features_named():
        finding = optional_choice(page.typed, f"finding.{key}", FeatureFinding)
        if finding is not None:
            found.append(FeatureRemark(key, finding, page.typed.optional(f"text.{key}")))
    return found


@router.post("/candidates/{candidate_id}/request")
def ask(page: Annotated[Page, posted(show_candidate)], candidate_id: uuid.UUID) -> Response:
    """Ask the station for what is missing instead of guessing."""
    ask_for(page.session, page.viewer, candidate_id, choice(page.typed, "kind", RequestKind), now=page.now)
    return redirect(
        page,
        f"/candidates/{candidate_id}",
        done(page, "The station is told. The candidate still waits for your opinion."),
    )


@router.post("/candidates/{candidate_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_candidate)], candidate_id: uuid.UUID) -> Response:
    """Withdraw the own opinion; it stays on record."""
    review.withdraw_review(page.session, page.viewer, candidate_id, now=page.now)
    return redirect(page, f"/candidates/{candidate_id}", done(page, "Your opinion is withdrawn; it stays on record."))
