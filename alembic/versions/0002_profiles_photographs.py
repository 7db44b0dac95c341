"""profiles photographs

Revision: 0002, after 0001
"""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profile",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("no_marks", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_profile_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile")),
        sa.UniqueConstraint("subject_id", name=op.f("uq_profile_subject_id")),
    )
    op.create_table(
        "photo",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "view",
            sa.Enum(
                "front",
                "left",
                "right",
                "other",
                name="photoview",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes_stored", sa.Integer(), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uploaded_by_id", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "analysis",
            sa.Enum(
                "pending",
                "ready",
                "no_face",
                "several_faces",
                "unavailable",
                name="analysisstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("analysed_with", sa.String(length=80), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_photo_profile_id")),
        sa.ForeignKeyConstraint(["uploaded_by_id"], ["user_account.id"], name=op.f("fk_photo_uploaded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
        sa.UniqueConstraint("profile_id", "digest", name=op.f("uq_photo_profile_id_digest")),
    )
    with op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_photo_profile_id"), ["profile_id"], unique=False)

    op.create_table(
        "profile_attribute",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "sex",
                "age",
                "birth_date",
                "height",
                "build",
                "ethnicity",
                "blood_group",
                "accent",
                "clothing",
                "belongings",
                "health",
                "mental_state",
                "remarks",
                name="attributekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("uncertainty", sa.Double(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "basis",
            sa.Enum(
                "measured",
                "documented",
                "reported",
                "heard",
                "estimated",
                name="basis",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "uncertainty IS NULL OR uncertainty >= 0", name=op.f("ck_profile_attribute_uncertainty_not_negative")
        ),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_profile_attribute_profile_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_profile_attribute_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_attribute")),
    )
    with op.batch_alter_table("profile_attribute", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_profile_attribute_profile_id"), ["profile_id"], unique=False)
        batch_op.create_index(
            "uq_profile_attribute_current",
            ["profile_id", "kind"],
            unique=True,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )

    op.create_table(
        "profile_mark",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "scar",
                "surgical_scar",
                "birthmark",
                "mole",
                "tattoo",
                "amputation",
                "deformity",
                "missing_teeth",
                "other",
                name="markkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "region",
            sa.Enum(
                "head",
                "face",
                "neck",
                "chest",
                "abdomen",
                "back",
                "shoulder",
                "upper_arm",
                "forearm",
                "hand",
                "hip",
                "thigh",
                "lower_leg",
                "foot",
                "mouth",
                name="bodyregion",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "side",
            sa.Enum("left", "right", "middle", name="bodyside", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "basis",
            sa.Enum(
                "measured",
                "documented",
                "reported",
                "heard",
                "estimated",
                name="basis",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_profile_mark_profile_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_profile_mark_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_mark")),
    )
    with op.batch_alter_table("profile_mark", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_profile_mark_profile_id"), ["profile_id"], unique=False)

    op.create_table(
        "profile_name",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "full",
                "heard",
                "nickname",
                "former",
                name="namekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.String(length=120), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "basis",
            sa.Enum(
                "measured",
                "documented",
                "reported",
                "heard",
                "estimated",
                name="basis",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_profile_name_profile_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_profile_name_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_name")),
    )
    with op.batch_alter_table("profile_name", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_profile_name_profile_id"), ["profile_id"], unique=False)

    op.create_table(
        "profile_place",
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "native",
                "registered",
                "residence",
                "mentioned",
                name="placekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("division", sa.String(length=6), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "basis",
            sa.Enum(
                "measured",
                "documented",
                "reported",
                "heard",
                "estimated",
                name="basis",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_profile_place_profile_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_profile_place_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_place")),
    )
    with op.batch_alter_table("profile_place", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_profile_place_division"), ["division"], unique=False)
        batch_op.create_index(batch_op.f("ix_profile_place_profile_id"), ["profile_id"], unique=False)

    op.create_table(
        "face",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("box", sa.JSON(), nullable=False),
        sa.Column("landmarks", sa.JSON(), nullable=False),
        sa.Column("quality", sa.JSON(), nullable=False),
        sa.Column("quality_overall", sa.Integer(), nullable=False),
        sa.Column("embedding_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_face_photo_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face")),
        sa.UniqueConstraint(
            "photo_id", "model_version", "ordinal", name=op.f("uq_face_photo_id_model_version_ordinal")
        ),
    )
    with op.batch_alter_table("face", schema=None) as batch_op:
        batch_op.create_index("ix_face_model_version_chosen", ["model_version", "chosen"], unique=False)
        batch_op.create_index(batch_op.f("ix_face_photo_id"), ["photo_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("face", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_face_photo_id"))
        batch_op.drop_index("ix_face_model_version_chosen")

    op.drop_table("face")
    with op.batch_alter_table("profile_place", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_profile_place_profile_id"))
        batch_op.drop_index(batch_op.f("ix_profile_place_division"))

    op.drop_table("profile_place")
    with op.batch_alter_table("profile_name", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_profile_name_profile_id"))

    op.drop_table("profile_name")
    with op.batch_alter_table("profile_mark", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_profile_mark_profile_id"))

    op.drop_table("profile_mark")
    with op.batch_alter_table("profile_attribute", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_profile_attribute_current",
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_profile_attribute_profile_id"))

    op.drop_table("profile_attribute")
    with op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_photo_profile_id"))

    op.drop_table("photo")
    op.drop_table("profile")
