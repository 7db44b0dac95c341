"""Seeding (演示数据): the region, its accounts, a few reports and a case, through the use cases that everybody uses."""

import json
import random
import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.vocabulary import AttributeKind, Basis, GalleryKind, NameKind, PlaceKind
from models.organisation import Organisation, OrganisationKind
from models.user import Role, User
from tracing.access import Viewer, viewer_of
from tracing.accounts import hash_password
from tracing.cases import Circumstances, create_case, submit_case
from tracing.demo.photos import people
from tracing.facts import AttributeFact, Facts, NameFact, PlaceFact
from tracing.organisations import place
from tracing.photos import add_photo, prepare_photo
from tracing.platform.db import unit_of_work
from tracing.reports import FamilyContact, LastSeen, create_report, publish_report
from tracing.services import Services

PEOPLE_LIMIT = 12
SEED = 20260302


@dataclass(frozen=True, slots=True)
class Account:
    """A demo account, its password in the clear for the one time that it is shown."""

    username: str
    password: str
    role: Role
    organisation_zh: str
    organisation_en: str


@cache
def _data(name: str) -> dict[str, Any]:
    text = (resources.files("tracing.demo") / name).read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def is_empty(session: Session) -> bool:
    """Whether nobody has an account yet."""
    return session.scalar(select(User.id).limit(1)) is None


def seed_region(session: Session, *, now: datetime) -> list[Account]:
    """Organisations and accounts of the demo region, with passwords made now. Nothing when there are users already."""
    if not is_empty(session):
        return []
    organisations: dict[str, Organisation] = {}
    for row in _data("region.json")["organisations"]:
        organisation = place(
            organisations.get(row["parent"]),
            kind=OrganisationKind(row["kind"]),
            name_zh=row["zh"],
            name_en=row["en"],
            division=row["division"],
            now=now,
        )
        organisations[row["key"]] = organisation
        session.add(organisation)
        session.flush()
    accounts = []
    for row in _data("region.json")["accounts"]:
        organisation = organisations[row["organisation"]]
        password = secrets.token_urlsafe(9)
        session.add(
            User(
                organisation_id=organisation.id,
                username=row["username"],
                display_name=row["name"],
                role=Role(row["role"]),
                password_hash=hash_password(password),
                created_at=now,
            )
        )
        accounts.append(
            Account(row["username"], password, Role(row["role"]), organisation.name_zh, organisation.name_en)
        )
    session.flush()
    return accounts


def demo_viewer(session: Session, username: str) -> Viewer:
    """The viewer for a demo account."""
    user = session.scalars(select(User).where(User.username == username)).one()
    return viewer_of(user, session.get_one(Organisation, user.organisation_id))


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person: what the family reports and what the station sees."""

    name: str
    heard: str
    sex: str | None
    age: int
    height: int
    native: str
    accent: str

    def reported(self) -> Facts:
        """What the family says."""
        attributes = [
            AttributeFact(AttributeKind.AGE, str(self.age), Basis.REPORTED),
            AttributeFact(AttributeKind.HEIGHT, str(self.height), Basis.REPORTED),
        ]
        if self.sex:
            attributes.append(AttributeFact(AttributeKind.SEX, self.sex, Basis.REPORTED))
        return Facts(
            attributes=tuple(attributes),
            names=(NameFact(self.name, NameKind.FULL, Basis.REPORTED),),
            places=(PlaceFact(self.native, PlaceKind.NATIVE, Basis.REPORTED),),
        )

    def seen(self) -> Facts:
        """What the station sees and hears: everything a little off, as it is in life."""
        attributes = [
            AttributeFact(AttributeKind.AGE, str(self.age + 4), Basis.ESTIMATED, uncertainty=10),
            AttributeFact(AttributeKind.HEIGHT, str(self.height - 1), Basis.MEASURED),
            AttributeFact(AttributeKind.ACCENT, self.accent, Basis.HEARD),
        ]
        if self.sex:
            attributes.append(AttributeFact(AttributeKind.SEX, self.sex, Basis.ESTIMATED))
        return Facts(attributes=tuple(attributes), names=(NameFact(self.heard, NameKind.HEARD, Basis.HEARD),))


def invent(folder_names: list[str]) -> list[Person]:
    """One invented person a folder, always the same for the same folders."""
    data = _data("people.json")
    chance = random.Random(SEED)
    invented = []
    for folder in folder_names:
        known = data["known"].get(folder)
        if known:
            invented.append(Person(**known))
            continue
        surname, given = chance.choice(data["surnames"]), chance.choice(data["given_names"])
        native = chance.choice(data["divisions"])
        invented.append(
            Person(
                name=surname + given,
                heard="阿" + given[-1],
                sex=None,
                age=chance.randint(20, 75),
                height=chance.randint(150, 182),
                native=native,
                accent=native[:2],
            )
        )
    return invented


def contact_of(person: Person) -> FamilyContact:
    """An invented family contact; the number is of a range that is not given out."""
    return FamilyContact(name=person.name[0] + "家属", relation="亲属", telephone="000-0000-0000", note="演示数据")


def seed_records(services: Services, photos: Path | None, *, now: datetime) -> tuple[int, int]:
    """Reports for every person of the photo folder and one waiting case; how many reports and cases.

    Without photographs the invented people are reported by attributes alone.
    """
    found = people(photos, limit=PEOPLE_LIMIT)
    names = list(found) or list(_data("people.json")["known"])
    persons = invent(names)
    day = services.local_day(now)
    for folder, person in zip(names, persons, strict=True):
        _seed_report(services, person, found.get(folder, [])[:1], day - timedelta(days=40), now)
    waiting = next((index for index, name in enumerate(names) if len(found.get(name, [])) > 1), 0)
    _seed_case(services, persons[waiting], found.get(names[waiting], [])[1:2], day, now)
    return len(names), 1


def _seed_report(services: Services, person: Person, photos: list[Path], last_seen: date, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        viewer = demo_viewer(session, "police2")
        report = create_report(
            session,
            services,
            viewer,
            LastSeen(last_seen, person.native),
            person.reported(),
            contact_of(person),
            now=now,
        )
        _add(session, services, viewer, GalleryKind.REPORT, report.id, photos, now)
        publish_report(session, services, viewer, report.id, now=now)


def _seed_case(services: Services, person: Person, photos: list[Path], day: date, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        viewer = demo_viewer(session, "station")
        case = create_case(
            session, services, viewer,
            Circumstances(admitted_on=day, found_on=day, found_division="450702", found_place="演示小区附近"),
            person.seen(), now=now,
        )  # fmt: skip
        _add(session, services, viewer, GalleryKind.CASE, case.id, photos, now)
        submit_case(session, services, viewer, case.id, now=now)


def _add(
    session: Session,
    services: Services,
    viewer: Viewer,
    kind: GalleryKind,
    owner: uuid.UUID,
    photos: list[Path],
    now: datetime,
) -> None:
    for path in photos:
        prepared = prepare_photo(path.read_bytes(), services.settings)
        add_photo(session, services, viewer, kind, owner, prepared, now=now)
