"""notifications go out: e-mail by each person's wish, and webhooks of organisations

Revision: 0021, after 0020
"""

import sqlalchemy as sa

from alembic import op
from tracing.platform import gates

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KINDS = (
    "deadline_escalated",
    "follow_up_danger",
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
    "follow_up_danger",
    "duplicate_proposed",
    "notice_to_approve",
    "notice_decided",
    "notice_withdrawn",
    "tip_received",
)
ALL_KINDS = (*KINDS, "webhook_disabled")
COLUMNS = (
    ("notification", "mail_due_at", "{moment}"),
    ("notification", "mail_id", "{uuid}"),
    ("notification", "mailed_at", "{moment}"),
    ("user_account", "email", "VARCHAR(254)"),
    ("user_account", "email_refused_at", "{moment}"),
)
INDEXES = (
    ("ix_notification_recipient_id_read_at", ["recipient_id", "read_at"]),
    ("ix_notification_mail_id", ["mail_id"]),
    ("ix_notification_created_at", ["created_at"]),
)


def upgrade() -> None:
    gates.allow(op, "notification", "kind", "ck_notification_notificationkind", ALL_KINDS)
    postgresql = op.get_bind().dialect.name == "postgresql"
    types = (
        {"moment": "TIMESTAMP WITH TIME ZONE", "uuid": "UUID"}
        if postgresql
        else {"moment": "DATETIME", "uuid": "CHAR(32)"}
    )
    for table, column, kind in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind.format(**types)}")
    for name, columns in INDEXES:
        op.create_index(name, "notification", columns)
    op.create_table(
        "notification_preference",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _enum("notificationkind", *ALL_KINDS), nullable=False),
        sa.Column("delivery", _enum("maildelivery", "immediate", "daily", "off"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_notification_preference_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_preference")),
        sa.UniqueConstraint("user_id", "kind", name=op.f("uq_notification_preference_user_id_kind")),
    )
    _webhooks()


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("state", _enum("webhookstate", "active", "disabled", "removed"), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("previous_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(previous_sealed IS NULL) = (previous_until IS NULL)", name=op.f("ck_webhook_endpoint_previous_whole")
        ),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_webhook_endpoint_failures_counted")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user_account.id"], name=op.f("fk_webhook_endpoint_created_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_webhook_endpoint_organisation_id")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_webhook_endpoint_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_index(op.f("ix_webhook_endpoint_organisation_id"), "webhook_endpoint", ["organisation_id"])
    op.create_table(
        "webhook_delivery",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _enum("notificationkind", *ALL_KINDS), nullable=False),
        sa.Column("object_kind", sa.String(length=24), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", _enum("deliverystate", "waiting", "delivered", "held", "given_up"), nullable=False),
        sa.Column("sending", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'delivered') = (delivered_at IS NOT NULL)", name=op.f("ck_webhook_delivery_delivered_whole")
        ),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_webhook_delivery_endpoint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index("ix_webhook_delivery_endpoint_id_created_at", "webhook_delivery", ["endpoint_id", "created_at"])
    op.create_index("ix_webhook_delivery_created_at", "webhook_delivery", ["created_at"])
    op.create_table(
        "webhook_attempt",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("failure", sa.String(length=40), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status IS NULL) <> (failure IS NULL)", name=op.f("ck_webhook_attempt_answered_or_failed")),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["webhook_delivery.id"], name=op.f("fk_webhook_attempt_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempt")),
    )
    op.create_index(op.f("ix_webhook_attempt_delivery_id"), "webhook_attempt", ["delivery_id"])


def downgrade() -> None:
    for table in ("webhook_attempt", "webhook_delivery", "webhook_endpoint", "notification_preference"):
        op.drop_table(table)
    for name, _ in INDEXES:
        op.drop_index(name, "notification")
    for table, column, _ in COLUMNS:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    # One about an endpoint that is no longer there tells nobody anything.
    op.execute("DELETE FROM notification WHERE kind = 'webhook_disabled'")
    gates.allow(op, "notification", "kind", "ck_notification_notificationkind", KINDS)
