"""The sections of the evaluation's page: each takes (name, figures) of its measurements and gives HTML."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from matcher.evaluation import plots

Figures = Mapping[str, Any]
Held = Sequence[tuple[str, Figures]]

SYSTEMS = {"face": "face alone 仅人脸", "attributes": "everything but the face 仅属性", "fused": "all together 综合"}
_FACES = {
    "photos": "photographs 照片",
    "people": "people 人数",
    "failed_to_detect": "no face found 未检出",
    "verification_accuracy": "verification accuracy",
    "tar_at_far_1e-3": "TAR at FAR 0.1 %",
    "rank_1": "rank 1",
    "rank_20": "among 20",
    "fnir_at_fpir_1e-1": "FNIR at FPIR 10 %",
    "fnir_at_fpir_1e-2": "FNIR at FPIR 1 %",
}
_JOINT = {
    "rank_1": "rank 1 首位命中",
    "rank_20": "among the first 20 前20命中",
    "fnir_at_fpir_1e-1": "FNIR at FPIR 10 %",
    "fnir_at_fpir_1e-2": "FNIR at FPIR 1 %",
    "cllr": "Cllr",
    "min_cllr": "least possible Cllr",
}
_LINKAGE = {
    "rows": "rows 记录数",
    "pairs": "pairs compared",
    "precision": "precision 准确率",
    "recall": "recall 召回率",
    "f1": "F1",
    "rank_1": "rank 1",
    "rank_20": "among 20",
    "threshold": "threshold",
}
_COHORTS = (
    "cohort", "mated", "face_rank_1", "attributes_rank_1", "fused_rank_1", "fused_rank_20", "fused_cllr",
    "fused_min_cllr",
)  # fmt: skip
_CALIBRATION = (
    "cohort 分组", "people", "same-person pairs", "pairs of strangers", "Cllr in force", "Cllr held out",
    "least possible",
)  # fmt: skip
_TERMS = ("term", "same", "strangers", "cllr", "min_cllr", "slope", "strangers_mean_lr", "same_mean_inverse")


def faces(held: Held) -> str:
    """People told apart by their faces, set by set."""
    rows = [
        [f"{one['set']} ({str(one['model']).split('+')[0]})", *(shown(one.get(key)) for key in _FACES)]
        for _, one in held
    ]
    parts = [table(["set", *_FACES.values()], rows)]
    names = [f"{one['set'][:28]}, {str(one['model'])[:16]}" for _, one in held]
    misses = {words: [one.get(key) for _, one in held] for key, words in list(_FACES.items())[-2:]}
    parts.append(
        drawing(plots.bars(names, misses, "missed searches 漏检率"), "Missed mated searches, smaller is better.")
    )
    for _, one in held:
        if one.get("cohorts"):
            rows = [
                [row["cohort"], shown(row.get("same_pairs", row.get("photos"))), shown(row.get("tar_at_far_1e-2"))]
                for row in one["cohorts"]
            ]
            parts.append(f"<h3>{escape(one['set'])}: by cohort 分组</h3>")
            parts.append(table(["cohort", "pairs or photographs", "true accepts at 1 % false accepts"], rows))
    curves = {
        str(one["set"])[:28]: list(zip(curve["discarded"], curve["false_non_match_rate"], strict=True))
        for _, one in held
        if (curve := (one.get("discard") or {}).get("overall"))
    }
    if curves:
        svg = plots.lines(curves, ("share of pairs discarded", "false non-match rate"))
        parts.append(drawing(svg, "Error against discard by the quality figure 质量分: it should fall from the left."))
    return "\n".join(parts)


def linkage(held: Held) -> str:
    """Records of one person found in tables."""
    keys = [key for key in _LINKAGE if any(key in one for _, one in held)]
    rows = [[name.partition("-")[2] or name, *(shown(one.get(key)) for key in keys)] for name, one in held]
    parts = [table(["table", *(_LINKAGE[key] for key in keys)], rows)]
    curves = {
        name.partition("-")[2] or name: [(float(x), float(y)) for x, y in (_point(point) for point in one["roc"])]
        for name, one in held
        if one.get("roc")
    }
    if curves:
        svg = plots.lines(curves, ("false positive rate", "true positive rate"))
        parts.append(drawing(svg, "Receiver operating characteristic ROC."))
    return "\n".join(parts)


def joint(held: Held) -> str:
    """Simulated families around real faces."""
    parts = []
    for _, figures in held:
        parts.append(
            f'<p class="note">{escape(", ".join(figures["sets"]))}: {figures["photos"]} photographs,'
            f" {figures['people']} people with a face; {escape(figures['model'])}; names: {escape(figures['names'])};"
            f" {escape(figures['simulation'])}, {escape(figures['parameters'])}; seed {figures['seed']}.</p>"
        )
        for severity, found in figures["severities"].items():
            parts.append(f"<h3>{escape(severity)} records</h3>")
            parts.append(_joint_at(found))
    return "\n".join(parts)


def calibration(held: Held) -> str:
    """Likelihood ratios of faces against what was so, by set and cohort."""
    parts = []
    for name, figures in held:
        parts.append(f"<h3>{escape(str(figures.get('model_version') or name))}</h3>")
        for one in figures["sets"]:
            rows = [
                [
                    row["cohort"],
                    *(shown(row[key]) for key in ("people", "same_pairs", "stranger_pairs")),
                    *(shown((row[judged] or {}).get("cllr")) for judged in ("shipped", "held_out")),
                    shown(row["least_cllr"]),
                ]
                for row in one["cohorts"]
            ]
            parts.append(f"<h4>{escape(one['set'])}</h4>")
            parts.append(table(_CALIBRATION, rows))
            curves = {
                row["cohort"]: [(point["said"], point["held"]) for point in row["shipped"]["reliability"]]
                for row in one["cohorts"]
                if row["shipped"]
            }
            if curves:
                svg = plots.lines(curves, ("probability said 给出", "share that held 实测"), diagonal=True)
                parts.append(drawing(svg, f"{one['set']}: reliability at even odds 可靠性, the calibration in force."))
    return "\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts, which are escaped."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def drawing(svg: str, caption: str) -> str:
    """An SVG element with what it shows, for those too who do not see it."""
    labelled = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(caption, quote=True)}" ', 1)
    return f"<figure>{labelled}<figcaption>{escape(caption)}</figcaption></figure>"


def shown(value: object) -> str:
    """A figure as a reader wants it: three decimals, whole numbers whole, a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _joint_at(found: Figures) -> str:
    bars = found["bars"]
    rows = [[words, *(shown(found[system][key]) for system in SYSTEMS)] for key, words in _JOINT.items()]
    curves = {
        words: [(float(rank), float(share)) for rank, share in found[system]["cmc"].items()]
        for system, words in SYSTEMS.items()
    }
    ranks = plots.lines(curves, ("rank 名次", "share found 命中率"), logarithmic=True)
    terms = found["terms"]
    costs = {"Cllr": [row["cllr"] for row in terms], "least possible": [row["min_cllr"] for row in terms]}
    each = plots.bars([row["term"] for row in terms], costs, "bits; 1 says nothing")
    return "\n".join(
        [
            f"<p>{found['worlds']} worlds, gallery {found['gallery']:,}, {found['mated']:,} mated and"
            f" {found['non_mated']:,} non-mated searches.</p>",
            table(["", *SYSTEMS.values()], rows),
            f"<p>Fused rank 1 {shown(found['fused']['rank_1'])}, needed {shown(bars['rank_1_needed'])}:"
            f" {_met(bars['rank_1_met'])}; all terms weighed in hindsight {shown(bars['rank_1_in_hindsight'])}."
            f" Fused Cllr over the least possible {shown(bars['cllr_over_min_cllr'])},"
            f" needed 1.100: {_met(bars['cllr_met'])}; exactly honest ratios of this spread would show"
            f" {shown(bars['cllr_over_min_cllr_if_honest'])}.</p>",
            drawing(ranks, "Cumulative match 累积匹配曲线."),
            _reliability({"all together 综合": _reliable(found["reliability"])}),
            _keyed(_COHORTS, found["cohorts"]),
            _keyed(_TERMS, terms),
            drawing(each, "Each term alone, where it says something 各证据项."),
        ]
    )


def _keyed(keys: Sequence[str], rows: Sequence[Figures]) -> str:
    return table([key.replace("_", " ") for key in keys], [[shown(row[key]) for key in keys] for row in rows])


def _met(met: bool) -> str:
    return '<span class="met">met 达标</span>' if met else '<span class="missed">not met 未达标</span>'


def _reliable(rows: Sequence[Figures]) -> list[tuple[float, float]]:
    return [(row["said"], row["observed"]) for row in rows if row["observed"] is not None]


def _reliability(curves: Mapping[str, plots.Points]) -> str:
    svg = plots.lines(curves, ("log10 LR said 给出", "log10 LR observed 实测"), diagonal=True)
    return drawing(svg, "Reliability 可靠性: on the dotted line what is said is so; below it too much is claimed.")


def _point(point: Any) -> tuple[float, float]:
    """A point of a curve, as (x, y) or as an object with both rates."""
    if isinstance(point, Mapping):
        return float(point["false_positive_rate"]), float(point["true_positive_rate"])
    return float(point[0]), float(point[1])
