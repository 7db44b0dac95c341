"""Photographs as answers (照片响应): in the size asked for, and never kept by the browser."""

from starlette.responses import Response

from api.web.forms import members_named
from api.web.page import Page
from tracing.photos import PhotoSize


def size_asked(page: Page) -> PhotoSize:
    """`?size=` of the address; the full photograph when it names none."""
    return next(iter(members_named(page.request.query_params.getlist("size"), PhotoSize)), PhotoSize.FULL)


def jpeg(data: bytes) -> Response:
    """A JPEG file for this one look."""
    return Response(data, media_type="image/jpeg")
