"""kin and more facts: relatives' names, telephone fragments, hand, glasses, literacy, occupation, school, employer

Revision: 0009, after 0008

Downgrading removes the facts that the earlier schema cannot hold.
"""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BEFORE = (
    "sex",
    "age",
    "birth_date",
    "height",
    "build",
    "ethnicity",
    "blood_group",
    "accent",
    "clothing",
    "belongings",
    "health",
    "mental_state",
    "remarks",
)
ADDED = ("handedness", "glasses", "literacy", "occupation", "school", "employer")
KINDS = "ck_profile_attribute_attributekind"


def upgrade() -> None:
    _allow(BEFORE[:8] + ADDED + BEFORE[8:])
    op.create_table(
        "profile_kin",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column(
            "relation",
            _listed("kinrelation", "father", "mother", "spouse", "son", "daughter", "brother", "sister", "other"),
            nullable=False,
        ),
        sa.Column("text", sa.String(length=120), nullable=False),
        *_recorded("profile_kin"),
    )
    op.create_table(
        "profile_phone",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("digits", sa.String(length=20), nullable=False),
        *_recorded("profile_phone"),
    )
    for table in ("profile_kin", "profile_phone"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_index(batch_op.f(f"ix_{table}_profile_id"), ["profile_id"], unique=False)


def downgrade() -> None:
    op.drop_table("profile_phone")
    op.drop_table("profile_kin")
    attribute = sa.table("profile_attribute", sa.column("kind"))
    op.get_bind().execute(sa.delete(attribute).where(attribute.c.kind.in_(ADDED)))
    _allow(BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("profile_attribute", schema=None) as batch_op:
        batch_op.drop_constraint(op.f(KINDS), type_="check")
        batch_op.create_check_constraint(op.f(KINDS), f"kind IN ({listed})")


def _listed(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _recorded(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    basis = _listed("basis", "measured", "documented", "reported", "heard", "estimated")
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("basis", basis, nullable=False),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f(f"fk_{table}_profile_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f(f"fk_{table}_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
