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
    ("referral_origin", "referral", "UPDATE", changed("id", "case_id", "sender_id", "created_by_id", "created_at"),
     "a referral stays where it was made"),
    ("referral_content", "referral", "UPDATE", "OLD.state <> 'draft' AND (" + changed("kind", "receiver_id",
     "visit_id", "content_sealed", "policy_version", "sent_by_id", "sent_at", "answer_due_at") + ")",
     "what was sent is not changed"),
    ("referral_state", "referral", "UPDATE", f"NEW.state <> OLD.state AND NOT ({LEGAL} AND {MOVED})",
     "no such move of a referral, or nobody made it"),
    ("referral_move_no_update", "referral_move", "UPDATE", "TRUE", "referral_move is append-only"),
    ("referral_move_answer", "referral_move", "INSERT",
     f"NEW.to_state IN ('accepted', 'rejected', 'done') AND NOT {ANSWERER}",
     "only the receiving organisation answers"),
    ("referral_move_sender", "referral_move", "INSERT",
     f"NEW.to_state IN ('sent', 'withdrawn') AND NOT {user_has('actor_id', *STATION)}",
     "only the station sends and withdraws"),
    ("referral_move_reason", "referral_move", "INSERT",
     "NEW.to_state IN ('rejected', 'done') AND NEW.text_sealed IS NULL",
     "a refusal has its reason and an end its result"),
    ("follow_up_visit_home", "follow_up_visit", "INSERT", f"NOT {HOME}", "follow-up follows a return home"),
    ("follow_up_visit_by", "follow_up_visit", "INSERT", f"NOT {user_has('recorded_by_id', *STATION)}",
     "the station follows up"),
    ("follow_up_end_home", "follow_up_end", "INSERT", f"NOT {HOME}", "follow-up follows a return home"),
    ("follow_up_end_by", "follow_up_end", "INSERT", f"NOT {user_has('decided_by_id', *STATION)}",
     "the station decides"),
    ("follow_up_end_stable", "follow_up_end", "INSERT", f"NEW.reason = 'stable' AND NOT {STABLE_VISIT}",
     "stable rests on a standing visit that met somebody and found no danger"),
    ("wandering_link_order", "wandering_link", "INSERT", f"NOT {IN_ORDER}", "not an earlier case that was handed in"),
    ("duplicate_pair_no_update", "duplicate_pair", "UPDATE", "TRUE", "duplicate_pair is append-only"),
    ("duplicate_decision_by", "duplicate_decision", "INSERT",
     f"NOT {user_has('decided_by_id', 'station_staff', 'police_examiner', 'police_supervisor')}",
     "a human of the station or the police decides"),
    ("duplicate_decision_reason", "duplicate_decision", "INSERT", "trim(NEW.reason) = ''", "a decision has its reason"),
    ("duplicate_closure_grounds", "duplicate_closure", "INSERT",
     f"NEW.reopened_at IS NOT NULL OR NOT {LINKED_FOUND}",
     "no standing link with a confirmed report closes this candidate"),
    ("duplicate_closure_immutable", "duplicate_closure", "UPDATE", "OLD.reopened_at IS NOT NULL OR "
     + changed("id", "candidate_id", "decision_id", "confirmation_id", "closed_at"),
     "a closure is lifted, never changed"),
)  # fmt: skip
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


def _enum(column: str, name: str, *values: str) -> sa.Column[str]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
    return sa.Column(column, kind, nullable=False)


def _text(column: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(column, sa.String(length=length), nullable=nullable)


def _at(column: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(column, sa.DateTime(timezone=True), nullable=nullable)


def _to(table: str, column: str, other: str, *, nullable: bool = False) -> tuple[sa.schema.SchemaItem, ...]:
    """A column that names a row of another table."""
    key = sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
    return sa.Column(column, sa.Uuid(), nullable=nullable), key


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _withdrawn(table: str, condition: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        _at("withdrawn_at", nullable=True),
        *_to(table, "withdrawn_by_id", "user_account", nullable=True),
        _text("withdrawal_reason", 500, nullable=True),
        _check(table, "withdrawn_whole", condition),
    )


def _key(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return sa.Column("id", sa.Uuid(), nullable=False), sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


WITHDRAWN = (
    "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL) AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)"
)
STATES = ("draft", "sent", "accepted", "rejected", "done", "withdrawn")
INDEXED = (
    ("duplicate_pair", "second_case_id"),
    ("duplicate_pair", "second_report_id"),
    ("identity_digest", "digest"),
    ("follow_up_end", "case_id"),
    ("referral_move", "referral_id"),
    ("wandering_link", "earlier_case_id"),
    ("duplicate_closure", "decision_id"),
    ("duplicate_closure", "confirmation_id"),
)
UNIQUE = (
    ("duplicate_decision", ["pair_id"], "withdrawn_at"),
    ("follow_up_end", ["outcome_id"], "withdrawn_at"),
    ("duplicate_closure", ["candidate_id"], "reopened_at"),
    ("wandering_link", ["case_id", "earlier_case_id"], "withdrawn_at"),
)


def _tables() -> dict[str, tuple[sa.schema.SchemaItem, ...]]:
    pair, visit, end, wandering = "duplicate_pair", "follow_up_visit", "follow_up_end", "wandering_link"
    decision, closure, move = "duplicate_decision", "duplicate_closure", "referral_move"
    return {
        pair: (
            _text("pair", 73),
            _enum("kind", "gallerykind", "report", "case"),
            *_to(pair, "first_case_id", "case_file", nullable=True),
            *_to(pair, "second_case_id", "case_file", nullable=True),
            *_to(pair, "first_report_id", "report", nullable=True),
            *_to(pair, "second_report_id", "report", nullable=True),
            _enum("basis", "duplicatebasis", "evidence", "identity_number", "staff"),
            sa.Column("log10_lr", sa.Double(), nullable=True),
            sa.Column("posterior", sa.Double(), nullable=True),
            sa.Column("terms", sa.JSON(none_as_null=True), nullable=True),
            _text("parameters_version", 40, nullable=True),
            _text("model_version", 80, nullable=True),
            _text("policy_version", 120),
            *_to(pair, "proposed_by_id", "user_account", nullable=True),
            _at("proposed_at"),
            _check(pair, "weighed", "(basis = 'evidence') = (log10_lr IS NOT NULL)"),
            _check(pair, "proposed_by", "(basis = 'staff') = (proposed_by_id IS NOT NULL)"),
            _check(pair, "kind_of_its_records", "(kind = 'case') = (first_case_id IS NOT NULL)"),
            _check(
                pair,
                "two_of_a_kind",
                "(first_case_id IS NULL) = (second_case_id IS NULL)"
                " AND (first_report_id IS NULL) = (second_report_id IS NULL)"
                " AND (first_case_id IS NULL) <> (first_report_id IS NULL)",
            ),
            _check(pair, "in_order", "coalesce(first_case_id < second_case_id, first_report_id < second_report_id)"),
            *(
                sa.UniqueConstraint(*columns, name=op.f(f"uq_{pair}_{'_'.join(columns)}"))
                for columns in (
                    ("pair",),
                    ("first_case_id", "second_case_id"),
                    ("first_report_id", "second_report_id"),
                )
            ),
        ),
        "identity_digest": (
            *_to("identity_digest", "report_id", "report"),
            _text("digest", 64),
            sa.PrimaryKeyConstraint("report_id", name=op.f("pk_identity_digest")),
        ),
        decision: (
            *_to(decision, "pair_id", pair),
            _enum("verdict", "duplicateverdict", "same", "different"),
            _text("reason", 500),
            *_to(decision, "decided_by_id", "user_account"),
            _at("decided_at"),
            *_withdrawn(decision, WITHDRAWN),
        ),
        visit: (
            *_to(visit, "case_id", "case_file"),
            *_to(visit, "outcome_id", "outcome"),
            _enum("method", "visitmethod", "phone", "home"),
            _enum("result", "visitresult", "met", "unreachable"),
            sa.Column("present", sa.JSON(), nullable=False),
            sa.Column("assessment", sa.JSON(none_as_null=True), nullable=True),
            sa.Column("danger", sa.Boolean(), nullable=False),
            _text("policy_version", 120),
            _text("visitor", 120),
            sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
            _at("visited_at"),
            *_to(visit, "milestone_id", "milestone", nullable=True),
            *_to(visit, "recorded_by_id", "user_account"),
            _at("recorded_at"),
            _check(visit, "met_is_assessed", "(result = 'met') = (assessment IS NOT NULL)"),
            _check(visit, "met_is_a_milestone", "(result = 'met') = (milestone_id IS NOT NULL)"),
            *_withdrawn(visit, WITHDRAWN),
        ),
        end: (
            *_to(end, "case_id", "case_file"),
            *_to(end, "outcome_id", "outcome"),
            _enum("reason", "followupendreason", "stable", "refused", "handed_over", "away_again", "other"),
            *_to(end, "visit_id", visit, nullable=True),
            sa.Column("explanation_sealed", sa.LargeBinary(), nullable=True),
            *_to(end, "decided_by_id", "user_account"),
            _at("decided_at"),
            _check(end, "stable_by_a_visit", "(reason = 'stable') = (visit_id IS NOT NULL)"),
            *_withdrawn(end, WITHDRAWN),
        ),
        "referral": (
            *_to("referral", "case_id", "case_file"),
            _enum("kind", "referralkind", "medical", "low_income", "disability", "schooling", "legal_aid", "job"),
            _enum("state", "referralstate", *STATES),
            *_to("referral", "sender_id", "organisation"),
            *_to("referral", "receiver_id", "organisation"),
            *_to("referral", "visit_id", visit, nullable=True),
            sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
            _text("policy_version", 120),
            *_to("referral", "created_by_id", "user_account"),
            _at("created_at"),
            *_to("referral", "sent_by_id", "user_account", nullable=True),
            _at("sent_at", nullable=True),
            _at("answer_due_at", nullable=True),
            _check("referral", "sent_before_answered", "state IN ('draft', 'withdrawn') OR sent_at IS NOT NULL"),
            _check("referral", "due_when_sent", "(sent_at IS NULL) = (answer_due_at IS NULL)"),
            _check("referral", "sent_whole", "(sent_at IS NULL) = (sent_by_id IS NULL)"),
        ),
        closure: (
            *_to(closure, "candidate_id", "candidate"),
            *_to(closure, "decision_id", decision),
            *_to(closure, "confirmation_id", "confirmation"),
            _at("closed_at"),
            _at("reopened_at", nullable=True),
        ),
        move: (
            *_to(move, "referral_id", "referral"),
            _enum("from_state", "from_referralstate", *STATES),
            _enum("to_state", "to_referralstate", *STATES),
            *_to(move, "actor_id", "user_account"),
            _at("at"),
            sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        ),
        wandering: (
            *_to(wandering, "case_id", "case_file"),
            *_to(wandering, "earlier_case_id", "case_file"),
            _enum("basis", "wanderingbasis", "same_report", "linked_report", "same_identity", "staff"),
            _text("reason", 500, nullable=True),
            *_to(wandering, "confirmation_id", "confirmation", nullable=True),
            *_to(wandering, "linked_by_id", "user_account", nullable=True),
            _at("linked_at"),
            _check(
                wandering,
                "basis_whole",
                "(basis = 'staff') = (linked_by_id IS NOT NULL) AND (basis = 'staff') = (reason IS NOT NULL)"
                " AND (basis = 'staff') = (confirmation_id IS NULL)",
            ),
            _check(wandering, "not_itself", "case_id <> earlier_case_id"),
            *_withdrawn(
                wandering,
                "(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)"
                " AND (withdrawn_by_id IS NULL OR withdrawn_at IS NOT NULL)",
            ),
        ),
    }


def upgrade() -> None:
    for table, column, constraint, value in ENUMS:
        gates.allow(op, table, column, constraint, [*_allowed(table, constraint), value])
    for name, columns in _tables().items():
        op.create_table(name, *columns, *(_key(name) if name != "identity_digest" else ()))
    for table, column in INDEXED:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    for table, columns in (
        ("follow_up_visit", ["case_id", "visited_at"]),
        ("referral", ["case_id", "created_at"]),
        ("referral", ["receiver_id", "created_at"]),
    ):
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)
    for table, columns, standing in UNIQUE:
        where = sa.text(f"{standing} IS NULL")
        op.create_index(f"uq_{table}_standing", table, columns, unique=True, sqlite_where=where, postgresql_where=where)
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
