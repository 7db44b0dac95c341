"""index place: where the index in force is kept, and how far the shared one has followed the log

Revision: 0008, after 0007
"""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _place(name: str) -> sa.Enum:
    return sa.Enum("local", "milvus", name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "index_place",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", _place("place"), nullable=False),
        sa.Column("location", sa.String(length=500), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moving_to", _place("moving_to_place"), nullable=True),
        sa.Column("moving_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_index_place_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_place")),
    )
    op.create_table(
        "shared_index",
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.JSON(), nullable=False),
        sa.Column("copied_to", sa.Uuid(), nullable=True),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fed_by", sa.String(length=64), nullable=True),
        sa.Column("fed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("model_version", name=op.f("pk_shared_index")),
    )
    with op.batch_alter_table("index_replica") as batch_op:
        batch_op.add_column(sa.Column("place", _place("place"), nullable=False, server_default="local"))


def downgrade() -> None:
    """Back to replicas in each process. First `tracing index move --to local`: afterwards nobody empties Milvus."""
    # What these rows say is said again within seconds; a copy of the table would have to keep the new column's check.
    op.execute("DELETE FROM index_replica")
    with op.batch_alter_table("index_replica") as batch_op:
        batch_op.drop_constraint(op.f("ck_index_replica_place"), type_="check")
        batch_op.drop_column("place")
    op.drop_table("shared_index")
    op.drop_table("index_place")
