"""Face: the cosine of the two most alike photographs."""

import numpy as np

from matcher.evidence.base import Evidence, Parameters
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the best pair of templates.

    None when a side has no templates, when they are of different model versions, or when the version has no
    calibration: a cosine whose worth nobody has measured says nothing.
    """
    if probe.template_model is None or probe.template_model != other.template_model:
        return None
    calibration = parameters.calibrations.get(probe.template_model)
    similarity = best_cosine(probe, other)
    if calibration is None or similarity is None:
        return None
    value = calibration.log10_lr(similarity)
    shown = f"{similarity:.3f}"
    return Evidence(
        EvidenceKind.FACE,
        value,
        f"{len(probe.templates)} / {shown}",
        f"{len(other.templates)} / {shown}",
        f"面部最相似的两张照片余弦相似度为 {shown}；面部相似只是线索，近亲和双胞胎也会相似。",
        f"The two most alike photographs have cosine {shown}; a face is only a lead, kin and twins look alike too.",
    )


def best_cosine(probe: Profile, other: Profile) -> float | None:
    """Highest cosine over all pairs of templates, -1 to 1."""
    a, b = probe.templates, other.templates
    if a.ndim != 2 or b.ndim != 2 or not len(a) or not len(b) or a.shape[1] != b.shape[1] or not a.shape[1]:
        return None
    best = float(np.max(a.astype(np.float64) @ b.astype(np.float64).T))
    return max(-1.0, min(1.0, best)) if np.isfinite(best) else None
