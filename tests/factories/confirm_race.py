"""Two police who confirm rival candidates at the same moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from api.problems import problem_of
from models.confirmation import Confirmation, ConfirmationMethod
from models.user import Locale
from tests.factories.rivals import Rivals, race
from tests.factories.stories import examiners, two_reviews
from tracing.access import Viewer
from tracing.confirmation import confirm
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import TracingError
from tracing.services import Services

RIVALS = (((0, 0), (0, 1)), ((0, 0), (1, 0)))
"""One case and two reports; two cases and one report. (case, report) of each."""


@dataclass(frozen=True)
class Raced:
    """What became of it. `problems`: what went wrong, in words; `slug`: what the loser was told."""

    slug: str
    problems: tuple[str, ...]


def confirm_race(
    services: Services, rivals: Rivals, pair: tuple[tuple[int, int], ...], *, by_reviews: bool, now: datetime
) -> Raced:
    """Race once on a fresh database: exactly one must win, the other be told so by a 409 of its own."""
    if by_reviews:
        for case, report in pair:
            two_reviews(services, rivals.world, rivals.candidates[case][report], now=now)
    method = ConfirmationMethod.AGREEING_REVIEWS if by_reviews else ConfirmationMethod.DNA

    def attempt(viewer: Viewer, case: int, report: int) -> None:
        with unit_of_work(services.db) as session:
            confirm(
                session, viewer, rivals.cases[case], rivals.candidates[case][report], method,
                reference=None if by_reviews else "D-1", grounds="核对一致", now=now + timedelta(minutes=1),
            )  # fmt: skip

    police = examiners(rivals.world)
    won, lost = race([lambda v=v, p=p: attempt(v, *p) for v, p in zip(police, pair, strict=True)])  # type: ignore[misc]
    problems = [] if len(won) == 1 else [f"{len(won)} won"]
    slug = "none"
    for error in lost:
        if not isinstance(error, TracingError):
            problems.append(f"no refusal but {type(error).__name__}")
            continue
        told = problem_of(error, Locale.ZH)
        slug = told.slug
        if told.status != 409 or told.slug not in {"already_confirmed", "report_taken"}:
            problems.append(f"{told.status} {told.slug}")
    with read_only(services.db) as session:
        standing = session.scalars(select(Confirmation.candidate_id).where(Confirmation.recalled_at.is_(None))).all()
    if len(won) == 1 and standing != [rivals.candidates[pair[won[0]][0]][pair[won[0]][1]]]:
        problems.append("what stands is not what won")
    return Raced(slug, tuple(problems))
