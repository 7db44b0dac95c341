"""matching and decisions

Revision: 0004, after 0003
"""

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "match_pass",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("report", "case", name="gallerykind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column("index_version", sa.String(length=40), nullable=False),
        sa.Column("parameters_version", sa.String(length=40), nullable=False),
        sa.Column("gallery_size", sa.Integer(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_match_pass_profile_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_pass")),
        sa.UniqueConstraint(
            "profile_id",
            "revision",
            "model_version",
            "index_version",
            "parameters_version",
            name=op.f("uq_match_pass_profile_id_revision_model_version_index_version_parameters_version"),
        ),
    )
    op.create_table(
        "candidate",
        sa.Column("pair", sa.String(length=73), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=True),
        sa.Column("other_case_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "judged",
                "confirmed",
                "closed",
                name="candidatestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("log10_lr", sa.Double(), nullable=False),
        sa.Column("posterior", sa.Double(), nullable=False),
        sa.Column("face_similarity", sa.Double(), nullable=True),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column("index_version", sa.String(length=40), nullable=False),
        sa.Column("parameters_version", sa.String(length=40), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(report_id IS NULL) <> (other_case_id IS NULL)", name=op.f("ck_candidate_one_other")),
        sa.CheckConstraint("other_case_id IS NULL OR other_case_id <> case_id", name=op.f("ck_candidate_not_itself")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_candidate_case_id")),
        sa.ForeignKeyConstraint(["other_case_id"], ["case_file.id"], name=op.f("fk_candidate_other_case_id")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_candidate_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidate")),
        sa.UniqueConstraint("pair", name=op.f("uq_candidate_pair")),
    )
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.create_index("ix_candidate_case_id_log10_lr", ["case_id", "log10_lr"], unique=False)
        batch_op.create_index(batch_op.f("ix_candidate_other_case_id"), ["other_case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_candidate_report_id"), ["report_id"], unique=False)

    op.create_table(
        "contact_attempt",
        sa.Column("case_id", sa.Uuid(), nullable=False),
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
        sa.Column(
            "result",
            sa.Enum(
                "reached",
                "no_answer",
                "wrong_number",
                "refused",
                "call_back",
                name="contactresult",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_contact_attempt_case_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_contact_attempt_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_attempt")),
    )
    with op.batch_alter_table("contact_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_attempt_case_id"), ["case_id"], unique=False)

    op.create_table(
        "outcome",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "reunited",
                "escorted_home",
                "transferred",
                "hospital",
                "settled",
                "left",
                "refused_contact",
                "deceased",
                name="outcomekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "route",
            sa.Enum(
                "face",
                "interview",
                "fingerprint",
                "dna",
                "notice",
                "lookout",
                "other",
                name="outcomeroute",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_outcome_case_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_outcome_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome")),
    )
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outcome_case_id"), ["case_id"], unique=False)

    op.create_table(
        "confirmation",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "fingerprint",
                "dna",
                "household_register",
                "official_document",
                "agreeing_reviews",
                name="confirmationmethod",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recalled_by_id", sa.Uuid(), nullable=True),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recall_reason", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_confirmation_candidate_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_confirmation_case_id")),
        sa.ForeignKeyConstraint(["confirmed_by_id"], ["user_account.id"], name=op.f("fk_confirmation_confirmed_by_id")),
        sa.ForeignKeyConstraint(["recalled_by_id"], ["user_account.id"], name=op.f("fk_confirmation_recalled_by_id")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_confirmation_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
    )
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.create_index(
            "uq_confirmation_standing_case",
            ["case_id"],
            unique=True,
            sqlite_where=sa.text("recalled_at IS NULL"),
            postgresql_where=sa.text("recalled_at IS NULL"),
        )
        batch_op.create_index(
            "uq_confirmation_standing_report",
            ["report_id"],
            unique=True,
            sqlite_where=sa.text("recalled_at IS NULL"),
            postgresql_where=sa.text("recalled_at IS NULL"),
        )

    op.create_table(
        "review",
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
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
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("grade IS NULL OR grade BETWEEN -3 AND 3", name=op.f("ck_review_grade_range")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_review_candidate_id")),
        sa.ForeignKeyConstraint(["examiner_id"], ["user_account.id"], name=op.f("fk_review_examiner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_candidate_id"), ["candidate_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_review_examiner_id"), ["examiner_id"], unique=False)
        batch_op.create_index(
            "uq_review_standing",
            ["candidate_id", "examiner_id"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    op.create_table(
        "contact_release",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("confirmation_id", sa.Uuid(), nullable=False),
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
        sa.Column("released_by_id", sa.Uuid(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_contact_release_case_id")),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmation.id"], name=op.f("fk_contact_release_confirmation_id")
        ),
        sa.ForeignKeyConstraint(
            ["released_by_id"], ["user_account.id"], name=op.f("fk_contact_release_released_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_release")),
        sa.UniqueConstraint("confirmation_id", name=op.f("uq_contact_release_confirmation_id")),
    )
    with op.batch_alter_table("contact_release", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_release_case_id"), ["case_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("contact_release", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_release_case_id"))

    op.drop_table("contact_release")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_review_standing",
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_review_examiner_id"))
        batch_op.drop_index(batch_op.f("ix_review_candidate_id"))

    op.drop_table("review")
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_confirmation_standing_report",
            sqlite_where=sa.text("recalled_at IS NULL"),
            postgresql_where=sa.text("recalled_at IS NULL"),
        )
        batch_op.drop_index(
            "uq_confirmation_standing_case",
            sqlite_where=sa.text("recalled_at IS NULL"),
            postgresql_where=sa.text("recalled_at IS NULL"),
        )

    op.drop_table("confirmation")
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outcome_case_id"))

    op.drop_table("outcome")
    with op.batch_alter_table("contact_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_attempt_case_id"))

    op.drop_table("contact_attempt")
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_candidate_report_id"))
        batch_op.drop_index(batch_op.f("ix_candidate_other_case_id"))
        batch_op.drop_index("ix_candidate_case_id_log10_lr")

    op.drop_table("candidate")
    op.drop_table("match_pass")
