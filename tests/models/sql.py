"""Raw SQL as somebody would type it who has the database's password: no stored classes, no use cases."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import JSON, Uuid, bindparam, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import TypeEngine

from models.base import UTCDateTime
from models.review import Opinion
from tests.factories.stories import Story
from tests.factories.world import World
from tracing.platform.db import Database

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
_TYPES: dict[type, TypeEngine[Any]] = {uuid.UUID: Uuid(), datetime: UTCDateTime(), list: JSON(), dict: JSON()}
_OPINION_OF = {opinion.grade: opinion for opinion in Opinion if opinion.grade is not None}


def run(db: Database, statement: str, **values: object) -> int:
    """Execute and commit; how many rows it met."""
    bound = [bindparam(name, value, type_=_TYPES.get(type(value))) for name, value in values.items()]
    with db.engine.begin() as connection:
        return connection.execute(text(statement).bindparams(*bound)).rowcount


def insert(db: Database, table: str, **values: object) -> None:
    """One row, its columns as named."""
    columns = ", ".join(values)
    run(db, f"INSERT INTO {table} ({columns}) VALUES ({', '.join(f':{name}' for name in values)})", **values)


def scalar(db: Database, statement: str, **values: object) -> object:
    """One value."""
    bound = [bindparam(name, value, type_=_TYPES.get(type(value))) for name, value in values.items()]
    with db.engine.connect() as connection:
        return connection.execute(text(statement).bindparams(*bound)).scalar()


@contextmanager
def gate(message: str) -> Iterator[None]:
    """The block must be refused by a gate of the database, with this message."""
    with pytest.raises(IntegrityError) as refused:
        yield
    assert f"gate: {message}" in str(refused.value.orig)


@dataclass(frozen=True)
class Ground:
    """A case in review with its candidate and report, and the database itself."""

    db: Database
    world: World
    story: Story
    other: Story
    """A second case, found for the same report."""

    def review(
        self,
        examiner_id: uuid.UUID,
        grade: int | None = 2,
        *,
        candidate_id: uuid.UUID | None = None,
        withdrawn_at: datetime | None = None,
    ) -> uuid.UUID:
        """Insert a review of the case's candidate, after noting the features; its id."""
        identity = uuid.uuid4()
        self.note(examiner_id, candidate_id)
        opinion = Opinion.CANNOT_TELL if grade is None else _OPINION_OF[grade]
        insert(
            self.db, "review", id=identity, candidate_id=candidate_id or self.story.candidate, examiner_id=examiner_id,
            opinion=opinion.value, grade=grade, committed_at=AT,
        )  # fmt: skip
        if withdrawn_at is not None:
            run(self.db, "UPDATE review SET withdrawn_at = :at WHERE id = :id", at=withdrawn_at, id=identity)
        return identity

    def note(self, examiner_id: uuid.UUID, candidate_id: uuid.UUID | None = None) -> None:
        """Insert the examiner's note that nothing can be seen of the candidate's case's person."""
        run(
            self.db,
            "INSERT INTO feature_note (id, case_id, examiner_id, basis, list_version, count, noted_sealed, noted_at)"
            " SELECT :id, case_id, :examiner, 'nothing', '1', 0, :sealed, :at FROM candidate WHERE id = :candidate",
            id=uuid.uuid4(), examiner=examiner_id, sealed=b"x", at=AT, candidate=candidate_id or self.story.candidate,
        )  # fmt: skip

    def confirm(self, **changed: object) -> uuid.UUID:
        """Insert a confirmation of the case's candidate by the police supervisor, resting on reviews; its id."""
        identity = uuid.uuid4()
        values: dict[str, object] = {
            "id": identity,
            "case_id": self.story.case_id,
            "candidate_id": self.story.candidate,
            "report_id": self.story.report_id,
            "method": "agreeing_reviews",
            "reference": None,
            "grounds": "raw",
            "confirmed_by_id": self.supervisor_id,
            "confirmed_at": AT,
        }
        insert(self.db, "confirmation", **(values | changed))
        return identity

    def release(self, confirmation_id: uuid.UUID, **changed: object) -> uuid.UUID:
        """Insert a contact release of that confirmation by an examiner; its id."""
        identity = uuid.uuid4()
        values: dict[str, object] = {
            "id": identity,
            "case_id": self.story.case_id,
            "confirmation_id": confirmation_id,
            "wish": "wants_contact",
            "danger": "no_sign",
            "released_by_id": self.examiner_ids[0],
            "released_at": AT,
        }
        insert(self.db, "contact_release", **(values | changed))
        return identity

    def put(self, state: str, **values: object) -> int:
        """Write the case's state."""
        return run(self.db, "UPDATE case_file SET state = :state WHERE id = :id", state=state, id=self.story.case_id)

    @property
    def supervisor_id(self) -> uuid.UUID:
        """The police supervisor."""
        return next(user.id for role, user in self.world.a.users.items() if role.value == "police_supervisor")

    @property
    def examiner_ids(self) -> tuple[uuid.UUID, uuid.UUID]:
        """The two examiners."""
        first, second = self.world.a.examiners
        return first.id, second.id
