"""What a matching pass knows of the photographs behind the templates: day, quality, number."""

from datetime import date, datetime, timedelta
from io import BytesIO

import numpy as np
from PIL import Image

from matcher.profile import TemplateInfo
from matcher.vocabulary import GalleryKind
from tests.factories.faces import GREY, RED, ColourFaceEngine, make_photo_bytes, with_colour_faces
from tests.factories.records import attach, make_case, make_report
from tests.factories.stories import run_jobs
from tracing.access import Viewer
from tracing.matching_records import records_of
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

DATE_TIME_ORIGINAL = 36867
EXIF = 0x8769


def taken(on: str, shade: int) -> bytes:
    """A reddish photograph whose camera says that day."""
    with Image.open(BytesIO(make_photo_bytes((shade, 30, 30)))) as image:
        exif = image.getexif()
        exif.get_ifd(EXIF)[DATE_TIME_ORIGINAL] = f"{on} 12:00:00"
        target = BytesIO()
        image.save(target, "JPEG", quality=95, exif=exif)
    return target.getvalue()


def test_each_template_knows_its_day_quality_and_number(
    any_services: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    """A missing person's picture is no younger than the day they were last seen (2026-02-01 here)."""
    services = with_colour_faces(any_services)
    with unit_of_work(services.db) as session:
        report = make_report(session, services, reporter, photo=taken("2004:05:06", 230), now=now)
        for later, photo in enumerate([make_photo_bytes(GREY), taken("2026:02:20", 210), make_photo_bytes(RED)], 1):
            attach(
                session, services, reporter, GalleryKind.REPORT, report.id, photo, now=now + timedelta(minutes=later)
            )
        case = make_case(session, services, staff, photo=make_photo_bytes(RED), now=now)
    run_jobs(services, now + timedelta(minutes=9))
    with read_only(services.db) as session:
        version = ColourFaceEngine.model_version
        (found,) = records_of(session, services, GalleryKind.REPORT, [report.id], version)
        (seen,) = records_of(session, services, GalleryKind.CASE, [case.id], version)
    assert found.profile.template_info == (
        TemplateInfo(date(2004, 5, 6), 80.0, 1),
        TemplateInfo(date(2026, 2, 1), 80.0, 3),
        TemplateInfo(date(2026, 2, 1), 80.0, 4),
    )
    assert found.profile.templates.shape == (3, 3)
    assert np.allclose(found.profile.templates[2], seen.profile.templates[0])
    assert seen.profile.template_info == (TemplateInfo(services.local_day(now), 80.0, 1),)
