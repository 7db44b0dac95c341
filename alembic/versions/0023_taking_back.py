"""taking back: only recalls and withdrawn outcomes lead back; opinions rest on features, and are blind

Revision: 0023, after 0022

The same rules as the use cases, held by the database: a case is recalled together with its confirmation, by a police
supervisor; a stay's end is undone by the withdrawal of its outcome alone; what was withdrawn is neither followed up nor
answered; features are noted before an opinion; who could read a colleague's opinion before the own agrees with nobody.
"""

import sqlalchemy as sa

from alembic import op
from tracing.platform import gates

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

DECISIVE = "('fingerprint', 'dna', 'household_register', 'official_document')"
GATED = "('identified', 'contact_released', 'family_contacted', 'reunified')"
POLICE = "('police_examiner', 'police_supervisor')"
CONFIRMED = "EXISTS (SELECT 1 FROM confirmation WHERE case_id = NEW.id AND recalled_at IS NULL)"
# Neither recalled nor in a state of which 0005 says the same.
NOT_RECALLED = f"""EXISTS (
    SELECT 1 FROM case_file WHERE id = NEW.case_id AND state <> 'recalled' AND state NOT IN {GATED}
)"""
ONWARDS = """(
    OLD.state = NEW.state
    OR OLD.state NOT IN ('left', 'transferred', 'deceased', 'settled', 'reunified')
    OR NEW.state IN ('closed', 'recalled')
    OR OLD.state = 'left' AND NEW.state = 'searching'
    OR OLD.state = 'deceased' AND NEW.state = 'identified'
    OR OLD.state = 'settled' AND NEW.state IN ('searching', 'in_review', 'identified', 'left', 'deceased')
)"""
# As tracing.outcome_rules.RULES.
BRINGING = """
    SELECT 1 FROM outcome
    WHERE case_id = NEW.id AND OLD.state = CASE kind
        WHEN 'missing_again' THEN 'left' WHEN 'reunited' THEN 'reunified' WHEN 'escorted_home' THEN 'reunified'
        ELSE kind END
"""
TAKEN_BACK = f"(EXISTS ({BRINGING} AND withdrawn_at IS NOT NULL) AND NOT EXISTS ({BRINGING} AND withdrawn_at IS NULL))"
RETURN_WITHDRAWN = "EXISTS (SELECT 1 FROM outcome WHERE id = NEW.outcome_id AND withdrawn_at IS NOT NULL)"
SHOWS_STABLE = "EXISTS (SELECT 1 FROM follow_up_end WHERE visit_id = NEW.id AND withdrawn_at IS NULL)"
VOID = """(
    EXISTS (SELECT 1 FROM outcome WHERE id = NEW.outcome_id AND withdrawn_at IS NOT NULL)
    OR EXISTS (
        SELECT 1 FROM contact_attempt JOIN confirmation ON confirmation.id = contact_attempt.confirmation_id
        WHERE contact_attempt.id = NEW.attempt_id AND confirmation.recalled_at IS NOT NULL
    )
)"""
NOTED = """EXISTS (
    SELECT 1 FROM feature_note JOIN candidate ON candidate.id = NEW.candidate_id
    WHERE feature_note.examiner_id = NEW.examiner_id
      AND (feature_note.case_id = candidate.case_id OR feature_note.case_id = candidate.other_case_id)
)"""
NOTED_SEED = """EXISTS (
    SELECT 1 FROM feature_note JOIN review_seed ON review_seed.id = NEW.seed_id
    WHERE feature_note.examiner_id = NEW.examiner_id AND feature_note.case_id = review_seed.case_id
)"""
# As 0005 counts them, without who withdrew an opinion after a colleague's stood beside it (tracing.confirmation).
BLIND = f"""(
    SELECT count(DISTINCT review.examiner_id) FROM review
    JOIN user_account ON user_account.id = review.examiner_id
    JOIN case_file ON case_file.id = NEW.case_id
    WHERE review.candidate_id = NEW.candidate_id AND review.withdrawn_at IS NULL AND review.grade >= 2
      AND user_account.role IN {POLICE}
      AND review.examiner_id <> case_file.created_by_id
      AND (case_file.submitted_by_id IS NULL OR review.examiner_id <> case_file.submitted_by_id)
      AND NOT EXISTS (
          SELECT 1 FROM review AS mine
          JOIN review AS other ON other.candidate_id = mine.candidate_id AND other.examiner_id <> mine.examiner_id
          WHERE mine.candidate_id = NEW.candidate_id AND mine.examiner_id = review.examiner_id
            AND other.committed_at < mine.withdrawn_at
            AND (other.withdrawn_at IS NULL OR other.withdrawn_at > mine.committed_at)
      )
)"""

KEPT = ("seed_exclusion",)

# fmt: off
GATES: tuple[gates.Gate, ...] = (
    ("case_recalled", "case_file", "UPDATE",
     f"NEW.state = 'recalled' AND OLD.state <> 'recalled' AND NOT {CONFIRMED}", "there is no confirmation to recall"),
    ("case_recall_whole", "case_file", "UPDATE",
     f"OLD.state = 'recalled' AND NEW.state <> 'recalled' AND {CONFIRMED}",
     "a case is recalled together with its confirmation"),
    ("confirmation_recall_whole", "confirmation", "UPDATE",
     f"OLD.recalled_at IS NULL AND NEW.recalled_at IS NOT NULL AND NEW.recalled_by_id IS NOT NULL"
     f" AND (NOT {gates.user_has('recalled_by_id', 'police_supervisor')} OR {NOT_RECALLED})",
     "a police supervisor recalls a confirmation together with its case"),
    ("case_end_undone", "case_file", "UPDATE", f"NOT {ONWARDS} AND NOT {TAKEN_BACK}",
     "only the withdrawal of its outcome undoes the end of a stay"),
    ("case_closed", "case_file", "UPDATE", "OLD.state = 'closed' AND NEW.state NOT IN ('closed', 'recalled')",
     "a closed case is recalled, or stays closed"),
    *((f"{table}_return", table, "INSERT", RETURN_WITHDRAWN, "this return home was withdrawn")
      for table in ("follow_up_visit", "follow_up_end")),
    ("follow_up_visit_used", "follow_up_visit", "UPDATE", f"NEW.withdrawn_at IS NOT NULL AND {SHOWS_STABLE}",
     "the end of the follow-up rests on this visit"),
    ("home_notice_void", "home_notice", "UPDATE", f"NEW.answered_at IS NOT NULL AND {VOID}",
     "this notice no longer holds"),
    ("review_features", "review", "INSERT", f"NOT {NOTED}", "features are noted before an opinion"),
    ("seed_review_features", "seed_review", "INSERT", f"NOT {NOTED_SEED}", "features are noted before an opinion"),
    ("confirmation_blind", "confirmation", "INSERT", f"NEW.method NOT IN {DECISIVE} AND {BLIND} < 2",
     "two agreeing examiners or a decisive method"),
    *((f"seed_exclusion_no_{event.lower()}", "seed_exclusion", event, "TRUE", "seed_exclusion is append-only")
      for event in ("UPDATE", "DELETE")),
)
# fmt: on


def upgrade() -> None:
    op.create_table(
        "seed_exclusion",
        sa.Column("seed_id", sa.Uuid(), nullable=False),
        sa.Column(
            "evidence",
            sa.Enum(
                "dna", "fingerprint", "official_record", "examiners_agreed", "new_photo", "new_statement",
                name="exclusionevidence", native_enum=False, create_constraint=True, length=32,
            ),
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("excluded_by_id", sa.Uuid(), nullable=False),
        sa.Column("excluded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["seed_id"], ["review_seed.id"], name=op.f("fk_seed_exclusion_seed_id")),
        sa.ForeignKeyConstraint(["excluded_by_id"], ["user_account.id"], name=op.f("fk_seed_exclusion_excluded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seed_exclusion")),
        sa.UniqueConstraint("seed_id", name=op.f("uq_seed_exclusion_seed_id")),
    )  # fmt: skip
    gates.create(op, GATES, kept=KEPT)


def downgrade() -> None:
    gates.drop(op, GATES, kept=KEPT)
    op.drop_table("seed_exclusion")
