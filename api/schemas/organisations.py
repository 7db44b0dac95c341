"""Organisations over the wire."""

import uuid

from pydantic import ConfigDict

from api.schemas.base import Division, Input, Line, Output
from api.schemas.facts import division_name
from models.organisation import Organisation, OrganisationKind


class OrganisationRef(Output):
    """The organisation that a record belongs to."""

    id: uuid.UUID
    name_zh: str
    name_en: str


class OrganisationOut(OrganisationRef):
    """One organisation of the tree."""

    parent_id: uuid.UUID | None
    kind: OrganisationKind
    division: str
    division_name: str | None
    active: bool


class OrganisationIn(Input):
    """An organisation to be placed below another."""

    parent_id: uuid.UUID
    kind: OrganisationKind
    name_zh: Line
    name_en: Line
    division: Division

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "parent_id": "4a1c1c5e-2f6e-4f0e-9a53-0f6a1b8f2f10",
                    "kind": "station",
                    "name_zh": "钦南区救助管理站",
                    "name_en": "Qinnan rescue-management station",
                    "division": "450702",
                }
            ]
        }
    )


def organisation_ref(organisation: Organisation) -> OrganisationRef:
    """Its id and names."""
    return OrganisationRef(id=organisation.id, name_zh=organisation.name_zh, name_en=organisation.name_en)


def organisation_out(organisation: Organisation) -> OrganisationOut:
    """All of it but the path, which is plumbing."""
    return OrganisationOut(
        id=organisation.id,
        parent_id=organisation.parent_id,
        kind=organisation.kind,
        name_zh=organisation.name_zh,
        name_en=organisation.name_en,
        division=organisation.division,
        division_name=division_name(organisation.division),
        active=organisation.active,
    )
