"""identity claims: results of systems outside, and what they forbid

Revision: 0014, after 0013

A claim is withdrawn or set aside, never changed. While one of confirmed grade stands that names somebody else, nobody
is confirmed and no contact is released.
"""

import sqlalchemy as sa

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _changed(*columns: str) -> str:
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


def _user(column: str, roles: str) -> str:
    return f"EXISTS (SELECT 1 FROM user_account WHERE id = NEW.{column} AND role IN ({roles}))"


SUPERVISOR = "'police_supervisor'"
POLICE = "'police_examiner', 'police_supervisor'"
CLAIM = _changed(
    "id", "case_id", "method", "grade", "candidate_id", "identity_sealed", "person_digest", "reference", "custody",
    "officer", "obtained_on", "recorded_by_id", "recorded_at",
)  # fmt: skip
SETTLEMENT = _changed("settled_at", "settled_by_id", "settlement_reason")
OF_THE_CASE = """EXISTS (
    SELECT 1 FROM candidate
    WHERE candidate.id = NEW.candidate_id AND candidate.case_id = NEW.case_id AND candidate.report_id IS NOT NULL
)"""
IN_USE = "EXISTS (SELECT 1 FROM confirmation WHERE claim_id = OLD.id AND recalled_at IS NULL)"
STANDING = "grade = 'confirmed' AND withdrawn_at IS NULL AND settled_at IS NULL"
SOMEBODY_ELSE = f"""EXISTS (
    SELECT 1 FROM identity_claim
    WHERE case_id = NEW.case_id AND {STANDING} AND candidate_id IS DISTINCT FROM {{named}}
)"""
RELEASED = "(SELECT candidate_id FROM confirmation WHERE confirmation.id = NEW.confirmation_id)"
# As models.claim.SHOWN_BY.
RESTS_ON_IT = f"""EXISTS (
    SELECT 1 FROM identity_claim
    WHERE id = NEW.claim_id AND case_id = NEW.case_id AND candidate_id = NEW.candidate_id AND {STANDING}
      AND (method = NEW.method OR (NEW.method = 'official_document' AND method IN ('papers', 'official_record')))
)"""
# name, table, event, condition under which it is refused, message
GATES: tuple[tuple[str, str, str, str, str], ...] = (
    ("identity_claim_no_delete", "identity_claim", "DELETE", "TRUE", "claims are withdrawn, never deleted"),
    (
        "identity_claim_immutable",
        "identity_claim",
        "UPDATE",
        f"OLD.withdrawn_at IS NOT NULL OR {CLAIM} OR (OLD.settled_at IS NOT NULL AND ({SETTLEMENT}))",
        "claims are withdrawn or set aside, never changed",
    ),
    (
        "identity_claim_in_use",
        "identity_claim",
        "UPDATE",
        f"(NEW.withdrawn_at IS NOT NULL OR NEW.settled_at IS NOT NULL) AND {IN_USE}",
        "a confirmation rests on this claim",
    ),
    (
        "identity_claim_settler",
        "identity_claim",
        "UPDATE",
        f"NEW.settled_at IS NOT NULL AND NOT {_user('settled_by_id', SUPERVISOR)}",
        "a police supervisor sets claims aside",
    ),
    (
        "identity_claim_standing",
        "identity_claim",
        "INSERT",
        "NEW.withdrawn_at IS NOT NULL OR NEW.settled_at IS NOT NULL",
        "a claim begins standing",
    ),
    (
        "identity_claim_police",
        "identity_claim",
        "INSERT",
        f"NOT {_user('recorded_by_id', POLICE)}",
        "only the police record claims",
    ),
    (
        "identity_claim_candidate",
        "identity_claim",
        "INSERT",
        f"NEW.candidate_id IS NOT NULL AND NOT {OF_THE_CASE}",
        "a claim names a reported candidate of its case",
    ),
    (
        "confirmation_claims",
        "confirmation",
        "INSERT",
        SOMEBODY_ELSE.format(named="NEW.candidate_id"),
        "a claim of confirmed grade names somebody else",
    ),
    (
        "confirmation_claim",
        "confirmation",
        "INSERT",
        f"NEW.claim_id IS NOT NULL AND NOT {RESTS_ON_IT}",
        "not a standing claim that shows this",
    ),
    (
        "confirmation_claim_immutable",
        "confirmation",
        "UPDATE",
        _changed("claim_id"),
        "confirmations are recalled, never changed",
    ),
    (
        "contact_release_claims",
        "contact_release",
        "INSERT",
        SOMEBODY_ELSE.format(named=RELEASED),
        "a claim of confirmed grade names somebody else",
    ),
)
COLUMN = (
    "ALTER TABLE confirmation ADD COLUMN claim_id {type}"
    " CONSTRAINT fk_confirmation_claim_id REFERENCES identity_claim (id)"
)


def upgrade() -> None:
    op.create_table(
        "identity_claim",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "face",
                "name",
                "interview",
                "self_statement",
                "fingerprint",
                "dna",
                "household_register",
                "papers",
                "official_record",
                name="claimmethod",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "grade",
            sa.Enum("lead", "confirmed", name="claimgrade", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("candidate_id", sa.Uuid(), nullable=True),
        sa.Column("identity_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("person_digest", sa.String(length=64), nullable=True),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("custody", sa.String(length=1000), nullable=True),
        sa.Column("officer", sa.String(length=120), nullable=False),
        sa.Column("obtained_on", sa.Date(), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.Uuid(), nullable=True),
        sa.Column("settlement_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(grade = 'confirmed') ="
            " (method IN ('fingerprint', 'dna', 'household_register', 'papers', 'official_record'))",
            name=op.f("ck_identity_claim_grade_of_method"),
        ),
        sa.CheckConstraint(
            "grade = 'lead' OR candidate_id IS NOT NULL OR person_digest IS NOT NULL",
            name=op.f("ck_identity_claim_confirmed_names_a_number"),
        ),
        sa.CheckConstraint(
            "grade = 'lead' OR reference IS NOT NULL", name=op.f("ck_identity_claim_confirmed_has_reference")
        ),
        sa.CheckConstraint("method <> 'dna' OR custody IS NOT NULL", name=op.f("ck_identity_claim_dna_has_custody")),
        sa.CheckConstraint(
            "(candidate_id IS NULL) = (identity_sealed IS NOT NULL)", name=op.f("ck_identity_claim_names_one")
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_by_id IS NULL) AND (settled_at IS NULL) = (settlement_reason IS NULL)",
            name=op.f("ck_identity_claim_settled_whole"),
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_identity_claim_withdrawn_whole"),
        ),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_identity_claim_candidate_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_identity_claim_case_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_identity_claim_recorded_by_id")),
        sa.ForeignKeyConstraint(["settled_by_id"], ["user_account.id"], name=op.f("fk_identity_claim_settled_by_id")),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_identity_claim_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_claim")),
    )
    with op.batch_alter_table("identity_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_claim_candidate_id"), ["candidate_id"], unique=False)
        batch_op.create_index("ix_identity_claim_case_id_recorded_at", ["case_id", "recorded_at"], unique=False)

    postgresql = op.get_bind().dialect.name == "postgresql"
    # Not as a batch: on SQLite that copies the table, and its triggers are lost.
    op.execute(COLUMN.format(type="UUID" if postgresql else "CHAR(32)"))
    if postgresql:
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
    op.execute(  # TRUNCATE passes row triggers by
        "CREATE FUNCTION identity_claim_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" {refuse.format(message='identity_claim is not emptied')} END $$"
    )
    op.execute(
        "CREATE TRIGGER identity_claim_no_truncate BEFORE TRUNCATE ON identity_claim"
        " FOR EACH STATEMENT EXECUTE FUNCTION identity_claim_no_truncate()"
    )


def _sqlite() -> None:
    for name, table, event, refused, message in GATES:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {refused}"
            f" BEGIN SELECT RAISE(ABORT, 'gate: {message}'); END"
        )
    # SQLite's REPLACE deletes the row that a new one collides with, and no delete trigger fires.
    op.execute(
        "CREATE TRIGGER identity_claim_no_replace BEFORE INSERT ON identity_claim"
        " WHEN EXISTS (SELECT 1 FROM identity_claim WHERE id = NEW.id)"
        " BEGIN SELECT RAISE(ABORT, 'gate: identity_claim rows are not replaced'); END"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name, table in (*(gate[:2] for gate in GATES), ("identity_claim_no_truncate", "identity_claim")):
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
    else:
        for name in (*(gate[0] for gate in GATES), "identity_claim_no_replace"):
            op.execute(f"DROP TRIGGER {name}")
    op.execute("ALTER TABLE confirmation DROP COLUMN claim_id")
    op.drop_table("identity_claim")
