"""notices: pages for the public, let through by another than the drafter; tips of the public and what became of them

Revision: 0020, after 0019

A version is never changed but for its end. While the person objects or danger is suspected there is none; one becomes
public by the hand of a supervisor who did not draft it, in a state in which the person is sought.
"""

import sqlalchemy as sa

from alembic import op
from tracing.platform import gates

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# As models.notice.PUBLIC_STATES.
PUBLIC = "'submitted', 'searching', 'in_review', 'unresolved', 'settled'"
CONTENT = gates.changed(
    "id", "notice_id", "number", "policy_version", "content_sealed", "photo_id", "wish", "danger", "drafted_by_id",
    "drafted_at",
)  # fmt: skip
DECIDED = f"OLD.decided_at IS NOT NULL AND ({gates.changed('decided_at', 'decided_by_id')})"
MOVES = """NOT (
    NEW.state = OLD.state
    OR (OLD.state = 'proposed' AND NEW.state IN ('published', 'rejected', 'withdrawn'))
    OR (OLD.state = 'published' AND NEW.state IN ('replaced', 'withdrawn'))
)"""
SUPERVISOR = gates.user_has("decided_by_id", "bureau_supervisor", "police_supervisor")
BY_ANOTHER = f"NEW.decided_by_id <> OLD.drafted_by_id AND {SUPERVISOR}"
DRAFTER = gates.user_has("drafted_by_id", "station_staff")
SOUGHT = f"""EXISTS (
    SELECT 1 FROM notice JOIN case_file ON case_file.id = notice.case_id
    WHERE notice.id = NEW.notice_id AND case_file.state IN ({PUBLIC})
)"""
OF_THE_CASE = """EXISTS (
    SELECT 1 FROM notice JOIN case_file ON case_file.id = notice.case_id
    JOIN photo ON photo.profile_id = case_file.profile_id
    WHERE notice.id = NEW.notice_id AND photo.id = NEW.photo_id
)"""
OF_THE_NOTICE = """EXISTS (
    SELECT 1 FROM notice_version JOIN notice ON notice.id = notice_version.notice_id
    WHERE notice_version.id = NEW.version_id AND notice.case_id = NEW.case_id
)"""
TIP = gates.changed(
    "id", "case_id", "version_id", "digest", "content_sealed", "has_contact", "has_photo", "received_at"
)
TIP_MOVES = """NOT (
    NEW.state = OLD.state
    OR (OLD.state = 'received' AND NEW.state IN ('accepted', 'rejected'))
    OR (OLD.state = 'rejected' AND NEW.state = 'accepted')
)"""
TIP_DECIDED = "EXISTS (SELECT 1 FROM tip_decision WHERE tip_id = NEW.id AND accepted = (NEW.state = 'accepted'))"
MODERATOR = gates.user_has("decided_by_id", "station_staff", "caseworker")
OF_THE_TIP = """EXISTS (
    SELECT 1 FROM tip WHERE tip.id = NEW.tip_id AND tip.case_id = NEW.case_id AND tip.state = 'accepted'
)"""

GATES: tuple[gates.Gate, ...] = (
    ("notice_no_delete", "notice", "DELETE", "TRUE", "notices are withdrawn, never deleted"),
    (
        "notice_immutable",
        "notice",
        "UPDATE",
        gates.changed("id", "case_id", "token", "created_at"),
        "the address of a notice stays",
    ),
    ("notice_version_no_delete", "notice_version", "DELETE", "TRUE", "notices are withdrawn, never deleted"),
    (
        "notice_version_begins",
        "notice_version",
        "INSERT",
        f"NEW.state <> 'proposed' OR NEW.decided_at IS NOT NULL OR NOT {DRAFTER}",
        "a notice begins as a draft of the station",
    ),
    (
        "notice_version_photo",
        "notice_version",
        "INSERT",
        f"NEW.photo_id IS NOT NULL AND NOT {OF_THE_CASE}",
        "a notice shows a photograph of its own case",
    ),
    (
        "notice_version_immutable",
        "notice_version",
        "UPDATE",
        f"OLD.state IN ('rejected', 'replaced', 'withdrawn') OR {CONTENT} OR {DECIDED}",
        "notices are replaced or withdrawn, never changed",
    ),
    ("notice_version_moves", "notice_version", "UPDATE", MOVES, "no such move of a notice"),
    (
        "notice_version_approver",
        "notice_version",
        "UPDATE",
        f"OLD.decided_by_id IS NULL AND NEW.decided_by_id IS NOT NULL AND NOT ({BY_ANOTHER})",
        "a supervisor who did not draft it decides on a notice",
    ),
    (
        "notice_version_sought",
        "notice_version",
        "UPDATE",
        f"NEW.state = 'published' AND OLD.state <> 'published' AND NOT {SOUGHT}",
        "nobody is sought in this state",
    ),
    ("tip_no_delete", "tip", "DELETE", "TRUE", "tips are rejected, never deleted"),
    ("tip_of_the_notice", "tip", "INSERT", f"NOT {OF_THE_NOTICE}", "a tip is about the case of its notice"),
    ("tip_begins", "tip", "INSERT", "NEW.state <> 'received'", "a tip begins as received"),
    ("tip_immutable", "tip", "UPDATE", f"{TIP} OR {TIP_MOVES}", "tips are decided on, never changed"),
    (
        "tip_decided",
        "tip",
        "UPDATE",
        f"NEW.state <> OLD.state AND NOT {TIP_DECIDED}",
        "a tip is decided on by a decision",
    ),
    ("tip_decision_no_delete", "tip_decision", "DELETE", "TRUE", "decisions stay"),
    ("tip_decision_immutable", "tip_decision", "UPDATE", "TRUE", "decisions stay as they are"),
    ("tip_decision_moderator", "tip_decision", "INSERT", f"NOT {MODERATOR}", "the station decides on tips"),
    (
        "clue_of_tip",
        "clue",
        "INSERT",
        f"NEW.tip_id IS NOT NULL AND (NOT {OF_THE_TIP} OR (NEW.supersedes_id IS NULL AND NEW.confidence <> 'unsure'))",
        "a tip gives unsure clues to its own case, once it is accepted",
    ),
    (
        "clue_tip_immutable",
        "clue",
        "UPDATE",
        gates.changed("tip_id"),
        "clues are corrected by a new row, never changed",
    ),
)
KEPT = ("notice", "notice_version", "tip", "tip_decision")
COLUMN = "ALTER TABLE clue ADD COLUMN tip_id {type} CONSTRAINT fk_clue_tip_id REFERENCES tip (id)"


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.String(length=43), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_notice_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("case_id", name=op.f("uq_notice_case_id")),
        sa.UniqueConstraint("token", name=op.f("uq_notice_token")),
    )
    op.create_table(
        "notice_version",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "published",
                "rejected",
                "replaced",
                "withdrawn",
                name="noticestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("policy_version", sa.String(length=40), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=True),
        sa.Column(
            "wish",
            sa.Enum(
                "wants_contact",
                "cannot_express",
                "objects",
                name="personwish",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "danger",
            sa.Enum("no_sign", "suspected", name="dangerscreen", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("drafted_by_id", sa.Uuid(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rejection_reason", sa.String(length=500), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'rejected') = (rejection_reason IS NOT NULL)", name=op.f("ck_notice_version_rejected_whole")
        ),
        sa.CheckConstraint(
            "(state = 'replaced') = (replaced_at IS NOT NULL)", name=op.f("ck_notice_version_replaced_whole")
        ),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_notice_version_withdrawn_whole"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('published', 'rejected', 'replaced') OR decided_by_id IS NOT NULL",
            name=op.f("ck_notice_version_decided_by_somebody"),
        ),
        sa.CheckConstraint("wish <> 'objects' AND danger = 'no_sign'", name=op.f("ck_notice_version_wanted_and_safe")),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by_id IS NULL)", name=op.f("ck_notice_version_decided_whole")
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_notice_version_number_positive")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user_account.id"], name=op.f("fk_notice_version_decided_by_id")),
        sa.ForeignKeyConstraint(["drafted_by_id"], ["user_account.id"], name=op.f("fk_notice_version_drafted_by_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_version_notice_id")),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_notice_version_photo_id")),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_notice_version_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_version")),
        sa.UniqueConstraint("notice_id", "number", name=op.f("uq_notice_version_notice_id_number")),
    )
    with op.batch_alter_table("notice_version", schema=None) as batch_op:
        batch_op.create_index("ix_notice_version_drafted_at", ["drafted_at"], unique=False)
        batch_op.create_index(
            "uq_notice_version_proposed",
            ["notice_id"],
            unique=True,
            sqlite_where=sa.text("state = 'proposed'"),
            postgresql_where=sa.text("state = 'proposed'"),
        )
        batch_op.create_index(
            "uq_notice_version_published",
            ["notice_id"],
            unique=True,
            sqlite_where=sa.text("state = 'published'"),
            postgresql_where=sa.text("state = 'published'"),
        )

    op.create_table(
        "tip",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("has_contact", sa.Boolean(), nullable=False),
        sa.Column("has_photo", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "accepted",
                "rejected",
                name="tipstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_tip_case_id")),
        sa.ForeignKeyConstraint(["version_id"], ["notice_version.id"], name=op.f("fk_tip_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tip")),
        sa.UniqueConstraint("case_id", "digest", name=op.f("uq_tip_case_id_digest")),
    )
    with op.batch_alter_table("tip", schema=None) as batch_op:
        batch_op.create_index("ix_tip_received_at", ["received_at"], unique=False)

    op.create_table(
        "tip_decision",
        sa.Column("tip_id", sa.Uuid(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("accepted OR reason IS NOT NULL", name=op.f("ck_tip_decision_rejected_with_reason")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user_account.id"], name=op.f("fk_tip_decision_decided_by_id")),
        sa.ForeignKeyConstraint(["tip_id"], ["tip.id"], name=op.f("fk_tip_decision_tip_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tip_decision")),
    )
    with op.batch_alter_table("tip_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tip_decision_tip_id"), ["tip_id"], unique=False)

    postgresql = op.get_bind().dialect.name == "postgresql"
    # Not as a batch: on SQLite that copies the table, and its triggers are lost.
    op.execute(COLUMN.format(type="UUID" if postgresql else "CHAR(32)"))
    gates.create(op, GATES, kept=KEPT)


def downgrade() -> None:
    gates.drop(op, GATES, kept=KEPT)
    op.execute("ALTER TABLE clue DROP COLUMN tip_id")
    for table in ("tip_decision", "tip", "notice_version", "notice"):
        op.drop_table(table)
