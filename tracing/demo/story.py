"""Playing the stories (故事): the main job through the HTTP API, with everything it refuses.

Real processes and a throw-away database; the output names no id, time or address, so that two runs print the same.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from tracing.demo.client import Unexpected
from tracing.demo.environments import environment
from tracing.demo.photos import people
from tracing.demo.processes import NotReady, running
from tracing.demo.seed import PEOPLE_LIMIT, invent, seed_region
from tracing.demo.stories.catalogue import STORIES, Story
from tracing.demo.stories.narrator import Narrator
from tracing.demo.stories.stage import Stage
from tracing.platform import audit, migrations
from tracing.platform.clock import utc_now
from tracing.platform.db import Database, create_database, read_only, unit_of_work

KNOWN = ("obama", "biden", "astronaut")
"""People of the packaged list, for a telling without photographs."""


def chosen(names: Sequence[str]) -> list[Story]:
    """The stories of these names, all for none, in the order of the catalogue. KeyError names one that there is not."""
    known = {story.name for story in STORIES}
    for name in names:
        if name not in known:
            raise KeyError(name)
    return [story for story in STORIES if not names or story.name in names]


def play(photos: Path | None, console: Console, stories: Sequence[Story], *, production: bool = False) -> int:
    """Play stories; the exit code: 0 when everything happened, and everything was refused, as it must be."""
    tell = Narrator(console)
    try:
        with _installation(production) as (url, passwords, database, zone):
            found = people(photos, limit=PEOPLE_LIMIT)
            names = list(found) or list(KNOWN)
            persons = dict(zip(names, invent(names), strict=True))
            stage = Stage(url, passwords, found, persons, utc_now().astimezone(zone).date(), tell)
            if not found:
                tell.say("No photographs: the stories are told by attributes alone. 没有照片：仅凭特征比对。")
            for story in stories:
                tell.title(story.zh, story.en)
                story.play(stage)
            _verify(database, tell)
    except (Unexpected, NotReady) as error:
        console.print(f"[red]The story broke off: {error}", highlight=False)
        return 1
    told = ", ".join(story.name for story in stories)
    console.print(f"\n[green]Played in full: {told}. Every step and every refusal was as it must be.")
    return 0


@contextmanager
def _installation(production: bool) -> Iterator[tuple[str, dict[str, str], Database, ZoneInfo]]:
    """A running service with the demo region in an empty database: its URL, the passwords, database, time zone."""
    with tempfile.TemporaryDirectory() as folder, environment(Path(folder), production=production) as settings:
        migrations.upgrade(settings)
        database = create_database(settings)
        with unit_of_work(database) as session:
            passwords = {account.username: account.password for account in seed_region(session, now=utc_now())}
        with running(Path(folder) / "logs", celery=production) as installation:
            yield installation.url, passwords, database, settings.zone
        database.dispose()


def _verify(database: Database, tell: Narrator) -> None:
    with read_only(database) as session:
        found = audit.verify(session)
    if not found.ok:
        raise Unexpected(f"the audit chain is broken: {found.reason}")
    tell.say("audit chain: whole 审计链完整")
