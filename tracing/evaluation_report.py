"""The evaluation's report (评测报告): how well the matching finds people, as `make evaluate` measured it here.

It holds figures and drawings, nobody's data; whoever runs the service puts it into `{data_dir}/evaluation`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from tracing.access import Permission, Viewer
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note

FILE = "evaluation/report.html"


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """The page that `tracing evaluate report` wrote, and when."""

    page: bytes
    made_at: datetime


def read_evaluation(session: Session, services: Services, viewer: Viewer, *, now: datetime) -> EvaluationReport | None:
    """The report, None while none was made. For police supervisors and administrators. Raises Forbidden."""
    if not (viewer.may(Permission.REVIEW_MANAGE) or viewer.may(Permission.JOBS)):
        raise errors.Forbidden()
    note(session, viewer, "evaluation.view", "evaluation", None, at=now)
    path = services.settings.data_dir / FILE
    try:
        return EvaluationReport(path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except FileNotFoundError:
        return None
