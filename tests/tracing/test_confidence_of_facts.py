"""Migration 0022: facts keep the confidence of the clue that they came of; those that clues made before get it too."""

import runpy
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from models.base import Base
from models.clue import ClueConfidence, ClueKind
from tests.factories.desk import Desk
from tests.factories.records import make_case
from tracing.access import Viewer
from tracing.clues import ClueText
from tracing.facts import Facts
from tracing.platform.db import unit_of_work
from tracing.services import Services

MIGRATION = Path(__file__).parents[2] / "alembic" / "versions" / "0022_confidence_of_facts.py"


def test_facts_of_clues_get_the_confidence_of_the_surest(any_services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(any_services.db) as session:
        case = make_case(session, any_services, staff, now=now)
    desk = Desk(any_services, staff, case.id, now)
    desk.add(
        ClueText(ClueKind.NAME, "阿珍", ClueConfidence.UNSURE),
        ClueText(ClueKind.KIN, "小军", ClueConfidence.LIKELY),
        ClueText(ClueKind.PHONE, "1367", ClueConfidence.SURE),
    )

    def facts() -> Facts:
        """In an order of their own: rows of one moment have none, and PostgreSQL moves those that are updated."""
        found = desk.facts()
        return replace(found, attributes=tuple(sorted(found.attributes, key=lambda one: one.kind)))

    before = facts()
    surest = str(runpy.run_path(str(MIGRATION))["SUREST"])
    tables = ("profile_name", "profile_kin", "profile_phone", "profile_place", "profile_attribute")
    with unit_of_work(any_services.db) as session:
        for table in tables:
            session.execute(Base.metadata.tables[table].update().values(confidence=None))
    assert facts() != before
    with unit_of_work(any_services.db) as session:
        for table in tables:
            session.execute(text(surest.format(table=table)))
    assert facts() == before
    with pytest.raises(IntegrityError), unit_of_work(any_services.db) as session:
        session.execute(text("UPDATE profile_name SET confidence = 'certain'"))
