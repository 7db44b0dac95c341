"""The console command `tracing`: serve, migrate, seed the demonstration, play the story, verify the audit log."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from tracing import services
from tracing.commands import blocking, deadlines, explain, index, match, parameters
from tracing.commands import models as face_model_commands
from tracing.commands.evaluate import calibrate, evaluate_app
from tracing.commands.evaluate_joint import evaluate_joint
from tracing.commands.evaluate_report import evaluate_report
from tracing.commands.faces import faces_app
from tracing.demo import photos as demo_photos
from tracing.demo import seed, story
from tracing.demo.stories.catalogue import STORIES
from tracing.operators import create_first_administrator, reset_password
from tracing.platform import audit, jobs, logs, migrations
from tracing.platform.clock import utc_now
from tracing.platform.db import create_database, read_only, unit_of_work
from tracing.platform.errors import TracingError
from tracing.platform.settings import Settings, SettingsError, load_settings


class OneLine(TyperGroup):
    """Commands whose expected errors are one line on stderr and an exit code, not a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
            raise typer.Exit(2) from None
        except TracingError as error:
            told = error.message.format(**error.params)
            Console(stderr=True).print(told, style="red", markup=False, soft_wrap=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=OneLine, no_args_is_help=True, add_completion=False, help="Guitu 归途: giving unidentified people their names."
)
audit_app = typer.Typer(no_args_is_help=True, help="The audit log.")
jobs_app = typer.Typer(no_args_is_help=True, help="Background jobs.")
accounts_app = typer.Typer(no_args_is_help=True, help="Accounts.")
demo_app = typer.Typer(no_args_is_help=True, help="The demonstration.")
app.add_typer(audit_app, name="audit")
app.add_typer(jobs_app, name="jobs")
app.add_typer(accounts_app, name="accounts")
app.add_typer(demo_app, name="demo")
app.add_typer(faces_app, name="faces")
app.add_typer(evaluate_app, name="evaluate")
app.command()(calibrate)
evaluate_app.command(name="joint")(evaluate_joint)
evaluate_app.command(name="report")(evaluate_report)
face_model_commands.register(faces_app)
app.add_typer(index.app, name="index")
app.add_typer(blocking.app, name="blocking")
app.add_typer(parameters.app, name="parameters")
app.add_typer(deadlines.app, name="deadlines")
app.command(name="match-all")(match.match_all)
app.command(name="explain")(explain.explain_candidate)
console = Console()


def _settings() -> Settings:
    settings = load_settings()
    logs.configure(settings)
    for warning in settings.check():
        Console(stderr=True).print(f"[yellow]{warning}")
    return settings


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on; the setting's without it.")] = None,
) -> None:
    """Bring the database up to date and serve pages and API."""
    settings = _settings()
    migrations.upgrade(settings)
    uvicorn.run(
        "api.app:create_app",
        factory=True,
        host=settings.web.host,
        port=settings.web.port if port is None else port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.web.trusted_proxies,
    )


@app.command()
def migrate(
    revision: Annotated[str, typer.Argument(help="Revision to go up to.")] = "head",
) -> None:
    """Bring the database up to a revision."""
    migrations.upgrade(_settings(), revision)


@app.command(hidden=True)
def migration(message: Annotated[str, typer.Argument(help="What changes.")]) -> None:
    """Write a migration from the difference between models and database (for developers)."""
    settings = _settings()
    migrations.upgrade(settings)
    migrations.write(settings, message)


@app.command(name="story")
def play_story(
    names: Annotated[list[str] | None, typer.Argument(help="Which; all if none is named.")] = None,
    photos: Annotated[Path | None, typer.Option(help="Folder with one sub-folder a person.")] = None,
    production: Annotated[
        bool, typer.Option("--production", help="On PostgreSQL, Redis and a Celery worker, see docs/deploy.md.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Name the stories and play none.")] = False,
) -> None:
    """Play the stories from the street to the way home, through the HTTP API, as all who take part in them."""
    if listed:
        for one in STORIES:
            console.print(f"{one.name:12} {one.zh}\n{'':12} {one.en}", highlight=False, soft_wrap=True)
        return
    try:
        wanted = story.chosen(names or ())
    except KeyError as error:
        there = ", ".join(one.name for one in STORIES)
        raise typer.BadParameter(f"There is no story {error}. There are: {there}.") from None
    folder = photos or _photo_folder(load_settings())
    raise typer.Exit(story.play(folder, console, wanted, production=production))


def _photo_folder(settings: Settings) -> Path | None:
    """PHOTOS, or the sample portraits that `make run` fetched; None when neither is there."""
    given = os.environ.get("PHOTOS")
    folder = Path(given) if given else settings.data_dir / "demo-photos"
    return folder if folder.is_dir() else None


@demo_app.command(name="unpack")
def demo_unpack(
    archives: Annotated[Path, typer.Argument(help="Folder with the downloaded packages.")],
    target: Annotated[Path, typer.Argument(help="Folder for the portraits.")],
) -> None:
    """Take the sample portraits out of the packages that `make run` downloaded."""
    console.print(f"{demo_photos.unpack(archives, target)} sample photographs in {target}")


@demo_app.command(name="seed")
def demo_seed() -> None:
    """Create the demo region, its accounts and records in an empty database; nothing otherwise."""
    settings = _settings()
    migrations.upgrade(settings)
    built = services.build_services(settings)
    with unit_of_work(built.db) as session:
        made = seed.seed_region(session, now=utc_now())
    if not made:
        console.print("The database has accounts already; nothing was seeded.")
        return
    folder = _photo_folder(settings)
    reports, cases = seed.seed_records(built, folder, now=utc_now())
    table = Table("user 用户名", "password 密码", "role 角色", "organisation 机构", title="Demo accounts 演示账号")
    for account in made:
        table.add_row(account.username, account.password, account.role.value, account.organisation_zh)
    console.print(table)
    note = settings.data_dir / "demo-accounts.txt"
    with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines(f"{account.username}\t{account.password}\t{account.role.value}\n" for account in made)
    console.print(f"These passwords are shown once, and kept in {note} (readable by you alone).")
    if folder is None:
        console.print(
            "No photographs: matching by attributes alone. PHOTOS=folder brings some (one sub-folder a person)."
        )
    else:
        console.print(f"{reports} reports and {cases} case with photographs from {folder}.")


@accounts_app.command(name="create-admin")
def create_admin(
    username: Annotated[str, typer.Argument()],
    organisation: Annotated[str, typer.Option(prompt="Name of the first organisation 首个机构名称")],
    division: Annotated[str, typer.Option(prompt="Its division code (GB/T 2260) 行政区划代码")],
    password: Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True)],
) -> None:
    """Create the first organisation and its administrator in an empty database."""
    with unit_of_work(create_database(_settings())) as session:
        create_first_administrator(session, username, organisation, division, password, now=utc_now())
    console.print(f"Administrator {username} can now sign in and create the other accounts.")


@accounts_app.command(name="reset-password")
def accounts_reset_password(
    username: Annotated[str, typer.Argument()],
    password: Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True)],
) -> None:
    """Set a new password and end every sign-in of the account."""
    with unit_of_work(create_database(_settings())) as session:
        reset_password(session, username, password, now=utc_now())
    console.print("The password is changed.")


@audit_app.command(name="verify")
def audit_verify() -> None:
    """Recompute the whole hash chain; exit code 1 when it is broken."""
    with read_only(create_database(_settings())) as session:
        found = audit.verify(session)
    if not found.ok:
        console.print(f"[red]The chain is broken at event {found.bad_seq}: {found.reason}")
        raise typer.Exit(1)
    console.print(f"{found.events} events, the chain is whole. Head: {found.head_seq} {found.head_hash}")


@jobs_app.command(name="status")
def jobs_status() -> None:
    """How many jobs wait, run, are done, or were set aside."""
    with read_only(create_database(_settings())) as session:
        counts = jobs.counts(session, utc_now())
    for state, number in counts.by_state.items():
        console.print(f"{state.value:10} {number}")
    console.print(f"due now    {counts.due}")


def main() -> None:
    """The console command."""
    app()
