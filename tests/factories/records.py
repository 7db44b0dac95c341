"""Cases, reports and photographs, made through the use cases."""

import uuid
from datetime import date, datetime

from sqlalchemy.orm import Session

from matcher.vocabulary import AttributeKind, Basis, GalleryKind, NameKind, PlaceKind, Sex
from models.case import Case
from models.photo import Photo
from models.report import Report
from tests.factories.faces import RED, make_photo_bytes
from tracing.access import Viewer
from tracing.cases import Circumstances, create_case, submit_case
from tracing.facts import AttributeFact, Facts, MarkFact, NameFact, PlaceFact
from tracing.photos import add_photo, prepare_photo
from tracing.reports import FamilyContact, LastSeen, create_report, publish_report
from tracing.services import Services

FAMILY = FamilyContact(
    name="韦桂英",
    relation="姐姐",
    telephone="13907770123",
    address="福建省厦门市思明区演武路七号",
    note="请晚上八点以后打电话",
)
"""A family's details; none of these texts may ever be found in the clear."""

IDENTITY_NUMBER = "350203198003154213"
"""Invented; its check character is right."""


def facts(
    *,
    sex: Sex | None = None,
    age: int | None = None,
    height: int | None = None,
    name: str | None = None,
    name_kind: NameKind = NameKind.FULL,
    native: str | None = None,
    accent: str | None = None,
    clothing: str | None = None,
    marks: tuple[MarkFact, ...] = (),
    no_marks: bool = False,
    basis: Basis = Basis.REPORTED,
) -> Facts:
    """Facts of one person, all of one basis; what is not given is unknown."""
    values = {
        AttributeKind.SEX: sex,
        AttributeKind.AGE: age,
        AttributeKind.HEIGHT: height,
        AttributeKind.ACCENT: accent,
        AttributeKind.CLOTHING: clothing,
    }
    return Facts(
        attributes=tuple(AttributeFact(kind, str(value), basis) for kind, value in values.items() if value is not None),
        names=(NameFact(name, name_kind, basis),) if name else (),
        places=(PlaceFact(native, PlaceKind.NATIVE, basis),) if native else (),
        marks=marks,
        no_marks=no_marks,
    )


SEEN = facts(sex=Sex.MALE, age=45, height=170, name="韦建国", name_kind=NameKind.HEARD, basis=Basis.ESTIMATED)
"""What a station knows of the man in its care."""

REPORTED = facts(sex=Sex.MALE, age=44, height=171, name="韦建国", native="350203")
"""What his family says of him."""


def make_case(
    session: Session,
    services: Services,
    viewer: Viewer,
    *,
    known: Facts = SEEN,
    photo: bytes | None = None,
    submitted: bool = True,
    now: datetime,
) -> Case:
    """A case of the viewer's station, with a photograph if one is given, handed in unless told otherwise."""
    circumstances = Circumstances(
        admitted_on=services.local_day(now), found_on=services.local_day(now), found_division="450702"
    )
    case = create_case(session, services, viewer, circumstances, known, now=now)
    if photo is not None:
        attach(session, services, viewer, GalleryKind.CASE, case.id, photo, now=now)
    return submit_case(session, services, viewer, case.id, now=now) if submitted else case


def make_report(
    session: Session,
    services: Services,
    viewer: Viewer,
    *,
    known: Facts = REPORTED,
    photo: bytes | None = None,
    contact: FamilyContact | None = FAMILY,
    identity_number: str | None = None,
    published: bool = True,
    now: datetime,
) -> Report:
    """A missing-person report of the viewer's organisation, in the search unless told otherwise."""
    last_seen = LastSeen(date(2026, 2, 1), "350203", None)
    report = create_report(session, services, viewer, last_seen, known, contact, identity_number, now=now)
    if photo is not None:
        attach(session, services, viewer, GalleryKind.REPORT, report.id, photo, now=now)
    return publish_report(session, services, viewer, report.id, now=now) if published else report


def attach(
    session: Session,
    services: Services,
    viewer: Viewer,
    kind: GalleryKind,
    owner_id: uuid.UUID,
    data: bytes | None = None,
    *,
    now: datetime,
) -> Photo:
    """A photograph (a red one unless given) of a case's or report's person."""
    prepared = prepare_photo(data or make_photo_bytes(RED), services.settings)
    return add_photo(session, services, viewer, kind, owner_id, prepared, now=now)
