"""The settlement's dossier (落户档案): which papers are there, which are still missing; the list is policy data."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import CaseState
from models.outcome import DossierItem
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import CaseClosed, check_reason, load_case
from tracing.facts import check_day, check_optional_text
from tracing.homeward_policy import DossierPaper
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note


class PaperUnknown(errors.Invalid):
    """An item that the list does not have."""

    slug = "paper_unknown"
    message = "The list of the dossier has no such paper. Choose one of the list."


class PaperThere(errors.Conflict):
    """A second tick."""

    slug = "paper_there"
    message = "This paper is in the dossier already. Withdraw the entry first if it is wrong."


class DossierIncomplete(errors.Conflict):
    """A settlement before every required paper is there."""

    slug = "dossier_incomplete"
    message = "Before the settlement every required paper has to be in the dossier. Missing: {missing}."


class PaperWithdrawn(errors.Conflict):
    """A second withdrawal."""

    slug = "paper_withdrawn"
    message = "This entry has been withdrawn already. Reload the page."


@dataclass(frozen=True, slots=True)
class DossierLine:
    """A paper of the list, and its entry when it is there."""

    paper: DossierPaper
    entry: DossierItem | None


def _standing(session: Session, case_id: uuid.UUID) -> dict[str, DossierItem]:
    rows = session.scalars(
        select(DossierItem)
        .where(DossierItem.case_id == case_id, DossierItem.withdrawn_at.is_(None))
        .execution_options(populate_existing=True)
    )
    return {one.item: one for one in rows}


def read_dossier(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> list[DossierLine]:
    """The whole list, in the policy's order; logged. Raises NotFound."""
    case = load_case(session, viewer, case_id)
    standing = _standing(session, case.id)
    note(session, viewer, "dossier.read", "case", case.id, at=now, count=len(standing))
    return [DossierLine(paper, standing.get(paper.key)) for paper in services.homeward.dossier.items]


def missing_papers(session: Session, services: Services, case_id: uuid.UUID) -> list[str]:
    """Keys of the required papers that are not there."""
    standing = _standing(session, case_id)
    return [one.key for one in services.homeward.dossier.items if one.required and one.key not in standing]


def tick_paper(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    item: str,
    *,
    done_on: date,
    reference: str | None,
    now: datetime,
) -> DossierItem:
    """Enter a paper. Raises Forbidden, NotFound, CaseClosed, PaperUnknown, PaperThere, a date error."""
    access.require(viewer, Permission.OUTCOME)
    case = load_case(session, viewer, case_id, lock=True)
    if case.state is CaseState.CLOSED:
        raise CaseClosed()
    if item not in {one.key for one in services.homeward.dossier.items}:
        raise PaperUnknown(field="item")
    check_day(done_on, today=services.local_day(now), field="done_on")
    if item in _standing(session, case.id):
        raise PaperThere(field="item")
    entry = DossierItem(
        id=uuid.uuid4(),
        case_id=case.id,
        item=item,
        done_on=done_on,
        reference=check_optional_text(reference, field="reference", limit=120),
        recorded_by_id=viewer.user_id,
        recorded_at=now,
    )
    session.add(entry)
    session.flush()
    note(session, viewer, "dossier.tick", "case", case.id, at=now, entry=entry.id)
    return entry


def withdraw_paper(session: Session, viewer: Viewer, entry_id: uuid.UUID, *, reason: str, now: datetime) -> DossierItem:
    """Take a mistaken entry back. Raises Forbidden, NotFound, ReasonMissing, PaperWithdrawn."""
    access.require(viewer, Permission.OUTCOME)
    case_id = session.scalar(select(DossierItem.case_id).where(DossierItem.id == entry_id))
    if case_id is None:
        raise errors.NotFound()
    load_case(session, viewer, case_id, lock=True)
    entry = session.get_one(DossierItem, entry_id, populate_existing=True)
    reason = check_reason(reason)
    if entry.withdrawn_at is not None:
        raise PaperWithdrawn()
    entry.withdrawn_at, entry.withdrawn_by_id, entry.withdrawal_reason = now, viewer.user_id, reason
    session.flush()
    note(session, viewer, "dossier.withdraw", "case", case_id, at=now, entry=entry.id)
    return entry
