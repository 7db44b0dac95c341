"""face changes: a log of every face that may have entered or left the searchable set, and who has followed it

Revision: 0007, after 0005

Triggers write the log, so that nobody can forget to. They log more than is needed rather than less: a reader asks the
database about each face that it finds here.
"""

import uuid

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _changed(*columns: str) -> str:
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


OF_PHOTO = "JOIN photo ON photo.id = face.photo_id"
OF_PROFILE = f"{OF_PHOTO} JOIN profile ON profile.id = photo.profile_id"
DESTROYED = "(NEW.wrapped_key IS NULL) <> (OLD.wrapped_key IS NULL) OR " + _changed("destroyed_at")

# name, table, event, columns that an update must name, condition, joins from `face`, which faces
LOGS: tuple[tuple[str, str, str, tuple[str, ...], str, str, str], ...] = (
    ("face_added", "face", "INSERT", (), "", "", "face.id = NEW.id"),
    *(
        (f"{table}_{name}", table, event, (), "", OF_PHOTO, f"photo.profile_id = {row}.profile_id")
        for table in ("case_file", "report")
        for name, event, row in (("entered", "INSERT", "NEW"), ("gone", "DELETE", "OLD"))
    ),
    *(
        (
            f"{table}_moved",
            table,
            "UPDATE",
            ("id", "state", "profile_id"),
            _changed("id", "state", "profile_id"),
            OF_PHOTO,
            "photo.profile_id IN (OLD.profile_id, NEW.profile_id)",
        )
        for table in ("case_file", "report")
    ),
    (
        "photo_moved",
        "photo",
        "UPDATE",
        ("id", "removed_at", "profile_id"),
        _changed("id", "removed_at", "profile_id"),
        "",
        "face.photo_id IN (OLD.id, NEW.id)",
    ),
    # Inserted above rows that name it already: SQLite's REPLACE fires no trigger for the row that it pushes out.
    ("photo_entered", "photo", "INSERT", (), "", "", "face.photo_id = NEW.id"),
    ("profile_entered", "profile", "INSERT", (), "", OF_PHOTO, "photo.profile_id = NEW.id"),
    ("subject_entered", "subject", "INSERT", (), "", OF_PROFILE, "profile.subject_id = NEW.id"),
    ("photo_gone", "photo", "DELETE", (), "", "", "face.photo_id = OLD.id"),
    (
        "profile_moved",
        "profile",
        "UPDATE",
        ("id", "subject_id"),
        _changed("id", "subject_id"),
        OF_PHOTO,
        "photo.profile_id IN (OLD.id, NEW.id)",
    ),
    (
        "subject_erased",
        "subject",
        "UPDATE",
        ("wrapped_key", "destroyed_at"),
        DESTROYED,
        OF_PROFILE,
        "profile.subject_id = NEW.id",
    ),
    ("subject_gone", "subject", "DELETE", (), "", OF_PROFILE, "profile.subject_id = OLD.id"),
)
# A row that goes, or changes its id or version, is not in `face` any more (or not under that name): logged from OLD.
OLD_FACES: tuple[tuple[str, str, str], ...] = (
    ("face_gone", "DELETE", ""),
    ("face_changed", "UPDATE", _changed("id", "photo_id", "model_version", "embedding_sealed", "chosen")),
)
EMPTIED = ("face", "photo", "profile", "subject", "case_file", "report")
COLUMNS = "INSERT INTO face_change (xid, face_id, model_version, at)"


def upgrade() -> None:
    op.create_table(
        "face_change",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("face_id", sa.Uuid(), nullable=False),
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_face_change")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_face_change_xid_seq", "face_change", ["xid", "seq"])
    op.create_table(
        "index_replica",
        sa.Column("process", sa.String(length=64), nullable=False),
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_mark", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.JSON(), nullable=False),
        sa.Column("snapshots", sa.JSON(), nullable=False),
        sa.Column("faces", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_replica")),
    )
    op.create_index(op.f("ix_index_replica_model_version"), "index_replica", ["model_version"])
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _postgresql() -> None:
    values = "pg_current_xact_id()::text::bigint, {face}.id, {face}.model_version, clock_timestamp()"
    for name, table, event, columns, condition, joins, which in LOGS:
        body = f"{COLUMNS} SELECT {values.format(face='face')} FROM face {joins} WHERE {which};"
        _postgresql_trigger(name, table, event, columns, condition, body)
    for name, event, condition in OLD_FACES:
        body = f"{COLUMNS} VALUES ({values.format(face='OLD')});"
        if event == "UPDATE":
            body += f"""
                IF {_changed("id", "model_version")} THEN
                    {COLUMNS} VALUES ({values.format(face="NEW")});
                END IF;"""
        _postgresql_trigger(name, "face", event, (), condition, body)
    # TRUNCATE passes row triggers by.
    op.execute(
        f"""
        CREATE FUNCTION face_log_all() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {COLUMNS} SELECT {values.format(face="face")} FROM face;
            RETURN NULL;
        END $$"""
    )
    for table in EMPTIED:
        op.execute(
            f"CREATE TRIGGER face_log_{table}_emptied BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION face_log_all()"
        )
    # The first row is this database's own: a snapshot of another one does not find it here.
    op.execute(f"{COLUMNS} VALUES (pg_current_xact_id()::text::bigint, gen_random_uuid(), '#first', clock_timestamp())")


def _postgresql_trigger(name: str, table: str, event: str, columns: tuple[str, ...], condition: str, body: str) -> None:
    of = f" OF {', '.join(columns)}" if columns else ""
    when = f" WHEN ({condition})" if condition else ""
    op.execute(
        f"CREATE FUNCTION face_log_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER face_log_{name} AFTER {event}{of} ON {table}"
        f" FOR EACH ROW{when} EXECUTE FUNCTION face_log_{name}()"
    )


def _sqlite() -> None:
    # Six digits of a second, as SQLAlchemy writes them.
    values = "0, {face}.id, {face}.model_version, strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    for name, table, event, columns, condition, joins, which in LOGS:
        body = f"{COLUMNS} SELECT {values.format(face='face')} FROM face {joins} WHERE {which};"
        _sqlite_trigger(name, "AFTER", table, event, columns, condition, body)
    for name, event, condition in OLD_FACES:
        body = f"{COLUMNS} SELECT {values.format(face='OLD')};"
        if event == "UPDATE":
            body += f" {COLUMNS} SELECT {values.format(face='NEW')} WHERE {_changed('id', 'model_version')};"
        _sqlite_trigger(name, "AFTER", "face", event, (), condition, body)
    # REPLACE deletes rows without firing their delete triggers: what a new row would push out is logged beforehand.
    body = f"""{COLUMNS} SELECT {values.format(face="face")} FROM face
        WHERE face.id = NEW.id OR face.photo_id = NEW.photo_id AND face.model_version = NEW.model_version
          AND face.ordinal = NEW.ordinal;"""
    _sqlite_trigger("face_replaced", "BEFORE", "face", "INSERT", (), "", body)
    for table in ("case_file", "report"):
        body = f"""{COLUMNS} SELECT {values.format(face="face")} FROM {table} AS pushed
            JOIN photo ON photo.profile_id = pushed.profile_id JOIN face ON face.photo_id = photo.id
            WHERE pushed.id = NEW.id OR pushed.profile_id = NEW.profile_id OR pushed.number = NEW.number;"""
        _sqlite_trigger(f"{table}_replaced", "BEFORE", table, "INSERT", (), "", body)
    op.execute(f"{COLUMNS} VALUES (0, '{uuid.uuid4().hex}', '#first', strftime('%Y-%m-%d %H:%M:%f000', 'now'))")


def _sqlite_trigger(
    name: str, moment: str, table: str, event: str, columns: tuple[str, ...], condition: str, body: str
) -> None:
    of = f" OF {', '.join(columns)}" if columns else ""
    when = f" WHEN {condition}" if condition else ""
    op.execute(f"CREATE TRIGGER face_log_{name} {moment} {event}{of} ON {table} FOR EACH ROW{when} BEGIN {body} END")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in EMPTIED:
            op.execute(f"DROP TRIGGER face_log_{table}_emptied ON {table}")
        op.execute("DROP FUNCTION face_log_all()")
        for name, table in _names():
            op.execute(f"DROP TRIGGER face_log_{name} ON {table}")
            op.execute(f"DROP FUNCTION face_log_{name}()")
    else:
        for name, _table in (*_names(), *((f"{table}_replaced", table) for table in ("face", "case_file", "report"))):
            op.execute(f"DROP TRIGGER face_log_{name}")
    op.drop_index(op.f("ix_index_replica_model_version"), table_name="index_replica")
    op.drop_table("index_replica")
    op.drop_index("ix_face_change_xid_seq", table_name="face_change")
    op.drop_table("face_change")


def _names() -> list[tuple[str, str]]:
    return [(name, table) for name, table, *_rest in LOGS] + [(name, "face") for name, *_rest in OLD_FACES]
