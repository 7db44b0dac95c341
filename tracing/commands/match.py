"""`tracing match-all`: match every record of the gallery again, for example after an import."""

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from matcher.vocabulary import GalleryKind
from tracing.matching_batch import coverage, request_match_all
from tracing.platform import logs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import load_settings
from tracing.services import build_services

console = Console()
LOOK_SECONDS = 1.0


def match_all(
    kind: Annotated[GalleryKind, typer.Argument(help="Whose candidates are looked for.")] = GalleryKind.REPORT,
    watch: Annotated[bool, typer.Option("--watch", help="Show the progress until it is done.")] = False,
) -> None:
    """Have the workers match every record that has no pass of its present revision and versions, many at a time.

    Workers must be running. Stopping this command stops nothing; asking again goes on where the work stands.
    """
    settings = load_settings()
    logs.configure(settings)
    services = build_services(settings)
    with unit_of_work(services.db) as session:
        request_match_all(session, services, kind, now=utc_now())
    columns = (TextColumn("matching"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("matching", total=None)
        while True:
            with read_only(services.db) as session:
                found = coverage(session, services, kind)
            shown.update(task, completed=found.matched, total=found.total)
            if not watch or found.matched >= found.total:
                break
            time.sleep(LOOK_SECONDS)
    console.print(f"{found.matched} of {found.total} matched")
    services.db.dispose()
