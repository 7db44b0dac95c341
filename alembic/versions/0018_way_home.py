"""the way home: exclusions, contact by the protocol, kin, outcomes with their papers

Revision: 0018, after 0017

An excluded pair stays excluded until named new evidence reopens it. The family is first reached through the local
police or village committee, and not at all while the person objects or danger is suspected. Nobody is handed over
before the kin are verified; nobody is settled without a complete dossier.
"""

import sqlalchemy as sa

from alembic import op
from tracing.platform import gates

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

CANDIDATE_STATES = ("open", "judged", "confirmed", "closed")
OUTCOMES = (
    "reunited", "escorted_home", "transferred", "hospital", "settled", "left", "refused_contact", "deceased",
)  # fmt: skip

POLICE = ("police_examiner", "police_supervisor")
STATION = ("station_staff", "caseworker")
HOME = "('reunited', 'escorted_home')"
EXCLUDED = "EXISTS (SELECT 1 FROM exclusion WHERE candidate_id = NEW.{column} AND reopened_at IS NULL)"
RELEASED = """EXISTS (
    SELECT 1 FROM confirmation JOIN contact_release ON contact_release.confirmation_id = confirmation.id
    WHERE confirmation.id = NEW.confirmation_id AND confirmation.case_id = NEW.case_id
      AND confirmation.recalled_at IS NULL
)"""
# The last screening of the case says that the person objects, or that danger is suspected.
STOPPED = """EXISTS (
    SELECT 1 FROM contact_screening AS last
    WHERE last.case_id = NEW.{case} AND (last.wish = 'objects' OR last.danger = 'suspected')
      AND last.ordinal = (SELECT max(ordinal) FROM contact_screening WHERE case_id = NEW.{case})
)"""
LAST_DANGER = """(
    SELECT danger FROM contact_screening WHERE case_id = NEW.case_id AND ordinal = NEW.ordinal - 1
)"""
NEXT_ORDINAL = "1 + coalesce((SELECT max(ordinal) FROM contact_screening WHERE case_id = NEW.case_id), 0)"
LOCAL = "('local_police', 'village_committee')"
FIRST_WAS_LOCAL = f"""EXISTS (
    SELECT 1 FROM contact_attempt WHERE confirmation_id = NEW.confirmation_id AND channel IN {LOCAL}
)"""
EXCEPTED = "EXISTS (SELECT 1 FROM contact_exception WHERE confirmation_id = NEW.confirmation_id)"
VERIFIED = """EXISTS (
    SELECT 1 FROM kin_verification JOIN confirmation ON confirmation.id = kin_verification.confirmation_id
    WHERE kin_verification.case_id = NEW.{case} AND confirmation.case_id = NEW.{case}
      AND kin_verification.result = 'verified' AND kin_verification.withdrawn_at IS NULL
      AND confirmation.recalled_at IS NULL
)"""
CASE_RELEASED = """EXISTS (
    SELECT 1 FROM contact_release JOIN confirmation ON confirmation.id = contact_release.confirmation_id
    WHERE confirmation.case_id = NEW.id AND confirmation.recalled_at IS NULL
)"""
DNA_SHOWN = """EXISTS (
    SELECT 1 FROM confirmation WHERE confirmation.id = NEW.confirmation_id AND (
        confirmation.method = 'dna' OR EXISTS (
            SELECT 1 FROM identity_claim
            WHERE identity_claim.case_id = confirmation.case_id AND identity_claim.method = 'dna'
              AND identity_claim.candidate_id = confirmation.candidate_id
              AND identity_claim.withdrawn_at IS NULL AND identity_claim.settled_at IS NULL
        )
    )
)"""
COMPLETE_DOSSIER = """EXISTS (
    SELECT 1 FROM outcome
    WHERE outcome.case_id = NEW.id AND outcome.kind = 'settled' AND outcome.withdrawn_at IS NULL
)"""
EXCLUSION = gates.changed(
    "id", "case_id", "candidate_id", "evidence", "reference", "reason", "excluded_by_id", "excluded_at"
)  # fmt: skip
KIN = gates.changed(
    "id", "case_id", "confirmation_id", "result", "evidence_sealed", "questions_asked", "questions_agreeing",
    "dna_required", "policy_version", "verified_by_id", "verified_at",
)  # fmt: skip
DOSSIER = gates.changed("id", "case_id", "item", "done_on", "reference", "recorded_by_id", "recorded_at")
OUTCOME = gates.changed(
    "id", "case_id", "kind", "route", "occurred_on", "note", "dossier_version", "recorded_by_id", "recorded_at"
)  # fmt: skip
WITHDRAWN_HALF = "(NEW.withdrawn_by_id IS NULL OR NEW.withdrawal_reason IS NULL OR NEW.withdrawn_at IS NULL)"
NOTICE = gates.changed(
    "id", "case_id", "kind", "attempt_id", "outcome_id", "division", "organisation_id", "receiver", "document_number",
    "sent_on", "created_by_id", "created_at",
)  # fmt: skip
NEVER_CHANGED = (
    "contact_attempt", "contact_screening", "contact_plan", "contact_exception", "handover", "escort_trip",
)  # fmt: skip
WITHDRAWN = {"exclusion": EXCLUSION, "kin_verification": KIN, "dossier_item": DOSSIER, "outcome": OUTCOME}
ENDED = {table: "reopened_at" if table == "exclusion" else "withdrawn_at" for table in WITHDRAWN}

GATES: tuple[gates.Gate, ...] = (
    *(
        (f"{table}_no_{event.lower()}", table, event, "TRUE", f"{table} is append-only")
        for table in NEVER_CHANGED
        for event in ("UPDATE", "DELETE")
    ),
    *(
        (f"{table}_no_delete", table, "DELETE", "TRUE", f"{table} rows are kept")
        for table in (*WITHDRAWN, "home_notice")
    ),
    *(
        (
            f"{table}_immutable",
            table,
            "UPDATE",
            f"OLD.{ENDED[table]} IS NOT NULL OR {changed}",
            f"{table} rows are ended with a reason, never changed",
        )
        for table, changed in WITHDRAWN.items()
    ),
    *(
        (f"{table}_standing", table, "INSERT", f"NEW.{ENDED[table]} IS NOT NULL", f"{table} rows begin standing")
        for table in WITHDRAWN
    ),
    ("outcome_withdrawal", "outcome", "UPDATE", WITHDRAWN_HALF, "a withdrawal names who and why"),
    (
        "home_notice_immutable",
        "home_notice",
        "UPDATE",
        f"OLD.answered_at IS NOT NULL OR {NOTICE}",
        "a notice is answered once, never changed",
    ),
    # Exclusions.
    (
        "exclusion_police",
        "exclusion",
        "INSERT",
        f"NOT {gates.user_has('excluded_by_id', *POLICE)}",
        "only the police exclude",
    ),
    (
        "exclusion_candidate",
        "exclusion",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM candidate WHERE id = NEW.candidate_id AND case_id = NEW.case_id)",
        "not a candidate of this case",
    ),
    (
        "exclusion_reopener",
        "exclusion",
        "UPDATE",
        f"NEW.reopened_at IS NOT NULL AND NOT {gates.user_has('reopened_by_id', 'police_supervisor')}",
        "a police supervisor reopens",
    ),
    (
        "candidate_excluded",
        "candidate",
        "UPDATE",
        f"(NEW.listed OR NEW.state <> 'excluded') AND {EXCLUDED.format(column='id')}",
        "this pair is excluded",
    ),
    (
        "confirmation_excluded",
        "confirmation",
        "INSERT",
        EXCLUDED.format(column="candidate_id"),
        "this pair is excluded",
    ),
    # Contact.
    (
        "contact_attempt_released",
        "contact_attempt",
        "INSERT",
        f"NOT {RELEASED}",
        "no contact without a standing, released confirmation",
    ),
    (
        "contact_attempt_stopped",
        "contact_attempt",
        "INSERT",
        STOPPED.format(case="case_id"),
        "the person objects, or danger is suspected",
    ),
    (
        "contact_attempt_first",
        "contact_attempt",
        "INSERT",
        f"NEW.channel NOT IN {LOCAL} AND NOT {FIRST_WAS_LOCAL} AND NOT {EXCEPTED}",
        "the first attempt goes through the local police or the village committee",
    ),
    (
        "contact_exception_supervisor",
        "contact_exception",
        "INSERT",
        f"NOT {gates.user_has('allowed_by_id', 'police_supervisor')}",
        "a police supervisor allows exceptions",
    ),
    (
        "contact_release_stopped",
        "contact_release",
        "INSERT",
        STOPPED.format(case="case_id"),
        "the person objects, or danger is suspected",
    ),
    (
        "contact_screening_order",
        "contact_screening",
        "INSERT",
        f"NEW.ordinal <> {NEXT_ORDINAL}",
        "screenings are counted one by one",
    ),
    (
        "contact_screening_danger",
        "contact_screening",
        "INSERT",
        f"NEW.danger = 'no_sign' AND {LAST_DANGER} = 'suspected' AND NOT {gates.user_has('recorded_by_id', *POLICE)}",
        "the police clear up a suspected danger",
    ),
    # Kin and handover.
    (
        "kin_verification_released",
        "kin_verification",
        "INSERT",
        f"NOT {RELEASED}",
        "no contact without a standing, released confirmation",
    ),
    (
        "kin_verification_dna",
        "kin_verification",
        "INSERT",
        f"NEW.result = 'verified' AND NEW.dna_required AND NOT {DNA_SHOWN}",
        "the kinship has to be shown by DNA",
    ),
    (
        "case_kin_verified",
        "case_file",
        "UPDATE",
        # Without a release the older gates refuse it, and say so.
        f"NEW.state = 'reunified' AND OLD.state <> 'reunified' AND {CASE_RELEASED}"
        f" AND (NOT {VERIFIED.format(case='id')} OR {STOPPED.format(case='id')})",
        "nobody is handed over before the kin are verified",
    ),
    (
        "outcome_kin_verified",
        "outcome",
        "INSERT",
        f"NEW.kind IN {HOME} AND (NOT {VERIFIED.format(case='case_id')} OR {STOPPED.format(case='case_id')})",
        "nobody is handed over before the kin are verified",
    ),
    # Settlement.
    (
        "outcome_dossier",
        "outcome",
        "INSERT",
        "NEW.kind = 'settled' AND NEW.dossier_version IS NULL",
        "a settlement needs its dossier",
    ),
    (
        "case_settled_dossier",
        "case_file",
        "UPDATE",
        f"NEW.state = 'settled' AND OLD.state <> 'settled' AND NOT {COMPLETE_DOSSIER}",
        "a settlement needs its dossier",
    ),
)
KEPT = (*NEVER_CHANGED, *WITHDRAWN, "home_notice")
COLUMNS = (
    ("candidate", "closed_by_id", "uuid", "confirmation"),
    ("contact_attempt", "confirmation_id", "uuid", "confirmation"),
    ("outcome", "dossier_version", "VARCHAR(40)", None),
    ("outcome", "withdrawn_at", "moment", None),
    ("outcome", "withdrawn_by_id", "uuid", "user_account"),
    ("outcome", "withdrawal_reason", "VARCHAR(500)", None),
)


def _add_columns() -> None:
    """Not as a batch: on SQLite that copies the table, and its triggers are lost."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    types = {
        "uuid": "UUID" if postgresql else "CHAR(32)",
        "moment": "TIMESTAMP WITH TIME ZONE" if postgresql else "DATETIME",
    }
    for table, column, kind, target in COLUMNS:
        refers = f" CONSTRAINT fk_{table}_{column} REFERENCES {target} (id)" if target else ""
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {types.get(kind, kind)}{refers}")


def upgrade() -> None:
    gates.allow(op, "candidate", "state", "ck_candidate_candidatestate", (*CANDIDATE_STATES, "excluded"))
    gates.allow(op, "outcome", "kind", "ck_outcome_outcomekind", (*OUTCOMES, "long_stay", "missing_again"))
    _add_columns()
    op.create_table(
        "contact_screening",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
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
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_contact_screening_case_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_contact_screening_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_screening")),
        sa.UniqueConstraint("case_id", "ordinal", name=op.f("uq_contact_screening_case_id_ordinal")),
    )
    op.create_table(
        "dossier_item",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_dossier_item_withdrawn_whole"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_dossier_item_case_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_dossier_item_recorded_by_id")),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_dossier_item_withdrawn_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_item")),
    )
    with op.batch_alter_table("dossier_item", schema=None) as batch_op:
        batch_op.create_index(
            "uq_dossier_item_standing",
            ["case_id", "item"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    op.create_table(
        "escort_trip",
        sa.Column("outcome_id", sa.Uuid(), nullable=False),
        sa.Column("escorts", sa.String(length=200), nullable=False),
        sa.Column(
            "transport",
            sa.Enum(
                "train",
                "coach",
                "car",
                "ambulance",
                "plane",
                "ship",
                name="transport",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("from_division", sa.String(length=6), nullable=False),
        sa.Column("to_division", sa.String(length=6), nullable=False),
        sa.Column("departed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("arrived_at >= departed_at", name=op.f("ck_escort_trip_arrives_after_departure")),
        sa.ForeignKeyConstraint(["outcome_id"], ["outcome.id"], name=op.f("fk_escort_trip_outcome_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escort_trip")),
        sa.UniqueConstraint("outcome_id", name=op.f("uq_escort_trip_outcome_id")),
    )
    op.create_table(
        "exclusion",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column(
            "evidence",
            sa.Enum(
                "dna",
                "fingerprint",
                "official_record",
                "examiners_agreed",
                "new_photo",
                "new_statement",
                name="exclusionevidence",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("excluded_by_id", sa.Uuid(), nullable=False),
        sa.Column("excluded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reopen_evidence",
            sa.Enum(
                "dna",
                "fingerprint",
                "official_record",
                "examiners_agreed",
                "new_photo",
                "new_statement",
                name="reopen_exclusionevidence",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("reopen_reference", sa.String(length=120), nullable=True),
        sa.Column("reopen_reason", sa.String(length=500), nullable=True),
        sa.Column("reopened_by_id", sa.Uuid(), nullable=True),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "evidence IN ('dna', 'fingerprint', 'official_record', 'examiners_agreed')",
            name=op.f("ck_exclusion_evidence_excludes"),
        ),
        sa.CheckConstraint(
            "evidence NOT IN ('dna', 'fingerprint', 'official_record') OR reference IS NOT NULL",
            name=op.f("ck_exclusion_has_reference"),
        ),
        sa.CheckConstraint(
            "reopen_evidence IS NULL OR reopen_evidence NOT IN ('dna', 'fingerprint', 'official_record')"
            " OR reopen_reference IS NOT NULL",
            name=op.f("ck_exclusion_reopened_has_reference"),
        ),
        sa.CheckConstraint(
            "(reopened_at IS NULL) = (reopened_by_id IS NULL)"
            " AND (reopened_at IS NULL) = (reopen_evidence IS NULL)"
            " AND (reopened_at IS NULL) = (reopen_reason IS NULL)",
            name=op.f("ck_exclusion_reopened_whole"),
        ),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_exclusion_candidate_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_exclusion_case_id")),
        sa.ForeignKeyConstraint(["excluded_by_id"], ["user_account.id"], name=op.f("fk_exclusion_excluded_by_id")),
        sa.ForeignKeyConstraint(["reopened_by_id"], ["user_account.id"], name=op.f("fk_exclusion_reopened_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
    )
    with op.batch_alter_table("exclusion", schema=None) as batch_op:
        batch_op.create_index("ix_exclusion_case_id_excluded_at", ["case_id", "excluded_at"], unique=False)
        batch_op.create_index(
            "uq_exclusion_standing",
            ["candidate_id"],
            unique=True,
            sqlite_where=sa.text("reopened_at IS NULL"),
            postgresql_where=sa.text("reopened_at IS NULL"),
        )

    op.create_table(
        "handover",
        sa.Column("outcome_id", sa.Uuid(), nullable=False),
        sa.Column("receiver_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["outcome_id"], ["outcome.id"], name=op.f("fk_handover_outcome_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        sa.UniqueConstraint("outcome_id", name=op.f("uq_handover_outcome_id")),
    )
    op.create_table(
        "contact_exception",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("confirmation_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("allowed_by_id", sa.Uuid(), nullable=False),
        sa.Column("allowed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["allowed_by_id"], ["user_account.id"], name=op.f("fk_contact_exception_allowed_by_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_contact_exception_case_id")),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmation.id"], name=op.f("fk_contact_exception_confirmation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_exception")),
    )
    with op.batch_alter_table("contact_exception", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_exception_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_exception_confirmation_id"), ["confirmation_id"], unique=False)

    op.create_table(
        "contact_plan",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("confirmation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "local_police",
                "village_committee",
                "telephone",
                "visit",
                name="contactchannel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("unit_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("call_back_number", sa.String(length=40), nullable=False),
        sa.Column("script_version", sa.String(length=40), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_contact_plan_case_id")),
        sa.ForeignKeyConstraint(["confirmation_id"], ["confirmation.id"], name=op.f("fk_contact_plan_confirmation_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["user_account.id"], name=op.f("fk_contact_plan_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_plan")),
    )
    with op.batch_alter_table("contact_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_plan_case_id"), ["case_id"], unique=False)

    op.create_table(
        "kin_verification",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("confirmation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "result",
            sa.Enum("verified", "not_verified", name="kinresult", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("questions_asked", sa.Integer(), nullable=False),
        sa.Column("questions_agreeing", sa.Integer(), nullable=False),
        sa.Column("documents", sa.JSON(), nullable=False),
        sa.Column("dna_required", sa.Boolean(), nullable=False),
        sa.Column("dna_reasons", sa.JSON(), nullable=False),
        sa.Column("policy_version", sa.String(length=40), nullable=False),
        sa.Column("verified_by_id", sa.Uuid(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_kin_verification_withdrawn_whole"),
        ),
        sa.CheckConstraint(
            "questions_agreeing >= 0 AND questions_agreeing <= questions_asked",
            name=op.f("ck_kin_verification_questions"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_kin_verification_case_id")),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmation.id"], name=op.f("fk_kin_verification_confirmation_id")
        ),
        sa.ForeignKeyConstraint(
            ["verified_by_id"], ["user_account.id"], name=op.f("fk_kin_verification_verified_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_kin_verification_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kin_verification")),
    )
    with op.batch_alter_table("kin_verification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kin_verification_case_id"), ["case_id"], unique=False)

    op.create_table(
        "home_notice",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("refusal", "transfer", name="homenoticekind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("outcome_id", sa.Uuid(), nullable=True),
        sa.Column("division", sa.String(length=6), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("receiver", sa.String(length=120), nullable=True),
        sa.Column("document_number", sa.String(length=120), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "answer",
            sa.Enum(
                "received",
                "takes_over",
                "cannot",
                name="homeanswer",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(kind = 'refusal') = (attempt_id IS NOT NULL)", name=op.f("ck_home_notice_of_an_attempt")),
        sa.CheckConstraint("(kind = 'transfer') = (outcome_id IS NOT NULL)", name=op.f("ck_home_notice_of_an_outcome")),
        sa.CheckConstraint(
            "kind = 'refusal' OR document_number IS NOT NULL", name=op.f("ck_home_notice_transfer_is_written")
        ),
        sa.CheckConstraint(
            "kind = 'refusal' OR organisation_id IS NOT NULL OR receiver IS NOT NULL",
            name=op.f("ck_home_notice_transfer_names_a_station"),
        ),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (answered_by_id IS NULL) AND (answered_at IS NULL) = (answer IS NULL)",
            name=op.f("ck_home_notice_answered_whole"),
        ),
        sa.ForeignKeyConstraint(["answered_by_id"], ["user_account.id"], name=op.f("fk_home_notice_answered_by_id")),
        sa.ForeignKeyConstraint(["attempt_id"], ["contact_attempt.id"], name=op.f("fk_home_notice_attempt_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_home_notice_case_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user_account.id"], name=op.f("fk_home_notice_created_by_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_home_notice_organisation_id")),
        sa.ForeignKeyConstraint(["outcome_id"], ["outcome.id"], name=op.f("fk_home_notice_outcome_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_home_notice")),
    )
    with op.batch_alter_table("home_notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_home_notice_case_id"), ["case_id"], unique=False)
        batch_op.create_index(
            "ix_home_notice_organisation_id_created_at", ["organisation_id", "created_at"], unique=False
        )

    gates.create(op, GATES, kept=KEPT)


def downgrade() -> None:
    """Refused by the CHECKs while candidates or outcomes of the new kinds exist (PostgreSQL)."""
    gates.drop(op, GATES, kept=KEPT)
    for table in (
        "home_notice", "kin_verification", "contact_plan", "contact_exception", "handover", "exclusion", "escort_trip",
        "dossier_item", "contact_screening",
    ):  # fmt: skip
        op.drop_table(table)
    for table, column, *_ in reversed(COLUMNS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    gates.allow(op, "outcome", "kind", "ck_outcome_outcomekind", OUTCOMES)
    gates.allow(op, "candidate", "state", "ck_candidate_candidatestate", CANDIDATE_STATES)
