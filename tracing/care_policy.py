"""Policies of the work around the match (转介、回访、重复登记政策), as data with source and version.

Packaged files lie in `tracing/policies`; one of the same name in `{data_dir}/policies` takes its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from models.followup import StabilityGrade
from models.organisation import OrganisationKind
from models.referral import ReferralKind
from tracing.clock_policy import Clocks, RestDay, Unit, Within
from tracing.deadline_rules import LAST_SECOND, add_months
from tracing.platform.errors import Named
from tracing.policy_files import Mark, Row, read_policy

_ASPECTS = {"visits": Named("探访次数", "visits"), "danger": Named("人身危险", "danger")}
RECEIVING = frozenset({OrganisationKind.RECEIVING_UNIT, OrganisationKind.HEALTH_LIAISON})


class ReferralRule(Row):
    """One kind of referral: who may receive it, and by when it is to be answered."""

    kind: ReferralKind
    receivers: frozenset[OrganisationKind] = Field(min_length=1)
    answer_within: Within
    rest_day: RestDay
    source: str = Field(min_length=1)
    mark: Mark

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        if not self.receivers <= RECEIVING:
            raise ValueError("only health liaison stations and receiving units receive referrals")
        if len(self.answer_within.counts) != 1:
            raise ValueError("an answer has one time, so one count")
        return self


class ReferralPolicy(Row):
    """Every kind of referral."""

    version: str = Field(min_length=1, max_length=120)
    source: str = Field(min_length=1)
    referrals: tuple[ReferralRule, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if sorted(one.kind for one in self.referrals) != sorted(ReferralKind):
            raise ValueError("each kind of referral has one row")
        return self

    def rule(self, kind: ReferralKind) -> ReferralRule:
        """The row of a kind."""
        return next(one for one in self.referrals if one.kind is kind)


class Domain(Row):
    """One side of somebody's life that a visit looks at."""

    key: str = Field(pattern=r"^[a-z_]{2,24}$")
    label_zh: str = Field(min_length=1)
    label_en: str = Field(min_length=1)


class Stable(Row):
    """When somebody counts as stable: so many visits in a row, with none of these grades, the last one as required."""

    visits: int = Field(ge=1)
    none_of: frozenset[StabilityGrade]
    required: Mapping[str, frozenset[StabilityGrade]]


class FollowUpPolicy(Row):
    """The assessment of a visit."""

    version: str = Field(min_length=1, max_length=120)
    source: str = Field(min_length=1)
    mark: Mark
    domains: tuple[Domain, ...] = Field(min_length=1)
    danger_when: Mapping[str, frozenset[StabilityGrade]]
    stable: Stable

    @model_validator(mode="after")
    def _known(self) -> Self:
        keys = [one.key for one in self.domains]
        if len(set(keys)) != len(keys) or not {*self.danger_when, *self.stable.required} <= set(keys):
            raise ValueError("each domain has one row, and rules name domains that there are")
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """The domains in order."""
        return tuple(one.key for one in self.domains)

    def words(self, key: str) -> Named:
        """A domain, "visits" or "danger" as a sentence names it."""
        if key in _ASPECTS:
            return _ASPECTS[key]
        return next(Named(one.label_zh, one.label_en) for one in self.domains if one.key == key)

    def shows_danger(self, assessment: Mapping[str, StabilityGrade]) -> bool:
        """Whether the grades say that the person is in danger."""
        return any(assessment.get(key) in grades for key, grades in self.danger_when.items())


class DuplicatePolicy(Row):
    """From when on two records are proposed as one person's."""

    version: str = Field(min_length=1, max_length=120)
    source: str = Field(min_length=1)
    mark: Mark
    minimum_log10_lr: float
    minimum_posterior: float = Field(ge=0, le=1)
    considered: int = Field(ge=1, le=200, description="Best records that are weighed in full.")


@dataclass(frozen=True, slots=True)
class CarePolicies:
    """The three policies of a process."""

    referrals: ReferralPolicy
    follow_up: FollowUpPolicy
    duplicates: DuplicatePolicy


def load_care(own: Path) -> CarePolicies:
    """The packaged policies, or the installation's own. Raises SettingsError, naming file and field."""
    return CarePolicies(
        referrals=read_policy(own, "referrals-CN.json", ReferralPolicy),
        follow_up=read_policy(own, "followup-CN.json", FollowUpPolicy),
        duplicates=read_policy(own, "duplicates-CN.json", DuplicatePolicy),
    )


def answer_due(rule: ReferralRule, sent_at: datetime, clocks: Clocks) -> datetime:
    """The last second at which an answer is in time; days count as those of the deadlines."""
    unit, count = rule.answer_within.unit, rule.answer_within.counts[0]
    if unit is Unit.HOURS:
        return sent_at + timedelta(hours=count)
    first = sent_at.astimezone(clocks.zone).date()
    if unit is Unit.WORKING_DAYS:
        last = clocks.calendar.add(first, count)
    else:
        last = first + timedelta(days=count) if unit is Unit.DAYS else add_months(first, count)
    if rule.rest_day is RestDay.NEXT_WORKING_DAY:
        last = clocks.calendar.on_or_after(last)
    return datetime.combine(last, LAST_SECOND, clocks.zone)
