"""What a candidate's evidence, and a whole list of candidates, come to in one sentence. A lead, never a decision."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from matcher.evidence.base import Parameters
from matcher.vocabulary import EvidenceKind, ListVerdict, Verdict

CONFLICTS: tuple[EvidenceKind, ...] = (EvidenceKind.SEX, EvidenceKind.AGE, EvidenceKind.NAME)
"""Terms in which a brother, a daughter or a twin differs, however alike the faces."""

SENTENCES: Mapping[Verdict | ListVerdict, tuple[str, str]] = MappingProxyType(
    {
        Verdict.SUPPORTED: (
            "综合证据支持两者为同一人，仍须经两名民警分别比对并核实身份。",
            "The evidence together supports one person; two examiners and a proof of identity have to confirm it.",
        ),
        Verdict.POSSIBLE_RELATIVE: (
            "面部高度相似，但性别、年龄或姓名相矛盾：可能是亲属或双胞胎，建议向其家庭查询。",
            "The faces are much alike, but sex, age or name conflict: possibly kin or a twin. Ask that family.",
        ),
        Verdict.UNDECIDED: (
            "现有证据不足以判断，补充线索后会重新比对。",
            "The evidence is not enough to tell; every new clue is weighed again.",
        ),
        Verdict.UNLIKELY: (
            "综合证据不支持两者为同一人，但不能据此排除。",
            "The evidence together speaks against one person; it excludes nobody.",
        ),
        ListVerdict.CANDIDATES: (
            "名单中有证据支持的候选，请逐一比对。",
            "There are candidates whom the evidence supports. Compare them one by one.",
        ),
        ListVerdict.POSSIBLE_RELATIVES: (
            "没有可靠候选，但有可能是亲属的人，建议向其家庭查询。",
            "No candidate is reliable, but there may be a relative among them. Ask that family.",
        ),
        ListVerdict.NONE_RELIABLE: (
            "目前没有可靠候选：很可能还没有登记这个人的家庭，请继续询问线索。",
            "No candidate is reliable: the family has probably not reported yet. Go on asking for clues.",
        ),
    }
)
"""Chinese and English."""


def verdict_of(
    log10_lrs: Mapping[EvidenceKind, float], log10_lr: float, posterior: float, parameters: Parameters
) -> Verdict:
    """The verdict on a candidate, from its terms (unweighted log10 LR), their fused sum and the posterior.

    A high likeness that sex, age or name contradict is kin or a twin before it is the person, whatever the sum.
    """
    conflict = min((log10_lrs[kind] for kind in CONFLICTS if kind in log10_lrs), default=0.0)
    face = log10_lrs.get(EvidenceKind.FACE, 0.0)
    if face >= parameters["verdict.face"] and conflict <= parameters["verdict.conflict"]:
        return Verdict.POSSIBLE_RELATIVE
    if posterior >= parameters["verdict.supported"]:
        return Verdict.SUPPORTED
    return Verdict.UNLIKELY if log10_lr < parameters["verdict.unlikely"] else Verdict.UNDECIDED


def list_verdict(verdicts: Iterable[Verdict]) -> ListVerdict:
    """The verdict on a list, from those on its candidates; an empty list has no reliable one."""
    found = set(verdicts)
    if Verdict.SUPPORTED in found:
        return ListVerdict.CANDIDATES
    return ListVerdict.POSSIBLE_RELATIVES if Verdict.POSSIBLE_RELATIVE in found else ListVerdict.NONE_RELIABLE
