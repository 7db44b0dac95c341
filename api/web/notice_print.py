"""A notice to print (公告打印件), as the API and the pages answer with it."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session
from starlette.responses import Response

from api.notice_paper import notice_pdf
from api.web.public_page import address_of
from models.user import Locale
from tracing import notices
from tracing.access import Viewer
from tracing.services import Services


def printed(
    session: Session, services: Services, viewer: Viewer, version_id: uuid.UUID, locale: Locale, *, now: datetime
) -> Response:
    """A version as PDF; of one that is not public a proof without the code to the page. Raises NotFound."""
    view = notices.read_notice(session, services, viewer, version_id, now=now)
    picture = None
    if view.has_photo:
        picture = notices.read_notice_photo(session, services, viewer, version_id, now=now)
    address = address_of(services)(view.version.notice.token)
    data = notice_pdf(view.content, picture, address, view.case.number, locale, public=view.public)
    headers = {"Content-Disposition": 'inline; filename="notice.pdf"'}
    return Response(data, media_type="application/pdf", headers=headers)
