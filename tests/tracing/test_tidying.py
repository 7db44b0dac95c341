"""Tidying: a changed master key is finished with, and nothing half written is left."""

import os
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from models.user import Role
from tests.factories.records import make_case
from tests.factories.world import World
from tracing.cases import get_case
from tracing.platform.crypto import Vault
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.keyring import Keyring
from tracing.services import Services
from tracing.tidying import tidy


def test_a_changed_master_key_is_finished_with(services: Services, world: World, now: datetime) -> None:
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        case_id = make_case(session, services, staff, now=now).id
    old = services.vault._keyring
    new = Keyring("new", {"new": secrets.token_bytes(32), **old.keys})
    changed = replace(services, vault=Vault(new))
    with read_only(services.db) as session:
        waiting = changed.vault.count_retired(session)
    assert waiting > 0
    assert tidy(changed, now) == (waiting, 0)
    assert tidy(changed, now) == (0, 0)
    alone = replace(services, vault=Vault(Keyring("new", {"new": new.keys["new"]})))
    with unit_of_work(alone.db) as session:
        assert alone.vault.count_retired(session) == 0
        assert get_case(session, staff, case_id, now=now).profile


def test_a_half_written_photograph_goes_after_a_day(services: Services, now: datetime) -> None:
    folder = services.settings.data_dir / "photos" / "ab"
    folder.mkdir(parents=True)
    for name, age in (("old", timedelta(days=2)), ("new", timedelta(hours=1))):
        part = folder / f".abcdef01.{name}.part"
        part.write_bytes(b"half")
        os.utime(part, ((now - age).timestamp(),) * 2)
    assert tidy(services, now) == (0, 1)
    assert [path.name for path in folder.iterdir()] == [".abcdef01.new.part"]
