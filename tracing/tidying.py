"""Tidying (日常整理): once a day, what a changed master key and interrupted writes leave behind."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.platform.jobs import ClaimedJob
from tracing.services import Services

TIDY = "service.tidy"
HALF_WRITTEN = timedelta(days=1)
"""Older than any write that is still going on."""
log = structlog.stdlib.get_logger(__name__)


def tidy_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: one round."""
    tidy(services, utc_now())
    with unit_of_work(services.db) as session:
        complete(session)


def tidy(services: Services, now: datetime) -> tuple[int, int]:
    """Wrap data keys of retired master keys anew, remove half-written photographs; how many of each.

    Keys go in small transactions. Raises MasterKeyUnknown when a key's master key is not configured any more.
    """
    keys = 0
    while True:
        with unit_of_work(services.db) as session:
            done = services.vault.rewrap(session)
        if not done:
            break
        keys += done
    parts = services.store.remove_parts(now - HALF_WRITTEN)
    if keys or parts:
        log.info("tidied", keys_wrapped_anew=keys, half_written_files=parts)
    return keys, parts
