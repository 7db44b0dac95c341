"""interviews, their sealed recordings, and clues

Revision: 0013, after 0012

A clue is never lost: it is corrected by a new row or withdrawn, and the database refuses the rest.
"""

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _changed(*columns: str) -> str:
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


TALK = _changed(
    "id", "case_id", "held_at", "method", "place", "interviewers", "language", "accent", "notes_sealed",
    "recorded_by_id", "recorded_at",
)  # fmt: skip
CLUE = _changed(
    "id", "case_id", "interview_id", "kind", "text", "confidence", "division", "relation", "heard_at",
    "recorded_by_id", "recorded_at", "supersedes_id",
)  # fmt: skip
# The fact that a clue became is named once.
FACT = " OR ".join(
    f"OLD.profile_{kind}_id IS NOT NULL AND NEW.profile_{kind}_id IS DISTINCT FROM OLD.profile_{kind}_id"
    for kind in ("name", "place", "attribute", "kin", "phone")
)
CHAIN = """NEW.supersedes_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM clue WHERE clue.id = NEW.supersedes_id AND clue.case_id = NEW.case_id
        AND clue.superseded_at IS NOT NULL
)"""
# name, table, event, condition under which it is refused, message
GATES: tuple[tuple[str, str, str, str, str], ...] = (
    ("interview_no_delete", "interview", "DELETE", "TRUE", "interviews are withdrawn, never deleted"),
    (
        "interview_immutable",
        "interview",
        "UPDATE",
        f"OLD.withdrawn_at IS NOT NULL OR {TALK}",
        "interviews are withdrawn, never changed",
    ),
    ("interview_audio_no_delete", "interview_audio", "DELETE", "TRUE", "recordings are taken out, never deleted"),
    ("clue_no_delete", "clue", "DELETE", "TRUE", "clues are withdrawn, never deleted"),
    (
        "clue_immutable",
        "clue",
        "UPDATE",
        f"OLD.withdrawn_at IS NOT NULL OR OLD.superseded_at IS NOT NULL OR {CLUE} OR {FACT}",
        "clues are corrected by a new row, never changed",
    ),
    ("clue_chain", "clue", "INSERT", CHAIN, "a correction names the clue of the same case that it supersedes"),
)
NOT_EMPTIED = ("interview", "interview_audio", "clue")
# SQLite's REPLACE deletes the row that a new one collides with, and no delete trigger fires.
COLLISIONS = (
    ("interview", "id = NEW.id"),
    ("interview_audio", "id = NEW.id OR interview_id = NEW.interview_id AND digest = NEW.digest"),
    ("clue", "id = NEW.id OR supersedes_id = NEW.supersedes_id"),
)


def upgrade() -> None:
    op.create_table(
        "interview",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "talk",
                "dialect_speaker",
                "sign_language",
                "writing_drawing",
                "pictures_sounds",
                "remote",
                "observation",
                name="interviewmethod",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.Column("interviewers", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=80), nullable=True),
        sa.Column("accent", sa.String(length=6), nullable=True),
        sa.Column("notes_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_interview_withdrawn_whole"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_interview_case_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_interview_recorded_by_id")),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_interview_withdrawn_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interview")),
    )
    with op.batch_alter_table("interview", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interview_case_id"), ["case_id"], unique=False)

    op.create_table(
        "clue",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("interview_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "name",
                "place",
                "kin",
                "school",
                "work",
                "dialect",
                "food",
                "song",
                "phone",
                "other",
                name="cluekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "confidence",
            sa.Enum(
                "sure", "likely", "unsure", name="clueconfidence", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("division", sa.String(length=6), nullable=True),
        sa.Column(
            "relation",
            sa.Enum(
                "father",
                "mother",
                "spouse",
                "son",
                "daughter",
                "brother",
                "sister",
                "other",
                name="kinrelation",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("profile_name_id", sa.Uuid(), nullable=True),
        sa.Column("profile_place_id", sa.Uuid(), nullable=True),
        sa.Column("profile_attribute_id", sa.Uuid(), nullable=True),
        sa.Column("profile_kin_id", sa.Uuid(), nullable=True),
        sa.Column("profile_phone_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_clue_withdrawn_whole"),
        ),
        sa.CheckConstraint("superseded_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_clue_one_end")),
        sa.CheckConstraint("supersedes_id IS NULL OR supersedes_id <> id", name=op.f("ck_clue_not_itself")),
        sa.CheckConstraint("relation IS NULL OR kind = 'kin'", name=op.f("ck_clue_relation_of_kin")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_clue_case_id")),
        sa.ForeignKeyConstraint(["interview_id"], ["interview.id"], name=op.f("fk_clue_interview_id")),
        sa.ForeignKeyConstraint(
            ["profile_attribute_id"], ["profile_attribute.id"], name=op.f("fk_clue_profile_attribute_id")
        ),
        sa.ForeignKeyConstraint(["profile_kin_id"], ["profile_kin.id"], name=op.f("fk_clue_profile_kin_id")),
        sa.ForeignKeyConstraint(["profile_name_id"], ["profile_name.id"], name=op.f("fk_clue_profile_name_id")),
        sa.ForeignKeyConstraint(["profile_phone_id"], ["profile_phone.id"], name=op.f("fk_clue_profile_phone_id")),
        sa.ForeignKeyConstraint(["profile_place_id"], ["profile_place.id"], name=op.f("fk_clue_profile_place_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_clue_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["clue.id"], name=op.f("fk_clue_supersedes_id")),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_clue_withdrawn_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clue")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_clue_supersedes_id")),
    )
    with op.batch_alter_table("clue", schema=None) as batch_op:
        batch_op.create_index("ix_clue_case_id_heard_at", ["case_id", "heard_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_clue_interview_id"), ["interview_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_clue_profile_attribute_id"), ["profile_attribute_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_clue_profile_kin_id"), ["profile_kin_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_clue_profile_name_id"), ["profile_name_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_clue_profile_phone_id"), ["profile_phone_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_clue_profile_place_id"), ["profile_place_id"], unique=False)

    op.create_table(
        "interview_audio",
        sa.Column("interview_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "format",
            sa.Enum(
                "wav",
                "mp3",
                "m4a",
                "ogg",
                "webm",
                "flac",
                "amr",
                name="audioformat",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("bytes_stored", sa.Integer(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["added_by_id"], ["user_account.id"], name=op.f("fk_interview_audio_added_by_id")),
        sa.ForeignKeyConstraint(["interview_id"], ["interview.id"], name=op.f("fk_interview_audio_interview_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interview_audio")),
        sa.UniqueConstraint("interview_id", "digest", name=op.f("uq_interview_audio_interview_id_digest")),
    )
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _postgresql() -> None:
    refuse = "RAISE EXCEPTION 'gate: {message}' USING ERRCODE = 'check_violation';"
    for name, table, event, refused, message in GATES:
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {refused} THEN"
            f" {refuse.format(message=message)} END IF; RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    for table in NOT_EMPTIED:  # TRUNCATE passes row triggers by
        op.execute(
            f"CREATE FUNCTION {table}_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" {refuse.format(message=f'{table} is not emptied')} END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_no_truncate()"
        )


def _sqlite() -> None:
    for name, table, event, refused, message in GATES:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {refused}"
            f" BEGIN SELECT RAISE(ABORT, 'gate: {message}'); END"
        )
    for table, collides in COLLISIONS:
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {collides})"
            f" BEGIN SELECT RAISE(ABORT, 'gate: {table} rows are not replaced'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in NOT_EMPTIED:
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
            op.execute(f"DROP FUNCTION {table}_no_truncate()")
        for name, table, *_rest in GATES:
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
    else:
        for name in (*(gate[0] for gate in GATES), *(f"{table}_no_replace" for table, _ in COLLISIONS)):
            op.execute(f"DROP TRIGGER {name}")
    op.drop_table("interview_audio")
    with op.batch_alter_table("clue", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clue_profile_place_id"))
        batch_op.drop_index(batch_op.f("ix_clue_profile_phone_id"))
        batch_op.drop_index(batch_op.f("ix_clue_profile_name_id"))
        batch_op.drop_index(batch_op.f("ix_clue_profile_kin_id"))
        batch_op.drop_index(batch_op.f("ix_clue_profile_attribute_id"))
        batch_op.drop_index(batch_op.f("ix_clue_interview_id"))
        batch_op.drop_index("ix_clue_case_id_heard_at")

    op.drop_table("clue")
    with op.batch_alter_table("interview", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_interview_case_id"))

    op.drop_table("interview")
