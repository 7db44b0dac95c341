"""Employer: where the person worked, by name or part of it; people have several, so a difference weighs little."""

from collections.abc import Sequence

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import single
from matcher.evidence.confidence import told
from matcher.evidence.packing import Columns, Parts, columns
from matcher.evidence.wording import Institution, Institutions, institution, institution_log10_lrs, institutions, kept
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Agreement of the names as they sound; None when a side has none but generic words."""
    value = single(score, encode(probe, parameters), stack([encode(other, parameters)]), parameters)
    if value is None or probe.employer is None or other.employer is None:
        return None
    a, b = probe.employer.value, other.employer.value
    sure = told(probe.employer.confidence, other.employer.confidence, parameters)
    zh, en = ("相符或相近", "agree") if value > 0 else ("不同", "differ")
    return Evidence(
        EvidenceKind.EMPLOYER, value, a, b,
        f"工作单位“{a}”与“{b}”{zh}。{sure[0]}", f"The employers {a} and {b} {en}.{sure[1]}",
    )  # fmt: skip


def encode(profile: Profile, parameters: Parameters) -> Institution:
    """How the name sounds, without generic words, and its `confidence.level`."""
    return institution(profile.employer, "employer")


def parts(encoded: Institution) -> Parts:
    """The name of one profile, to be packed."""
    return kept(encoded)


def stack(encoded: Sequence[Institution]) -> Institutions:
    """The names of many profiles."""
    return gather(columns([parts(one) for one in encoded]))


def gather(gathered: Columns) -> Institutions:
    """The same of profiles that are packed."""
    return institutions(gathered)


def score(ours: Institution, theirs: Institutions, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where there is nothing to compare."""
    return institution_log10_lrs(ours, theirs, "employer", parameters)
