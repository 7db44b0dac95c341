"""blocking keys, and what each pass changed in the lists

Revision: 0010, after 0009

The keys of the records that are there already are made by a job, so that a large installation is not held up. Whose
data key is destroyed is found no more: the database deletes that person's blocking keys with it.
"""

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FILL = "blocking.fill"
FORGET = "subject_forget_keys"
# Who is erased has no key left.
KEYS_OF_THE_ERASED = "DELETE FROM blocking_key WHERE profile_id IN (SELECT id FROM profile WHERE subject_id = NEW.id);"
ERASED = "AFTER UPDATE OF destroyed_at ON subject FOR EACH ROW WHEN (NEW.destroyed_at IS NOT NULL)"


def upgrade() -> None:
    op.add_column("profile", sa.Column("keys_version", sa.String(length=80), nullable=True))
    op.add_column("candidate", sa.Column("gallery_size", sa.Integer(), nullable=True))
    op.create_table(
        "blocking_key",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column(
            "key", sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column(
            "gallery",
            sa.Enum("report", "case", name="gallerykind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("born", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name=op.f("fk_blocking_key_profile_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("profile_id", "key", name=op.f("pk_blocking_key")),
    )
    op.create_index("ix_blocking_key_lookup", "blocking_key", ["gallery", "key", "born", "profile_id"])
    op.create_table(
        "candidate_change",
        sa.Column("pass_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column(
            "change",
            sa.Enum(
                "entered", "left", "moved", name="listchange", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("log10_lr_before", sa.Double(), nullable=True),
        sa.Column("log10_lr_after", sa.Double(), nullable=False),
        sa.Column("rank_before", sa.Integer(), nullable=True),
        sa.Column("rank_after", sa.Integer(), nullable=True),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_candidate_change_candidate_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_candidate_change_case_id")),
        sa.ForeignKeyConstraint(["pass_id"], ["match_pass.id"], name=op.f("fk_candidate_change_pass_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidate_change")),
    )
    op.create_index("ix_candidate_change_case_id_at", "candidate_change", ["case_id", "at"])
    op.create_index(op.f("ix_candidate_change_candidate_id"), "candidate_change", ["candidate_id"])
    op.create_index(op.f("ix_candidate_change_pass_id"), "candidate_change", ["pass_id"])
    op.create_index("ix_report_created_at", "report", ["created_at"])
    op.create_index("ix_case_file_created_at", "case_file", ["created_at"])
    _forget_with_the_data_key()
    _ask_for_keys()


def _forget_with_the_data_key() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {FORGET}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {KEYS_OF_THE_ERASED} RETURN NULL; END $$"
        )
        op.execute(f"CREATE TRIGGER {FORGET} {ERASED} EXECUTE FUNCTION {FORGET}()")
    else:
        op.execute(f"CREATE TRIGGER {FORGET} {ERASED} BEGIN {KEYS_OF_THE_ERASED} END")


def _ask_for_keys() -> None:
    profile = sa.table("profile", sa.column("id", sa.Uuid()))
    if op.get_bind().execute(sa.select(profile.c.id).limit(1)).first() is None:
        return
    job = sa.table(
        "job",
        sa.column("id", sa.Uuid()),
        sa.column("kind", sa.String()),
        sa.column("key", sa.String()),
        sa.column("payload", sa.JSON()),
        sa.column("state", sa.String()),
        sa.column("attempts", sa.Integer()),
        sa.column("run_after", sa.DateTime(timezone=True)),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
    now = datetime.now(UTC)
    op.get_bind().execute(
        sa.insert(job).values(
            id=uuid.uuid4(), kind=FILL, key=f"{FILL}:migration-0010:case:begin",
            payload={"run": "migration-0010", "kind": "case", "after": None},
            state="queued", attempts=0, run_after=now, created_at=now,
        )
    )  # fmt: skip


def downgrade() -> None:
    op.execute(f"DELETE FROM job WHERE kind = '{FILL}'")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {FORGET} ON subject")
        op.execute(f"DROP FUNCTION {FORGET}()")
    else:
        op.execute(f"DROP TRIGGER {FORGET}")
    op.drop_index("ix_case_file_created_at", table_name="case_file")
    op.drop_index("ix_report_created_at", table_name="report")
    op.drop_table("candidate_change")
    op.drop_table("blocking_key")
    # Not as a batch: that would copy the table, and its triggers with the old one would be gone.
    op.drop_column("candidate", "gallery_size")
    op.drop_column("profile", "keys_version")
