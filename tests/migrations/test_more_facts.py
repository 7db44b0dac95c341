"""Migration 0009: facts of new kinds are taken from there on; going back drops what the old schema cannot hold."""

import uuid

import pytest
from sqlalchemy.exc import IntegrityError

from tests.migrations.test_face_models import AT, a_profile, insert, rows
from tracing.platform import migrations
from tracing.platform.db import Database, create_database
from tracing.platform.settings import Settings


def an_attribute(db: Database, owner: dict[str, uuid.UUID], kind: str, **more: object) -> None:
    row: dict[str, object] = {"kind": kind, "value": "x", "basis": "heard", "recorded_at": AT} | more
    insert(db, "profile_attribute", profile_id=owner["profile_id"], recorded_by_id=owner["uploaded_by_id"], **row)


def test_new_kinds_of_facts_up_and_down(any_empty: Settings) -> None:
    db = create_database(any_empty)
    migrations.upgrade(any_empty)
    migrations.downgrade(any_empty, "0007")
    owner = a_profile(db)
    an_attribute(db, owner, "accent")
    with pytest.raises(IntegrityError):
        an_attribute(db, owner, "school")
    migrations.upgrade(any_empty)
    an_attribute(db, owner, "school")
    for wrong in ({"kind": "shoe_size"}, {"kind": "glasses", "basis": "guessed"}, {"kind": "age", "uncertainty": -1.0}):
        with pytest.raises(IntegrityError):
            an_attribute(db, owner, **wrong)
    with pytest.raises(IntegrityError):
        an_attribute(db, owner, "school")
    of_person = {"profile_id": owner["profile_id"], "recorded_by_id": owner["uploaded_by_id"], "recorded_at": AT}
    insert(db, "profile_kin", relation="son", text="小军", basis="heard", **of_person)
    with pytest.raises(IntegrityError):
        insert(db, "profile_kin", relation="cousin", text="小军", basis="heard", **of_person)
    migrations.downgrade(any_empty, "0007")
    assert rows(db, "SELECT kind FROM profile_attribute") == {("accent",)}
    migrations.upgrade(any_empty)
    assert rows(db, "SELECT kind FROM profile_attribute") == {("accent",)}
    assert rows(db, "SELECT id FROM profile_kin") == set()
    db.dispose()
