"""deadlines: milestones, the clocks that they start and meet, pauses and escalations

Revision: 0012, after 0011

What was recorded stays: milestones are withdrawn, pauses are ended, escalations stand. The database refuses the rest.
"""

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _changed(*columns: str) -> str:
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


MILESTONE = _changed("id", "case_id", "kind", "occurred_at", "reference", "note", "recorded_by_id", "recorded_at")
PAUSE = _changed("id", "deadline_id", "from_at", "reason", "note", "paused_by_id")
# name, table, event, condition under which it is refused, message
GATES: tuple[tuple[str, str, str, str, str], ...] = (
    ("milestone_no_delete", "milestone", "DELETE", "TRUE", "milestones are withdrawn, never deleted"),
    (
        "milestone_immutable",
        "milestone",
        "UPDATE",
        f"OLD.withdrawn_at IS NOT NULL OR {MILESTONE}",
        "milestones are withdrawn, never changed",
    ),
    ("deadline_pause_no_delete", "deadline_pause", "DELETE", "TRUE", "pauses are ended, never deleted"),
    (
        "deadline_pause_immutable",
        "deadline_pause",
        "UPDATE",
        f"OLD.until_at IS NOT NULL OR {PAUSE}",
        "pauses are ended, never changed",
    ),
    *(
        (f"deadline_escalation_no_{event.lower()}", "deadline_escalation", event, "TRUE", "escalations are append-only")
        for event in ("UPDATE", "DELETE")
    ),
)
NOT_EMPTIED = ("milestone", "deadline_pause", "deadline_escalation")
# SQLite's REPLACE deletes the row that a new one collides with, and no delete trigger fires.
COLLISIONS = (
    ("milestone", "id = NEW.id"),
    ("deadline_pause", "id = NEW.id OR until_at IS NULL AND deadline_id = NEW.deadline_id"),
    ("deadline_escalation", "id = NEW.id OR deadline_id = NEW.deadline_id AND level = NEW.level"),
)


def upgrade() -> None:
    op.create_table(
        "deadline_plan",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("case_version", sa.Integer(), nullable=False),
        sa.Column("policy_version", sa.String(length=120), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_deadline_plan_case_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_deadline_plan")),
    )
    op.create_table(
        "milestone",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "police_reported",
                "police_queried",
                "notice_published",
                "dna_requested",
                "dna_reported",
                "care_planned",
                "notice_refreshed",
                "settlement_applied",
                "household_registered",
                "followed_up",
                "hotline_recorded",
                name="milestonekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_milestone_withdrawn_whole"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_milestone_case_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_milestone_recorded_by_id")),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_milestone_withdrawn_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestone")),
    )
    with op.batch_alter_table("milestone", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_milestone_case_id"), ["case_id"], unique=False)

    op.create_table(
        "deadline",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "police_report",
                "police_query",
                "tracing_notice",
                "dna_request",
                "dna_result",
                "long_stay",
                "notice_refresh",
                "settlement",
                "household_registration",
                "follow_up",
                "hotline_recording",
                name="clockkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "nature",
            sa.Enum(
                "act_by",
                "opens",
                "keep_until",
                name="clocknature",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "party",
            sa.Enum(
                "station",
                "police",
                "caseworker",
                name="clockparty",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("trigger_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calendar_certain", sa.Boolean(), nullable=False),
        sa.Column("policy_version", sa.String(length=120), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("milestone_id", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "cancel_reason",
            sa.Enum(
                "state",
                "trigger_withdrawn",
                "policy",
                name="cancelreason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("paused_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalation_level", sa.Integer(), nullable=False),
        sa.Column("next_escalation_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(cancelled_at IS NULL) = (cancel_reason IS NULL)", name=op.f("ck_deadline_cancelled_whole")
        ),
        sa.CheckConstraint("(met_at IS NULL) = (milestone_id IS NULL)", name=op.f("ck_deadline_met_whole")),
        sa.CheckConstraint("escalation_level >= 0", name=op.f("ck_deadline_level_not_negative")),
        sa.CheckConstraint("step >= 1", name=op.f("ck_deadline_step_positive")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_deadline_case_id")),
        sa.ForeignKeyConstraint(["milestone_id"], ["milestone.id"], name=op.f("fk_deadline_milestone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        sa.UniqueConstraint(
            "case_id", "kind", "trigger_id", "step", name=op.f("uq_deadline_case_id_kind_trigger_id_step")
        ),
    )
    with op.batch_alter_table("deadline", schema=None) as batch_op:
        batch_op.create_index("ix_deadline_next_escalation_at", ["next_escalation_at"], unique=False)
        batch_op.create_index(
            "ix_deadline_standing",
            ["due_at", "id"],
            unique=False,
            sqlite_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
            postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
        )

    op.create_table(
        "deadline_escalation",
        sa.Column("deadline_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadline.id"], name=op.f("fk_deadline_escalation_deadline_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_deadline_escalation_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline_escalation")),
        sa.UniqueConstraint("deadline_id", "level", name=op.f("uq_deadline_escalation_deadline_id_level")),
    )
    with op.batch_alter_table("deadline_escalation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deadline_escalation_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "deadline_pause",
        sa.Column("deadline_id", sa.Uuid(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "hospital",
                "refuses",
                "authority",
                "documents",
                "force_majeure",
                "other",
                name="pausereason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("paused_by_id", sa.Uuid(), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resumed_by_id", sa.Uuid(), nullable=True),
        sa.Column("resume_note", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(until_at IS NULL) = (resumed_by_id IS NULL)", name=op.f("ck_deadline_pause_resumed_whole")
        ),
        sa.CheckConstraint("until_at IS NULL OR until_at >= from_at", name=op.f("ck_deadline_pause_in_order")),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadline.id"], name=op.f("fk_deadline_pause_deadline_id")),
        sa.ForeignKeyConstraint(["paused_by_id"], ["user_account.id"], name=op.f("fk_deadline_pause_paused_by_id")),
        sa.ForeignKeyConstraint(["resumed_by_id"], ["user_account.id"], name=op.f("fk_deadline_pause_resumed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline_pause")),
    )
    with op.batch_alter_table("deadline_pause", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deadline_pause_deadline_id"), ["deadline_id"], unique=False)
        batch_op.create_index(
            "uq_deadline_pause_open",
            ["deadline_id"],
            unique=True,
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        )

    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _postgresql() -> None:
    refuse = "RAISE EXCEPTION 'gate: {message}' USING ERRCODE = 'check_violation';"
    for name, table, event, refused, message in GATES:
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {refused} THEN"
            f" {refuse.format(message=message)} END IF; RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    for table in NOT_EMPTIED:  # TRUNCATE passes row triggers by
        op.execute(
            f"CREATE FUNCTION {table}_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" {refuse.format(message=f'{table} is not emptied')} END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_no_truncate()"
        )


def _sqlite() -> None:
    for name, table, event, refused, message in GATES:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {refused}"
            f" BEGIN SELECT RAISE(ABORT, 'gate: {message}'); END"
        )
    for table, collides in COLLISIONS:
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {collides})"
            f" BEGIN SELECT RAISE(ABORT, 'gate: {table} rows are not replaced'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in NOT_EMPTIED:
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
            op.execute(f"DROP FUNCTION {table}_no_truncate()")
        for name, table, *_rest in GATES:
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
    else:
        for name in (*(gate[0] for gate in GATES), *(f"{table}_no_replace" for table, _ in COLLISIONS)):
            op.execute(f"DROP TRIGGER {name}")
    with op.batch_alter_table("deadline_pause", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_deadline_pause_open",
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_deadline_pause_deadline_id"))

    op.drop_table("deadline_pause")
    with op.batch_alter_table("deadline_escalation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deadline_escalation_organisation_id"))

    op.drop_table("deadline_escalation")
    with op.batch_alter_table("deadline", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_deadline_standing",
            sqlite_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
            postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
        )
        batch_op.drop_index("ix_deadline_next_escalation_at")

    op.drop_table("deadline")
    with op.batch_alter_table("milestone", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_milestone_case_id"))

    op.drop_table("milestone")
    op.drop_table("deadline_plan")
