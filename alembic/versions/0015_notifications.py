"""notifications: what waits for whom; the accounts of communities and of receiving units

Revision: 0015, after 0014
"""

import sqlalchemy as sa

from alembic import op
from tracing.platform import gates

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ROLES = (
    "station_staff", "police_examiner", "police_supervisor", "caseworker", "health_liaison", "bureau_supervisor",
    "auditor", "administrator",
)  # fmt: skip
KINDS = ("bureau", "region_centre", "station", "street_post", "community", "police_liaison", "health_liaison")


def upgrade() -> None:
    _allow((*ROLES, "community_liaison", "receiving_unit"), (*KINDS, "receiving_unit"))
    op.create_table(
        "notification",
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "deadline_escalated",
                "lookout_opened",
                "lookout_widened",
                "lookout_answered",
                "lookout_ended",
                "review_waiting",
                "review_disagreement",
                "photo_wanted",
                "dna_wanted",
                "claims_conflict",
                "case_identified",
                "confirmation_recalled",
                "contact_released",
                "contact_refused",
                "referral_sent",
                "referral_answered",
                "wandered_again",
                "duplicate_proposed",
                "notice_to_approve",
                "notice_decided",
                "notice_withdrawn",
                "tip_received",
                name="notificationkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("object_kind", sa.String(length=24), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["recipient_id"], ["user_account.id"], name=op.f("fk_notification_recipient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.create_index("ix_notification_recipient_id_created_at", ["recipient_id", "created_at"], unique=False)


def downgrade() -> None:
    """Refused by the CHECK while accounts or organisations of the new kinds exist (PostgreSQL)."""
    op.drop_table("notification")
    _allow(ROLES, KINDS)


def _allow(roles: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    gates.allow(op, "user_account", "role", "ck_user_account_role", roles)
    gates.allow(op, "organisation", "kind", "ck_organisation_organisationkind", kinds)
