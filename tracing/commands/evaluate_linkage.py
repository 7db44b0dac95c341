"""`tracing evaluate linkage`: how well the records of any table are linked, judged by a column that knows."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from matcher.evaluation.linkage import TableInvalid, evaluate, people, read_table
from matcher.linkage.mapping import MappingInvalid, read_mapping
from matcher.linkage.model import link

console = Console()

_SHOWN = (
    ("precision", "pairs taken for one person that are"),
    ("recall", "pairs of one person that were taken for one"),
    ("f1", "both together"),
    ("expected_f1", "what the model itself expects of that"),
    ("best_f1", "what the best threshold would give, known only by the truth"),
    ("rank_1", "rows whose best match is the same person"),
    ("rank_20", "rows with the same person among the first 20"),
    ("true_pairs_compared", "pairs of one person that blocking let through"),
)


def evaluate_linkage(
    table: Annotated[Path, typer.Argument(metavar="CSV", help="Table with a heading line, UTF-8.")],
    truth: Annotated[str, typer.Option(metavar="COLUMN", help="Column whose equal values are one person.")],
    mapping: Annotated[Path, typer.Option(metavar="FILE", help="What each column holds (TOML or JSON).")],
    output: Annotated[Path | None, typer.Option("--json", help="File to write the figures to.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the pairs that are drawn.")] = 0,
) -> None:
    """Link a table's rows without labels, then count how often that was right. See docs/linkage.md."""
    try:
        figures = _measure(table, truth, mapping, seed)
        if output is not None:
            output.write_text(json.dumps(figures, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    except (TableInvalid, MappingInvalid, OSError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    _print(figures)


def _measure(table: Path, truth: str, mapping_file: Path, seed: int) -> dict[str, Any]:
    rows = read_table(table)
    if not rows:
        raise TableInvalid(f"table {table}: has no rows below its headings")
    if truth not in rows[0]:
        raise TableInvalid(f"--truth {truth}: the table has no such column; it has {', '.join(rows[0])}")
    mapping = read_mapping(mapping_file, list(rows[0]))
    people_of = people(rows, truth, mapping)
    with _progress() as step:
        return evaluate(link(rows, mapping, seed, step), people_of) | {"table": table.name, "seed": seed}


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda name: bar.update(task, description=name)


def _print(figures: Mapping[str, Any]) -> None:
    shown = Table("figure", "value", "meaning", title=f"{figures['table']}: {figures['rows']:,} rows")
    for key, meaning in _SHOWN:
        value = figures[key]
        shown.add_row(key, "-" if value is None else f"{value:.4f}", meaning)
    shown.add_row("pairs", f"{figures['pairs']:,}", f"compared, of {figures['all_pairs']:,}")
    shown.add_row("threshold", f"{figures['threshold']}", "posterior probability; needs no labels")
    console.print(shown)
