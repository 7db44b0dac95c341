"""Linkage without labels, beside Splink's published models on the same rows: `make bench-linkage`.

Both tools see the same CSV and no labels. F1 is over all pairs of rows, so a pair that a tool's blocking never brought
together counts as missed, for either. Two comparisons on the same footing: each tool at the threshold that it states
without labels, and each at the threshold that would have been best, which only the truth can tell.
"""

import argparse
import json
import logging
import warnings
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import linkage_splink
from benchmarks.linkage_splink import ACCURACY_ANALYSIS, FEBRL, HISTORICAL, TUTORIAL, Published
from matcher.evaluation.linkage import at_threshold, best_f1, evaluate, judged, people, read_table
from matcher.linkage.mapping import read_mapping
from matcher.linkage.model import link

DATA = Path(__file__).parents[2] / "shared" / "data" / "linkage"
MAPPINGS = Path(__file__).parent / "mappings"
SETS: dict[str, tuple[str, str, str, dict[str, Published]]] = {
    "fake_1000": (
        "fake_1000.csv", "cluster", "fake_1000.toml",
        {"tutorial": TUTORIAL, "accuracy analysis": ACCURACY_ANALYSIS},
    ),
    "historical_500": (
        "historical_figures_dev_500clusters.csv", "cluster", "historical_figures.toml", {"50k example": HISTORICAL},
    ),
    "febrl_1": ("dataset1.csv", "rec_id", "febrl.toml", {"febrl3 example": FEBRL}),
}  # fmt: skip
BAR = ("fake_1000", "historical_500")


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Figures of both tools on one set; of several published models the better one is the rival, at each threshold."""
    file, truth, mapping_file, models = SETS[name]
    rows = read_table(folder / file)
    mapping = read_mapping(MAPPINGS / mapping_file, list(rows[0]))
    people_of = people(rows, truth, mapping)
    started = perf_counter()
    ours = evaluate(link(rows, mapping, seed=0), people_of)
    figures: dict[str, Any] = {key: ours[key] for key in ("precision", "recall", "f1", "best_f1", "rank_1")}
    figures["seconds"] = round(perf_counter() - started, 1)
    _say(name, "this", ours["threshold"], ours, ours["best_f1"], figures["seconds"])
    rivals = []
    for label, model in models.items():
        started = perf_counter()
        scored, _ = linkage_splink.run(model, folder / file)
        seconds = round(perf_counter() - started, 1)
        found = judged(scored.pairs, scored.probability, people_of)
        stated, (best, _) = at_threshold(found, model.threshold), best_f1(found)
        _say(name, f"Splink, {label}", model.threshold, stated, best, seconds)
        rivals.append((stated["f1"] or 0.0, best or 0.0))
    figures["splink_f1"], figures["splink_best_f1"] = (max(column) for column in zip(*rivals, strict=True))
    return figures


def _say(name: str, tool: str, threshold: float, stated: dict[str, Any], best: float | None, seconds: float) -> None:
    print(
        f"{name:15} {tool:26} threshold {threshold:.2f}: precision {stated['precision']:.4f} recall "
        f"{stated['recall']:.4f} F1 {stated['f1']:.4f} | best threshold: F1 {best:.4f} | {seconds:.1f} s",
        flush=True,
    )


def main() -> None:
    """Measure; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the CSV files")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    arguments = parser.parse_args()
    logging.getLogger("splink").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="splink")
    figures: dict[str, Any] = {name: measure(name, arguments.data) for name in arguments.sets}
    held = [figures[name] for name in BAR if name in figures]
    if held:
        # Ours at its own threshold against the better of Splink's two: the strictest of the comparisons.
        figures["f1_ratio_min"] = min(one["f1"] / one["splink_f1"] for one in held)
        figures["best_f1_ratio_min"] = min(one["best_f1"] / one["splink_best_f1"] for one in held)
        figures["f1_to_splink_best_min"] = min(one["f1"] / one["splink_best_f1"] for one in held)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
