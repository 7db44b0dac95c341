"""Short names for whoever acts in these tests, and a unit of work."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from models.user import Role
from tests.factories.duplicates import Two
from tests.factories.faces import ColourFaceEngine, OtherColourFaceEngine, with_colour_faces, with_engines
from tests.factories.gallery_town import Town, town_on
from tests.factories.milvus_town import MILVUS_PLACES, SERVER, emptied, settings_in
from tests.factories.records import make_case, make_report
from tests.factories.stories import run_jobs
from tests.factories.world import World
from tracing.access import Viewer
from tracing.platform.db import unit_of_work
from tracing.services import Services


@pytest.fixture
def staff(world: World) -> Viewer:
    """A station's staff in province a, who admit cases."""
    return world.viewer(world.a.users[Role.STATION_STAFF])


@pytest.fixture
def reporter(world: World) -> Viewer:
    """A station's staff in province b, who register reports."""
    return world.viewer(world.b.users[Role.STATION_STAFF])


@pytest.fixture
def supervisor(world: World) -> Viewer:
    """Province a's police supervisor."""
    return world.viewer(world.a.users[Role.POLICE_SUPERVISOR])


@pytest.fixture
def caseworker(world: World) -> Viewer:
    """The caseworker of province a's station."""
    return world.viewer(world.a.users[Role.CASEWORKER])


@pytest.fixture
def liaison(world: World) -> Viewer:
    """Province a's community liaison, in the station's county."""
    return world.viewer(world.a.users[Role.COMMUNITY_LIAISON])


@pytest.fixture
def administrator(world: World) -> Viewer:
    """Province a's administrator."""
    return world.viewer(world.a.users[Role.ADMINISTRATOR])


@pytest.fixture
def colour(any_services: Services) -> Services:
    """Services that see colours as faces, on both databases."""
    return with_colour_faces(any_services)


@pytest.fixture
def both(any_services: Services) -> Services:
    """Services that have two versions of the colour engine and want the first, on both databases."""
    return with_engines(any_services, ColourFaceEngine(), OtherColourFaceEngine())


@pytest.fixture
def two(any_services: Services, world: World, staff: Viewer, reporter: Viewer, now: datetime) -> Two:
    """Two cases and two reports of one man, searched, so that each case has both reports as candidates."""
    with unit_of_work(any_services.db) as session:
        cases = [make_case(session, any_services, staff, now=now).id for _ in range(2)]
        reports = [make_report(session, any_services, reporter, now=now).id for _ in range(2)]
    run_jobs(any_services, now)
    return Two(*cases, *reports)


@pytest.fixture(params=MILVUS_PLACES)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file or a server."""
    return SERVER if request.param == "server" else str(tmp_path / "index.db")


@pytest.fixture
def milvus_town(services: Services, location: str) -> Iterator[Town]:
    """Without a face yet, and the index still in the process. On SQLite; `any_milvus_town` is on both databases."""
    with town_on(services, settings_in(location)) as made:
        yield made
        emptied(made)


@pytest.fixture
def any_milvus_town(any_services: Services, location: str) -> Iterator[Town]:
    """As `milvus_town`, on both databases."""
    with town_on(any_services, settings_in(location)) as made:
        yield made
        emptied(made)
