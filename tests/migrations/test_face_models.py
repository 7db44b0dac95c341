"""Migration 0006 with photographs: what is known of each stays known, up and down, on both databases."""

import uuid
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from models.base import UTCDateTime
from tracing.platform import migrations
from tracing.platform.db import Database, create_database
from tracing.platform.settings import Settings

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
OLD, NEW = "dlib-resnet-v1-l2-000000000000", "dlib-resnet-v1-cnn-mirror-l2-000000000000"


def insert(db: Database, table: str, **values: object) -> uuid.UUID:
    """One row with an id of its own."""
    types: dict[type, Any] = {uuid.UUID: sa.Uuid(), datetime: UTCDateTime(), dict: sa.JSON(), list: sa.JSON()}
    identity = uuid.uuid4()
    row: dict[str, object] = {"id": identity} | values
    statement = sa.text(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})"
    ).bindparams(*(sa.bindparam(name, value, type_=types.get(type(value))) for name, value in row.items()))
    with db.engine.begin() as connection:
        connection.execute(statement)
    return identity


def rows(db: Database, statement: str) -> set[tuple[Any, ...]]:
    with db.engine.connect() as connection:
        return {tuple(str(value) for value in row) for row in connection.execute(sa.text(statement))}


def a_profile(db: Database) -> dict[str, uuid.UUID]:
    """What a photograph needs: its person's profile and whoever uploaded it."""
    organisation = insert(
        db,
        "organisation",
        kind="station",
        name_zh="站",
        name_en="Station",
        division="450702",
        path="/1/",
        active=True,
        created_at=AT,
    )
    user = insert(
        db, "user_account", organisation_id=organisation, username="u", display_name="u", role="station_staff",
        locale="zh", password_hash="x", active=True, created_at=AT,
    )  # fmt: skip
    subject = insert(db, "subject", wrapped_key=b"k", master_key_id="m", created_at=AT)
    profile = insert(db, "profile", subject_id=subject, revision=1, no_marks=False)
    return {"profile_id": profile, "uploaded_by_id": user}


def a_photo(db: Database, owner: dict[str, uuid.UUID], analysis: str, version: str | None) -> uuid.UUID:
    return insert(
        db, "photo", digest=uuid.uuid4().hex, view="front", width=100, height=100, bytes_stored=1, uploaded_at=AT,
        analysis=analysis, analysed_with=version, **owner,
    )  # fmt: skip


def a_face(db: Database, photo: uuid.UUID, version: str, ordinal: int, *, chosen: bool) -> uuid.UUID:
    return insert(
        db, "face", photo_id=photo, model_version=version, ordinal=ordinal, box={"top": 1}, landmarks=[[1, 2]],
        quality={}, quality_overall=50, embedding_sealed=b"sealed", chosen=chosen, created_at=LATER,
    )  # fmt: skip


def test_what_is_known_of_photographs_survives_up_and_down(any_empty: Settings) -> None:
    migrations.upgrade(any_empty, "0005")
    db = create_database(any_empty)
    owner = a_profile(db)
    pending = a_photo(db, owner, "pending", None)
    ready = a_photo(db, owner, "ready", OLD)
    none = a_photo(db, owner, "no_face", OLD)
    moved = a_photo(db, owner, "several_faces", NEW)
    without = a_photo(db, owner, "unavailable", "none")
    a_face(db, ready, OLD, 0, chosen=True)
    a_face(db, moved, OLD, 0, chosen=True)
    for ordinal in range(2):
        a_face(db, moved, NEW, ordinal, chosen=False)
    faces = rows(db, "SELECT id, photo_id, model_version, ordinal, embedding_sealed FROM face")
    photos = rows(db, "SELECT id, analysis, analysed_with FROM photo")

    migrations.upgrade(any_empty, "0006")
    assert rows(db, "SELECT model_version, state, dimension FROM face_model") == {
        (OLD, "in_force", "128"),
        (NEW, "retired", "128"),
    }
    kept = {
        (photo, version, state)
        for photo, version, state in rows(db, "SELECT photo_id, model_version, state FROM photo_analysis")
    }
    as_stored = {photo: str(photo) if db.engine.dialect.name == "postgresql" else photo.hex for photo in
                 (pending, ready, none, moved, without)}  # fmt: skip
    assert kept == {
        (as_stored[ready], OLD, "ready"),
        (as_stored[none], OLD, "no_face"),
        (as_stored[moved], NEW, "several_faces"),
        (as_stored[moved], OLD, "ready"),
        (as_stored[without], "none", "unavailable"),
    }
    assert rows(db, "SELECT id, photo_id, model_version, ordinal, embedding_sealed FROM face") == faces

    migrations.downgrade(any_empty, "0005")
    back = {(as_stored[moved], "ready", OLD)}  # the version in force is all that a photograph can say again
    assert (
        rows(db, "SELECT id, analysis, analysed_with FROM photo")
        == {one for one in photos if one[0] != as_stored[moved]} | back
    )
    assert rows(db, "SELECT id, photo_id, model_version, ordinal, embedding_sealed FROM face") == faces
    migrations.upgrade(any_empty)
    assert len(rows(db, "SELECT photo_id, model_version, state FROM photo_analysis")) == 5
    migrations.check(any_empty)
    db.dispose()
