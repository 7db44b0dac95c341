"""Pace (复核节奏): no opinion without a look of its own, and not more in an hour than a rested eye can give.

Haste and long rows of comparisons are where examiners go wrong without noticing; how long and how many is policy data
(`review_policy.ReviewRules`). Seeds count like candidates.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.review import Review
from models.review_protocol import SeedReview
from tracing.access import Viewer
from tracing.platform import errors
from tracing.services import Services

WINDOW = timedelta(hours=1)


class LookTooShort(errors.Conflict):
    """An opinion sooner than the least look allows, or without one."""

    slug = "look_too_short"
    message = "Look at the photographs for at least {seconds} seconds before you commit an opinion. Nothing is lost."


class PaceTooFast(errors.Conflict):
    """More opinions within an hour than the policy allows."""

    slug = "pace_too_fast"
    message = "You have given {most} opinions within an hour, the most there may be. Rest your eyes; nothing is lost."


def check_pace(
    session: Session, services: Services, viewer: Viewer, opened_at: datetime | None, *, now: datetime
) -> None:
    """Whether the viewer may commit an opinion on what was opened then. Raises LookTooShort, PaceTooFast."""
    if not services.settings.review.pace:
        return
    rules = services.review_rules
    if opened_at is None or now - opened_at < timedelta(seconds=rules.least_look_seconds):
        raise LookTooShort(seconds=rules.least_look_seconds)
    given = sum(
        session.scalar(select(func.count()).where(kind.examiner_id == viewer.user_id, kind.committed_at > now - WINDOW))
        or 0
        for kind in (Review, SeedReview)
    )
    if given >= rules.most_opinions_an_hour:
        raise PaceTooFast(most=rules.most_opinions_an_hour)
