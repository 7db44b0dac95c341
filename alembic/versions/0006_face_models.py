"""face models: versions side by side, and what each made of each photograph

Revision: 0006, after 0005

Until here a photograph knew its last analysis alone. The version that most photographs were last analysed with comes
into force, the others are retired. Every engine until here gave 128 values.
"""

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DIMENSION = 128
BATCH = 1000


def analysis_type() -> sa.Enum:
    return sa.Enum(
        "pending",
        "ready",
        "no_face",
        "several_faces",
        "unavailable",
        name="analysisstate",
        native_enum=False,
        create_constraint=True,
        length=32,
    )


def upgrade() -> None:
    op.create_table(
        "face_model",
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "building",
                "in_force",
                "retired",
                name="facemodelstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_force_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("dimension > 0", name=op.f("ck_face_model_dimension_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_model")),
        sa.UniqueConstraint("model_version", name=op.f("uq_face_model_model_version")),
    )
    with op.batch_alter_table("face_model", schema=None) as batch_op:
        batch_op.create_index(
            "uq_face_model_in_force",
            ["state"],
            unique=True,
            sqlite_where=sa.text("state = 'in_force'"),
            postgresql_where=sa.text("state = 'in_force'"),
        )
    op.create_table(
        "photo_analysis",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("model_version", sa.String(length=80), nullable=False),
        sa.Column("state", analysis_type(), nullable=False),
        sa.Column("analysed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_photo_analysis_photo_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_analysis")),
        sa.UniqueConstraint("photo_id", "model_version", name=op.f("uq_photo_analysis_photo_id_model_version")),
    )
    with op.batch_alter_table("photo_analysis", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_photo_analysis_model_version"), ["model_version"], unique=False)
    _split()
    with _photo_rebuilt("face", "photo_analysis"), op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_photo_analysisstate"), type_="check")
        batch_op.drop_column("analysis")
        batch_op.drop_column("analysed_with")


def downgrade() -> None:
    with _photo_rebuilt("face", "photo_analysis"), op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.add_column(sa.Column("analysis", analysis_type(), nullable=False, server_default="pending"))
        batch_op.add_column(sa.Column("analysed_with", sa.String(length=80), nullable=True))
    _join()
    with _photo_rebuilt("face", "photo_analysis"), op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.alter_column("analysis", existing_type=sa.String(32), existing_nullable=False, server_default=None)
    op.drop_table("photo_analysis")
    op.drop_table("face_model")


def _split() -> None:
    """The last analysis of each photograph, and earlier ones as far as their faces tell, to rows of their own."""
    connection = op.get_bind()
    now = datetime.now(UTC)
    photo = sa.table("photo", *(sa.column(name, kind) for name, kind in PHOTO_COLUMNS))
    last = connection.execute(
        sa.select(photo.c.analysed_with, sa.func.count())
        .where(photo.c.analysed_with.is_not(None), photo.c.analysed_with != "none")
        .group_by(photo.c.analysed_with)
    ).all()
    counts = {str(version): int(count) for version, count in last}
    seen = connection.execute(sa.select(FACE.c.model_version).distinct()).scalars()
    versions = sorted({*counts, *map(str, seen)})
    in_force = max(versions, key=lambda version: (counts.get(version, 0), version), default=None)
    for version in versions:
        current = version == in_force
        connection.execute(
            sa.insert(FACE_MODEL).values(
                id=uuid.uuid4(),
                model_version=version,
                state="in_force" if current else "retired",
                dimension=DIMENSION,
                created_at=now,
                in_force_at=now if current else None,
                retired_at=None if current else now,
            )
        )
    rows = connection.execute(
        sa.select(photo.c.id, photo.c.analysed_with, photo.c.analysis, photo.c.uploaded_at).where(
            photo.c.analysed_with.is_not(None)
        )
    ).all()
    known = {(row.id, row.analysed_with) for row in rows}
    analyses = [(row.id, row.analysed_with, row.analysis, row.uploaded_at) for row in rows]
    faces = connection.execute(
        sa.select(
            FACE.c.photo_id,
            FACE.c.model_version,
            sa.func.max(sa.case((FACE.c.chosen, 1), else_=0)).label("chosen"),
            sa.func.max(FACE.c.created_at, type_=sa.DateTime(timezone=True)).label("at"),
        ).group_by(FACE.c.photo_id, FACE.c.model_version)
    ).all()
    analyses += [
        (row.photo_id, row.model_version, "ready" if row.chosen else "several_faces", row.at)
        for row in faces
        if (row.photo_id, row.model_version) not in known
    ]
    for start in range(0, len(analyses), BATCH):
        connection.execute(
            sa.insert(PHOTO_ANALYSIS),
            [
                {"id": uuid.uuid4(), "photo_id": photo_id, "model_version": version, "state": state, "analysed_at": at}
                for photo_id, version, state, at in analyses[start : start + BATCH]
            ],
        )


def _join() -> None:
    """The analysis under the version in force back onto the photograph; else that of a service without an engine."""
    connection = op.get_bind()
    photo = sa.table("photo", *(sa.column(name, kind) for name, kind in PHOTO_COLUMNS))
    current = sa.select(FACE_MODEL.c.model_version).where(FACE_MODEL.c.state == "in_force").scalar_subquery()
    for wanted in (sa.literal("none"), current):
        of_photo = sa.and_(PHOTO_ANALYSIS.c.photo_id == photo.c.id, PHOTO_ANALYSIS.c.model_version == wanted)
        connection.execute(
            sa.update(photo)
            .where(sa.exists().where(of_photo).correlate(photo))
            .values(
                analysis=sa.select(PHOTO_ANALYSIS.c.state).where(of_photo).correlate(photo).scalar_subquery(),
                analysed_with=sa.select(PHOTO_ANALYSIS.c.model_version)
                .where(of_photo)
                .correlate(photo)
                .scalar_subquery(),
            )
        )


@contextmanager
def _photo_rebuilt(*children: str):
    """SQLite changes a table by making it anew, and refuses to drop one that rows refer to: those step aside."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        yield
        return
    for child in children:
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE kept_{child} AS SELECT * FROM {child}"))
        connection.execute(sa.text(f"DELETE FROM {child}"))
    yield
    for child in children:
        connection.execute(sa.text(f"INSERT INTO {child} SELECT * FROM kept_{child}"))
        connection.execute(sa.text(f"DROP TABLE kept_{child}"))


PHOTO_COLUMNS = (
    ("id", sa.Uuid()),
    ("analysis", sa.String(32)),
    ("analysed_with", sa.String(80)),
    ("uploaded_at", sa.DateTime(timezone=True)),
)
FACE = sa.table(
    "face",
    sa.column("photo_id", sa.Uuid()),
    sa.column("model_version", sa.String(80)),
    sa.column("chosen", sa.Boolean()),
    sa.column("created_at", sa.DateTime(timezone=True)),
)
FACE_MODEL = sa.table(
    "face_model",
    sa.column("id", sa.Uuid()),
    sa.column("model_version", sa.String(80)),
    sa.column("state", sa.String(32)),
    sa.column("dimension", sa.Integer()),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("in_force_at", sa.DateTime(timezone=True)),
    sa.column("retired_at", sa.DateTime(timezone=True)),
)
PHOTO_ANALYSIS = sa.table(
    "photo_analysis",
    sa.column("id", sa.Uuid()),
    sa.column("photo_id", sa.Uuid()),
    sa.column("model_version", sa.String(80)),
    sa.column("state", sa.String(32)),
    sa.column("analysed_at", sa.DateTime(timezone=True)),
)
