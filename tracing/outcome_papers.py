"""The papers of an outcome (交接、护送、移送材料): who signed for the person, the escort trip, the written notice."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.confirmation import Confirmation
from models.organisation import Organisation
from models.outcome import HOME, EscortTrip, Handover, Outcome, OutcomeKind, Transport
from models.profile import Profile
from models.report import Report
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import load_case
from tracing.confirmation import standing_confirmation
from tracing.facts import check_day, check_division, check_optional_text, check_text
from tracing.home_notices import ADDRESSEES, send_transfer
from tracing.outcome_rules import RULES, Need
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note


class HandoverMissing(errors.Invalid):
    """A handover that nobody signed for."""

    slug = "handover_missing"
    message = "Say who signed for the person: name, and the unit or the relation."


class TripMissing(errors.Invalid):
    """An escort home without its trip."""

    slug = "trip_missing"
    message = "Describe the escort: who went, by what means, from where to where, departure and arrival."


class TripBackwards(errors.Invalid):
    """An arrival before the departure, or one that is yet to come."""

    slug = "trip_backwards"
    message = "The arrival cannot lie before the departure or in the future. Check both times."


class NoticeMissing(errors.Invalid):
    """A transfer without its written notice."""

    slug = "transfer_notice_missing"
    message = "Name the receiving station and the number of the written notice."


class ReceiverUnknown(errors.Invalid):
    """A receiving organisation that is no station, or not there."""

    slug = "receiver_unknown"
    message = "The receiving organisation is no station of this service. Choose another, or write its name."


class NotOfThisOutcome(errors.Invalid):
    """A paper that this kind of outcome does not have."""

    slug = "not_of_this_outcome"
    message = "This kind of outcome has no such part. Leave it out, or choose the kind that it belongs to."


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who signed for the person. `unit` of an official, `relation` of a relative; `reference`: of the signed paper."""

    name: str
    unit: str | None = None
    relation: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """An escort as it is given."""

    escorts: str
    transport: Transport
    from_division: str
    to_division: str
    departed_at: datetime
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Transfer:
    """The written notice as it is given: a station of the service, or the name of one outside it."""

    document_number: str
    organisation_id: uuid.UUID | None = None
    receiver: str | None = None
    sent_on: date | None = None


@dataclass(frozen=True, slots=True)
class Papers:
    """What comes with an outcome."""

    handover: Receiver | None = None
    trip: Trip | None = None
    transfer: Transfer | None = None


NO_PAPERS = Papers()


def check_papers(kind: OutcomeKind, papers: Papers, *, now: datetime) -> None:
    """Raise what is missing of the papers, or wrong with them. A handover may come with every outcome."""
    needs = RULES[kind].needs
    if papers.handover is None and Need.HANDOVER in needs:
        raise HandoverMissing(field="handover")
    if papers.handover is not None:
        _check_receiver(papers.handover)
    for given, need, missing, field in (
        (papers.trip, Need.TRIP, TripMissing, "trip"),
        (papers.transfer, Need.NOTICE, NoticeMissing, "transfer"),
    ):
        if given is None and need in needs:
            raise missing(field=field)
        if given is not None and need not in needs:
            raise NotOfThisOutcome(field=field)
    if papers.trip is not None:
        _check_trip(papers.trip, now)
    if papers.transfer is not None:
        _check_transfer(papers.transfer)


def _check_receiver(one: Receiver) -> None:
    check_text(one.name, field="handover.name", limit=100)
    unit = check_optional_text(one.unit, field="handover.unit", limit=120)
    relation = check_optional_text(one.relation, field="handover.relation", limit=40)
    check_optional_text(one.reference, field="handover.reference", limit=120)
    if unit is None and relation is None:
        raise HandoverMissing(field="handover.unit")


def _check_trip(one: Trip, now: datetime) -> None:
    check_text(one.escorts, field="trip.escorts", limit=200)
    check_division(one.from_division, field="trip.from_division")
    check_division(one.to_division, field="trip.to_division")
    if one.arrived_at < one.departed_at or one.arrived_at > now:
        raise TripBackwards(field="trip.arrived_at")


def _check_transfer(one: Transfer) -> None:
    check_text(one.document_number, field="transfer.document_number", limit=120)
    receiver = check_optional_text(one.receiver, field="transfer.receiver", limit=120)
    if (one.organisation_id is None) == (receiver is None):
        raise NoticeMissing(field="transfer.receiver")


def store_papers(
    session: Session, services: Services, viewer: Viewer, case: Case, outcome: Outcome, papers: Papers, *, now: datetime
) -> None:
    """The checked papers of an outcome that is stored. Raises ReceiverUnknown."""
    if papers.handover is not None:
        _store_handover(session, services, case, outcome, papers.handover)
    if papers.trip is not None:
        trip = papers.trip
        session.add(
            EscortTrip(
                id=uuid.uuid4(), outcome_id=outcome.id, escorts=trip.escorts.strip(), transport=trip.transport,
                from_division=trip.from_division, to_division=trip.to_division, departed_at=trip.departed_at,
                arrived_at=trip.arrived_at,
            )
        )  # fmt: skip
    if papers.transfer is not None:
        given = papers.transfer
        organisation = session.get(Organisation, given.organisation_id) if given.organisation_id else None
        wrong = organisation is None or not organisation.active or organisation.kind not in ADDRESSEES
        if given.organisation_id is not None and (wrong or given.organisation_id == case.organisation_id):
            raise ReceiverUnknown(field="transfer.organisation_id")
        check_day(given.sent_on, today=services.local_day(now), field="transfer.sent_on")
        send_transfer(
            session, viewer, case, outcome.id, organisation=organisation,
            receiver=check_optional_text(given.receiver, field="transfer.receiver", limit=120),
            document_number=given.document_number.strip(), sent_on=given.sent_on or outcome.occurred_on, now=now,
        )  # fmt: skip
    session.flush()


def _store_handover(session: Session, services: Services, case: Case, outcome: Outcome, one: Receiver) -> None:
    identity = uuid.uuid4()
    told = {"name": one.name.strip(), "unit": one.unit, "relation": one.relation}
    session.add(
        Handover(
            id=identity,
            outcome_id=outcome.id,
            receiver_sealed=services.vault.seal_json(
                session, _subject(session, case, outcome), handover_purpose(identity), told
            ),
            signed_on=outcome.occurred_on,
            reference=check_optional_text(one.reference, field="handover.reference", limit=120),
        )
    )


def handover_purpose(handover_id: uuid.UUID) -> str:
    """Purpose under which the vault seals who signed."""
    return f"handover:{handover_id}"


def _subject(session: Session, case: Case, outcome: Outcome) -> uuid.UUID:
    """Whose key seals the signature: a family is sealed under the reported person's, an official under the person's."""
    if outcome.kind not in HOME:
        return case.profile.subject_id
    return session.execute(
        select(Profile.subject_id)
        .join(Report, Report.profile_id == Profile.id)
        .join(Confirmation, Confirmation.report_id == Report.id)
        .where(Confirmation.case_id == case.id, Confirmation.recalled_at.is_(None))
    ).scalar_one()


def open_handover(
    session: Session, services: Services, viewer: Viewer, outcome_id: uuid.UUID, *, now: datetime
) -> tuple[Handover, Receiver]:
    """Who signed, opened; each opening is logged. A family's signature for caseworkers, while the confirmation stands.

    Raises Forbidden, NotFound.
    """
    access.require(viewer, Permission.OUTCOME)
    outcome = session.get(Outcome, outcome_id)
    if outcome is None:
        raise errors.NotFound()
    case = load_case(session, viewer, outcome.case_id)
    handover = session.scalars(select(Handover).where(Handover.outcome_id == outcome.id)).one_or_none()
    if outcome.kind in HOME:
        access.require(viewer, Permission.CONTACT)
        confirmation = standing_confirmation(session, case.id)
        if confirmation is None or confirmation.confirmed_at > outcome.recorded_at:
            raise errors.NotFound()
    if handover is None:
        raise errors.NotFound()
    told = services.vault.open_json(
        session, _subject(session, case, outcome), handover_purpose(handover.id), handover.receiver_sealed
    )
    note(session, viewer, "handover.open", "case", case.id, at=now, outcome=outcome.id)
    return handover, Receiver(**told, reference=handover.reference)


def escort_trip(session: Session, outcome_id: uuid.UUID) -> EscortTrip | None:
    """The escort home of an outcome that the caller has already been allowed to see."""
    return session.scalars(select(EscortTrip).where(EscortTrip.outcome_id == outcome_id)).one_or_none()
