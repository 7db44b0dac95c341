"""referrals, follow-up, wandering again, duplicates: rows that are withdrawn with a reason, and what they may rest on

Revision: 0019, after 0018
"""

import re

import sqlalchemy as sa

from alembic import op
from tracing.platform import gates
from tracing.platform.gates import changed, user_has

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEPT = (
    "referral", "referral_move", "follow_up_visit", "follow_up_end", "wandering_link", "duplicate_pair",
    "duplicate_decision", "duplicate_closure",
)  # fmt: skip
STATION = ("station_staff", "caseworker")
RECEIVERS = "('health_liaison', 'receiving_unit')"
# As models.referral.REFERRAL_TRANSITIONS.
LEGAL = """(
    OLD.state = 'draft' AND NEW.state IN ('sent', 'withdrawn')
    OR OLD.state = 'sent' AND NEW.state IN ('accepted', 'rejected', 'withdrawn')
    OR OLD.state = 'accepted' AND NEW.state IN ('done', 'rejected', 'withdrawn')
)"""
MOVED = """EXISTS (
    SELECT 1 FROM referral_move
    WHERE referral_id = NEW.id AND from_state = OLD.state AND to_state = NEW.state
)"""
RECEIVING = f"EXISTS (SELECT 1 FROM organisation WHERE id = NEW.receiver_id AND kind IN {RECEIVERS})"
ANSWERER = f"""EXISTS (
    SELECT 1 FROM user_account JOIN referral ON referral.id = NEW.referral_id
    WHERE user_account.id = NEW.actor_id AND user_account.organisation_id = referral.receiver_id
      AND user_account.role IN {RECEIVERS}
)"""
ADMITTED = "EXISTS (SELECT 1 FROM case_file WHERE id = NEW.case_id AND state <> 'draft')"
HOME = """EXISTS (
    SELECT 1 FROM outcome
    WHERE id = NEW.outcome_id AND case_id = NEW.case_id AND kind IN ('reunited', 'escorted_home')
)"""
STABLE_VISIT = """EXISTS (
    SELECT 1 FROM follow_up_visit
    WHERE id = NEW.visit_id AND outcome_id = NEW.outcome_id AND result = 'met' AND NOT danger AND withdrawn_at IS NULL
)"""
IN_ORDER = """EXISTS (
    SELECT 1 FROM case_file AS later JOIN case_file AS earlier ON earlier.id = NEW.earlier_case_id
    WHERE later.id = NEW.case_id AND later.state <> 'draft' AND earlier.state <> 'draft'
      AND earlier.created_at <= later.created_at
)"""
LINKED_FOUND = """EXISTS (
    SELECT 1 FROM duplicate_decision
    JOIN duplicate_pair ON duplicate_pair.id = duplicate_decision.pair_id
    JOIN confirmation ON confirmation.id = NEW.confirmation_id
      AND confirmation.report_id IN (duplicate_pair.first_report_id, duplicate_pair.second_report_id)
    JOIN candidate ON candidate.id = NEW.candidate_id
      AND candidate.report_id IN (duplicate_pair.first_report_id, duplicate_pair.second_report_id)
    WHERE duplicate_decision.id = NEW.decision_id AND duplicate_decision.verdict = 'same'
      AND duplicate_decision.withdrawn_at IS NULL AND confirmation.recalled_at IS NULL
      AND candidate.report_id <> confirmation.report_id
)"""
VISIT = changed(
    "id", "case_id", "outcome_id", "method", "result", "danger", "policy_version", "visitor", "content_sealed",
    "visited_at", "milestone_id", "recorded_by_id", "recorded_at",
)  # fmt: skip
VISIT += " OR CAST(NEW.present AS TEXT) <> CAST(OLD.present AS TEXT)"
VISIT += " OR CAST(NEW.assessment AS TEXT) IS DISTINCT FROM CAST(OLD.assessment AS TEXT)"
END = changed(
    "id", "case_id", "outcome_id", "reason", "visit_id", "explanation_sealed", "decided_by_id", "decided_at"
)  # fmt: skip
WANDERING = changed(
    "id", "case_id", "earlier_case_id", "basis", "reason", "confirmation_id", "linked_by_id", "linked_at"
)  # fmt: skip
DECISION = changed("id", "pair_id", "verdict", "reason", "decided_by_id", "decided_at")
WRITTEN = {"follow_up_visit": VISIT, "follow_up_end": END, "wandering_link": WANDERING, "duplicate_decision": DECISION}
CLOSED_BY_LINK = """EXISTS (
    SELECT 1 FROM duplicate_closure WHERE candidate_id = NEW.candidate_id AND reopened_at IS NULL
)"""
GATES: tuple[gates.Gate, ...] = (
    ("confirmation_linked", "confirmation", "INSERT", CLOSED_BY_LINK, "a link has closed this candidate"),
    *((f"{table}_no_delete", table, "DELETE", "TRUE", f"{table} rows are never deleted") for table in KEPT),
    *(
        (
            f"{table}_immutable",
            table,
            "UPDATE",
            f"OLD.withdrawn_at IS NOT NULL OR {columns}",
            f"{table} rows are withdrawn, never changed",
        )
        for table, columns in WRITTEN.items()
    ),
    *(
        (f"{table}_standing", table, "INSERT", "NEW.withdrawn_at IS NOT NULL", f"{table} rows begin standing")
        for table in WRITTEN
    ),
    ("referral_begin", "referral", "INSERT", "NEW.state <> 'draft'", "a referral begins as a draft"),
    ("referral_case", "referral", "INSERT", f"NOT {ADMITTED}", "a referral needs a case that was handed in"),
    ("referral_sender", "referral", "INSERT", f"NOT {user_has('created_by_id', *STATION)}", "the station refers"),
    ("referral_receiver", "referral", "INSERT", f"NOT {RECEIVING}", "not an organisation that receives referrals"),
    ("referral_new_receiver", "referral", "UPDATE", f"NOT {RECEIVING}", "not an organisation that receives referrals"),
    (
        "referral_origin",
        "referral",
        "UPDATE",
        changed("id", "case_id", "sender_id", "created_by_id", "created_at"),
        "a referral stays where it was made",
    ),
    (
        "referral_content",
        "referral",
        "UPDATE",
        "OLD.state <> 'draft' AND ("
        + changed(
            "kind",
            "receiver_id",
            "visit_id",
            "content_sealed",
            "policy_version",
            "sent_by_id",
            "sent_at",
            "answer_due_at",
        )
        + ")",
        "what was sent is not changed",
    ),
    (
        "referral_state",
        "referral",
        "UPDATE",
        f"NEW.state <> OLD.state AND NOT ({LEGAL} AND {MOVED})",
        "no such move of a referral, or nobody made it",
    ),
    ("referral_move_no_update", "referral_move", "UPDATE", "TRUE", "referral_move is append-only"),
    (
        "referral_move_answer",
        "referral_move",
        "INSERT",
        f"NEW.to_state IN ('accepted', 'rejected', 'done') AND NOT {ANSWERER}",
        "only the receiving organisation answers",
    ),
    (
        "referral_move_sender",
        "referral_move",
        "INSERT",
        f"NEW.to_state IN ('sent', 'withdrawn') AND NOT {user_has('actor_id', *STATION)}",
        "only the station sends and withdraws",
    ),
    (
        "referral_move_reason",
        "referral_move",
        "INSERT",
        "NEW.to_state IN ('rejected', 'done') AND NEW.text_sealed IS NULL",
        "a refusal has its reason and an end its result",
    ),
    ("follow_up_visit_home", "follow_up_visit", "INSERT", f"NOT {HOME}", "follow-up follows a return home"),
    (
        "follow_up_visit_by",
        "follow_up_visit",
        "INSERT",
        f"NOT {user_has('recorded_by_id', *STATION)}",
        "the station follows up",
    ),
    ("follow_up_end_home", "follow_up_end", "INSERT", f"NOT {HOME}", "follow-up follows a return home"),
    (
        "follow_up_end_by",
        "follow_up_end",
        "INSERT",
        f"NOT {user_has('decided_by_id', *STATION)}",
        "the station decides",
    ),
    (
        "follow_up_end_stable",
        "follow_up_end",
        "INSERT",
        f"NEW.reason = 'stable' AND NOT {STABLE_VISIT}",
        "stable rests on a standing visit that met somebody and found no danger",
    ),
    ("wandering_link_order", "wandering_link", "INSERT", f"NOT {IN_ORDER}", "not an earlier case that was handed in"),
    ("duplicate_pair_no_update", "duplicate_pair", "UPDATE", "TRUE", "duplicate_pair is append-only"),
    (
        "duplicate_decision_by",
        "duplicate_decision",
        "INSERT",
        f"NOT {user_has('decided_by_id', 'station_staff', 'police_examiner', 'police_supervisor')}",
        "a human of the station or the police decides",
    ),
    (
        "duplicate_decision_reason",
        "duplicate_decision",
        "INSERT",
        "trim(NEW.reason) = ''",
        "a decision has its reason",
    ),
    (
        "duplicate_closure_grounds",
        "duplicate_closure",
        "INSERT",
        f"NEW.reopened_at IS NOT NULL OR NOT {LINKED_FOUND}",
        "no standing link with a confirmed report closes this candidate",
    ),
    (
        "duplicate_closure_immutable",
        "duplicate_closure",
        "UPDATE",
        "OLD.reopened_at IS NOT NULL OR "
        + changed("id", "candidate_id", "decision_id", "confirmation_id", "closed_at"),
        "a closure is lifted, never changed",
    ),
)
ENUMS = (
    ("notification", "kind", "ck_notification_notificationkind", "follow_up_danger"),
    ("deadline", "cancel_reason", "ck_deadline_cancelreason", "decision"),
)


def _allowed(table: str, constraint: str) -> list[str]:
    """The values that the CHECK allows as it stands: other migrations may have added theirs."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        found = connection.execute(
            sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"), {"name": constraint}
        ).scalar_one()
    else:
        whole = connection.execute(
            sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"), {"name": table}
        ).scalar_one()
        found = whole[whole.index(f"CONSTRAINT {constraint} CHECK") :].split("))")[0]
    return re.findall(r"'([^']+)'", found)


def upgrade() -> None:
    for table, column, constraint, value in ENUMS:
        gates.allow(op, table, column, constraint, [*_allowed(table, constraint), value])
    op.create_table(
        "duplicate_pair",
        sa.Column("pair", sa.String(length=73), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("report", "case", name="gallerykind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("first_case_id", sa.Uuid(), nullable=True),
        sa.Column("second_case_id", sa.Uuid(), nullable=True),
        sa.Column("first_report_id", sa.Uuid(), nullable=True),
        sa.Column("second_report_id", sa.Uuid(), nullable=True),
        sa.Column(
            "basis",
            sa.Enum(
                "evidence",
                "identity_number",
                "staff",
                name="duplicatebasis",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("log10_lr", sa.Double(), nullable=True),
        sa.Column("posterior", sa.Double(), nullable=True),
        sa.Column("terms", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("parameters_version", sa.String(length=40), nullable=True),
        sa.Column("model_version", sa.String(length=80), nullable=True),
        sa.Column("policy_version", sa.String(length=120), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(basis = 'evidence') = (log10_lr IS NOT NULL)", name=op.f("ck_duplicate_pair_weighed")),
        sa.CheckConstraint(
            "(basis = 'staff') = (proposed_by_id IS NOT NULL)", name=op.f("ck_duplicate_pair_proposed_by")
        ),
        sa.CheckConstraint(
            "(kind = 'case') = (first_case_id IS NOT NULL)", name=op.f("ck_duplicate_pair_kind_of_its_records")
        ),
        sa.CheckConstraint(
            "(first_case_id IS NULL) = (second_case_id IS NULL)"
            " AND (first_report_id IS NULL) = (second_report_id IS NULL)"
            " AND (first_case_id IS NULL) <> (first_report_id IS NULL)",
            name=op.f("ck_duplicate_pair_two_of_a_kind"),
        ),
        sa.CheckConstraint(
            "coalesce(first_case_id < second_case_id, first_report_id < second_report_id)",
            name=op.f("ck_duplicate_pair_in_order"),
        ),
        sa.ForeignKeyConstraint(["first_case_id"], ["case_file.id"], name=op.f("fk_duplicate_pair_first_case_id")),
        sa.ForeignKeyConstraint(["first_report_id"], ["report.id"], name=op.f("fk_duplicate_pair_first_report_id")),
        sa.ForeignKeyConstraint(["proposed_by_id"], ["user_account.id"], name=op.f("fk_duplicate_pair_proposed_by_id")),
        sa.ForeignKeyConstraint(["second_case_id"], ["case_file.id"], name=op.f("fk_duplicate_pair_second_case_id")),
        sa.ForeignKeyConstraint(["second_report_id"], ["report.id"], name=op.f("fk_duplicate_pair_second_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_pair")),
        sa.UniqueConstraint(
            "first_case_id", "second_case_id", name=op.f("uq_duplicate_pair_first_case_id_second_case_id")
        ),
        sa.UniqueConstraint(
            "first_report_id", "second_report_id", name=op.f("uq_duplicate_pair_first_report_id_second_report_id")
        ),
        sa.UniqueConstraint("pair", name=op.f("uq_duplicate_pair_pair")),
    )
    with op.batch_alter_table("duplicate_pair", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_duplicate_pair_second_case_id"), ["second_case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_duplicate_pair_second_report_id"), ["second_report_id"], unique=False)

    op.create_table(
        "identity_digest",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_identity_digest_report_id")),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_identity_digest")),
    )
    with op.batch_alter_table("identity_digest", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_digest_digest"), ["digest"], unique=False)

    op.create_table(
        "duplicate_decision",
        sa.Column("pair_id", sa.Uuid(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum("same", "different", name="duplicateverdict", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_duplicate_decision_withdrawn_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user_account.id"], name=op.f("fk_duplicate_decision_decided_by_id")
        ),
        sa.ForeignKeyConstraint(["pair_id"], ["duplicate_pair.id"], name=op.f("fk_duplicate_decision_pair_id")),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_duplicate_decision_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_decision")),
    )
    with op.batch_alter_table("duplicate_decision", schema=None) as batch_op:
        batch_op.create_index(
            "uq_duplicate_decision_standing",
            ["pair_id"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    op.create_table(
        "follow_up_visit",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("outcome_id", sa.Uuid(), nullable=False),
        sa.Column(
            "method",
            sa.Enum("phone", "home", name="visitmethod", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "result",
            sa.Enum("met", "unreachable", name="visitresult", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("present", sa.JSON(), nullable=False),
        sa.Column("assessment", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("danger", sa.Boolean(), nullable=False),
        sa.Column("policy_version", sa.String(length=120), nullable=False),
        sa.Column("visitor", sa.String(length=120), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("visited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("milestone_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(result = 'met') = (assessment IS NOT NULL)", name=op.f("ck_follow_up_visit_met_is_assessed")
        ),
        sa.CheckConstraint(
            "(result = 'met') = (milestone_id IS NOT NULL)", name=op.f("ck_follow_up_visit_met_is_a_milestone")
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_follow_up_visit_withdrawn_whole"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_follow_up_visit_case_id")),
        sa.ForeignKeyConstraint(["milestone_id"], ["milestone.id"], name=op.f("fk_follow_up_visit_milestone_id")),
        sa.ForeignKeyConstraint(["outcome_id"], ["outcome.id"], name=op.f("fk_follow_up_visit_outcome_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_follow_up_visit_recorded_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_follow_up_visit_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up_visit")),
    )
    with op.batch_alter_table("follow_up_visit", schema=None) as batch_op:
        batch_op.create_index("ix_follow_up_visit_case_id_visited_at", ["case_id", "visited_at"], unique=False)

    op.create_table(
        "follow_up_end",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("outcome_id", sa.Uuid(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "stable",
                "refused",
                "handed_over",
                "away_again",
                "other",
                name="followupendreason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("explanation_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(reason = 'stable') = (visit_id IS NOT NULL)", name=op.f("ck_follow_up_end_stable_by_a_visit")
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_follow_up_end_withdrawn_whole"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_follow_up_end_case_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user_account.id"], name=op.f("fk_follow_up_end_decided_by_id")),
        sa.ForeignKeyConstraint(["outcome_id"], ["outcome.id"], name=op.f("fk_follow_up_end_outcome_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["follow_up_visit.id"], name=op.f("fk_follow_up_end_visit_id")),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_follow_up_end_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up_end")),
    )
    with op.batch_alter_table("follow_up_end", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_up_end_case_id"), ["case_id"], unique=False)
        batch_op.create_index(
            "uq_follow_up_end_standing",
            ["outcome_id"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    op.create_table(
        "referral",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "medical",
                "low_income",
                "disability",
                "schooling",
                "legal_aid",
                "job",
                name="referralkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "sent",
                "accepted",
                "rejected",
                "done",
                "withdrawn",
                name="referralstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("receiver_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("policy_version", sa.String(length=120), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by_id", sa.Uuid(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR sent_at IS NOT NULL", name=op.f("ck_referral_sent_before_answered")
        ),
        sa.CheckConstraint("(sent_at IS NULL) = (answer_due_at IS NULL)", name=op.f("ck_referral_due_when_sent")),
        sa.CheckConstraint("(sent_at IS NULL) = (sent_by_id IS NULL)", name=op.f("ck_referral_sent_whole")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_referral_case_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user_account.id"], name=op.f("fk_referral_created_by_id")),
        sa.ForeignKeyConstraint(["receiver_id"], ["organisation.id"], name=op.f("fk_referral_receiver_id")),
        sa.ForeignKeyConstraint(["sender_id"], ["organisation.id"], name=op.f("fk_referral_sender_id")),
        sa.ForeignKeyConstraint(["sent_by_id"], ["user_account.id"], name=op.f("fk_referral_sent_by_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["follow_up_visit.id"], name=op.f("fk_referral_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
    )
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.create_index("ix_referral_case_id_created_at", ["case_id", "created_at"], unique=False)
        batch_op.create_index("ix_referral_receiver_id_created_at", ["receiver_id", "created_at"], unique=False)

    op.create_table(
        "duplicate_closure",
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("confirmation_id", sa.Uuid(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_duplicate_closure_candidate_id")),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmation.id"], name=op.f("fk_duplicate_closure_confirmation_id")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["duplicate_decision.id"], name=op.f("fk_duplicate_closure_decision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_closure")),
    )
    with op.batch_alter_table("duplicate_closure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_duplicate_closure_confirmation_id"), ["confirmation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_duplicate_closure_decision_id"), ["decision_id"], unique=False)
        batch_op.create_index(
            "uq_duplicate_closure_standing",
            ["candidate_id"],
            unique=True,
            sqlite_where=sa.text("reopened_at IS NULL"),
            postgresql_where=sa.text("reopened_at IS NULL"),
        )

    op.create_table(
        "referral_move",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column(
            "from_state",
            sa.Enum(
                "draft",
                "sent",
                "accepted",
                "rejected",
                "done",
                "withdrawn",
                name="from_referralstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "to_state",
            sa.Enum(
                "draft",
                "sent",
                "accepted",
                "rejected",
                "done",
                "withdrawn",
                name="to_referralstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user_account.id"], name=op.f("fk_referral_move_actor_id")),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_referral_move_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_move")),
    )
    with op.batch_alter_table("referral_move", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_referral_move_referral_id"), ["referral_id"], unique=False)

    op.create_table(
        "wandering_link",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("earlier_case_id", sa.Uuid(), nullable=False),
        sa.Column(
            "basis",
            sa.Enum(
                "same_report",
                "linked_report",
                "same_identity",
                "staff",
                name="wanderingbasis",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("confirmation_id", sa.Uuid(), nullable=True),
        sa.Column("linked_by_id", sa.Uuid(), nullable=True),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(basis = 'staff') = (linked_by_id IS NOT NULL) AND (basis = 'staff') = (reason IS NOT NULL)"
            " AND (basis = 'staff') = (confirmation_id IS NULL)",
            name=op.f("ck_wandering_link_basis_whole"),
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)"
            " AND (withdrawn_by_id IS NULL OR withdrawn_at IS NOT NULL)",
            name=op.f("ck_wandering_link_withdrawn_whole"),
        ),
        sa.CheckConstraint("case_id <> earlier_case_id", name=op.f("ck_wandering_link_not_itself")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_wandering_link_case_id")),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmation.id"], name=op.f("fk_wandering_link_confirmation_id")
        ),
        sa.ForeignKeyConstraint(["earlier_case_id"], ["case_file.id"], name=op.f("fk_wandering_link_earlier_case_id")),
        sa.ForeignKeyConstraint(["linked_by_id"], ["user_account.id"], name=op.f("fk_wandering_link_linked_by_id")),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_wandering_link_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wandering_link")),
    )
    with op.batch_alter_table("wandering_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wandering_link_earlier_case_id"), ["earlier_case_id"], unique=False)
        batch_op.create_index(
            "uq_wandering_link_standing",
            ["case_id", "earlier_case_id"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    gates.create(op, GATES, kept=KEPT)


def downgrade() -> None:
    """Refused by the CHECKs while rows with the new values exist (PostgreSQL)."""
    gates.drop(op, GATES, kept=KEPT)
    for table in (
        "referral_move",
        "referral",
        "duplicate_closure",
        "duplicate_decision",
        "duplicate_pair",
        "identity_digest",
        "wandering_link",
        "follow_up_end",
        "follow_up_visit",
    ):
        op.drop_table(table)
    for table, column, constraint, value in ENUMS:
        gates.allow(op, table, column, constraint, [one for one in _allowed(table, constraint) if one != value])
