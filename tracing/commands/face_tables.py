"""Figures of faces as tables on a console."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from matcher.evaluation.calibration_fit import CalibrationFit, CohortFigures
from matcher.evaluation.face_report import Figures

_ROWS = (
    ("photos", "photographs"),
    ("people", "people"),
    ("failed_to_detect", "without a face"),
    ("verification_accuracy", "verification accuracy, 10 folds"),
    ("equal_error_rate", "equal error rate"),
    ("tar_at_far_1e-2", "true accepts at 1 % false accepts"),
    ("tar_at_far_1e-3", "true accepts at 0.1 % false accepts"),
    ("gallery", "gallery"),
    ("mated", "mated searches"),
    ("non_mated", "non-mated searches"),
    ("rank_1", "mate at rank 1"),
    ("rank_20", "mate among the first 20"),
    ("fnir_at_fpir_1e-1", "FNIR at FPIR 10 %"),
    ("fnir_at_fpir_1e-2", "FNIR at FPIR 1 %"),
    ("fnir_at_fpir_1e-3", "FNIR at FPIR 0.1 %"),
)


def print_report(console: Console, figures: Figures) -> None:
    """Everything of a face report but the curves' points."""
    console.print(f"{figures['set']}, {figures['model']}", soft_wrap=True, highlight=False)
    table = Table("measure", "value", "95 % interval")
    for key, words in _ROWS:
        table.add_row(words, _shown(figures[key]), _interval(figures.get(f"{key}_interval")))
    more = figures["with_mates_removed"]
    table.add_section()
    table.add_row("non-mated searches, mates removed too", _shown(more["non_mated"]), "")
    for key, words in _ROWS[-3:]:
        table.add_row(words, _shown(more[key]), _interval(more[f"{key}_interval"]))
    console.print(table)
    if figures["cohorts"]:
        table = Table("cohort", "pairs or photographs", "true accepts at 1 % false accepts", "without a face")
        for row in figures["cohorts"]:
            size = row.get("same_pairs", row.get("photos"))
            table.add_row(
                row["cohort"], _shown(size), _shown(row.get("tar_at_far_1e-2")), _shown(row.get("failed_to_detect"))
            )
        console.print(table)
    if figures["discard"]:
        table = Table("quality measure", "misses: none discarded", "worst 10 %", "worst 20 %", "gain (1 is perfect)")
        for name, curve in figures["discard"].items():
            at = dict(zip(curve["discarded"], curve["false_non_match_rate"], strict=True))
            table.add_row(name, *(_shown(at[share]) for share in (0.0, 0.1, 0.2)), _shown(curve["gain"]))
        console.print(table)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _interval(value: object) -> str:
    return f"{value[0]:.3f} to {value[1]:.3f}" if isinstance(value, tuple) else ""


def print_fit(console: Console, found: CalibrationFit) -> None:
    """The calibration, and how each cohort fared."""
    one = found.calibration
    console.print(f"{one.model_version}: slope {one.slope}, neutral {one.neutral}, cap {one.cap}, floor {one.floor}")
    rows: dict[str, Callable[[CohortFigures], str]] = {
        "people": lambda one: str(one.people),
        "same-person pairs": lambda one: str(one.same),
        "pairs of strangers": lambda one: str(one.strangers),
        "slope": lambda one: f"{one.slope:.1f}",
        "cosine at LR 1": lambda one: f"{one.neutral:.4f}",
        "equal error rate": lambda one: f"{one.equal_error_rate:.4f}",
        "Cllr, held-out people": lambda one: f"{one.held_out_cllr:.3f}",
        "Cllr as shipped": lambda one: f"{one.shipped_cllr:.3f}",
        "least possible Cllr": lambda one: f"{one.min_cllr:.3f}",
        "log10 LR of 1 stranger in 1,000": lambda one: f"{one.stranger_log10_lr:.2f}",
    }
    table = Table("cohort", *(one.name for one in found.cohorts))
    for words, shown in rows.items():
        table.add_row(words, *map(shown, found.cohorts))
    console.print(table)
    if found.too_small:
        console.print(f"Too small to fit: {', '.join(found.too_small)}.")
