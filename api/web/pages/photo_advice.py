"""Advice on a photograph (拍照提示) before the form is sent: a part of the intake pages, asked for by their script."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.messages import sentence
from api.web import uploads
from api.web.page import Page, posted
from api.web.pages.intake import show_new
from api.web.rendering import fragment
from tracing.photo_advice import advise
from tracing.photo_refusals import PhotoRefused

router = APIRouter()


@router.post("/photos/advice")
def look(page: Annotated[Page, posted(show_new)]) -> Response:
    """What the file in `photo` shows: faces to choose from, and how to take a better one. The file is not kept."""
    files = page.typed.files.get("photo", ())
    try:
        upload = uploads.read(page, files[0]) if files else b""
        found = advise(page.services, page.viewer, upload, now=page.now)
    except PhotoRefused as error:
        return fragment(page, "intake/advice.html", refused=sentence(page.locale, error), found=None)
    return fragment(page, "intake/advice.html", refused=None, found=found, shares=uploads.shares)
