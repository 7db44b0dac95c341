"""Figures of the joint evaluation as tables in Markdown, to be read on a console and copied into docs/accuracy.md."""

from collections.abc import Mapping, Sequence
from typing import Any

SYSTEMS = {"face": "face alone", "attributes": "everything but the face", "fused": "all together"}
ROWS = {
    "rank_1": "rank 1",
    "rank_20": "among the first 20",
    "fnir_at_fpir_1e-1": "FNIR at FPIR 10 %",
    "fnir_at_fpir_1e-2": "FNIR at FPIR 1 %",
    "cllr": "Cllr",
    "min_cllr": "least possible Cllr",
    "slope": "slope (1 is right, below claims too much)",
}


def markdown(figures: Mapping[str, Any]) -> str:
    """All tables of `tracing evaluate joint`, each severity after the other, without the points of curves."""
    parts = [
        f"{', '.join(figures['sets'])}: {figures['photos']} photographs, {figures['people']} people with a face;"
        f" {figures['model']}; names: {figures['names']}; {figures['simulation']}, {figures['parameters']};"
        f" seed {figures['seed']}."
    ]
    for severity, found in figures["severities"].items():
        parts += [
            f"### {severity}",
            f"{found['worlds']} worlds, gallery {found['gallery']}, {found['mated']} mated and {found['non_mated']}"
            " non-mated searches.",
            _systems(found),
            _bars(found),
            _cohorts(found["cohorts"]),
            _terms(found["terms"]),
        ]
    told = figures["development"]
    parts += [
        "### what the terms need beside each other",
        f"Fitted on worlds of seed {told['seed']}: slope {number(told['slope'])}, neutral {number(told['neutral'])}.",
        table(
            ["term", "weight", "shift, log10 LR"],
            [[term, number(weight), number(shift)] for term, (weight, shift) in told["terms"].items()],
        ),
    ]
    return "\n\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """As documents write it: ".975", "1.000", "–" for what cannot be told."""
    if value is None:
        return "–"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _systems(found: Mapping[str, Any]) -> str:
    rows = [[words, *(number(found[system][key]) for system in SYSTEMS)] for key, words in ROWS.items()]
    low, high = zip(*(found[system]["rank_1_interval"] for system in SYSTEMS), strict=True)
    rows.insert(1, ["95 %, by people", *(f"{number(a)}–{number(b)}" for a, b in zip(low, high, strict=True))])
    return table(["", *SYSTEMS.values()], rows)


def _bars(found: Mapping[str, Any]) -> str:
    bars = found["bars"]
    met = {True: "met", False: "not met"}
    again = found["recalibrated"]
    more = "" if again is None else f" With the sum calibrated on other worlds: Cllr {number(again['cllr'])}."
    return (
        f"Fused rank 1 {number(found['fused']['rank_1'])}, needed {number(bars['rank_1_needed'])}:"
        f" {met[bars['rank_1_met']]} (all terms weighed in hindsight: {number(bars['rank_1_in_hindsight'])})."
        f" Fused Cllr over the least possible {number(bars['cllr_over_min_cllr'])},"
        f" needed 1.100: {met[bars['cllr_met']]} (exactly honest ratios of this spread:"
        f" {number(bars['cllr_over_min_cllr_if_honest'])}).{more}"
    )


def _cohorts(rows: Sequence[Mapping[str, Any]]) -> str:
    head = [
        "cohort",
        "mated",
        "face: rank 1",
        "attributes: rank 1",
        "fused: rank 1",
        "fused: first 20",
        "Cllr",
        "least",
    ]
    keys = ("face_rank_1", "attributes_rank_1", "fused_rank_1", "fused_rank_20", "fused_cllr", "fused_min_cllr")
    return table(head, [[row["cohort"], str(row["mated"]), *(number(row[key]) for key in keys)] for row in rows])


def _terms(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ["term", "same", "strangers", "Cllr", "least", "slope", "strangers: log mean LR", "same: log mean 1/LR"]
    keys = ("cllr", "min_cllr", "slope", "strangers_mean_lr", "same_mean_inverse")
    return table(
        head,
        [
            [row["term"], f"{row['same']:,}", f"{row['strangers']:,}", *(number(row[key]) for key in keys)]
            for row in rows
        ],
    )
