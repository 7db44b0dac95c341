"""the way home: exclusions, contact by the protocol, kin, outcomes with their papers

Revision: 0018, after 0017

An excluded pair stays excluded until named new evidence reopens it. The family is first reached through the local
police or village committee, and not at all while the person objects or danger is suspected. Nobody is handed over
before the kin are verified; nobody is settled without a complete dossier.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

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

# fmt: off
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
    ("home_notice_immutable", "home_notice", "UPDATE", f"OLD.answered_at IS NOT NULL OR {NOTICE}",
     "a notice is answered once, never changed"),
    ("exclusion_police", "exclusion", "INSERT", f"NOT {gates.user_has('excluded_by_id', *POLICE)}",
     "only the police exclude"),
    ("exclusion_candidate", "exclusion", "INSERT",
     "NOT EXISTS (SELECT 1 FROM candidate WHERE id = NEW.candidate_id AND case_id = NEW.case_id)",
     "not a candidate of this case"),
    ("exclusion_reopener", "exclusion", "UPDATE",
     f"NEW.reopened_at IS NOT NULL AND NOT {gates.user_has('reopened_by_id', 'police_supervisor')}",
     "a police supervisor reopens"),
    ("candidate_excluded", "candidate", "UPDATE",
     f"(NEW.listed OR NEW.state <> 'excluded') AND {EXCLUDED.format(column='id')}", "this pair is excluded"),
    ("confirmation_excluded", "confirmation", "INSERT", EXCLUDED.format(column="candidate_id"),
     "this pair is excluded"),
    ("contact_attempt_released", "contact_attempt", "INSERT", f"NOT {RELEASED}",
     "no contact without a standing, released confirmation"),
    ("contact_attempt_stopped", "contact_attempt", "INSERT", STOPPED.format(case="case_id"),
     "the person objects, or danger is suspected"),
    ("contact_attempt_first", "contact_attempt", "INSERT",
     f"NEW.channel NOT IN {LOCAL} AND NOT {FIRST_WAS_LOCAL} AND NOT {EXCEPTED}",
     "the first attempt goes through the local police or the village committee"),
    ("contact_exception_supervisor", "contact_exception", "INSERT",
     f"NOT {gates.user_has('allowed_by_id', 'police_supervisor')}", "a police supervisor allows exceptions"),
    ("contact_release_stopped", "contact_release", "INSERT", STOPPED.format(case="case_id"),
     "the person objects, or danger is suspected"),
    ("contact_screening_order", "contact_screening", "INSERT", f"NEW.ordinal <> {NEXT_ORDINAL}",
     "screenings are counted one by one"),
    ("contact_screening_danger", "contact_screening", "INSERT",
     f"NEW.danger = 'no_sign' AND {LAST_DANGER} = 'suspected' AND NOT {gates.user_has('recorded_by_id', *POLICE)}",
     "the police clear up a suspected danger"),
    ("kin_verification_released", "kin_verification", "INSERT", f"NOT {RELEASED}",
     "no contact without a standing, released confirmation"),
    ("kin_verification_dna", "kin_verification", "INSERT",
     f"NEW.result = 'verified' AND NEW.dna_required AND NOT {DNA_SHOWN}", "the kinship has to be shown by DNA"),
    (
        "case_kin_verified", "case_file", "UPDATE",
        f"NEW.state = 'reunified' AND OLD.state <> 'reunified' AND {CASE_RELEASED}"
        f" AND (NOT {VERIFIED.format(case='id')} OR {STOPPED.format(case='id')})",
        "nobody is handed over before the kin are verified",
    ),
    ("outcome_kin_verified", "outcome", "INSERT",
     f"NEW.kind IN {HOME} AND (NOT {VERIFIED.format(case='case_id')} OR {STOPPED.format(case='case_id')})",
     "nobody is handed over before the kin are verified"),
    ("outcome_dossier", "outcome", "INSERT", "NEW.kind = 'settled' AND NEW.dossier_version IS NULL",
     "a settlement needs its dossier"),
    ("case_settled_dossier", "case_file", "UPDATE",
     f"NEW.state = 'settled' AND OLD.state <> 'settled' AND NOT {COMPLETE_DOSSIER}", "a settlement needs its dossier"),
)
# fmt: on
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


_ID, _AT, _DAY, _S = sa.Uuid(), sa.DateTime(timezone=True), sa.Date(), sa.String


def _c(name: str, kind: TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _n(name: str, kind: TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _fk(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def _pk(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


# fmt: off
def upgrade() -> None:
    gates.allow(op, "candidate", "state", "ck_candidate_candidatestate", (*CANDIDATE_STATES, "excluded"))
    gates.allow(op, "outcome", "kind", "ck_outcome_outcomekind", (*OUTCOMES, "long_stay", "missing_again"))
    _add_columns()
    op.create_table(
        "contact_screening", _c("case_id", _ID), _c("ordinal", sa.Integer()),
        _c("wish", _enum("personwish", "wants_contact", "cannot_express", "objects")),
        _c("danger", _enum("dangerscreen", "no_sign", "suspected")), _c("asked_on", _DAY),
        _n("note_sealed", sa.LargeBinary()), _c("recorded_by_id", _ID), _c("recorded_at", _AT), _c("id", _ID),
        _fk("contact_screening", "case_id", "case_file"), _fk("contact_screening", "recorded_by_id", "user_account"),
        _pk("contact_screening"),
        sa.UniqueConstraint("case_id", "ordinal", name=op.f("uq_contact_screening_case_id_ordinal")),
    )
    op.create_table(
        "dossier_item", _c("case_id", _ID), _c("item", _S(40)), _c("done_on", _DAY), _n("reference", _S(120)),
        _c("recorded_by_id", _ID), _c("recorded_at", _AT), _n("withdrawn_at", _AT), _n("withdrawn_by_id", _ID),
        _n("withdrawal_reason", _S(500)), _c("id", _ID),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_dossier_item_withdrawn_whole"),
        ),
        _fk("dossier_item", "case_id", "case_file"), _fk("dossier_item", "recorded_by_id", "user_account"),
        _fk("dossier_item", "withdrawn_by_id", "user_account"), _pk("dossier_item"),
    )
    op.create_index(
        "uq_dossier_item_standing", "dossier_item", ["case_id", "item"], unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"), postgresql_where=sa.text("withdrawn_at IS NULL"),
    )

    op.create_table(
        "escort_trip", _c("outcome_id", _ID), _c("escorts", _S(200)),
        _c("transport", _enum("transport", "train", "coach", "car", "ambulance", "plane", "ship")),
        _c("from_division", _S(6)), _c("to_division", _S(6)), _c("departed_at", _AT), _c("arrived_at", _AT),
        _c("id", _ID),
        sa.CheckConstraint("arrived_at >= departed_at", name=op.f("ck_escort_trip_arrives_after_departure")),
        _fk("escort_trip", "outcome_id", "outcome"), _pk("escort_trip"),
        sa.UniqueConstraint("outcome_id", name=op.f("uq_escort_trip_outcome_id")),
    )
    op.create_table(
        "exclusion", _c("case_id", _ID), _c("candidate_id", _ID),
        _c("evidence", _enum("exclusionevidence", "dna", "fingerprint", "official_record", "examiners_agreed",
            "new_photo", "new_statement")),
        _n("reference", _S(120)), _c("reason", _S(500)), _c("excluded_by_id", _ID), _c("excluded_at", _AT),
        _n("reopen_evidence", _enum("reopen_exclusionevidence", "dna", "fingerprint", "official_record",
            "examiners_agreed", "new_photo", "new_statement")),
        _n("reopen_reference", _S(120)), _n("reopen_reason", _S(500)), _n("reopened_by_id", _ID),
        _n("reopened_at", _AT), _c("id", _ID),
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
        _fk("exclusion", "candidate_id", "candidate"), _fk("exclusion", "case_id", "case_file"),
        _fk("exclusion", "excluded_by_id", "user_account"), _fk("exclusion", "reopened_by_id", "user_account"),
        _pk("exclusion"),
    )
    op.create_index("ix_exclusion_case_id_excluded_at", "exclusion", ["case_id", "excluded_at"], unique=False)
    op.create_index(
        "uq_exclusion_standing", "exclusion", ["candidate_id"], unique=True,
        sqlite_where=sa.text("reopened_at IS NULL"), postgresql_where=sa.text("reopened_at IS NULL"),
    )

    op.create_table(
        "handover", _c("outcome_id", _ID), _c("receiver_sealed", sa.LargeBinary()), _c("signed_on", _DAY),
        _n("reference", _S(120)), _c("id", _ID), _fk("handover", "outcome_id", "outcome"), _pk("handover"),
        sa.UniqueConstraint("outcome_id", name=op.f("uq_handover_outcome_id")),
    )
    op.create_table(
        "contact_exception", _c("case_id", _ID), _c("confirmation_id", _ID), _c("reason", _S(500)),
        _c("allowed_by_id", _ID), _c("allowed_at", _AT), _c("id", _ID),
        _fk("contact_exception", "allowed_by_id", "user_account"), _fk("contact_exception", "case_id", "case_file"),
        _fk("contact_exception", "confirmation_id", "confirmation"), _pk("contact_exception"),
    )
    op.create_index(op.f("ix_contact_exception_case_id"), "contact_exception", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_contact_exception_confirmation_id"), "contact_exception", ["confirmation_id"], unique=False,
    )

    op.create_table(
        "contact_plan", _c("case_id", _ID), _c("confirmation_id", _ID),
        _c("channel", _enum("contactchannel", "local_police", "village_committee", "telephone", "visit")),
        _c("unit_sealed", sa.LargeBinary()), _c("call_back_number", _S(40)), _c("script_version", _S(40)),
        _c("made_by_id", _ID), _c("made_at", _AT), _c("id", _ID), _fk("contact_plan", "case_id", "case_file"),
        _fk("contact_plan", "confirmation_id", "confirmation"), _fk("contact_plan", "made_by_id", "user_account"),
        _pk("contact_plan"),
    )
    op.create_index(op.f("ix_contact_plan_case_id"), "contact_plan", ["case_id"], unique=False)

    op.create_table(
        "kin_verification", _c("case_id", _ID), _c("confirmation_id", _ID),
        _c("result", _enum("kinresult", "verified", "not_verified")), _c("evidence_sealed", sa.LargeBinary()),
        _c("questions_asked", sa.Integer()), _c("questions_agreeing", sa.Integer()), _c("documents", sa.JSON()),
        _c("dna_required", sa.Boolean()), _c("dna_reasons", sa.JSON()), _c("policy_version", _S(40)),
        _c("verified_by_id", _ID), _c("verified_at", _AT), _n("withdrawn_at", _AT), _n("withdrawn_by_id", _ID),
        _n("withdrawal_reason", _S(500)), _c("id", _ID),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_kin_verification_withdrawn_whole"),
        ),
        sa.CheckConstraint(
            "questions_agreeing >= 0 AND questions_agreeing <= questions_asked",
            name=op.f("ck_kin_verification_questions"),
        ),
        _fk("kin_verification", "case_id", "case_file"), _fk("kin_verification", "confirmation_id", "confirmation"),
        _fk("kin_verification", "verified_by_id", "user_account"),
        _fk("kin_verification", "withdrawn_by_id", "user_account"), _pk("kin_verification"),
    )
    op.create_index(op.f("ix_kin_verification_case_id"), "kin_verification", ["case_id"], unique=False)

    op.create_table(
        "home_notice", _c("case_id", _ID), _c("kind", _enum("homenoticekind", "refusal", "transfer")),
        _n("attempt_id", _ID), _n("outcome_id", _ID), _n("division", _S(6)), _n("organisation_id", _ID),
        _n("receiver", _S(120)), _n("document_number", _S(120)), _c("sent_on", _DAY), _c("created_by_id", _ID),
        _c("created_at", _AT), _n("answer", _enum("homeanswer", "received", "takes_over", "cannot")),
        _n("answered_by_id", _ID), _n("answered_at", _AT), _c("id", _ID),
        sa.CheckConstraint(
            "(kind = 'refusal') = (attempt_id IS NOT NULL)", name=op.f("ck_home_notice_of_an_attempt"),
        ),
        sa.CheckConstraint(
            "(kind = 'transfer') = (outcome_id IS NOT NULL)", name=op.f("ck_home_notice_of_an_outcome"),
        ),
        sa.CheckConstraint(
            "kind = 'refusal' OR document_number IS NOT NULL", name=op.f("ck_home_notice_transfer_is_written"),
        ),
        sa.CheckConstraint(
            "kind = 'refusal' OR organisation_id IS NOT NULL OR receiver IS NOT NULL",
            name=op.f("ck_home_notice_transfer_names_a_station"),
        ),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (answered_by_id IS NULL) AND (answered_at IS NULL) = (answer IS NULL)",
            name=op.f("ck_home_notice_answered_whole"),
        ),
        _fk("home_notice", "answered_by_id", "user_account"), _fk("home_notice", "attempt_id", "contact_attempt"),
        _fk("home_notice", "case_id", "case_file"), _fk("home_notice", "created_by_id", "user_account"),
        _fk("home_notice", "organisation_id", "organisation"), _fk("home_notice", "outcome_id", "outcome"),
        _pk("home_notice"),
    )
    op.create_index(op.f("ix_home_notice_case_id"), "home_notice", ["case_id"], unique=False)
    op.create_index(
        "ix_home_notice_organisation_id_created_at", "home_notice", ["organisation_id", "created_at"], unique=False,
    )

    gates.create(op, GATES, kept=KEPT)


# fmt: on
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
