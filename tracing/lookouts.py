"""Lookouts (协查): asking the liaisons around for a person who has gone, hearing their answers, ending it at once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.case import Case, CaseState
from models.lookout import Lookout, LookoutEnd, LookoutRing
from models.notification import NotificationKind
from models.photo import Photo
from models.profile import Profile
from models.sighting import LinkState, Sighting, SightingLink
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import CaseClosed, check_reason, load_case
from tracing.facts import check_optional_text
from tracing.lookout_policy import lookout_policy
from tracing.lookout_rings import open_ring, told
from tracing.notifications import notify
from tracing.paging import Page, page_of
from tracing.photos import PhotoSize, photo_file
from tracing.platform import errors
from tracing.services import Services
from tracing.sighting_erasure import erase_sighting
from tracing.sighting_matching import request_lookout_match
from tracing.sightings import SightingIsCase, became_case, human_link, load_sighting, usable
from tracing.trail import note

WORDS_LIMIT = 2000


class LookoutOfOne(errors.Invalid):
    """A lookout of neither a sighting nor a case, or of both."""

    slug = "lookout_of_one"
    message = "A lookout is for the person of one sighting, or of one case. Name one of them."


class LookoutOpenAlready(errors.Conflict):
    """A second lookout for the same person."""

    slug = "lookout_open_already"
    message = "This person is being looked out for already. Add to that lookout."


class LookoutEnded(errors.Conflict):
    """A use of a lookout that has ended."""

    slug = "lookout_ended"
    message = "This lookout has ended. Nothing more is needed, and its photograph can no longer be opened."


class FoundCaseNotFound(errors.Invalid):
    """A case named for a lookout that ended without the person being found."""

    slug = "found_case_without_finding"
    message = "A case is named only when the person was found. Leave it out, or say “found”."


@dataclass(frozen=True, slots=True)
class LookoutView:
    """A lookout as one viewer sees it; `words` None when there are none, or it has ended."""

    lookout: Lookout
    rings: Sequence[LookoutRing]
    words: str | None
    has_photo: bool
    mine: bool


def lookout_purpose(lookout_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a lookout's words."""
    return f"lookout:{lookout_id}"


def open_lookout(
    session: Session,
    services: Services,
    viewer: Viewer,
    *,
    sighting_id: uuid.UUID | None = None,
    case_id: uuid.UUID | None = None,
    words: str | None = None,
    now: datetime,
) -> Lookout:
    """Look out for the person of a sighting, or of a case who has gone; the liaisons of the first ring are told.

    Raises Forbidden, NotFound, LookoutOfOne, LookoutOpenAlready, SightingEnded, SightingIsCase, CaseClosed.
    """
    access.require(viewer, Permission.LOOKOUT)
    if sighting_id is not None and case_id is None:
        subject_id, division = _whom_of_sighting(session, viewer, sighting_id)
    elif case_id is not None and sighting_id is None:
        subject_id, division = _whom_of_case(session, viewer, case_id)
    else:
        raise LookoutOfOne(field="sighting_id")
    same = Lookout.sighting_id == sighting_id if sighting_id else Lookout.case_id == case_id
    if session.scalar(select(Lookout.id).where(same, Lookout.ended_at.is_(None))) is not None:
        raise LookoutOpenAlready()
    text = check_optional_text(words, field="words", limit=WORDS_LIMIT)
    policy, identity = lookout_policy(services), uuid.uuid4()
    purpose = lookout_purpose(identity)
    lookout = Lookout(
        id=identity, organisation_id=viewer.organisation_id, opened_by_id=viewer.user_id, opened_at=now,
        sighting_id=sighting_id, case_id=case_id, subject_id=subject_id, division=division,
        words_sealed=services.vault.seal(session, subject_id, purpose, text.encode()) if text else None,
        policy_version=policy.version, ring=0, next_ring_at=now,
        expires_at=now + timedelta(days=policy.expires_after_days),
    )  # fmt: skip
    session.add(lookout)
    session.flush()
    note(session, viewer, "lookout.open", "lookout", identity, at=now, sighting=sighting_id, case=case_id)
    open_ring(session, services, lookout, now=now)
    request_lookout_match(session, identity, now=now)
    return lookout


def _whom_of_sighting(session: Session, viewer: Viewer, sighting_id: uuid.UUID) -> tuple[uuid.UUID, str]:
    sighting = usable(load_sighting(session, viewer, sighting_id, lock=True))
    if became_case(session, sighting) is not None:
        raise SightingIsCase()
    return sighting.profile.subject_id, sighting.division


def _whom_of_case(session: Session, viewer: Viewer, case_id: uuid.UUID) -> tuple[uuid.UUID, str]:
    case = load_case(session, viewer, case_id, lock=True)
    if case.state is CaseState.CLOSED:
        raise CaseClosed()
    return case.profile.subject_id, case.organisation.division


def load_lookout(
    session: Session, viewer: Viewer, lookout_id: uuid.UUID, *, lock: bool = False, own: bool = False
) -> Lookout:
    """A lookout for a use case that logs its own action; `own`: of the viewer's jurisdiction. Raises NotFound."""
    scope = access.own_lookouts(viewer) if own else access.lookout_scope(viewer)
    statement = select(Lookout).where(Lookout.id == lookout_id, scope).execution_options(populate_existing=True)
    if lock:
        # Not the key: links that name it are made meanwhile.
        statement = statement.with_for_update(key_share=True)
    lookout: Lookout = access.find(session, statement)
    return lookout


def get_lookout(
    session: Session, services: Services, viewer: Viewer, lookout_id: uuid.UUID, *, now: datetime
) -> LookoutView:
    """A lookout; the view is logged. Raises Forbidden, NotFound."""
    access.require(viewer, Permission.SIGHTING_READ)
    lookout = load_lookout(session, viewer, lookout_id)
    note(session, viewer, "lookout.view", "lookout", lookout.id, at=now)
    return _view(session, services, viewer, lookout)


def _view(session: Session, services: Services, viewer: Viewer, lookout: Lookout) -> LookoutView:
    rings = session.scalars(
        select(LookoutRing).where(LookoutRing.lookout_id == lookout.id).order_by(LookoutRing.ring, LookoutRing.division)
    ).all()
    mine = session.scalar(select(Lookout.id).where(Lookout.id == lookout.id, access.own_lookouts(viewer)))
    if not lookout.open:
        return LookoutView(lookout, rings, None, has_photo=False, mine=mine is not None)
    words = None
    if lookout.words_sealed is not None:
        purpose = lookout_purpose(lookout.id)
        words = services.vault.open(session, lookout.subject_id, purpose, lookout.words_sealed).decode()
    photo = _photo(session, lookout)
    return LookoutView(lookout, rings, words, has_photo=photo is not None, mine=mine is not None)


def list_lookouts(
    session: Session,
    services: Services,
    viewer: Viewer,
    *,
    only_open: bool = True,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[LookoutView]:
    """Lookouts of the viewer's scope, newest first."""
    access.require(viewer, Permission.SIGHTING_READ)
    statement = select(Lookout).where(access.lookout_scope(viewer))
    if only_open:
        statement = statement.where(Lookout.ended_at.is_(None))
    page = page_of(session, statement, Lookout.opened_at, Lookout.id, cursor=cursor, limit=limit)
    note(session, viewer, "lookout.list", "lookout", None, at=now, count=len(page.items))
    return Page(tuple(_view(session, services, viewer, one) for one in page.items), page.next_cursor)


def open_lookout_photo(
    session: Session,
    services: Services,
    viewer: Viewer,
    lookout_id: uuid.UUID,
    *,
    size: PhotoSize = PhotoSize.FULL,
    now: datetime,
) -> bytes:
    """The newest photograph of whom is looked for, as long as the lookout is open; every look is logged.

    Raises Forbidden, NotFound (also without a photograph), LookoutEnded.
    """
    access.require(viewer, Permission.SIGHTING_READ)
    lookout = load_lookout(session, viewer, lookout_id)
    if not lookout.open:
        raise LookoutEnded()
    photo = _photo(session, lookout)
    if photo is None:
        raise errors.NotFound()
    data = photo_file(session, services, photo, size)
    note(session, viewer, "lookout.photo_view", "lookout", lookout.id, at=now, photo=photo.id, size=size.value)
    return data


def _photo(session: Session, lookout: Lookout) -> Photo | None:
    """Of the person looked for; else of a sighting that was accepted as the same person's."""
    linked = (
        select(Sighting.profile_id)
        .join(SightingLink, SightingLink.sighting_id == Sighting.id)
        .where(SightingLink.lookout_id == lookout.id, SightingLink.state == LinkState.ACCEPTED)
    )
    own = select(Profile.id).where(Profile.subject_id == lookout.subject_id)
    for profiles in (own, linked):
        found = session.scalars(
            select(Photo)
            .where(Photo.profile_id.in_(profiles), Photo.removed_at.is_(None))
            .options(selectinload(Photo.faces))
            .order_by(Photo.uploaded_at.desc(), Photo.id)
            .limit(1)
        ).one_or_none()
        if found is not None:
            return found
    return None


def end_lookout(
    session: Session,
    services: Services,
    viewer: Viewer,
    lookout_id: uuid.UUID,
    kind: LookoutEnd,
    *,
    reason: str,
    case_id: uuid.UUID | None = None,
    now: datetime,
) -> Lookout:
    """End a lookout of the own jurisdiction: found (in `case_id`, if there is one), or called off.

    Raises Forbidden, NotFound, LookoutEnded, ReasonMissing, FoundCaseNotFound.
    """
    access.require(viewer, Permission.LOOKOUT)
    lookout = load_lookout(session, viewer, lookout_id, lock=True, own=True)
    if not lookout.open:
        raise LookoutEnded()
    reason = check_reason(reason)
    if case_id is not None and kind is not LookoutEnd.FOUND:
        raise FoundCaseNotFound(field="case_id")
    case = None if case_id is None else load_case(session, viewer, case_id)
    finish(session, services, lookout, viewer, kind, reason=reason, case=case, now=now)
    return lookout


def finish(
    session: Session,
    services: Services,
    lookout: Lookout,
    viewer: Viewer | None,
    kind: LookoutEnd,
    *,
    reason: str | None,
    case: Case | None,
    now: datetime,
) -> None:
    """End a lookout that the caller holds. Everybody who was told is told; once found, its photographs are erased
    but for those that are the case's. `viewer` None = the service itself.
    """
    lookout.ended_at, lookout.end_kind, lookout.end_reason = now, kind, reason
    lookout.ended_by_id = viewer.user_id if viewer else None
    lookout.next_ring_at = None
    lookout.found_case_id = case.id if case else None
    session.flush()
    note(session, viewer, "lookout.end", "lookout", lookout.id, at=now, kind=kind.value, case=lookout.found_case_id)
    heard = {*told(session, lookout.id), lookout.opened_by_id} - ({viewer.user_id} if viewer else set())
    notify(session, sorted(heard), NotificationKind.LOOKOUT_ENDED, "lookout", lookout.id, now=now)
    if kind is not LookoutEnd.FOUND:
        return
    for sighting in sightings_of(session, lookout, lock=True):
        if case is not None and viewer is not None:
            _link_found(session, sighting.id, case, viewer, now)
        if not _looked_out_elsewhere(session, sighting.id):
            erase_sighting(session, services, sighting, now=now)


def sightings_of(session: Session, lookout: Lookout, *, lock: bool = False) -> Sequence[Sighting]:
    """The sighting that a lookout was opened for and those accepted for it, in order of time."""
    linked = select(SightingLink.sighting_id).where(
        SightingLink.lookout_id == lookout.id, SightingLink.state == LinkState.ACCEPTED
    )
    statement = (
        select(Sighting)
        .where((Sighting.id == lookout.sighting_id) | Sighting.id.in_(linked), Sighting.withdrawn_at.is_(None))
        .options(joinedload(Sighting.profile))
        .order_by(Sighting.seen_at, Sighting.id)
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement.with_for_update(of=Sighting) if lock else statement).all()


def _link_found(session: Session, sighting_id: uuid.UUID, case: Case, viewer: Viewer, now: datetime) -> None:
    """The sighting is the found person's: a waiting proposal is accepted by whoever found the person."""
    standing = session.scalars(
        select(SightingLink).where(
            SightingLink.sighting_id == sighting_id,
            SightingLink.case_id == case.id,
            SightingLink.state.in_((LinkState.ACCEPTED, LinkState.PROPOSED)),
        )
    ).one_or_none()
    if standing is None:
        session.add(human_link(sighting_id, viewer, case_id=case.id, reason=None, now=now))
    elif standing.state is LinkState.PROPOSED:
        standing.state, standing.decided_at, standing.decided_by_id = LinkState.ACCEPTED, now, viewer.user_id
    session.flush()


def _looked_out_elsewhere(session: Session, sighting_id: uuid.UUID) -> bool:
    linked = (
        select(Lookout.id)
        .join(SightingLink, SightingLink.lookout_id == Lookout.id)
        .where(SightingLink.sighting_id == sighting_id, SightingLink.state == LinkState.ACCEPTED)
    )
    opened = select(Lookout.id).where(Lookout.sighting_id == sighting_id)
    return any(session.scalar(one.where(Lookout.ended_at.is_(None)).limit(1)) for one in (linked, opened))
