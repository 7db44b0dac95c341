"""scope indexes: lists, counts and statistics over many cases read indexes alone

Revision: 0026, after 0025
"""

import sqlalchemy as sa

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

STANDING = sa.text("met_at IS NULL AND cancelled_at IS NULL")
COUNTED = sa.text("nature = 'act_by' AND cancelled_at IS NULL AND paused_since IS NULL")
WIDER = ["due_at", "id", "case_id", "nature", "party", "kind", "paused_since"]


def _standing(columns: list[str]) -> None:
    op.drop_index("ix_deadline_standing", "deadline")
    op.create_index(
        "ix_deadline_standing", "deadline", columns, sqlite_where=STANDING, postgresql_where=STANDING
    )  # fmt: skip


def upgrade() -> None:
    op.create_index("ix_case_file_scope", "case_file", ["organisation_id", "admission_kind", "state", "id"])
    op.create_index("ix_case_transition_to_state_at", "case_transition", ["to_state", "at", "case_id"])
    _standing(WIDER)
    op.create_index(
        "ix_deadline_counted", "deadline", ["due_at", "case_id", "kind", "met_at"],
        sqlite_where=COUNTED, postgresql_where=COUNTED,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_deadline_counted", "deadline")
    _standing(["due_at", "id"])
    op.drop_index("ix_case_transition_to_state_at", "case_transition")
    op.drop_index("ix_case_file_scope", "case_file")
