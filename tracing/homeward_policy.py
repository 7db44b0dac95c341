"""What the way home asks for, as data: kin verification, the script of the first call, the settlement's dossier.

Packaged in `tracing/policies`; an installation's own file of the same name in `{data_dir}/policies` replaces it whole.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from models.kin import DnaReason
from tracing.policy_files import Mark, Row, read_policy


class _Sourced(Row):
    source: str = Field(min_length=1)
    mark: Mark


class Count(_Sourced):
    """How many there must be."""

    count: int = Field(ge=0, le=20)


class DnaRule(_Sourced):
    """When DNA has to show the kinship: under an age, after years of absence, or whenever the reason holds."""

    reason: DnaReason
    under_age: int | None = Field(None, ge=1, le=120)
    years: int | None = Field(None, ge=1, le=120)


class KinPolicy(Row):
    """What verifies kin (亲属核实)."""

    jurisdiction: str
    version: str = Field(min_length=1, max_length=40)
    questions_agreeing: Count
    documents: Count
    dna: tuple[DnaRule, ...]

    def rule(self, reason: DnaReason) -> DnaRule | None:
        """The rule for a reason, if the policy has one."""
        return next((one for one in self.dna if one.reason is reason), None)


class Line(Row):
    """A sentence in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class ContactScript(_Sourced):
    """What is said in the first call (首次联系话术): opening, open questions, and what is never said."""

    jurisdiction: str
    version: str = Field(min_length=1, max_length=40)
    opening: tuple[Line, ...] = Field(min_length=1)
    questions: tuple[Line, ...] = Field(min_length=1)
    never: tuple[Line, ...] = Field(min_length=1)


class DossierPaper(_Sourced):
    """One paper of the dossier."""

    key: str = Field(pattern=r"^[a-z_]{1,40}$")
    required: bool
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class DossierPolicy(Row):
    """The papers of a settlement (落户档案)."""

    jurisdiction: str
    version: str = Field(min_length=1, max_length=40)
    items: tuple[DossierPaper, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class HomewardPolicy:
    """The three of them."""

    kin: KinPolicy
    script: ContactScript
    dossier: DossierPolicy


def load_homeward(own: Path) -> HomewardPolicy:
    """The packaged files, or the installation's own in their place. Raises SettingsError, naming file and field."""
    return HomewardPolicy(
        kin=read_policy(own, "kin-CN.json", KinPolicy),
        script=read_policy(own, "contact-script-CN.json", ContactScript),
        dossier=read_policy(own, "dossier-CN.json", DossierPolicy),
    )
