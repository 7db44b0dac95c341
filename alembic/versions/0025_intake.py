"""intake: the point where a person was found, and the face that somebody pointed at before the analysis

Revision: 0025, after 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# A batch copy would lose triggers on SQLite.
COLUMNS = (
    "ALTER TABLE case_file ADD COLUMN found_latitude FLOAT CONSTRAINT ck_case_file_latitude_in_range"
    " CHECK (found_latitude IS NULL OR found_latitude BETWEEN -90 AND 90)",
    "ALTER TABLE case_file ADD COLUMN found_longitude FLOAT CONSTRAINT ck_case_file_longitude_in_range"
    " CHECK (found_longitude IS NULL OR found_longitude BETWEEN -180 AND 180)"
    " CONSTRAINT ck_case_file_point_whole CHECK ((found_latitude IS NULL) = (found_longitude IS NULL))",
    "ALTER TABLE photo ADD COLUMN pointed_at JSON",
)


def upgrade() -> None:
    for column in COLUMNS:
        op.execute(column)


def downgrade() -> None:
    for table, column in (("photo", "pointed_at"), ("case_file", "found_longitude"), ("case_file", "found_latitude")):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
