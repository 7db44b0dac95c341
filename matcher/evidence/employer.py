"""Employer: where the person worked, by name or part of it; people have several, so a difference weighs little."""

from collections.abc import Sequence

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import single
from matcher.evidence.wording import institution, institution_log10_lrs
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement of the names as they sound; None when a side has none but generic words."""
    value = single(score, encode(probe, parameters), [encode(other, parameters)], parameters)
    if value is None or probe.employer is None or other.employer is None:
        return None
    a, b = probe.employer.value, other.employer.value
    zh, en = ("相符或相近", "agree") if value > 0 else ("不同", "differ")
    return Evidence(
        EvidenceKind.EMPLOYER, value, a, b, f"工作单位“{a}”与“{b}”{zh}。", f"The employers {a} and {b} {en}."
    )


def encode(profile: Profile, parameters: Parameters) -> str:
    """How the name sounds, without generic words."""
    return institution(profile.employer, "employer")


def stack(encoded: Sequence[str]) -> Sequence[str]:
    """The names of many profiles."""
    return encoded


def score(ours: str, theirs: Sequence[str], parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where there is nothing to compare."""
    return institution_log10_lrs(ours, theirs, "employer", parameters)
