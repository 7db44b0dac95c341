"""`matcher.evaluation.joint_report`: figures that can be reckoned by hand."""

import json

import numpy as np
import pytest

from matcher.evaluation.joint import NOBODY
from matcher.evaluation.joint_report import calibration, ranks, reliability, report
from matcher.evaluation.joint_scores import JointScores
from matcher.evidence.batch import KINDS
from matcher.vocabulary import EvidenceKind

FACE = KINDS.index(EvidenceKind.FACE)


def made(fused: list[list[float]], mates: list[int], face: list[list[float]] | None = None) -> JointScores:
    """A world of these fused scores, attributes the same; the face says `face`, NaN where it says nothing."""
    matrix = np.array(fused, np.float64)
    terms = np.full((*matrix.shape, len(KINDS)), np.nan, np.float32)
    if face is not None:
        terms[:, :, FACE] = face
    cohorts = tuple(frozenset({"all"}) for _ in mates)
    return JointScores(np.array(mates), np.arange(len(mates)), cohorts, terms, matrix, matrix.copy())


def test_ranks_count_ties_against_and_missing_faces_as_misses() -> None:
    nan = float("nan")
    world = made([[3, 1, 0], [2, 2, 0], [1, 0, 5]], [0, 1, NOBODY], face=[[1, 0, 0], [1, nan, 0], [0, 0, 0]])
    assert ranks(world, "fused").tolist() == [1, 2]
    assert ranks(world, "face").tolist() == [1, 4]


def test_the_report_of_a_small_world() -> None:
    world = made(
        [[3, -1, -2, -3], [-1, 2, -2, -3], [-1, 2.5, 2, -3], [-1, -1, -1, -2]], [0, 1, 2, NOBODY],
        face=[[1, -1, -1, -1]] * 4,
    )  # fmt: skip
    figures = report([world, world], 0)
    assert (figures["worlds"], figures["gallery"], figures["mated"], figures["non_mated"]) == (2, 4, 6, 2)
    assert figures["fused"]["rank_1"] == pytest.approx(2 / 3)
    assert figures["face"]["rank_1"] == pytest.approx(1 / 3)
    assert figures["fused"]["rank_20"] == 1
    assert figures["fused"]["cmc"]["2"] == 1
    assert figures["fused"]["fnir_at_fpir_1e-1"] is None
    assert figures["bars"]["rank_1_needed"] == pytest.approx(5 / 6)
    assert not figures["bars"]["rank_1_met"]
    low, high = figures["fused"]["rank_1_interval"]
    assert low < 2 / 3 < high
    assert figures["cohorts"] == []
    assert [row["term"] for row in figures["terms"]] == ["face"]
    assert json.loads(json.dumps(figures, allow_nan=False)) is not None


def test_weights_in_hindsight_find_what_the_sum_does_not() -> None:
    """The sum points at somebody else each time; the face, weighed enough, at the mate."""
    fused, face = np.full((6, 6), -1.0), np.full((6, 6), -0.1)
    fused[np.arange(6), (np.arange(6) + 1) % 6] = 1.0
    face[np.arange(6), np.arange(6)] = 0.1
    world = made(fused.tolist(), list(range(6)), face=face.tolist())
    figures = report([world, made([[-1.0, -2.0]], [NOBODY])], 0)
    assert figures["fused"]["rank_1"] == 0
    assert figures["bars"]["rank_1_in_hindsight"] == 1


def test_hindsight_knows_nothing_where_no_term_speaks() -> None:
    """All are level at 0, and ties count against."""
    figures = report([made([[3, -1], [-1, 3], [-1, -2]], [0, 1, NOBODY])], 0)
    assert figures["fused"]["rank_1"] == 1
    assert figures["bars"]["rank_1_in_hindsight"] == 0


def test_cohorts_of_twenty_searches_are_told() -> None:
    fused = np.full((20, 21), -1.0)
    fused[np.arange(20), np.arange(20)] = 1.0
    world = made(fused.tolist(), list(range(20)), face=fused.tolist())
    with_nobody = made([[-1.0, -2.0]], [NOBODY])
    row = report([world, with_nobody], 0)["cohorts"][0]
    assert (row["cohort"], row["mated"], row["fused_rank_1"], row["face_rank_1"]) == ("all", 20, 1, 1)
    assert 0 <= row["fused_min_cllr"] <= row["fused_cllr"] < 1


def test_nobody_to_find_is_refused() -> None:
    with pytest.raises(ValueError, match="no case has its report in the gallery"):
        report([made([[1.0]], [NOBODY])], 0)


def honest(size: int) -> tuple[np.ndarray, np.ndarray]:
    """log10 LRs of two normal populations one unit apart on a natural scale, which are their own calibration."""
    rng = np.random.default_rng(0)
    spread = 2.0
    same, strangers = rng.normal(spread**2 / 2, spread, size), rng.normal(-(spread**2) / 2, spread, size)
    return same / np.log(10), strangers / np.log(10)


def test_honest_ratios_pass_every_check() -> None:
    figures = calibration(*honest(40_000))
    assert figures["cllr"] == pytest.approx(figures["min_cllr"], rel=0.02)
    assert figures["slope"] == pytest.approx(1, abs=0.03)
    assert figures["neutral"] == pytest.approx(0, abs=0.03)
    assert figures["strangers_mean_lr"] == pytest.approx(0, abs=0.1)
    assert figures["same_mean_inverse"] == pytest.approx(0, abs=0.1)


def test_a_boast_is_seen_from_every_side() -> None:
    same, strangers = honest(40_000)
    figures = calibration(2 * same, 2 * strangers)
    assert figures["slope"] == pytest.approx(0.5, abs=0.02)
    assert figures["cllr"] > 1.2 * figures["min_cllr"]
    assert figures["strangers_mean_lr"] > 0.5
    assert figures["same_mean_inverse"] > 0.5


def test_reliability_lies_on_the_line_when_ratios_are_honest() -> None:
    rows = [row for row in reliability(*honest(200_000)) if min(row["same"], row["strangers"]) > 200]
    assert len(rows) >= 6
    assert all(row["observed"] == pytest.approx(row["said"], abs=0.12) for row in rows)
    lonely = reliability(np.full(30, 9.0), np.full(30, -9.0))
    assert [row["observed"] for row in lonely] == [None, None]
