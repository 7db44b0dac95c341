"""The course of a case (个案经过): everything that happened, in one list by its time, with who and when."""

import uuid
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from fastapi import APIRouter
from starlette.responses import Response

from api.web.page import Page, PageDep
from api.web.rendering import LISTED, ethnicity_name, place_name, render, words_of
from matcher.vocabulary import AttributeKind, KinRelation, MarkKind, NameKind, PlaceKind
from models.case import CaseState
from models.claim import ClaimMethod
from models.clue import ClueKind
from models.confirmation import ConfirmationMethod
from models.contact import ContactChannel, ContactResult, PersonWish
from models.exclusion import ExclusionEvidence
from models.followup import FollowUpEndReason, VisitResult
from models.interview import InterviewMethod
from models.kin import KinResult
from models.milestone import MilestoneKind
from models.outcome import OutcomeKind
from models.photo import PhotoView
from models.referral import ReferralState
from tracing import timeline
from tracing.cases import get_case
from tracing.timeline import Event, EventKind

router = APIRouter()
SHOWN = 50
_K = EventKind
PARTS: Mapping[EventKind, type[StrEnum]] = MappingProxyType(
    {
        _K.MOVE: CaseState,
        _K.ATTRIBUTE: AttributeKind,
        _K.NAME: NameKind,
        _K.PLACE: PlaceKind,
        _K.MARK: MarkKind,
        _K.RELATIVE: KinRelation,
        _K.PHOTO: PhotoView,
        _K.INTERVIEW: InterviewMethod,
        _K.CLUE: ClueKind,
        _K.CLAIM: ClaimMethod,
        _K.CONFIRMATION: ConfirmationMethod,
        _K.EXCLUSION: ExclusionEvidence,
        _K.SCREENING: PersonWish,
        _K.PLAN: ContactChannel,
        _K.ATTEMPT: ContactResult,
        _K.KIN: KinResult,
        _K.MILESTONE: MilestoneKind,
        _K.OUTCOME: OutcomeKind,
        _K.REFERRAL: ReferralState,
        _K.VISIT: VisitResult,
        _K.FOLLOW_UP_END: FollowUpEndReason,
    }
)
"""Of which enum the part of an event is."""
FACTS = frozenset({_K.ATTRIBUTE, _K.NAME, _K.PLACE, _K.MARK, _K.RELATIVE, _K.PHONE, _K.PHOTO})


@router.get("/cases/{case_id}/timeline")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """Newest first, as far as the viewer's role may know it."""
    cursor = page.request.query_params.get("cursor") or None
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    found = timeline.list_events(page.session, page.viewer, case_id, cursor=cursor, limit=SHOWN, now=page.now)
    return render(
        page, "cases/timeline.html", case=case, events=found.items, next_cursor=found.next_cursor,
        first=cursor is None, facts=FACTS, part_of=lambda one: _part(page, one), value_of=lambda one: _value(page, one),
    )  # fmt: skip


def _part(page: Page, one: Event) -> str:
    members = PARTS.get(one.kind)
    return words_of(page).label(members(one.part)) if members and one.part else ""


def _value(page: Page, one: Event) -> str:
    """A recorded value as people read it: codes are told by their names."""
    if not one.value:
        return ""
    if one.kind is EventKind.PLACE or one.part == AttributeKind.ACCENT.value:
        return place_name(one.value)
    if one.part == AttributeKind.ETHNICITY.value:
        return ethnicity_name(one.value)
    listed = LISTED.get(AttributeKind(one.part)) if one.kind is EventKind.ATTRIBUTE and one.part else None
    return words_of(page).label(listed(one.value)) if listed else one.value
