"""What `tracing index status` shows."""

from datetime import datetime

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from matcher.index.base import IndexUnreachable
from models.index_place import Place, SharedIndex
from tracing.gallery_erasure import live, pending_erasure
from tracing.gallery_faces import count_faces
from tracing.gallery_log import seen_from, waiting
from tracing.gallery_place import place_of, shared_rows
from tracing.platform.db import read_only
from tracing.platform.errors import IndexWarming
from tracing.services import Services


def print_status(console: Console, services: Services, version: str, now: datetime) -> bool:
    """Everything; False when a process is silent, or Milvus is needed and does not answer."""
    with read_only(services.db) as session:
        _print_place(console, session)
        console.print(f"model version     {version}")
        console.print(f"searchable faces  {count_faces(session, version)}")
        console.print(f"changes logged    {waiting(session, version, 0)}")
        number = pending_erasure(session, services.settings.index)
        console.print(f"erasures pending  {'none' if number is None else f'up to change {number}'}")
        talking = _print_replicas(console, session, services, now)
        rows = [
            (row, waiting(session, row.model_version, seen_from(row.position).xmax)) for row in shared_rows(session)
        ]
    answers = _print_shared(console, services, rows)
    _print_snapshots(console, services)
    return talking and answers


def _print_place(console: Console, session: Session) -> None:
    row = place_of(session)
    if row is None or row.place is Place.LOCAL:
        console.print("searches ask      each process's own index")
    else:
        console.print(f"searches ask      Milvus at {row.location}, since {row.changed_at:%F %T} UTC", soft_wrap=True)
    if row is not None and row.moving_to is not None and row.moving_since is not None:
        console.print(
            f"under way         a move to {row.moving_to}, begun at {row.moving_since:%F %T} UTC: tracing index move"
            f" --to {row.moving_to} goes on, --to {row.place} calls it off",
            soft_wrap=True,
        )


def _print_replicas(console: Console, session: Session, services: Services, now: datetime) -> bool:
    seconds = services.settings.index.replica_seconds
    table = Table("process", "place", "model version", "faces", "changes behind", "seen", title="Processes")
    talking = True
    for one in live(session, now, seconds):
        silent_for = (now - one.seen_at).total_seconds()
        talking &= silent_for <= seconds / 2
        behind = waiting(session, one.model_version, one.mark)
        table.add_row(one.process, one.place, one.model_version, str(one.faces), str(behind), f"{silent_for:.0f} s ago")
    console.print(table)
    return talking


def _print_shared(console: Console, services: Services, rows: list[tuple[SharedIndex, int]]) -> bool:
    if not rows:
        return True
    table = Table("model version", "state", "faces", "changes behind", "lease until", title="In Milvus")
    answers = True
    for row, behind in rows:
        state, faces = "filled" if row.built_at else "being filled", ""
        try:
            faces = str(len(services.gallery.shared(row.model_version, row.dimension).opened()))
        except IndexUnreachable as error:
            answers, state = False, str(error)
        except IndexWarming:
            pass
        lease = f"{row.fed_until:%F %T} UTC" if row.fed_until else "free"
        table.add_row(row.model_version, state, faces, str(behind), lease)
    console.print(table)
    return answers


def _print_snapshots(console: Console, services: Services) -> None:
    files = Table("file", "model version", "faces", "MB", "written", title="Snapshots of this machine")
    for file in services.gallery.store.files():
        files.add_row(
            file.path.name,
            file.model_version,
            str(file.faces),
            f"{file.size / 1e6:.1f}",
            f"{file.written_at:%F %T} UTC",
        )
    console.print(files)
