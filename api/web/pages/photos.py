"""Photographs (照片): the files themselves, choosing the face, taking one out."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.errors import ChoiceMissing
from api.web.forms import members_named
from api.web.page import Page, PageDep, posted
from api.web.pages.cases import show_case
from api.web.pages.reports import show_report
from api.web.rendering import done, redirect
from tracing import photos
from tracing.photos import PhotoSize

router = APIRouter()


@router.get("/photos/{photo_id}")
def image(page: PageDep, photo_id: uuid.UUID) -> Response:
    """The photograph as JPEG, for somebody who may look; never kept by the browser."""
    size = next(iter(members_named(page.request.query_params.getlist("size"), PhotoSize)), PhotoSize.FULL)
    data = photos.open_photo(page.session, page.services, page.viewer, photo_id, size=size, now=page.now)
    return Response(data, media_type="image/jpeg")


def _choose(page: Page, photo_id: uuid.UUID, back: str) -> Response:
    try:
        face_id = uuid.UUID(page.typed.text("face_id"))
    except ValueError:
        raise ChoiceMissing(field=f"face_id.{photo_id}") from None
    photos.choose_face(page.session, page.services, page.viewer, photo_id, face_id, now=page.now)
    return redirect(page, back, done(page, "The face is chosen. The search takes it into account."))


def _remove(page: Page, photo_id: uuid.UUID, back: str) -> Response:
    photos.remove_photo(page.session, page.services, page.viewer, photo_id, now=page.now)
    return redirect(page, back, done(page, "The photograph is taken out. Sending the same file again brings it back."))


@router.post("/cases/{case_id}/photos/{photo_id}/face")
def choose_of_case(page: Annotated[Page, posted(show_case)], case_id: uuid.UUID, photo_id: uuid.UUID) -> Response:
    """Which of several faces is the person's."""
    return _choose(page, photo_id, f"/cases/{case_id}")


@router.post("/cases/{case_id}/photos/{photo_id}/remove")
def remove_of_case(page: Annotated[Page, posted(show_case)], case_id: uuid.UUID, photo_id: uuid.UUID) -> Response:
    """Out of the record and out of the search."""
    return _remove(page, photo_id, f"/cases/{case_id}")


@router.post("/reports/{report_id}/photos/{photo_id}/face")
def choose_of_report(page: Annotated[Page, posted(show_report)], report_id: uuid.UUID, photo_id: uuid.UUID) -> Response:
    """Which of several faces is the person's."""
    return _choose(page, photo_id, f"/reports/{report_id}")


@router.post("/reports/{report_id}/photos/{photo_id}/remove")
def remove_of_report(page: Annotated[Page, posted(show_report)], report_id: uuid.UUID, photo_id: uuid.UUID) -> Response:
    """Out of the record and out of the search."""
    return _remove(page, photo_id, f"/reports/{report_id}")
