"""confidence of facts: how sure the one was who heard the clue that a fact came of

Revision: 0022, after 0021

Facts that standing clues made already get the confidence of the surest of these.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("profile_attribute", "profile_name", "profile_place", "profile_kin", "profile_phone")
# A batch copy would lose triggers on SQLite.
COLUMN = (
    "ALTER TABLE {table} ADD COLUMN confidence VARCHAR(32)"
    " CONSTRAINT ck_{table}_clueconfidence CHECK (confidence IN ('sure', 'likely', 'unsure'))"
)
SUREST = """
UPDATE {table} SET confidence = (
    SELECT CASE MIN(CASE clue.confidence WHEN 'sure' THEN 1 WHEN 'likely' THEN 2 ELSE 3 END)
           WHEN 1 THEN 'sure' WHEN 2 THEN 'likely' WHEN 3 THEN 'unsure' END
    FROM clue
    WHERE clue.{table}_id = {table}.id AND clue.superseded_at IS NULL AND clue.withdrawn_at IS NULL
)
WHERE basis = 'heard' AND superseded_at IS NULL
"""


def upgrade() -> None:
    for table in TABLES:
        op.execute(COLUMN.format(table=table))
        op.execute(SUREST.format(table=table))


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN confidence")
