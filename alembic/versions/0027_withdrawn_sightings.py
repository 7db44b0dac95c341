"""withdrawn sightings: what a sighting said is erased with its withdrawal, also when its photographs are gone already

Revision: 0027, after 0026
"""

from alembic import op
from tracing.platform import gates

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

SIGHTING = gates.changed(
    "id", "organisation_id", "recorded_by_id", "recorded_at", "source", "patrol_id", "seen_at", "division", "place",
    "latitude", "longitude", "heading", "road", "photo_basis", "profile_id",
)  # fmt: skip
WITHDRAWAL = gates.changed("withdrawn_at", "withdrawn_by_id", "withdrawal_reason")
SEALED = gates.changed("words_sealed")
MESSAGE = "sightings are withdrawn or erased, never changed"


def _gate(erased: str) -> tuple[gates.Gate]:
    refused = (
        f"{SIGHTING} OR (OLD.withdrawn_at IS NOT NULL AND ({WITHDRAWAL})) OR (OLD.erased_at IS NOT NULL AND ({erased}))"
    )
    return (("sighting_immutable", "sighting", "UPDATE", refused, MESSAGE),)


BEFORE = _gate(gates.changed("erased_at", "words_sealed", "words_subject_id"))
# Words that were kept for a case go with the sighting: they may become none, and nothing else.
NOW = _gate(f"{gates.changed('erased_at', 'words_subject_id')} OR (NEW.words_sealed IS NOT NULL AND ({SEALED}))")


def upgrade() -> None:
    gates.drop(op, BEFORE)
    gates.create(op, NOW)


def downgrade() -> None:
    gates.drop(op, NOW)
    gates.create(op, BEFORE)
