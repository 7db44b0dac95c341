"""review protocol: features first, assignments, requests, looks, seeded known non-matches

Revision: 0016, after 0015

A seed is no candidate, and an answer to one no review: by the foreign keys alone no confirmation, claim or agreement
can rest on it.
"""

import sqlalchemy as sa

from alembic import op
from tracing.platform import gates

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

POLICE = ("police_examiner", "police_supervisor")
# The same words as in 0005: the grade that is kept is the opinion's own.
GRADE = """(CASE NEW.opinion
    WHEN 'strongly_supports' THEN 3 WHEN 'supports' THEN 2 WHEN 'slightly_supports' THEN 1 WHEN 'neither' THEN 0
    WHEN 'slightly_opposes' THEN -1 WHEN 'opposes' THEN -2 WHEN 'strongly_opposes' THEN -3
END)"""
# PostgreSQL cannot compare two values of type JSON.
FEATURES = "CAST(NEW.features AS TEXT) IS DISTINCT FROM CAST(OLD.features AS TEXT)"
ENTERED_IT = """EXISTS (
    SELECT 1 FROM case_file
    WHERE case_file.id = NEW.case_id AND NEW.examiner_id IN (case_file.created_by_id, case_file.submitted_by_id)
)"""
KNOWN = """EXISTS (
    SELECT 1 FROM confirmation
    WHERE confirmation.id = NEW.confirmation_id AND confirmation.report_id = NEW.report_id
      AND confirmation.case_id <> NEW.case_id AND confirmation.recalled_at IS NULL
)"""
APPEND_ONLY = ("feature_note", "review_look", "review_seed")
KEPT = (*APPEND_ONLY, "seed_review", "review_request", "review_assignment")
ANSWER = gates.changed("id", "seed_id", "examiner_id", "opinion", "grade", "remarks", "opened_at", "committed_at")
REQUEST = gates.changed("id", "case_id", "candidate_id", "seed_id", "examiner_id", "kind", "requested_at")
GIVEN = gates.changed("id", "case_id", "place", "examiner_id", "assigned_at", "assigned_by_id", "due_at")
GATES: tuple[gates.Gate, ...] = (
    *((f"{table}_no_update", table, "UPDATE", "TRUE", f"{table} is append-only") for table in APPEND_ONLY),
    *((f"{table}_no_delete", table, "DELETE", "TRUE", f"{table} rows are kept") for table in KEPT),
    (
        "feature_note_police",
        "feature_note",
        "INSERT",
        f"NOT {gates.user_has('examiner_id', *POLICE)}",
        "examiners note features",
    ),
    ("review_seed_known", "review_seed", "INSERT", f"NOT {KNOWN}", "a seed is known to be somebody else"),
    (
        "seed_review_immutable",
        "seed_review",
        "UPDATE",
        f"OLD.withdrawn_at IS NOT NULL OR {ANSWER} OR {FEATURES}",
        "answers are withdrawn, never changed",
    ),
    (
        "seed_review_grade",
        "seed_review",
        "INSERT",
        f"NEW.grade IS DISTINCT FROM {GRADE}",
        "the grade is not that of the opinion",
    ),
    (
        "review_protocol_immutable",
        "review",
        "UPDATE",
        f"{gates.changed('opened_at')} OR {FEATURES}",
        "reviews are withdrawn, never changed",
    ),
    (
        "review_request_immutable",
        "review_request",
        "UPDATE",
        f"OLD.withdrawn_at IS NOT NULL OR {REQUEST}",
        "requests are withdrawn, never changed",
    ),
    (
        "review_assignment_immutable",
        "review_assignment",
        "UPDATE",
        f"OLD.ended_at IS NOT NULL OR {GIVEN}",
        "assignments end, they never change",
    ),
    (
        "review_assignment_examiner",
        "review_assignment",
        "INSERT",
        f"NOT {gates.user_has('examiner_id', *POLICE)} OR {ENTERED_IT}",
        "police examiners judge, never whoever entered the case",
    ),
)
COLUMNS = (
    ("opened_at", "TIMESTAMP WITH TIME ZONE", "DATETIME"),
    ("features", "JSON", "JSON"),
)
TABLES = ("review_assignment", "review_request", "review_look", "seed_review", "review_seed", "feature_note")


def upgrade() -> None:
    op.create_table(
        "feature_note",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("examiner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "basis",
            sa.Enum(
                "facial",
                "non_facial",
                "nothing",
                name="featurebasis",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("list_version", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("noted_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "count >= 0 AND (basis = 'nothing') = (count = 0)", name=op.f("ck_feature_note_count_of_basis")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_feature_note_case_id")),
        sa.ForeignKeyConstraint(["examiner_id"], ["user_account.id"], name=op.f("fk_feature_note_examiner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_note")),
    )
    with op.batch_alter_table("feature_note", schema=None) as batch_op:
        batch_op.create_index(
            "ix_feature_note_case_id_examiner_id", ["case_id", "examiner_id", "noted_at"], unique=False
        )

    op.create_table(
        "review_assignment",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("examiner_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_by_id", sa.Uuid(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_because",
            sa.Enum(
                "done",
                "expired",
                "reassigned",
                "released",
                name="assignmentend",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "ended_because IS NULL OR ended_because <> 'reassigned'"
            " OR (ended_by_id IS NOT NULL AND reason IS NOT NULL)",
            name=op.f("ck_review_assignment_reassigned_whole"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_because IS NULL)", name=op.f("ck_review_assignment_ended_whole")
        ),
        sa.CheckConstraint("place BETWEEN 1 AND 3", name=op.f("ck_review_assignment_place_known")),
        sa.ForeignKeyConstraint(
            ["assigned_by_id"], ["user_account.id"], name=op.f("fk_review_assignment_assigned_by_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_review_assignment_case_id")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["user_account.id"], name=op.f("fk_review_assignment_ended_by_id")),
        sa.ForeignKeyConstraint(["examiner_id"], ["user_account.id"], name=op.f("fk_review_assignment_examiner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_assignment")),
    )
    with op.batch_alter_table("review_assignment", schema=None) as batch_op:
        batch_op.create_index("ix_review_assignment_case_id", ["case_id", "place"], unique=False)
        batch_op.create_index(batch_op.f("ix_review_assignment_examiner_id"), ["examiner_id"], unique=False)
        batch_op.create_index(
            "uq_review_assignment_examiner",
            ["case_id", "examiner_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(
            "uq_review_assignment_place",
            ["case_id", "place"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "review_seed",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("confirmation_id", sa.Uuid(), nullable=False),
        sa.Column("log10_lr", sa.Double(), nullable=False),
        sa.Column("posterior", sa.Double(), nullable=False),
        sa.Column("face_similarity", sa.Double(), nullable=True),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column("index_version", sa.String(length=40), nullable=False),
        sa.Column("parameters_version", sa.String(length=40), nullable=False),
        sa.Column("gallery_size", sa.Integer(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sown_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_review_seed_case_id")),
        sa.ForeignKeyConstraint(["confirmation_id"], ["confirmation.id"], name=op.f("fk_review_seed_confirmation_id")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_review_seed_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_seed")),
        sa.UniqueConstraint("case_id", "report_id", name=op.f("uq_review_seed_case_id_report_id")),
    )
    with op.batch_alter_table("review_seed", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_seed_confirmation_id"), ["confirmation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_review_seed_report_id"), ["report_id"], unique=False)

    op.create_table(
        "review_look",
        sa.Column("examiner_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=True),
        sa.Column("seed_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(candidate_id IS NULL) <> (seed_id IS NULL)", name=op.f("ck_review_look_one_thing")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_review_look_candidate_id")),
        sa.ForeignKeyConstraint(["examiner_id"], ["user_account.id"], name=op.f("fk_review_look_examiner_id")),
        sa.ForeignKeyConstraint(["seed_id"], ["review_seed.id"], name=op.f("fk_review_look_seed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_look")),
    )
    with op.batch_alter_table("review_look", schema=None) as batch_op:
        batch_op.create_index("ix_review_look_examiner_id", ["examiner_id", "candidate_id", "seed_id"], unique=False)

    op.create_table(
        "review_request",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=True),
        sa.Column("seed_id", sa.Uuid(), nullable=True),
        sa.Column("examiner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("photo", "dna", name="requestkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)", name=op.f("ck_review_request_withdrawn_whole")
        ),
        sa.CheckConstraint("candidate_id IS NULL OR seed_id IS NULL", name=op.f("ck_review_request_one_thing")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_review_request_candidate_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_review_request_case_id")),
        sa.ForeignKeyConstraint(["examiner_id"], ["user_account.id"], name=op.f("fk_review_request_examiner_id")),
        sa.ForeignKeyConstraint(["seed_id"], ["review_seed.id"], name=op.f("fk_review_request_seed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_request")),
    )
    with op.batch_alter_table("review_request", schema=None) as batch_op:
        batch_op.create_index("ix_review_request_case_id_requested_at", ["case_id", "requested_at"], unique=False)

    op.create_table(
        "seed_review",
        sa.Column("seed_id", sa.Uuid(), nullable=False),
        sa.Column("examiner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "opinion",
            sa.Enum(
                "strongly_supports",
                "supports",
                "slightly_supports",
                "neither",
                "slightly_opposes",
                "opposes",
                "strongly_opposes",
                "cannot_tell",
                "possible_relative",
                name="opinion",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("grade", sa.SmallInteger(), nullable=True),
        sa.Column("remarks", sa.Text(), nullable=True),
        sa.Column("features", sa.JSON(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["examiner_id"], ["user_account.id"], name=op.f("fk_seed_review_examiner_id")),
        sa.ForeignKeyConstraint(["seed_id"], ["review_seed.id"], name=op.f("fk_seed_review_seed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seed_review")),
    )
    with op.batch_alter_table("seed_review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seed_review_examiner_id"), ["examiner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_seed_review_seed_id"), ["seed_id"], unique=False)
        batch_op.create_index(
            "uq_seed_review_standing",
            ["seed_id", "examiner_id"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    postgresql = op.get_bind().dialect.name == "postgresql"
    for name, on_postgresql, on_sqlite in COLUMNS:
        # Not as a batch: on SQLite that copies the table, and its triggers are lost.
        op.execute(f"ALTER TABLE review ADD COLUMN {name} {on_postgresql if postgresql else on_sqlite}")
    gates.create(op, GATES, kept=KEPT)


def downgrade() -> None:
    gates.drop(op, GATES, kept=KEPT)
    for name, *_ in COLUMNS:
        op.execute(f"ALTER TABLE review DROP COLUMN {name}")
    for table in TABLES:
        op.drop_table(table)
