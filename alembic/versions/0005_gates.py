"""gates: what nobody may do, whatever code runs

Revision: 0005, after 0004

The same rules as the use cases, held by the database: append-only tables, a confirmation that rests on two agreeing
examiners or a decisive method, a release that rests on a standing confirmation, states that rest on both. The figures
(grade 2, two examiners) are those of models.review.AGREEING_GRADE and tracing.confirmation.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

POLICE = "('police_examiner', 'police_supervisor')"
DECISIVE = "('fingerprint', 'dna', 'household_register', 'official_document')"
GATED = "('identified', 'contact_released', 'family_contacted', 'reunified')"
CONTACT_OPEN = "('contact_released', 'family_contacted', 'reunified')"

# Two examiners of the police, neither of whom entered the case, each with a standing opinion of +2 or more.
AGREEING = f"""(
    SELECT count(DISTINCT review.examiner_id) FROM review
    JOIN user_account ON user_account.id = review.examiner_id
    JOIN case_file ON case_file.id = NEW.case_id
    WHERE review.candidate_id = NEW.candidate_id AND review.withdrawn_at IS NULL AND review.grade >= 2
      AND user_account.role IN {POLICE}
      AND review.examiner_id <> case_file.created_by_id
      AND (case_file.submitted_by_id IS NULL OR review.examiner_id <> case_file.submitted_by_id)
) < 2"""
CONFIRMER = f"""EXISTS (
    SELECT 1 FROM user_account JOIN case_file ON case_file.id = NEW.case_id
    WHERE user_account.id = NEW.confirmed_by_id AND user_account.role IN {POLICE}
      AND user_account.id <> case_file.created_by_id
      AND (case_file.submitted_by_id IS NULL OR user_account.id <> case_file.submitted_by_id)
)"""
SAME_CANDIDATE = """EXISTS (
    SELECT 1 FROM candidate
    WHERE candidate.id = NEW.candidate_id AND candidate.case_id = NEW.case_id AND candidate.report_id = NEW.report_id
)"""
RELEASABLE = f"""EXISTS (
    SELECT 1 FROM confirmation JOIN user_account ON user_account.id = NEW.released_by_id
    WHERE confirmation.id = NEW.confirmation_id AND confirmation.case_id = NEW.case_id
      AND confirmation.recalled_at IS NULL AND user_account.role IN {POLICE}
)"""
CONFIRMED = """EXISTS (
    SELECT 1 FROM confirmation WHERE confirmation.case_id = NEW.id AND confirmation.recalled_at IS NULL
)"""
RELEASED = """EXISTS (
    SELECT 1 FROM contact_release JOIN confirmation ON confirmation.id = contact_release.confirmation_id
    WHERE contact_release.case_id = NEW.id AND confirmation.case_id = NEW.id AND confirmation.recalled_at IS NULL
)"""

# The grade that counts is the opinion's own; nobody writes "opposes" and +3.
GRADE = """(CASE NEW.opinion
    WHEN 'strongly_supports' THEN 3 WHEN 'supports' THEN 2 WHEN 'slightly_supports' THEN 1 WHEN 'neither' THEN 0
    WHEN 'slightly_opposes' THEN -1 WHEN 'opposes' THEN -2 WHEN 'strongly_opposes' THEN -3
END)"""
STILL_GATED = f"""EXISTS (
    SELECT 1 FROM case_file WHERE case_file.id = NEW.case_id AND case_file.state IN {GATED}
)"""


def _changed(*columns: str) -> str:
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


REVIEW_CHANGED = _changed("id", "candidate_id", "examiner_id", "opinion", "grade", "remarks", "committed_at")
CONFIRMATION_CHANGED = _changed(
    "id", "case_id", "candidate_id", "report_id", "method", "reference", "grounds", "confirmed_by_id", "confirmed_at"
)

# name, table, event, condition under which it is refused, message
GATES: tuple[tuple[str, str, str, str, str], ...] = (
    *(
        (f"{table}_no_{event.lower()}", table, event, "TRUE", f"{table} is append-only")
        for table in ("audit_event", "case_transition", "contact_release")
        for event in ("UPDATE", "DELETE")
    ),
    ("review_no_delete", "review", "DELETE", "TRUE", "reviews are withdrawn, never deleted"),
    (
        "review_immutable",
        "review",
        "UPDATE",
        f"OLD.withdrawn_at IS NOT NULL OR {REVIEW_CHANGED}",
        "reviews are withdrawn, never changed",
    ),
    ("review_grade", "review", "INSERT", f"NEW.grade IS DISTINCT FROM {GRADE}", "the grade is not that of the opinion"),
    ("review_standing", "review", "INSERT", "NEW.withdrawn_at IS NOT NULL", "a review begins standing"),
    ("confirmation_no_delete", "confirmation", "DELETE", "TRUE", "confirmations are recalled, never deleted"),
    (
        "confirmation_immutable",
        "confirmation",
        "UPDATE",
        f"OLD.recalled_at IS NOT NULL OR {CONFIRMATION_CHANGED}",
        "confirmations are recalled, never changed",
    ),
    (
        "confirmation_recall",
        "confirmation",
        "UPDATE",
        f"NEW.recalled_at IS NOT NULL AND (NEW.recalled_by_id IS NULL OR NEW.recall_reason IS NULL OR {STILL_GATED})",
        "a recall names who and why, after the case has left the states that rest on it",
    ),
    (
        "confirmation_standing",
        "confirmation",
        "INSERT",
        "NEW.recalled_at IS NOT NULL",
        "a confirmation begins standing",
    ),
    (
        "confirmation_police",
        "confirmation",
        "INSERT",
        f"NOT {CONFIRMER}",
        "only the police confirm, never the submitter",
    ),
    ("confirmation_candidate", "confirmation", "INSERT", f"NOT {SAME_CANDIDATE}", "not a candidate of this case"),
    (
        "confirmation_grounds",
        "confirmation",
        "INSERT",
        f"NEW.method NOT IN {DECISIVE} AND {AGREEING}",
        "two agreeing examiners or a decisive method",
    ),
    (
        "confirmation_reference",
        "confirmation",
        "INSERT",
        f"NEW.method IN {DECISIVE} AND coalesce(trim(NEW.reference), '') = ''",
        "a decisive method needs its reference",
    ),
    ("contact_release_gate", "contact_release", "INSERT", f"NOT {RELEASABLE}", "no standing confirmation to release"),
    (
        "contact_release_person",
        "contact_release",
        "INSERT",
        "NEW.wish = 'objects' OR NEW.danger = 'suspected'",
        "the person objects, or danger is suspected",
    ),
    *(
        gate
        for event in ("INSERT", "UPDATE")
        for gate in (
            (
                f"case_confirmed_{event.lower()}",
                "case_file",
                event,
                f"NEW.state IN {GATED} AND NOT {CONFIRMED}",
                "this state needs a standing confirmation",
            ),
            (
                f"case_released_{event.lower()}",
                "case_file",
                event,
                f"NEW.state IN {CONTACT_OPEN} AND NOT {RELEASED}",
                "this state needs a contact release",
            ),
        )
    ),
)

NOT_EMPTIED = ("audit_event", "case_transition", "review", "confirmation", "contact_release")

# SQLite's REPLACE deletes the rows that a new one collides with, and their delete triggers stay silent unless the
# connection asked for recursive triggers. So a collision on any unique key of these tables is refused beforehand.
COLLISIONS: tuple[tuple[str, str], ...] = (
    ("audit_event", "seq = NEW.seq OR hash = NEW.hash"),
    ("case_transition", "id = NEW.id"),
    ("contact_release", "id = NEW.id OR confirmation_id = NEW.confirmation_id"),
    (
        "review",
        "id = NEW.id OR withdrawn_at IS NULL AND candidate_id = NEW.candidate_id AND examiner_id = NEW.examiner_id",
    ),
    (
        "confirmation",
        "id = NEW.id OR recalled_at IS NULL AND (case_id = NEW.case_id OR report_id = NEW.report_id)",
    ),
)


def upgrade() -> None:
    op.execute(f"INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '{'0' * 64}')")
    postgresql = op.get_bind().dialect.name == "postgresql"
    for name, table, event, refused, message in GATES:
        if postgresql:
            result = "OLD" if event == "DELETE" else "NEW"
            op.execute(
                f"""
                CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF {refused} THEN
                        RAISE EXCEPTION 'gate: {message}' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN {result};
                END $$"""
            )
            op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
        else:
            op.execute(
                f"""
                CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {refused}
                BEGIN
                    SELECT RAISE(ABORT, 'gate: {message}');
                END"""
            )
    for table, collides in () if postgresql else COLLISIONS:
        op.execute(
            f"""
            CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} WHERE {collides})
            BEGIN
                SELECT RAISE(ABORT, 'gate: {table} rows are not replaced');
            END"""
        )
    if postgresql:
        # TRUNCATE passes row triggers by.
        for table in NOT_EMPTIED:
            op.execute(
                f"""
                CREATE FUNCTION {table}_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION 'gate: {table} is not emptied' USING ERRCODE = 'check_violation';
                END $$"""
            )
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_no_truncate()"
            )


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        for table in NOT_EMPTIED:
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
            op.execute(f"DROP FUNCTION {table}_no_truncate()")
    for table, _collides in () if postgresql else COLLISIONS:
        op.execute(f"DROP TRIGGER {table}_no_replace")
    for name, table, *_rest in reversed(GATES):
        op.execute(f"DROP TRIGGER {name} ON {table}" if postgresql else f"DROP TRIGGER {name}")
        if postgresql:
            op.execute(f"DROP FUNCTION {name}()")
    op.execute("DELETE FROM audit_head")
