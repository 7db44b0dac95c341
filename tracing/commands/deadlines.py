"""`tracing deadlines`: the table of the clocks, the calendar of a year, one round of the watch."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from models.case import TRANSITIONS, UNDOING, CaseState
from models.deadline import ClockNature
from tracing.clock_policy import ClockRule, RestDay, StartKind, Unit, load_clocks
from tracing.deadline_watch import watch
from tracing.platform import logs
from tracing.platform.clock import utc_now
from tracing.platform.settings import load_settings
from tracing.policy_files import COUNTRY
from tracing.services import build_services

app = typer.Typer(no_args_is_help=True, help="Deadlines: policies, calendar, watch.")
console = Console()
BEGIN, END = "<!-- {}: made by `tracing deadlines document`, do not edit -->", "<!-- end of {} -->"
NATURES = {ClockNature.ACT_BY: "within", ClockNature.OPENS: "possible after", ClockNature.KEEP_UNTIL: "keep at least"}
UNITS = {Unit.HOURS: "h", Unit.DAYS: "days", Unit.MONTHS: "month(s)", Unit.WORKING_DAYS: "working days"}
STARTS = {StartKind.ADMISSION: "admission", StartKind.RETURN_HOME: "return home"}


def clocks_table() -> str:
    """The packaged policy of the country as a Markdown table."""
    policy = load_clocks(Path("no-files-of-its-own"), "Asia/Shanghai").policies[COUNTRY]
    lines = [
        "| clock | action | runs from | time | whose turn | met by | goes up after | source | mark |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(rule) for rule in policy.rules.values()]
    return "\n".join(lines)


def _row(rule: ClockRule) -> str:
    start = STARTS[rule.starts] if isinstance(rule.starts, StartKind) else f"`{rule.starts.value}`"
    period = f"{NATURES[rule.nature]} {' / '.join(map(str, rule.within.counts))} {UNITS[rule.within.unit]}"
    if rule.rest_day is RestDay.NEXT_WORKING_DAY:
        period += ", then the next working day"
    if not rule.enabled:
        period += "; **off** unless a division turns it on"
    up = " / ".join(f"{hours} h" for hours in rule.escalate_after_hours) or "–"
    met = ", ".join(f"`{kind.value}`" for kind in rule.met_by) or "–"
    action = f"{rule.action_zh}<br>{rule.action_en}"
    cells = (f"`{rule.kind.value}`", action, start, period, rule.party.value, met, up, rule.source, rule.mark)
    return f"| {' | '.join(cells)} |"


def state_diagram() -> str:
    """The moves of a case as a Mermaid diagram, those that undo a decision named after what makes them."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> draft"]
    for state in CaseState:
        lines += [f"    {state.value} --> {after.value}" for after in CaseState if after in TRANSITIONS[state]]
        lines += [
            f"    {state.value} --> {after.value} : {'recall' if after is CaseState.RECALLED else 'outcome withdrawn'}"
            for after in CaseState
            if after in UNDOING.get(state, ())
        ]
    return "\n".join([*lines, "    closed --> [*]", "```"])


def documented(text: str) -> str:
    """The text of docs/workflow.md with its generated parts made anew."""
    for name, content in (("states", state_diagram()), ("clocks", clocks_table())):
        begin, end = BEGIN.format(name), END.format(name)
        head, rest = text.split(begin)
        text = f"{head}{begin}\n{content}\n{end}{rest.split(end)[1]}"
    return text


@app.command()
def document(path: Annotated[Path, typer.Argument(help="The file whose generated parts are made anew.")]) -> None:
    """Write the state diagram and the table of the clocks into docs/workflow.md."""
    path.write_text(documented(path.read_text("utf-8")), "utf-8")
    console.print(f"{path} is up to date")


@app.command()
def calendar(year: Annotated[int, typer.Argument(help="Which year.")]) -> None:
    """The days off and the make-up working days of a year as this installation knows them."""
    settings = load_settings()
    days = load_clocks(settings.data_dir / "policies", settings.time_zone).calendar
    console.print(f"{year}, calendar {days.version}")
    for number in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
        day = date(year, 1, 1) + timedelta(days=number)
        weekend = day.weekday() >= 5
        if days.is_working(day) == weekend:
            console.print(f"{day} {'worked' if weekend else 'off'}")
    if not days.year(year).certain:
        console.print(
            "[yellow]The State Council's notice of this year is not known: no make-up days. See docs/workflow.md."
        )


@app.command(name="watch")
def watch_once() -> None:
    """Compute anew what has changed and escalate what is overdue, once, without waiting for the worker."""
    settings = load_settings()
    logs.configure(settings)
    services = build_services(settings)
    computed, escalated = watch(services, utc_now())
    services.db.dispose()
    console.print(f"{computed} cases computed anew, {escalated} overdue deadlines looked at")
