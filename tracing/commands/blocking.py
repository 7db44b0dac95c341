"""`tracing blocking …`: the keys by which people without a face are found, and making them anew."""

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from matcher.blocking import keys_version
from tracing.blocking_fill import key_coverage, request_keys
from tracing.platform import logs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import load_settings
from tracing.services import Services, build_services

app = typer.Typer(no_args_is_help=True, help="The keys of the search by facts.")
console = Console()
LOOK_SECONDS = 1.0


def _services() -> Services:
    settings = load_settings()
    logs.configure(settings)
    return build_services(settings)


@app.command()
def status() -> None:
    """How many records have keys of the present version. Exit code 1 when some have not."""
    services = _services()
    with read_only(services.db) as session:
        found = key_coverage(session)
    services.db.dispose()
    console.print(f"{found.filled} of {found.total} records have keys of {keys_version()}", highlight=False)
    raise typer.Exit(0 if found.filled == found.total else 1)


@app.command()
def fill(
    watch: Annotated[bool, typer.Option("--watch", help="Show the progress until it is done.")] = False,
) -> None:
    """Have the workers make the keys that are missing or out of date, for example after an upgrade.

    Workers must be running. Stopping this command stops nothing; asking again goes on where the work stands.
    """
    services = _services()
    with unit_of_work(services.db) as session:
        request_keys(session, now=utc_now())
    columns = (TextColumn("keys"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("keys", total=None)
        while True:
            with read_only(services.db) as session:
                found = key_coverage(session)
            shown.update(task, completed=found.filled, total=found.total)
            if not watch or found.filled >= found.total:
                break
            time.sleep(LOOK_SECONDS)
    console.print(f"{found.filled} of {found.total} records have their keys")
    services.db.dispose()
