"""Tips (公众线索): taking in what the public writes, and what the station makes of it: clues, or a reason why none."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, selectinload

from models.case import Case
from models.clue import Clue, ClueConfidence
from models.notification import NotificationKind
from models.tip import Tip, TipDecision, TipState
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import check_reason, load_case
from tracing.clues import ClueText, add_clues
from tracing.facts import InvalidFacts, check_optional_text, check_text, collecting
from tracing.notices_public import public_notice
from tracing.notifications import notify, users_of
from tracing.paging import Page, page_of
from tracing.photos import PreparedPhoto, prepare_photo
from tracing.platform import errors
from tracing.platform.settings import Settings
from tracing.services import Services
from tracing.trail import note

TEXT_LIMIT = 1000
LINE_LIMIT = 120


class TipJudged(errors.Conflict):
    """A decision on a tip that is accepted, or a second rejection."""

    slug = "tip_judged"
    message = "This has been decided already. What was accepted is a clue now: correct or withdraw that one."


class TipSaysNothing(errors.Invalid):
    """An acceptance without a clue."""

    slug = "tip_says_nothing"
    message = "Write down at least one clue that the tip contains, or reject it with a reason."


@dataclass(frozen=True, slots=True)
class TipText:
    """A tip as it is given: what somebody knows, where and when they saw the person, how to reach them."""

    text: str
    place: str | None = None
    time: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class TipView:
    """A tip opened for its moderator."""

    tip: Tip
    given: TipText


def tip_purpose(tip_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a tip's words."""
    return f"tip:{tip_id}"


def tip_photo_purpose(tip_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a tip's photograph."""
    return f"tip-photo:{tip_id}"


def prepare_tip_photo(data: bytes, settings: Settings) -> PreparedPhoto:
    """Check and re-encode a photograph of the public, smaller than a station's own. Raises a PhotoRefused."""
    small = settings.photos.model_copy(
        update={"max_bytes": settings.tips.max_photo_bytes, "max_side": settings.tips.max_photo_side}
    )
    return prepare_photo(data, settings.model_copy(update={"photos": small}))


def check_tip(given: TipText) -> TipText:
    """The tip with its texts trimmed; raises InvalidFacts naming every field that is wrong."""
    problems: list[errors.Invalid] = []
    text, lines = given.text, dict[str, str | None]()
    with collecting(problems):
        text = check_text(given.text, field="text", limit=TEXT_LIMIT)
    for name in ("place", "time", "contact"):
        with collecting(problems):
            lines[name] = check_optional_text(getattr(given, name), field=name, limit=LINE_LIMIT)
    if problems:
        raise InvalidFacts(tuple(problems))
    return TipText(text, **lines)


def receive_tip(
    session: Session, services: Services, token: str, given: TipText, photo: PreparedPhoto | None, *, now: datetime
) -> None:
    """Take in a tip on the notice under an address. The same words once more are the same tip.

    The station's staff are told when the first one waits. Raises NotFound as `public_notice`, InvalidFacts.
    """
    notice = public_notice(session, services, token, now=now)
    given, case = check_tip(given), notice.case
    subject_id, identity = case.profile.subject_id, uuid.uuid4()
    content = {"text": given.text, "place": given.place, "time": given.time, "contact": given.contact}
    # The case's row, so that two taps on a slow telephone wait for one another instead of colliding.
    session.execute(select(Case.id).where(Case.id == case.id).with_for_update())
    spoken = json.dumps(content, sort_keys=True).encode() + (photo.original if photo else b"")
    digest = services.vault.digest(session, subject_id, spoken)
    if session.scalar(select(Tip.id).where(Tip.case_id == case.id, Tip.digest == digest)) is not None:
        return
    waiting = select(Tip.id).where(Tip.case_id == case.id, Tip.state == TipState.RECEIVED).limit(1)
    first = session.scalar(waiting) is None
    if photo is not None:
        services.store.put(
            str(identity), services.vault.seal(session, subject_id, tip_photo_purpose(identity), photo.data)
        )
    session.add(
        Tip(
            id=identity, case_id=case.id, version_id=notice.version.id, digest=digest,
            content_sealed=services.vault.seal_json(session, subject_id, tip_purpose(identity), content),
            has_contact=given.contact is not None, has_photo=photo is not None, received_at=now,
        )
    )  # fmt: skip
    session.flush()
    note(session, None, "tip.receive", "case", case.id, at=now, tip=identity, photo=photo is not None)
    if first:
        told = users_of(session, case.organisation_id, (Role.STATION_STAFF, Role.CASEWORKER))
        notify(session, told, NotificationKind.TIP_RECEIVED, "tip", identity, now=now)


def list_tips(
    session: Session,
    viewer: Viewer,
    *,
    case_id: uuid.UUID | None = None,
    states: frozenset[TipState] = frozenset(),
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[Tip]:
    """Tips on the viewer's cases (or on one), newest first, unopened; logged. Raises Forbidden, NotFound."""
    access.require(viewer, Permission.TIP)
    statement = (
        select(Tip)
        .join(Tip.case)
        .where(access.case_scope(viewer))
        .options(contains_eager(Tip.case), selectinload(Tip.decisions))
        .execution_options(populate_existing=True)
    )
    if case_id is not None:
        load_case(session, viewer, case_id)
        statement = statement.where(Tip.case_id == case_id)
    if states:
        statement = statement.where(Tip.state.in_(states))
    page = page_of(session, statement, Tip.received_at, Tip.id, cursor=cursor, limit=limit)
    note(session, viewer, "tip.list", "tip", None, at=now, count=len(page.items))
    return page


def _load(session: Session, viewer: Viewer, tip_id: uuid.UUID, *, lock: bool = False) -> tuple[Tip, Case]:
    access.require(viewer, Permission.TIP)
    case_id = session.scalar(select(Tip.case_id).where(Tip.id == tip_id))
    if case_id is None:
        raise errors.NotFound()
    case = load_case(session, viewer, case_id, lock=lock)
    tip = session.scalars(
        select(Tip)
        .where(Tip.id == tip_id)
        .options(selectinload(Tip.decisions))
        .execution_options(populate_existing=True)
    ).one()
    return tip, case


def read_tip(session: Session, services: Services, viewer: Viewer, tip_id: uuid.UUID, *, now: datetime) -> TipView:
    """A tip opened, its writer's contact included; each opening is logged. Raises Forbidden, NotFound."""
    tip, case = _load(session, viewer, tip_id)
    opened = services.vault.open_json(session, case.profile.subject_id, tip_purpose(tip.id), tip.content_sealed)
    note(session, viewer, "tip.view", "case", case.id, at=now, tip=tip.id)
    return TipView(tip, TipText(**opened))


def read_tip_photo(session: Session, services: Services, viewer: Viewer, tip_id: uuid.UUID, *, now: datetime) -> bytes:
    """A tip's photograph as a JPEG file; logged. Raises Forbidden, NotFound when it has none."""
    tip, case = _load(session, viewer, tip_id)
    if not tip.has_photo:
        raise errors.NotFound()
    note(session, viewer, "tip.photo", "case", case.id, at=now, tip=tip.id)
    subject_id = case.profile.subject_id
    return services.vault.open(session, subject_id, tip_photo_purpose(tip.id), services.store.get(str(tip.id)))


def accept_tip(
    session: Session,
    services: Services,
    viewer: Viewer,
    tip_id: uuid.UUID,
    clues: Sequence[ClueText],
    *,
    reason: str | None = None,
    now: datetime,
) -> list[Clue]:
    """Take clues from a tip: they name it as their source, are unsure whatever was given, and the search runs again.

    A tip that was rejected may be accepted later. Raises Forbidden, NotFound, TipJudged, TipSaysNothing, CaseClosed,
    InvalidFacts.
    """
    tip, case = _load(session, viewer, tip_id, lock=True)
    if tip.state is TipState.ACCEPTED:
        raise TipJudged()
    if not clues:
        raise TipSaysNothing(field="clues")
    _decide(session, viewer, tip, TipState.ACCEPTED, check_optional_text(reason, field="reason", limit=500), now)
    note(session, viewer, "tip.accept", "case", case.id, at=now, tip=tip.id, clues=len(clues))
    unsure = [replace(one, confidence=ClueConfidence.UNSURE) for one in clues]
    return add_clues(session, services, viewer, case.id, unsure, tip_id=tip.id, heard_at=tip.received_at, now=now)


def reject_tip(session: Session, viewer: Viewer, tip_id: uuid.UUID, *, reason: str, now: datetime) -> Tip:
    """Put a tip aside with the reason; it stays. Raises Forbidden, NotFound, TipJudged, ReasonMissing."""
    tip, case = _load(session, viewer, tip_id, lock=True)
    if tip.state is not TipState.RECEIVED:
        raise TipJudged()
    _decide(session, viewer, tip, TipState.REJECTED, check_reason(reason), now)
    note(session, viewer, "tip.reject", "case", case.id, at=now, tip=tip.id)
    return tip


def _decide(session: Session, viewer: Viewer, tip: Tip, state: TipState, reason: str | None, now: datetime) -> None:
    tip.decisions.append(
        TipDecision(
            id=uuid.uuid4(), tip_id=tip.id, accepted=state is TipState.ACCEPTED, reason=reason,
            decided_by_id=viewer.user_id, decided_at=now,
        )
    )  # fmt: skip
    session.flush()
    tip.state = state
    session.flush()
