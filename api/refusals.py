"""Refused attempts (越权与被拒操作) in the audit log: the request's own transaction rolled back."""

import uuid

import structlog
from starlette.requests import Request

from api.deps import now_of
from api.errors import GateClosed
from api.paths import template
from tracing.access import Viewer
from tracing.confirmation import (
    CandidateExcluded,
    CandidateIsCase,
    DisagreementStands,
    OpinionsMissing,
    ReferenceMissing,
    ReportTaken,
    ReviewsMissing,
)
from tracing.contact import LocalFirst, NotConfirmed
from tracing.dossier import DossierIncomplete
from tracing.exclusions import ExaminersMissing
from tracing.kin import DnaMissing, KinNotVerified
from tracing.notice_errors import OwnDraft
from tracing.platform import errors
from tracing.platform.db import unit_of_work
from tracing.screenings import DangerSuspected, PersonObjects
from tracing.services import Services
from tracing.trail import note
from tracing.transitions import IllegalMove

log = structlog.stdlib.get_logger(__name__)

DECISIONS = (
    GateClosed,
    ReviewsMissing,
    OpinionsMissing,
    DisagreementStands,
    ReferenceMissing,
    CandidateIsCase,
    CandidateExcluded,
    ExaminersMissing,
    ReportTaken,
    NotConfirmed,
    PersonObjects,
    DangerSuspected,
    LocalFirst,
    DnaMissing,
    KinNotVerified,
    DossierIncomplete,
    IllegalMove,
    OwnDraft,
)
"""Refusals of confirmation, release, moves, publication: whoever tries them without grounds is seen to have tried."""


def record(request: Request, error: errors.TracingError) -> None:
    """Write "denied" with the slug and the address's form, if the error is a refusal of a known viewer.

    Never raises: a refusal stays a refusal when the log cannot be written; that it could not is logged.
    """
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    object_id = _object_id(request)
    if viewer is None or not _is_refusal(error, object_id):
        return
    services: Services = request.app.state.services
    try:
        with unit_of_work(services.db) as session:
            note(
                session, viewer, "denied", _object_kind(request), object_id, at=now_of(request),
                slug=error.slug, method=request.method, route=template(request.scope),
            )  # fmt: skip
    except Exception:
        log.exception("refusal_not_recorded", code=error.slug)


def _is_refusal(error: errors.TracingError, object_id: uuid.UUID | None) -> bool:
    if isinstance(error, errors.NotFound):
        return object_id is not None
    return isinstance(error, (errors.Forbidden, *DECISIONS))


def _object_id(request: Request) -> uuid.UUID | None:
    for value in request.path_params.values():
        try:
            return uuid.UUID(str(value))
        except ValueError:
            continue
    return None


def _object_kind(request: Request) -> str:
    name = next(iter(request.path_params), "")
    return name.removesuffix("_id")[:32] or "route"
