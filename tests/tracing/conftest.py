"""Short names for whoever acts in these tests, and a unit of work."""

import pytest

from models.user import Role
from tests.factories.faces import ColourFaceEngine, OtherColourFaceEngine, with_engines
from tests.factories.world import World
from tracing.access import Viewer
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
def administrator(world: World) -> Viewer:
    """Province a's administrator."""
    return world.viewer(world.a.users[Role.ADMINISTRATOR])


@pytest.fixture
def both(any_services: Services) -> Services:
    """Services that have two versions of the colour engine and want the first, on both databases."""
    return with_engines(any_services, ColourFaceEngine(), OtherColourFaceEngine())
