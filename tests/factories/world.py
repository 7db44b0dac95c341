"""A small world: two provinces, each with its organisations and one user a role."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType

from models.organisation import Organisation, OrganisationKind
from models.user import Role, User
from tracing.access import Viewer, viewer_of
from tracing.accounts import hash_password
from tracing.organisations import place
from tracing.platform.db import unit_of_work
from tracing.services import Services

PASSWORD = "a password of the tests"


@dataclass(frozen=True)
class Province:
    """One bureau's tree. The police and health liaisons serve the region centre, the street post its station.

    `users` has one user a role, `examiners` two police examiners (the first is the one in `users`), and
    `sister_staff` works in the second station under the same centre.
    """

    bureau: Organisation
    centre: Organisation
    station: Organisation
    sister: Organisation
    street_post: Organisation
    police: Organisation
    health: Organisation
    community: Organisation
    receiving: Organisation
    users: Mapping[Role, User]
    examiners: tuple[User, User]
    sister_staff: User

    def organisations(self) -> tuple[Organisation, ...]:
        """Parents before children."""
        return (
            self.bureau, self.centre, self.station, self.sister, self.street_post, self.police, self.health,
            self.community, self.receiving,
        )  # fmt: skip

    def people(self) -> tuple[User, ...]:
        """Every user."""
        return (*self.users.values(), self.examiners[1], self.sister_staff)


@dataclass(frozen=True)
class World:
    """Province `a` (Guangxi, Qinzhou) and province `b` (Fujian, Xiamen): neither sees the other's records."""

    a: Province
    b: Province
    password: str = PASSWORD

    def viewer(self, user: User) -> Viewer:
        """The viewer that this user is."""
        organisations = {one.id: one for province in (self.a, self.b) for one in province.organisations()}
        return viewer_of(user, organisations[user.organisation_id])

    def viewers(self) -> Iterator[Viewer]:
        """A viewer for every user of both provinces."""
        for province in (self.a, self.b):
            for user in province.people():
                yield self.viewer(user)


def build_world(services: Services, now: datetime) -> World:
    """Store both provinces."""
    world = World(
        _province("a", ("450000", "450700", "450702", "450703"), ("广西", "钦州市", "钦南区", "钦北区"), now),
        _province("b", ("350000", "350200", "350203", "350206"), ("福建", "厦门市", "思明区", "湖里区"), now),
    )
    with unit_of_work(services.db) as session:
        for province in (world.a, world.b):
            for organisation in province.organisations():
                session.add(organisation)
                session.flush()
            session.add_all(province.people())
    return world


@cache
def _password_hash() -> str:
    """Hashed once: argon2 is slow by design."""
    return hash_password(PASSWORD)


def _province(
    letter: str, codes: tuple[str, str, str, str], names: tuple[str, str, str, str], now: datetime
) -> Province:
    def organisation(
        parent: Organisation | None, kind: OrganisationKind, name_zh: str, name_en: str, division: str
    ) -> Organisation:
        return place(parent, kind=kind, name_zh=name_zh, name_en=name_en, division=division, now=now)

    def user(organisation: Organisation, role: Role, username: str) -> User:
        return User(
            id=uuid.uuid4(),
            organisation_id=organisation.id,
            username=f"{letter}_{username}",
            display_name=f"{organisation.name_zh} {username}",
            role=role,
            password_hash=_password_hash(),
            created_at=now,
        )

    kinds = OrganisationKind
    bureau = organisation(None, kinds.BUREAU, f"{names[0]}民政厅", f"Bureau {letter.upper()}", codes[0])
    centre = organisation(bureau, kinds.REGION_CENTRE, f"{names[1]}区域性中心", "Region centre", codes[1])
    station = organisation(centre, kinds.STATION, f"{names[2]}救助管理站", "Station", codes[2])
    sister = organisation(centre, kinds.STATION, f"{names[3]}救助管理站", "Sister station", codes[3])
    street_post = organisation(station, kinds.STREET_POST, f"{names[2]}街道救助驿站", "Street post", codes[2])
    police = organisation(centre, kinds.POLICE_LIAISON, f"{names[1]}寻亲服务联络站", "Police liaison", codes[1])
    health = organisation(centre, kinds.HEALTH_LIAISON, f"{names[1]}医疗救治联络站", "Health liaison", codes[1])
    community = organisation(street_post, kinds.COMMUNITY, f"{names[2]}社区", "Community", codes[2])
    receiving = organisation(centre, kinds.RECEIVING_UNIT, f"{names[1]}低保受理中心", "Benefits office", codes[1])
    homes = {
        Role.STATION_STAFF: station,
        Role.POLICE_EXAMINER: police,
        Role.POLICE_SUPERVISOR: police,
        Role.CASEWORKER: station,
        Role.HEALTH_LIAISON: health,
        Role.COMMUNITY_LIAISON: community,
        Role.RECEIVING_UNIT: receiving,
        Role.BUREAU_SUPERVISOR: bureau,
        Role.AUDITOR: bureau,
        Role.ADMINISTRATOR: bureau,
    }
    users = {role: user(home, role, role.value) for role, home in homes.items()}
    second = user(police, Role.POLICE_EXAMINER, "police_examiner_2")
    return Province(
        bureau=bureau,
        centre=centre,
        station=station,
        sister=sister,
        street_post=street_post,
        police=police,
        health=health,
        community=community,
        receiving=receiving,
        users=MappingProxyType(users),
        examiners=(users[Role.POLICE_EXAMINER], second),
        sister_staff=user(sister, Role.STATION_STAFF, "sister_staff"),
    )
