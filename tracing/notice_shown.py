"""What of a published version is shown at this moment (公告当前可见内容): to the public, to staff, and on paper."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.notice import NoticeFact, NoticeVersion
from models.photo import Photo
from tracing.notice_content import NoticeContent, allowed_facts
from tracing.services import Services


def shown_now(
    session: Session, services: Services, case: Case, version: NoticeVersion, content: NoticeContent, *, now: datetime
) -> tuple[NoticeContent, bool]:
    """The content without what the policy withholds today, and whether the photograph is shown."""
    policy = services.notices.policy_for(case.organisation.division)
    allowed = allowed_facts(policy, case, services.local_day(now))
    return content.within(allowed), NoticeFact.PHOTO in allowed and photo_stands(session, version)


def photo_stands(session: Session, version: NoticeVersion) -> bool:
    """Whether the version has a photograph, and the one it was made from is still among the case's."""
    if version.photo_id is None:
        return False
    standing = select(Photo.id).where(Photo.id == version.photo_id, Photo.removed_at.is_(None))
    return session.scalar(standing) is not None
