"""Referrals (转介): writing, sending, withdrawing them; and what the receiving organisation does with them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.vocabulary import AttributeKind, PlaceKind
from models.case import Case, CaseState
from models.followup import FollowUpVisit
from models.notification import NotificationKind
from models.profile import Profile
from models.referral import (
    ANSWERS,
    READABLE,
    REFERRAL_TRANSITIONS,
    Referral,
    ReferralFact,
    ReferralKind,
    ReferralMove,
    ReferralState,
)
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.care_policy import answer_due
from tracing.cases import ReasonMissing, load_case
from tracing.facts import check_text
from tracing.notifications import notify, users_of
from tracing.platform import errors
from tracing.profiles import current_facts, with_profile_on_demand
from tracing.referral_lists import loaded
from tracing.referral_receivers import ANSWERERS, load_receiver, refuse_unmanned
from tracing.services import Services
from tracing.trail import note

TEXT_LIMIT = 4000


class CaseIsDraft(errors.Conflict):
    """A referral of somebody whose case was not handed in."""

    slug = "referral_case_is_draft"
    message = "This case is still a draft. Hand it in first; then the person can be referred."


class IllegalReferralMove(errors.Conflict):
    """A move that the referral's table does not have."""

    slug = "illegal_referral_transition"
    message = "A referral in the state “{current}” cannot become “{wanted}”. Reload the page."


class ReferralSent(errors.Conflict):
    """An edit of a referral that was sent."""

    slug = "referral_sent"
    message = "This referral was sent already and stays as it was read. Withdraw it and write a new one."


class AnswerMissing(errors.Invalid):
    """A refusal without its reason, or an end without its result."""

    slug = "referral_answer_missing"
    message = "Say why it is refused, or what came of it: the station goes on from there."


class OtherVisit(errors.Invalid):
    """A follow-up visit of another case."""

    slug = "referral_other_visit"
    message = "This visit belongs to another case or was withdrawn. Choose one of this case's visits."


@dataclass(frozen=True, slots=True)
class ReferralText:
    """A referral as it is written. `facts` are attached by name, as the case has them at the time."""

    kind: ReferralKind
    receiver_id: uuid.UUID
    summary: str
    facts: frozenset[ReferralFact] = frozenset()
    visit_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class ReferralContent:
    """What a referral says, opened: the summary, the attached facts by name, and what was answered."""

    summary: str
    facts: Mapping[str, tuple[str, ...]]
    answers: tuple[tuple[ReferralState, datetime, str], ...]


@dataclass(frozen=True, slots=True)
class ReferralView:
    """A referral as one viewer sees it. `content` None: it cannot, or may no longer, be opened by this viewer."""

    referral: Referral
    content: ReferralContent | None


def referral_purpose(referral_id: uuid.UUID) -> str:
    """Purpose under which the vault seals what a referral says."""
    return f"referral:{referral_id}"


def move_purpose(move_id: uuid.UUID) -> str:
    """Purpose under which the vault seals the reason or result of a move."""
    return f"referral-move:{move_id}"


def create_referral(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, given: ReferralText, *, now: datetime
) -> Referral:
    """A draft; nobody but the station reads it. In any state of a case past its draft, to any province.

    Raises Forbidden, NotFound, CaseIsDraft, ReceiverUnsuited, OtherVisit, a text error.
    """
    access.require(viewer, Permission.REFER)
    case = load_case(session, viewer, case_id, lock=True)
    if case.state is CaseState.DRAFT:
        raise CaseIsDraft()
    receiver = load_receiver(session, services, given.kind, given.receiver_id)
    identity = uuid.uuid4()
    referral = Referral(
        id=identity,
        case_id=case.id,
        kind=given.kind,
        state=ReferralState.DRAFT,
        sender_id=case.organisation_id,
        sender=case.organisation,
        receiver_id=receiver.id,
        receiver=receiver,
        visit_id=_visit(session, case, given.visit_id),
        content_sealed=_seal(session, services, case, identity, given),
        policy_version=services.care.referrals.version,
        created_by_id=viewer.user_id,
        created_at=now,
        moves=[],
    )
    session.add(referral)
    session.flush()
    note(session, viewer, "referral.create", "case", case.id, at=now, referral=identity, kind=given.kind.value)
    return referral


def edit_referral(
    session: Session, services: Services, viewer: Viewer, referral_id: uuid.UUID, given: ReferralText, *, now: datetime
) -> Referral:
    """Write a draft anew. Raises as `create_referral`, and ReferralSent."""
    access.require(viewer, Permission.REFER)
    referral, case = _locked(session, viewer, referral_id)
    if referral.state is not ReferralState.DRAFT:
        raise ReferralSent()
    receiver = load_receiver(session, services, given.kind, given.receiver_id)
    referral.kind, referral.receiver_id, referral.receiver = given.kind, receiver.id, receiver
    referral.visit_id = _visit(session, case, given.visit_id)
    referral.content_sealed = _seal(session, services, case, referral.id, given)
    session.flush()
    note(session, viewer, "referral.edit", "case", case.id, at=now, referral=referral.id)
    return referral


def send_referral(
    session: Session, services: Services, viewer: Viewer, referral_id: uuid.UUID, *, now: datetime
) -> Referral:
    """Send a draft: from here on the receiving organisation reads what it says, as the case's facts are now.

    Sending again is harmless. Raises IllegalReferralMove, ReceiverUnsuited, ReceiverUnmanned.
    """
    access.require(viewer, Permission.REFER)
    referral, case = _locked(session, viewer, referral_id)
    if referral.state is ReferralState.SENT:
        return referral
    _refuse_illegal(referral, ReferralState.SENT)
    load_receiver(session, services, referral.kind, referral.receiver_id)
    refuse_unmanned(session, referral.receiver_id)
    written = _written(session, services, referral, case)
    referral.content_sealed = _seal(session, services, case, referral.id, written)
    referral.sent_at, referral.sent_by_id = now, viewer.user_id
    referral.policy_version = services.care.referrals.version
    referral.answer_due_at = answer_due(services.care.referrals.rule(referral.kind), now, services.clocks)
    _move(session, services, viewer, referral, case, ReferralState.SENT, None, now)
    recipients = users_of(session, referral.receiver_id, ANSWERERS)
    notify(session, recipients, NotificationKind.REFERRAL_SENT, "referral", referral.id, now=now)
    return referral


def withdraw_referral(
    session: Session, services: Services, viewer: Viewer, referral_id: uuid.UUID, *, reason: str, now: datetime
) -> Referral:
    """Take a referral back; from here on the receiving organisation no longer reads what it says.

    Raises IllegalReferralMove, ReasonMissing.
    """
    access.require(viewer, Permission.REFER)
    referral, case = _locked(session, viewer, referral_id)
    _refuse_illegal(referral, ReferralState.WITHDRAWN)
    if not reason.strip():
        raise ReasonMissing(field="reason")
    text = check_text(reason, limit=TEXT_LIMIT, field="reason")
    sent = referral.sent_at is not None
    _move(session, services, viewer, referral, case, ReferralState.WITHDRAWN, text, now)
    if sent:
        recipients = users_of(session, referral.receiver_id, ANSWERERS)
        notify(session, recipients, NotificationKind.REFERRAL_ANSWERED, "referral", referral.id, now=now)
    return referral


def answer_referral(
    session: Session,
    services: Services,
    viewer: Viewer,
    referral_id: uuid.UUID,
    wanted: ReferralState,
    *,
    text: str | None = None,
    now: datetime,
) -> Referral:
    """The receiving organisation accepts, refuses with a reason, or says what came of it; the station is told.

    Raises Forbidden, NotFound for another organisation's, IllegalReferralMove, AnswerMissing.
    """
    access.require(viewer, Permission.ANSWER)
    referral, case = _locked(session, viewer, referral_id)
    if wanted not in ANSWERS:
        raise IllegalReferralMove(current=referral.state, wanted=wanted)
    _refuse_illegal(referral, wanted)
    if wanted is not ReferralState.ACCEPTED and not (text or "").strip():
        raise AnswerMissing(field="text")
    checked = check_text(text, limit=TEXT_LIMIT, field="text") if text and text.strip() else None
    _move(session, services, viewer, referral, case, wanted, checked, now)
    told = users_of(session, referral.sender_id, {Role.STATION_STAFF, Role.CASEWORKER})
    notify(session, told, NotificationKind.REFERRAL_ANSWERED, "referral", referral.id, now=now)
    return referral


def read_referral(
    session: Session, services: Services, viewer: Viewer, referral_id: uuid.UUID, *, now: datetime
) -> ReferralView:
    """One referral, its content opened for its station and, while it is theirs to answer, for its receivers. Logged."""
    referral = _load(session, viewer, referral_id)
    opened = viewer.may(Permission.REFER) or (viewer.may(Permission.ANSWER) and referral.state in READABLE)
    note(session, viewer, "referral.read", "referral", referral.id, at=now, opened=opened, state=referral.state.value)
    if not opened:
        return ReferralView(referral, None)
    owner = select(Profile.subject_id).join(Case, Case.profile_id == Profile.id).where(Case.id == referral.case_id)
    subject_id = session.scalars(owner).one()
    content = services.vault.open_json(session, subject_id, referral_purpose(referral.id), referral.content_sealed)
    answers = tuple(
        (
            row.to_state,
            row.at,
            services.vault.open(session, subject_id, move_purpose(row.id), row.text_sealed).decode(),
        )
        for row in referral.moves
        if row.text_sealed is not None
    )
    facts = {name: tuple(values) for name, values in content["facts"].items() if values}
    return ReferralView(referral, ReferralContent(content["summary"], MappingProxyType(facts), answers))


def _load(session: Session, viewer: Viewer, referral_id: uuid.UUID, *, lock: bool = False) -> Referral:
    statement = loaded(viewer).where(Referral.id == referral_id).execution_options(populate_existing=True)
    return access.find(session, statement.with_for_update(of=Referral) if lock else statement)


def _locked(session: Session, viewer: Viewer, referral_id: uuid.UUID) -> tuple[Referral, Case]:
    """A referral of the viewer's scope and its case, locked in the order in which everybody locks them."""
    found = _load(session, viewer, referral_id)
    case = session.scalars(
        select(Case)
        .where(Case.id == found.case_id)
        .options(*with_profile_on_demand(Case.profile))
        .with_for_update(of=Case)
        .execution_options(populate_existing=True)
    ).one()
    return _load(session, viewer, referral_id, lock=True), case


def _visit(session: Session, case: Case, visit_id: uuid.UUID | None) -> uuid.UUID | None:
    if visit_id is None:
        return None
    standing = select(FollowUpVisit.id).where(
        FollowUpVisit.id == visit_id, FollowUpVisit.case_id == case.id, FollowUpVisit.withdrawn_at.is_(None)
    )
    if session.scalar(standing) is None:
        raise OtherVisit(field="visit_id")
    return visit_id


def _seal(session: Session, services: Services, case: Case, identity: uuid.UUID, given: ReferralText) -> bytes:
    content = {
        "summary": check_text(given.summary, limit=TEXT_LIMIT, field="summary"),
        "facts": _attached(case, given.facts),
    }
    return services.vault.seal_json(session, case.profile.subject_id, referral_purpose(identity), content)


def _written(session: Session, services: Services, referral: Referral, case: Case) -> ReferralText:
    """The draft as it was written, so that its facts can be taken anew."""
    content = services.vault.open_json(
        session, case.profile.subject_id, referral_purpose(referral.id), referral.content_sealed
    )
    facts = frozenset(ReferralFact(name) for name in content["facts"])
    return ReferralText(referral.kind, referral.receiver_id, content["summary"], facts, referral.visit_id)


def _attached(case: Case, wanted: frozenset[ReferralFact]) -> dict[str, list[str]]:
    """The values of the named facts, as the case has them now; an empty list for what is not known."""
    facts = current_facts(case.profile)
    values: dict[ReferralFact, list[str]] = {
        fact: [one.value for one in facts.attributes if one.kind is kind] for fact, kind in _ATTRIBUTES.items()
    }
    values[ReferralFact.NAME] = [one.text for one in facts.names]
    values[ReferralFact.HOME] = [
        " ".join(filter(None, (one.division, one.detail))) for one in facts.places if one.kind in _HOMES
    ]
    return {fact.value: values[fact] for fact in sorted(wanted)}


def _refuse_illegal(referral: Referral, wanted: ReferralState) -> None:
    if wanted not in REFERRAL_TRANSITIONS[referral.state]:
        raise IllegalReferralMove(current=referral.state, wanted=wanted)


def _move(
    session: Session,
    services: Services,
    viewer: Viewer,
    referral: Referral,
    case: Case,
    wanted: ReferralState,
    text: str | None,
    now: datetime,
) -> None:
    """Move it, with its history row before it: the gate on the state looks for that row."""
    identity, previous = uuid.uuid4(), referral.state
    sealed = (
        services.vault.seal(session, case.profile.subject_id, move_purpose(identity), text.encode()) if text else None
    )
    referral.moves.append(
        ReferralMove(
            id=identity,
            referral_id=referral.id,
            from_state=previous,
            to_state=wanted,
            actor_id=viewer.user_id,
            at=now,
            text_sealed=sealed,
        )
    )
    session.flush()
    referral.state = wanted
    session.flush()
    note(
        session, viewer, "referral.move", "case", case.id, at=now,
        referral=referral.id, previous=previous.value, state=wanted.value,
    )  # fmt: skip


_HOMES = frozenset({PlaceKind.NATIVE, PlaceKind.REGISTERED, PlaceKind.RESIDENCE})
_ATTRIBUTES: Mapping[ReferralFact, AttributeKind] = MappingProxyType(
    {
        ReferralFact.SEX: AttributeKind.SEX,
        ReferralFact.AGE: AttributeKind.AGE,
        ReferralFact.BIRTH_DATE: AttributeKind.BIRTH_DATE,
        ReferralFact.ETHNICITY: AttributeKind.ETHNICITY,
        ReferralFact.HEALTH: AttributeKind.HEALTH,
    }
)
