"""saved filters of the lists, keys and indexes by which lists and the log are searched

Revision: 0024, after 0022

Lists are searched by keys that records did not have before (initials, year of birth): a job makes them, so that a large
installation is not held up. Until it is done, older records are found by the keys that they have.
"""

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

LISTED = sa.text("superseded_at IS NULL AND kind IN ('sex', 'build', 'ethnicity', 'accent', 'height')")
RUN = "migration-0024"
FIRST = f"blocking.fill:{RUN}:case:begin"


def upgrade() -> None:
    op.create_table(
        "saved_filter",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "gallery",
            sa.Enum("report", "case", name="gallerykind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("query", sa.String(length=1000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_saved_filter_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filter")),
        sa.UniqueConstraint("user_id", "gallery", "name", name=op.f("uq_saved_filter_user_id_gallery_name")),
    )
    op.create_index("ix_audit_event_at", "audit_event", ["at"])
    op.create_index(
        "ix_profile_attribute_listed",
        "profile_attribute",
        ["kind", "value", "profile_id"],
        sqlite_where=LISTED,
        postgresql_where=LISTED,
    )
    _ask_for_keys()


def _ask_for_keys() -> None:
    connection = op.get_bind()
    if connection.execute(sa.text("SELECT 1 FROM profile LIMIT 1")).first() is None:
        return
    now = datetime.now(UTC)
    names = ("id", "kind", "key", "payload", "state", "attempts", "run_after", "created_at")
    types = (
        sa.Uuid(),
        sa.String(),
        sa.String(),
        sa.JSON(),
        sa.String(),
        sa.Integer(),
        *[sa.DateTime(timezone=True)] * 2,
    )
    job = sa.table("job", *(sa.column(name, kind) for name, kind in zip(names, types, strict=True)))
    payload = {"run": RUN, "kind": "case", "after": None}
    row = (uuid.uuid4(), "blocking.fill", FIRST, payload, "queued", 0, now, now)
    connection.execute(sa.insert(job).values(dict(zip(names, row, strict=True))))


def downgrade() -> None:
    op.execute(f"DELETE FROM job WHERE key LIKE 'blocking.fill:{RUN}:%'")
    op.execute("DELETE FROM blocking_key WHERE key LIKE 'i:%' OR key LIKE 'y:%'")
    op.drop_index("ix_profile_attribute_listed", table_name="profile_attribute")
    op.drop_index("ix_audit_event_at", table_name="audit_event")
    op.drop_table("saved_filter")
