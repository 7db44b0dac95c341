"""What each outcome brings and needs (救助结果规则), as one table: a new kind or state is one more line."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from models.case import CaseState
from models.outcome import OutcomeKind


class Need(StrEnum):
    """What has to be there before an outcome counts."""

    ROUTE = "route"  # what found the name
    KIN = "kin"  # the kin are verified
    HANDOVER = "handover"  # somebody signed for the person
    TRIP = "trip"  # the escort trip
    NOTICE = "notice"  # the written notice to the receiving station
    DOSSIER = "dossier"  # every required paper of the settlement


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """`state`: where the case goes (None: it stays), by the moves of `models.case.TRANSITIONS`. `needs` in the order in
    which they are asked for.
    """

    state: CaseState | None = None
    needs: tuple[Need, ...] = ()


_K, _S = OutcomeKind, CaseState
RULES: Mapping[OutcomeKind, OutcomeRule] = MappingProxyType(
    {
        _K.REUNITED: OutcomeRule(_S.REUNIFIED, (Need.ROUTE, Need.KIN, Need.HANDOVER)),
        _K.ESCORTED_HOME: OutcomeRule(_S.REUNIFIED, (Need.ROUTE, Need.KIN, Need.HANDOVER, Need.TRIP)),
        _K.TRANSFERRED: OutcomeRule(_S.TRANSFERRED, (Need.NOTICE,)),
        _K.HOSPITAL: OutcomeRule(),
        _K.LONG_STAY: OutcomeRule(),
        _K.SETTLED: OutcomeRule(_S.SETTLED, (Need.DOSSIER,)),
        _K.LEFT: OutcomeRule(_S.LEFT),
        # Gone again: like one who left, the person goes on being searched for.
        _K.MISSING_AGAIN: OutcomeRule(_S.LEFT),
        _K.REFUSED_CONTACT: OutcomeRule(),
        _K.DECEASED: OutcomeRule(_S.DECEASED),
    }
)
"""Every kind. The database holds the same of kin and dossier."""
