"""sightings, lookouts, patrols; what is recorded at admission, and people of known identity

Revision: 0017, after 0016

A person of known identity is never traced: not in the gallery, not in any state of the search. Sightings, links,
answers and handovers are withdrawn or decided, never changed; a lookout that has ended takes no answer.
"""

import sqlalchemy as sa

from alembic import op
from tracing.platform import gates

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATES = (
    "draft", "submitted", "searching", "in_review", "identified", "contact_released", "family_contacted", "reunified",
    "unresolved", "settled", "left", "transferred", "deceased", "recalled", "closed",
)  # fmt: skip
KIND = (
    "ALTER TABLE case_file ADD COLUMN admission_kind VARCHAR(32) DEFAULT 'unknown_identity' NOT NULL"
    " CONSTRAINT ck_case_file_admissionkind CHECK (admission_kind IN ('unknown_identity', 'known_identity'))"
)
TRACED = (
    "('submitted', 'searching', 'in_review', 'identified', 'contact_released', 'family_contacted', 'reunified',"
    " 'unresolved', 'settled', 'recalled')"
)
DECIDERS = ("station_staff", "police_examiner", "police_supervisor")
NETWORK = (*DECIDERS, "community_liaison")
DISPROVED = "EXISTS (SELECT 1 FROM identity_disproof WHERE case_id = NEW.id)"
STATED = """EXISTS (
    SELECT 1 FROM admission_record WHERE case_id = NEW.id AND superseded_at IS NULL AND identity_sealed IS NOT NULL
)"""
ENDED = "EXISTS (SELECT 1 FROM lookout WHERE id = NEW.lookout_id AND ended_at IS NOT NULL)"
OF_THE_HOSPITAL = """EXISTS (
    SELECT 1 FROM user_account
    WHERE id = NEW.received_by_id AND role = 'health_liaison' AND organisation_id = NEW.hospital_id
)"""
SIGHTING = gates.changed(
    "id", "organisation_id", "recorded_by_id", "recorded_at", "source", "patrol_id", "seen_at", "division", "place",
    "latitude", "longitude", "heading", "road", "photo_basis", "profile_id",
)  # fmt: skip
WITHDRAWAL = gates.changed("withdrawn_at", "withdrawn_by_id", "withdrawal_reason")
LINK = gates.changed(
    "id", "sighting_id", "lookout_id", "case_id", "origin", "similarity", "log10_lr", "model_version", "created_at"
)
LINK_STEP = """(
    OLD.state IN ('refused', 'withdrawn') OR (OLD.state = 'accepted' AND NEW.state <> 'withdrawn')
    OR (OLD.state = 'proposed' AND NEW.state NOT IN ('accepted', 'refused'))
)"""
DECISION = gates.changed("decided_at", "decided_by_id", "reason")
LOOKOUT = gates.changed(
    "id", "organisation_id", "opened_by_id", "opened_at", "sighting_id", "case_id", "subject_id", "division",
    "words_sealed", "policy_version", "expires_at",
)  # fmt: skip
PATROL = gates.changed(
    "id", "organisation_id", "division", "route", "started_at", "ended_at", "members", "people_met", "recorded_by_id",
    "recorded_at",
)  # fmt: skip
ADMISSION = gates.changed(
    "id", "case_id", "medical_first", "safety_check", "safety_checked_at", "safety_checker", "findings_sealed",
    "belongings_sealed", "belongings_count", "fingerprints", "fingerprint_reason", "handover_officer", "handover_unit",
    "basis", "basis_article", "minor", "guardianship", "guardian_sealed", "identity_sealed", "recorded_by_id",
    "recorded_at",
)  # fmt: skip
HANDOVER = gates.changed(
    "id", "case_id", "hospital_id", "handed_at", "officer", "complaint_sealed", "recorded_by_id", "recorded_at"
)
RECEIPT = gates.changed("received_at", "received_by_id", "ward")
WITHDRAWN_WHOLE = (
    "(withdrawn_at IS NULL) = (withdrawn_by_id IS NULL) AND (withdrawn_at IS NULL) = (withdrawal_reason IS NULL)"
)
KEPT = (
    "sighting", "sighting_link", "lookout", "lookout_ring", "lookout_answer", "patrol", "admission_record",
    "identity_disproof", "hospital_handover",
)  # fmt: skip
FOREVER = ("lookout_ring", "lookout_answer", "patrol_aid", "identity_disproof")

# name, table, event, condition under which it is refused, message
GATES: tuple[gates.Gate, ...] = (
    *((f"{table}_no_delete", table, "DELETE", "TRUE", f"{table} rows are kept") for table in (*KEPT, "patrol_aid")),
    *((f"{table}_no_update", table, "UPDATE", "TRUE", f"{table} is append-only") for table in FOREVER),
    (
        "sighting_network", "sighting", "INSERT", f"NOT {gates.user_has('recorded_by_id', *NETWORK)}",
        "stations, police and liaisons record sightings",
    ),
    (
        "sighting_standing", "sighting", "INSERT", "NEW.withdrawn_at IS NOT NULL OR NEW.erased_at IS NOT NULL",
        "a sighting begins standing",
    ),
    (
        "sighting_immutable", "sighting", "UPDATE",
        f"{SIGHTING} OR (OLD.withdrawn_at IS NOT NULL AND ({WITHDRAWAL}))"
        f" OR (OLD.erased_at IS NOT NULL AND ({gates.changed('erased_at', 'words_sealed', 'words_subject_id')}))",
        "sightings are withdrawn or erased, never changed",
    ),
    (
        "sighting_link_immutable", "sighting_link", "UPDATE",
        f"{LINK} OR {LINK_STEP} OR (OLD.decided_at IS NOT NULL AND ({DECISION}))",
        "links are decided once and withdrawn, never changed",
    ),
    (
        "sighting_link_begin", "sighting_link", "INSERT", "NEW.state NOT IN ('proposed', 'accepted')",
        "a link begins proposed or accepted",
    ),
    (
        "sighting_link_open", "sighting_link", "INSERT", f"NEW.lookout_id IS NOT NULL AND {ENDED}",
        "the lookout has ended",
    ),
    (
        "sighting_link_human", "sighting_link", "INSERT",
        f"NEW.state = 'accepted' AND NOT {gates.user_has('decided_by_id', *NETWORK)}",
        "a person of the network links",
    ),
    (
        "sighting_link_case", "sighting_link", "INSERT",
        f"NEW.state = 'accepted' AND NEW.case_id IS NOT NULL AND NOT {gates.user_has('decided_by_id', *DECIDERS)}",
        "stations and police link to a case",
    ),
    (
        "sighting_link_decider", "sighting_link", "UPDATE",
        f"OLD.state = 'proposed' AND NOT {gates.user_has('decided_by_id', *DECIDERS)}",
        "stations and police decide a proposal",
    ),
    (
        "lookout_opener", "lookout", "INSERT", f"NOT {gates.user_has('opened_by_id', *DECIDERS)}",
        "stations and police open lookouts",
    ),
    ("lookout_standing", "lookout", "INSERT", "NEW.ended_at IS NOT NULL", "a lookout begins open"),
    (
        "lookout_immutable", "lookout", "UPDATE", f"OLD.ended_at IS NOT NULL OR {LOOKOUT} OR NEW.ring < OLD.ring",
        "a lookout widens and ends, nothing else",
    ),
    ("lookout_ring_open", "lookout_ring", "INSERT", ENDED, "the lookout has ended"),
    ("lookout_answer_open", "lookout_answer", "INSERT", ENDED, "the lookout has ended"),
    (
        "lookout_answer_network", "lookout_answer", "INSERT", f"NOT {gates.user_has('user_id', *NETWORK)}",
        "stations, police and liaisons answer lookouts",
    ),
    (
        "patrol_immutable", "patrol", "UPDATE", f"OLD.withdrawn_at IS NOT NULL OR {PATROL}",
        "patrols are withdrawn, never changed",
    ),
    (
        "admission_record_immutable", "admission_record", "UPDATE", f"OLD.superseded_at IS NOT NULL OR {ADMISSION}",
        "admission records are superseded, never changed",
    ),
    (
        "hospital_handover_immutable", "hospital_handover", "UPDATE",
        f"OLD.withdrawn_at IS NOT NULL OR {HANDOVER} OR (OLD.received_at IS NOT NULL AND ({RECEIPT}))",
        "handovers are received once and withdrawn, never changed",
    ),
    (
        "hospital_handover_receiver", "hospital_handover", "UPDATE",
        f"NEW.received_at IS NOT NULL AND OLD.received_at IS NULL AND NOT {OF_THE_HOSPITAL}",
        "the liaison of that hospital receives",
    ),
    *(
        (
            f"case_known_{event.lower()}", "case_file", event,
            f"NEW.admission_kind = 'known_identity' AND NEW.state IN {TRACED}",
            "a person of known identity is not traced",
        )
        for event in ("INSERT", "UPDATE")
    ),
    (
        "case_in_care_insert", "case_file", "INSERT", "NEW.state = 'in_care'",
        "a case begins as a draft, its identity stated",
    ),
    (
        "case_in_care_update", "case_file", "UPDATE",
        f"NEW.state = 'in_care' AND (NEW.admission_kind <> 'known_identity' OR NOT {STATED})",
        "a stay without tracing needs a stated identity",
    ),
    (
        "case_kind_update", "case_file", "UPDATE",
        f"{gates.changed('admission_kind')} AND OLD.state <> 'draft'"
        f" AND (NEW.admission_kind <> 'unknown_identity' OR NOT {DISPROVED})",
        "a known identity stays known until it is disproved",
    ),
)  # fmt: skip


def upgrade() -> None:
    _allow((*STATES, "in_care"))
    op.execute(KIND)  # not as a batch: on SQLite that copies the table, and its triggers are lost
    op.create_table(
        "patrol",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=6), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("people_met", sa.Integer(), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            WITHDRAWN_WHOLE,
            name=op.f("ck_patrol_withdrawn_whole"),
        ),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_patrol_ends_after_start")),
        sa.CheckConstraint("members >= 1", name=op.f("ck_patrol_somebody_went")),
        sa.CheckConstraint("people_met >= 0", name=op.f("ck_patrol_people_counted")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_patrol_organisation_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_patrol_recorded_by_id")),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_patrol_withdrawn_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol")),
    )
    with op.batch_alter_table("patrol", schema=None) as batch_op:
        batch_op.create_index("ix_patrol_division_started_at", ["division", "started_at"], unique=False)
        batch_op.create_index("ix_patrol_organisation_id_started_at", ["organisation_id", "started_at"], unique=False)

    op.create_table(
        "admission_record",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("medical_first", sa.Boolean(), nullable=False),
        sa.Column(
            "safety_check",
            sa.Enum(
                "done", "not_yet", "refused", name="safetycheck", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("safety_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("safety_checker", sa.String(length=120), nullable=True),
        sa.Column("findings_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("belongings_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("belongings_count", sa.Integer(), nullable=False),
        sa.Column(
            "fingerprints",
            sa.Enum("taken", "not_taken", name="fingerprints", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("fingerprint_reason", sa.String(length=200), nullable=True),
        sa.Column("handover_officer", sa.String(length=120), nullable=True),
        sa.Column("handover_unit", sa.String(length=120), nullable=True),
        sa.Column(
            "basis",
            sa.Enum(
                "consent",
                "guardian_consent",
                "statutory_duty",
                "vital_interest",
                "none",
                name="biometricbasis",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("basis_article", sa.String(length=400), nullable=True),
        sa.Column("minor", sa.Boolean(), nullable=False),
        sa.Column(
            "guardianship",
            sa.Enum(
                "parents",
                "other_guardian",
                "temporary",
                "unknown",
                name="guardianship",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("guardian_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("identity_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(safety_check = 'done') = (safety_checked_at IS NOT NULL)",
            name=op.f("ck_admission_record_safety_check_has_time"),
        ),
        sa.CheckConstraint(
            "basis IN ('none') OR basis_article IS NOT NULL", name=op.f("ck_admission_record_basis_has_article")
        ),
        sa.CheckConstraint(
            "fingerprints <> 'not_taken' OR fingerprint_reason IS NOT NULL",
            name=op.f("ck_admission_record_no_prints_has_reason"),
        ),
        sa.CheckConstraint(
            "fingerprints <> 'taken' OR basis <> 'none'", name=op.f("ck_admission_record_prints_have_basis")
        ),
        sa.CheckConstraint(
            "NOT minor OR guardianship IS NOT NULL", name=op.f("ck_admission_record_minor_has_guardianship")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_admission_record_case_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_admission_record_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admission_record")),
    )
    with op.batch_alter_table("admission_record", schema=None) as batch_op:
        batch_op.create_index("ix_admission_record_case_id_recorded_at", ["case_id", "recorded_at"], unique=False)
        batch_op.create_index(
            "uq_admission_record_current",
            ["case_id"],
            unique=True,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )

    op.create_table(
        "hospital_handover",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("handed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("officer", sa.String(length=120), nullable=False),
        sa.Column("complaint_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_by_id", sa.Uuid(), nullable=True),
        sa.Column("ward", sa.String(length=120), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(received_at IS NULL) = (received_by_id IS NULL)", name=op.f("ck_hospital_handover_received_whole")
        ),
        sa.CheckConstraint(
            WITHDRAWN_WHOLE,
            name=op.f("ck_hospital_handover_withdrawn_whole"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_hospital_handover_case_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["organisation.id"], name=op.f("fk_hospital_handover_hospital_id")),
        sa.ForeignKeyConstraint(
            ["received_by_id"], ["user_account.id"], name=op.f("fk_hospital_handover_received_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_hospital_handover_recorded_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_hospital_handover_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital_handover")),
    )
    with op.batch_alter_table("hospital_handover", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hospital_handover_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_hospital_handover_hospital_id_handed_at", ["hospital_id", "handed_at"], unique=False)

    op.create_table(
        "identity_disproof",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_identity_disproof_case_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_identity_disproof_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_disproof")),
    )
    with op.batch_alter_table("identity_disproof", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_disproof_case_id"), ["case_id"], unique=False)

    op.create_table(
        "patrol_aid",
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "food",
                "water",
                "clothing",
                "medical",
                "advice",
                "brought_to_station",
                name="aidkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.CheckConstraint("times >= 1", name=op.f("ck_patrol_aid_given")),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrol.id"], name=op.f("fk_patrol_aid_patrol_id")),
        sa.PrimaryKeyConstraint("patrol_id", "kind", name=op.f("pk_patrol_aid")),
    )
    op.create_table(
        "sighting",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "citizen",
                "courier",
                "volunteer",
                "community",
                "patrol",
                "station",
                "police",
                name="sightingsource",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("patrol_id", sa.Uuid(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("division", sa.String(length=6), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column(
            "heading",
            sa.Enum(
                "north",
                "northeast",
                "east",
                "southeast",
                "south",
                "southwest",
                "west",
                "northwest",
                "stayed",
                name="heading",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("road", sa.String(length=120), nullable=True),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column(
            "photo_basis",
            sa.Enum(
                "consent",
                "guardian_consent",
                "statutory_duty",
                "vital_interest",
                name="photobasis",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("words_subject_id", sa.Uuid(), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_sighting_point_whole")),
        sa.CheckConstraint(
            WITHDRAWN_WHOLE,
            name=op.f("ck_sighting_withdrawn_whole"),
        ),
        sa.CheckConstraint(
            "latitude IS NULL OR latitude BETWEEN -90 AND 90", name=op.f("ck_sighting_latitude_in_range")
        ),
        sa.CheckConstraint(
            "longitude IS NULL OR longitude BETWEEN -180 AND 180", name=op.f("ck_sighting_longitude_in_range")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_sighting_organisation_id")),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrol.id"], name=op.f("fk_sighting_patrol_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=op.f("fk_sighting_profile_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user_account.id"], name=op.f("fk_sighting_recorded_by_id")),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_sighting_withdrawn_by_id")),
        sa.ForeignKeyConstraint(["words_subject_id"], ["subject.id"], name=op.f("fk_sighting_words_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sighting")),
        sa.UniqueConstraint("profile_id", name=op.f("uq_sighting_profile_id")),
    )
    with op.batch_alter_table("sighting", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sighting_organisation_id_recorded_at", ["organisation_id", "recorded_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_sighting_patrol_id"), ["patrol_id"], unique=False)
        batch_op.create_index("ix_sighting_seen_at", ["seen_at"], unique=False)

    op.create_table(
        "lookout",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sighting_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=6), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("policy_version", sa.String(length=80), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("next_ring_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "end_kind",
            sa.Enum(
                "found",
                "called_off",
                "expired",
                name="lookoutend",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("end_reason", sa.String(length=500), nullable=True),
        sa.Column("found_case_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("found_case_id IS NULL OR end_kind = 'found'", name=op.f("ck_lookout_found_case")),
        sa.CheckConstraint("(ended_at IS NULL) = (end_kind IS NULL)", name=op.f("ck_lookout_ended_whole")),
        sa.CheckConstraint("(sighting_id IS NULL) <> (case_id IS NULL)", name=op.f("ck_lookout_of_one")),
        sa.CheckConstraint("ended_at IS NULL OR next_ring_at IS NULL", name=op.f("ck_lookout_ended_widens_no_more")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_lookout_case_id")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["user_account.id"], name=op.f("fk_lookout_ended_by_id")),
        sa.ForeignKeyConstraint(["found_case_id"], ["case_file.id"], name=op.f("fk_lookout_found_case_id")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["user_account.id"], name=op.f("fk_lookout_opened_by_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_lookout_organisation_id")),
        sa.ForeignKeyConstraint(["sighting_id"], ["sighting.id"], name=op.f("fk_lookout_sighting_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_lookout_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lookout")),
    )
    with op.batch_alter_table("lookout", schema=None) as batch_op:
        batch_op.create_index("ix_lookout_next_ring_at", ["next_ring_at"], unique=False)
        batch_op.create_index("ix_lookout_organisation_id_opened_at", ["organisation_id", "opened_at"], unique=False)
        batch_op.create_index(
            "uq_lookout_open_case",
            ["case_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(
            "uq_lookout_open_sighting",
            ["sighting_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "lookout_answer",
        sa.Column("lookout_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("seen", sa.Boolean(), nullable=False),
        sa.Column("sighting_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("seen = (sighting_id IS NOT NULL)", name=op.f("ck_lookout_answer_seen_has_sighting")),
        sa.ForeignKeyConstraint(["lookout_id"], ["lookout.id"], name=op.f("fk_lookout_answer_lookout_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_lookout_answer_organisation_id")
        ),
        sa.ForeignKeyConstraint(["sighting_id"], ["sighting.id"], name=op.f("fk_lookout_answer_sighting_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_lookout_answer_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lookout_answer")),
    )
    with op.batch_alter_table("lookout_answer", schema=None) as batch_op:
        batch_op.create_index("ix_lookout_answer_lookout_id_at", ["lookout_id", "at"], unique=False)

    op.create_table(
        "lookout_ring",
        sa.Column("lookout_id", sa.Uuid(), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "county",
                "city",
                "province",
                "neighbours",
                name="ringlevel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("division", sa.String(length=6), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["lookout_id"], ["lookout.id"], name=op.f("fk_lookout_ring_lookout_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lookout_ring")),
        sa.UniqueConstraint("lookout_id", "division", name=op.f("uq_lookout_ring_lookout_id_division")),
    )
    op.create_table(
        "sighting_link",
        sa.Column("sighting_id", sa.Uuid(), nullable=False),
        sa.Column("lookout_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "accepted",
                "refused",
                "withdrawn",
                name="linkstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("origin", sa.Boolean(), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=True),
        sa.Column("log10_lr", sa.Float(), nullable=True),
        sa.Column("model_version", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name=op.f("ck_sighting_link_decided_whole")),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name=op.f("ck_sighting_link_withdrawn_state")
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by_id IS NULL)", name=op.f("ck_sighting_link_decided_by_somebody")
        ),
        sa.CheckConstraint("(lookout_id IS NULL) <> (case_id IS NULL)", name=op.f("ck_sighting_link_one_target")),
        sa.CheckConstraint(
            "(similarity IS NULL) = (model_version IS NULL)", name=op.f("ck_sighting_link_engine_whole")
        ),
        sa.CheckConstraint(
            WITHDRAWN_WHOLE,
            name=op.f("ck_sighting_link_withdrawn_whole"),
        ),
        sa.CheckConstraint("NOT origin OR case_id IS NOT NULL", name=op.f("ck_sighting_link_origin_of_a_case")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_sighting_link_case_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user_account.id"], name=op.f("fk_sighting_link_decided_by_id")),
        sa.ForeignKeyConstraint(["lookout_id"], ["lookout.id"], name=op.f("fk_sighting_link_lookout_id")),
        sa.ForeignKeyConstraint(["sighting_id"], ["sighting.id"], name=op.f("fk_sighting_link_sighting_id")),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["user_account.id"], name=op.f("fk_sighting_link_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sighting_link")),
    )
    with op.batch_alter_table("sighting_link", schema=None) as batch_op:
        batch_op.create_index("ix_sighting_link_case_id_state", ["case_id", "state"], unique=False)
        batch_op.create_index("ix_sighting_link_lookout_id_state", ["lookout_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_sighting_link_sighting_id"), ["sighting_id"], unique=False)
        batch_op.create_index(
            "uq_sighting_link_standing_case",
            ["sighting_id", "case_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('proposed', 'accepted')"),
            postgresql_where=sa.text("state IN ('proposed', 'accepted')"),
        )
        batch_op.create_index(
            "uq_sighting_link_standing_lookout",
            ["sighting_id", "lookout_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('proposed', 'accepted')"),
            postgresql_where=sa.text("state IN ('proposed', 'accepted')"),
        )
    gates.create(op, GATES, kept=KEPT)


def downgrade() -> None:
    """Refused by the CHECK while a case is in care (PostgreSQL)."""
    gates.drop(op, GATES, kept=KEPT)
    for table in (
        "sighting_link", "lookout_ring", "lookout_answer", "lookout", "sighting", "patrol_aid", "patrol",
        "identity_disproof", "hospital_handover", "admission_record",
    ):  # fmt: skip
        op.drop_table(table)
    op.execute("ALTER TABLE case_file DROP COLUMN admission_kind")
    _allow(STATES)


def _allow(states: tuple[str, ...]) -> None:
    gates.allow(op, "case_file", "state", "ck_case_file_casestate", states)
    gates.allow(op, "case_transition", "from_state", "ck_case_transition_from_casestate", states)
    gates.allow(op, "case_transition", "to_state", "ck_case_transition_to_casestate", states)
