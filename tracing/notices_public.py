"""What the public sees of a notice (公告页面): decided anew at each look, by the case's state and the policy of today.

Nothing here tells why there is nothing to see: an address that never was, a person who has been found, a notice that
was withdrawn are the same NotFound, by the same one query.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload

from models.case import Case
from models.notice import PUBLIC_STATES, Notice, NoticeState, NoticeVersion
from tracing.notice_content import NoticeContent
from tracing.notice_shown import shown_now
from tracing.notices import open_content, open_notice_photo
from tracing.platform import errors
from tracing.profiles import with_profile
from tracing.services import Services

TOKEN_MAX = 43


@dataclass(frozen=True, slots=True)
class PublicNotice:
    """A notice as the public sees it now."""

    version: NoticeVersion
    case: Case
    content: NoticeContent
    has_photo: bool


def public_notice(session: Session, services: Services, token: str, *, now: datetime) -> PublicNotice:
    """The notice under an address. Raises NotFound for everything that is not public at this moment.

    Of what was published, what the policy withholds today (an age that was learned since) is left out.
    """
    if not token.isascii() or len(token) > TOKEN_MAX:
        raise errors.NotFound()
    version = session.scalars(
        select(NoticeVersion)
        .join(NoticeVersion.notice)
        .join(Notice.case)
        .where(
            Notice.token == token, NoticeVersion.state == NoticeState.PUBLISHED, Case.state.in_(PUBLIC_STATES)
        )
        .options(
            contains_eager(NoticeVersion.notice).contains_eager(Notice.case).options(
                joinedload(Case.organisation), *with_profile(Case.profile)
            )
        )
        .execution_options(populate_existing=True)
    ).one_or_none()  # fmt: skip
    if version is None:
        raise errors.NotFound()
    case = version.notice.case
    opened = open_content(session, services, case, version)
    return PublicNotice(version, case, *shown_now(session, services, case, version, opened, now=now))


def public_photo(session: Session, services: Services, token: str, *, now: datetime) -> bytes:
    """The photograph of the notice under an address. Raises NotFound as `public_notice`, and when none is shown."""
    found = public_notice(session, services, token, now=now)
    if not found.has_photo:
        raise errors.NotFound()
    return open_notice_photo(session, services, found.case, found.version)
