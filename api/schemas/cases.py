"""Cases over the wire."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Day, Division, Input, Line, Output, Text
from api.schemas.facts import FACTS_EXAMPLE, FactsIn, FactsOut, division_name, facts_out
from api.schemas.organisations import OrganisationRef, organisation_ref
from api.schemas.photos import PhotoOut, photo_out
from models.case import TRANSITIONS, AdmissionKind, Case, CaseState, CaseTransition
from models.photo import Photo
from tracing.cases import Circumstances


class CaseIn(FactsIn):
    """What is known at admission: the circumstances and the facts."""

    admitted_on: Day
    found_on: Day | None = None
    found_division: Division | None = None
    found_place: Line | None = None
    photo_refused: bool = Field(default=False, description="The person refused a photograph; help is the same.")
    found_latitude: float | None = Field(None, description="WGS-84, degrees; with `found_longitude`.")
    found_longitude: float | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "admitted_on": "2026-03-01",
                    "found_on": "2026-03-01",
                    "found_division": "450702",
                    "found_place": "near the bus station",
                    **FACTS_EXAMPLE,
                }
            ]
        }
    )

    def circumstances(self) -> Circumstances:
        """As the use cases take them, unchecked."""
        return Circumstances(
            self.admitted_on, self.found_on, self.found_division or None, self.found_place, self.photo_refused,
            self.found_latitude, self.found_longitude,
        )  # fmt: skip


class TransitionIn(Input):
    """A move by name, with its reason."""

    state: CaseState
    reason: Text

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "left", "reason": "left after two days"}]})


class CaseSummary(Output):
    """A case without its photographs."""

    id: uuid.UUID
    number: str = Field(examples=["450702-2026-000123-6"])
    admission_kind: AdmissionKind
    state: CaseState
    state_since: datetime
    organisation: OrganisationRef
    admitted_on: date
    found_on: date | None
    found_division: str | None
    found_division_name: str | None
    found_place: str | None
    photo_refused: bool
    found_latitude: float | None
    found_longitude: float | None
    facts: FactsOut
    created_at: datetime
    updated_at: datetime
    version: int = Field(description="The `ETag` is this number in quotes.")


class CaseOut(CaseSummary):
    """A case with its photographs, and the states it may reach next, by whatever way."""

    photos: tuple[PhotoOut, ...]
    next_states: tuple[CaseState, ...]


class TransitionOut(Output):
    """One move of a case. `actor_id` null: the service itself."""

    id: uuid.UUID
    from_state: CaseState
    to_state: CaseState
    actor_id: uuid.UUID | None
    at: datetime
    reason: str | None


def case_summary(case: Case) -> CaseSummary:
    """A case that was loaded with its organisation and facts."""
    return CaseSummary(
        id=case.id,
        number=case.number,
        admission_kind=case.admission_kind,
        state=case.state,
        state_since=case.state_since,
        organisation=organisation_ref(case.organisation),
        admitted_on=case.admitted_on,
        found_on=case.found_on,
        found_division=case.found_division,
        found_division_name=division_name(case.found_division),
        found_place=case.found_place,
        photo_refused=case.photo_refused,
        found_latitude=case.found_latitude,
        found_longitude=case.found_longitude,
        facts=facts_out(case.profile),
        created_at=case.created_at,
        updated_at=case.updated_at,
        version=case.version,
    )


def case_out(case: Case, photos: Iterable[Photo]) -> CaseOut:
    """The same with these photographs."""
    return CaseOut(
        **dict(case_summary(case)),
        photos=tuple(photo_out(photo) for photo in photos),
        next_states=tuple(state for state in CaseState if state in TRANSITIONS[case.state]),
    )


def transition_out(row: CaseTransition) -> TransitionOut:
    """One row of the history."""
    return TransitionOut(
        id=row.id, from_state=row.from_state, to_state=row.to_state, actor_id=row.actor_id, at=row.at, reason=row.reason
    )
