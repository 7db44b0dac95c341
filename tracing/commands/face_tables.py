"""Figures of faces as tables on a console."""

from math import inf

from rich.console import Console
from rich.table import Table

from matcher.evaluation.calibration_fit import CalibrationFit
from matcher.evaluation.face_report import Figures
from matcher.face_cohorts import CohortCurve, Curve

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
    """The calibration's curves."""
    one = found.calibration
    console.print(one.model_version, soft_wrap=True)
    table = Table("cohort", "people", "same pairs", "strangers", "slope", "cosine at LR 1", "cap", "floor")
    table.add_row("pooled", "", "", "", *_curve(one.pooled))
    for cohort in one.cohorts:
        counts = (str(each) for each in (cohort.people, cohort.same, cohort.strangers))
        table.add_row(_conditions(cohort), *counts, *_curve(cohort.curve))
    console.print(table)
    if found.too_small:
        console.print(f"Too small for the pooled curve: {', '.join(found.too_small)}.")


def _curve(curve: Curve) -> tuple[str, ...]:
    return f"{curve.slope:g}", f"{curve.neutral:.4f}", f"{curve.cap:.2f}", f"{curve.floor:.2f}"


def _conditions(cohort: CohortCurve) -> str:
    words = []
    if cohort.years is not None:
        low, high = cohort.years
        words.append(f"{low:g} years and more" if high == inf else f"{low:g} to under {high:g} years")
    if cohort.ages is not None:
        words.append(cohort.ages.value.replace("_", " to "))
    if cohort.sex is not None:
        words.append(cohort.sex.value)
    if cohort.quality_below is not None:
        words.append(f"quality below {cohort.quality_below:g}")
    return ", ".join(words)


def print_calibration(console: Console, figures: Figures) -> None:
    """Cllr by set and cohort: as shipped, as if nothing were known of the pairs, held out, least possible."""
    version = figures["model_version"] or "this model has no calibration; only the rules of the fit are judged"
    console.print(version, soft_wrap=True, highlight=False)
    table = Table("set", "cohort", "people", "same", "strangers", "shipped", "blind", "held out", "least")
    for one in figures["sets"]:
        for row in one["cohorts"]:
            cllrs = (None if row[key] is None else row[key]["cllr"] for key in ("shipped", "held_out"))
            shipped, held_out = (_shown(each) for each in cllrs)
            counts = (_shown(row[key]) for key in ("people", "same_pairs", "stranger_pairs"))
            blind, least = _shown(row["blind_cllr"]), _shown(row["least_cllr"])
            table.add_row(one["set"], row["cohort"], *counts, shipped, blind, held_out, least)
        table.add_section()
    console.print(table)
    console.print("Cllr in bits: 0 is perfect, 1 says nothing, more misleads.")
