"""parameter sets: which evidence figures are in force, in every process

Revision: 0011, after 0010

The packaged figures have a row of their own without content, so that exactly one row is in force from the beginning: it
is what a switch and a matching pass wait for each other on.
"""

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "parameter_set",
        sa.Column("version", sa.String(length=31), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "in_force",
                "retired",
                name="parametersetstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_force_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(content IS NULL) = (version = 'packaged')", name=op.f("ck_parameter_set_packaged_without_content")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parameter_set")),
        sa.UniqueConstraint("version", name=op.f("uq_parameter_set_version")),
    )
    with op.batch_alter_table("parameter_set", schema=None) as batch_op:
        batch_op.create_index(
            "uq_parameter_set_in_force",
            ["state"],
            unique=True,
            sqlite_where=sa.text("state = 'in_force'"),
            postgresql_where=sa.text("state = 'in_force'"),
        )
    now = datetime.now(UTC)
    op.bulk_insert(
        table,
        [{"id": uuid.uuid4(), "version": "packaged", "state": "in_force", "created_at": now, "in_force_at": now}],
    )


def downgrade() -> None:
    op.drop_table("parameter_set")
