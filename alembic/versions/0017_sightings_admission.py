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
BEGUN, OVER = "NEW.state NOT IN ('proposed', 'accepted')", "the lookout has ended"
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
    ("sighting_link_begin", "sighting_link", "INSERT", BEGUN, "a link begins proposed or accepted"),
    ("sighting_link_open", "sighting_link", "INSERT", f"NEW.lookout_id IS NOT NULL AND {ENDED}", OVER),
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
    ("lookout_ring_open", "lookout_ring", "INSERT", ENDED, OVER),
    ("lookout_answer_open", "lookout_answer", "INSERT", ENDED, OVER),
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
    _table(
        "patrol", _id("organisation_id"), _text("division", 6), sa.Column("route", sa.Text(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=True), _at("started_at"), _at("ended_at"),
        sa.Column("members", sa.Integer(), nullable=False), sa.Column("people_met", sa.Integer(), nullable=False),
        _id("recorded_by_id"), _at("recorded_at"), _check("patrol", "ends_after_start", "ended_at >= started_at"),
        _check("patrol", "somebody_went", "members >= 1"), _check("patrol", "people_counted", "people_met >= 0"),
        _fk("patrol", "organisation_id", "organisation"), _fk("patrol", "recorded_by_id", "user_account"),
        *_withdrawal("patrol"),
    )  # fmt: skip
    op.create_index("ix_patrol_division_started_at", "patrol", ["division", "started_at"])
    op.create_index("ix_patrol_organisation_id_started_at", "patrol", ["organisation_id", "started_at"])
    _table(
        "admission_record", _id("case_id"), sa.Column("medical_first", sa.Boolean(), nullable=False),
        _enum("safety_check", "safetycheck", "done", "not_yet", "refused"), _at("safety_checked_at", nullable=True),
        _text("safety_checker", 120, nullable=True), sa.Column("findings_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("belongings_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("belongings_count", sa.Integer(), nullable=False),
        _enum("fingerprints", "fingerprints", "taken", "not_taken"), _text("fingerprint_reason", 200, nullable=True),
        _text("handover_officer", 120, nullable=True), _text("handover_unit", 120, nullable=True),
        _enum("basis", "biometricbasis", "consent", "guardian_consent", "statutory_duty", "vital_interest", "none"),
        _text("basis_article", 400, nullable=True), sa.Column("minor", sa.Boolean(), nullable=False),
        _enum("guardianship", "guardianship", "parents", "other_guardian", "temporary", "unknown", nullable=True),
        sa.Column("guardian_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("identity_sealed", sa.LargeBinary(), nullable=True), _id("recorded_by_id"), _at("recorded_at"),
        _at("superseded_at", nullable=True),
        _check("admission_record", "safety_check_has_time",
            "(safety_check = 'done') = (safety_checked_at IS NOT NULL)"),
        _check("admission_record", "basis_has_article", "basis IN ('none') OR basis_article IS NOT NULL"),
        _check("admission_record", "no_prints_has_reason",
            "fingerprints <> 'not_taken' OR fingerprint_reason IS NOT NULL"),
        _check("admission_record", "prints_have_basis", "fingerprints <> 'taken' OR basis <> 'none'"),
        _check("admission_record", "minor_has_guardianship", "NOT minor OR guardianship IS NOT NULL"),
        _fk("admission_record", "case_id", "case_file"), _fk("admission_record", "recorded_by_id", "user_account"),
    )  # fmt: skip
    op.create_index("ix_admission_record_case_id_recorded_at", "admission_record", ["case_id", "recorded_at"])
    op.create_index(
        "uq_admission_record_current", "admission_record", ["case_id"], unique=True, **_where("superseded_at IS NULL")
    )
    _table(
        "hospital_handover", _id("case_id"), _id("hospital_id"), _at("handed_at"), _text("officer", 120),
        sa.Column("complaint_sealed", sa.LargeBinary(), nullable=False), _id("recorded_by_id"), _at("recorded_at"),
        _at("received_at", nullable=True), _id("received_by_id", nullable=True), _text("ward", 120, nullable=True),
        _check("hospital_handover", "received_whole", "(received_at IS NULL) = (received_by_id IS NULL)"),
        _fk("hospital_handover", "case_id", "case_file"), _fk("hospital_handover", "hospital_id", "organisation"),
        _fk("hospital_handover", "received_by_id", "user_account"),
        _fk("hospital_handover", "recorded_by_id", "user_account"), *_withdrawal("hospital_handover"),
    )  # fmt: skip
    op.create_index("ix_hospital_handover_case_id", "hospital_handover", ["case_id"])
    op.create_index("ix_hospital_handover_hospital_id_handed_at", "hospital_handover", ["hospital_id", "handed_at"])
    _table(
        "identity_disproof", _id("case_id"), _text("reason", 500), _id("recorded_by_id"), _at("recorded_at"),
        _fk("identity_disproof", "case_id", "case_file"), _fk("identity_disproof", "recorded_by_id", "user_account"),
    )  # fmt: skip
    op.create_index("ix_identity_disproof_case_id", "identity_disproof", ["case_id"])
    op.create_table(
        "patrol_aid", _id("patrol_id"),
        _enum("kind", "aidkind", "food", "water", "clothing", "medical", "advice", "brought_to_station"),
        sa.Column("times", sa.Integer(), nullable=False), _check("patrol_aid", "given", "times >= 1"),
        _fk("patrol_aid", "patrol_id", "patrol"),
        sa.PrimaryKeyConstraint("patrol_id", "kind", name=op.f("pk_patrol_aid")),
    )  # fmt: skip
    _table(
        "sighting", _id("organisation_id"), _id("recorded_by_id"), _at("recorded_at"),
        _enum("source", "sightingsource", "citizen", "courier", "volunteer", "community", "patrol",
            "station", "police"),
        _id("patrol_id", nullable=True), _at("seen_at"), _text("division", 6), _text("place", 200, nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True), sa.Column("longitude", sa.Float(), nullable=True),
        _enum("heading", "heading", "north", "northeast", "east", "southeast", "south", "southwest",
            "west", "northwest", "stayed", nullable=True),
        _text("road", 120, nullable=True), sa.Column("conditions", sa.JSON(), nullable=False),
        _enum("photo_basis", "photobasis", "consent", "guardian_consent", "statutory_duty",
            "vital_interest", nullable=True),
        _id("profile_id"), _id("words_subject_id"), sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        _at("erased_at", nullable=True),
        _check("sighting", "point_whole", "(latitude IS NULL) = (longitude IS NULL)"),
        _check("sighting", "latitude_in_range", "latitude IS NULL OR latitude BETWEEN -90 AND 90"),
        _check("sighting", "longitude_in_range", "longitude IS NULL OR longitude BETWEEN -180 AND 180"),
        _fk("sighting", "organisation_id", "organisation"), _fk("sighting", "patrol_id", "patrol"),
        _fk("sighting", "profile_id", "profile"), _fk("sighting", "recorded_by_id", "user_account"),
        _fk("sighting", "words_subject_id", "subject"),
        sa.UniqueConstraint("profile_id", name=op.f("uq_sighting_profile_id")), *_withdrawal("sighting"),
    )  # fmt: skip
    op.create_index("ix_sighting_organisation_id_recorded_at", "sighting", ["organisation_id", "recorded_at"])
    op.create_index("ix_sighting_patrol_id", "sighting", ["patrol_id"])
    op.create_index("ix_sighting_seen_at", "sighting", ["seen_at"])
    _table(
        "lookout", _id("organisation_id"), _id("opened_by_id"), _at("opened_at"), _id("sighting_id", nullable=True),
        _id("case_id", nullable=True), _id("subject_id"), _text("division", 6),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True), _text("policy_version", 80),
        sa.Column("ring", sa.Integer(), nullable=False), _at("next_ring_at", nullable=True), _at("expires_at"),
        _at("ended_at", nullable=True), _id("ended_by_id", nullable=True),
        _enum("end_kind", "lookoutend", "found", "called_off", "expired", nullable=True),
        _text("end_reason", 500, nullable=True), _id("found_case_id", nullable=True),
        _check("lookout", "found_case", "found_case_id IS NULL OR end_kind = 'found'"),
        _check("lookout", "ended_whole", "(ended_at IS NULL) = (end_kind IS NULL)"),
        _check("lookout", "of_one", "(sighting_id IS NULL) <> (case_id IS NULL)"),
        _check("lookout", "ended_widens_no_more", "ended_at IS NULL OR next_ring_at IS NULL"),
        _fk("lookout", "case_id", "case_file"), _fk("lookout", "ended_by_id", "user_account"),
        _fk("lookout", "found_case_id", "case_file"), _fk("lookout", "opened_by_id", "user_account"),
        _fk("lookout", "organisation_id", "organisation"), _fk("lookout", "sighting_id", "sighting"),
        _fk("lookout", "subject_id", "subject"),
    )  # fmt: skip
    op.create_index("ix_lookout_next_ring_at", "lookout", ["next_ring_at"])
    op.create_index("ix_lookout_organisation_id_opened_at", "lookout", ["organisation_id", "opened_at"])
    op.create_index("uq_lookout_open_case", "lookout", ["case_id"], unique=True, **_where("ended_at IS NULL"))
    op.create_index("uq_lookout_open_sighting", "lookout", ["sighting_id"], unique=True, **_where("ended_at IS NULL"))
    _table(
        "lookout_answer",
        _id("lookout_id"), _id("organisation_id"), _id("user_id"), sa.Column("seen", sa.Boolean(), nullable=False),
        _id("sighting_id", nullable=True), _at("at"),
        _check("lookout_answer", "seen_has_sighting", "seen = (sighting_id IS NOT NULL)"),
        _fk("lookout_answer", "lookout_id", "lookout"), _fk("lookout_answer", "organisation_id", "organisation"),
        _fk("lookout_answer", "sighting_id", "sighting"), _fk("lookout_answer", "user_id", "user_account"),
    )  # fmt: skip
    op.create_index("ix_lookout_answer_lookout_id_at", "lookout_answer", ["lookout_id", "at"])
    _table(
        "lookout_ring", _id("lookout_id"), sa.Column("ring", sa.Integer(), nullable=False),
        _enum("level", "ringlevel", "county", "city", "province", "neighbours"), _text("division", 6),
        _at("opened_at"), _fk("lookout_ring", "lookout_id", "lookout"),
        sa.UniqueConstraint("lookout_id", "division", name=op.f("uq_lookout_ring_lookout_id_division")),
    )  # fmt: skip
    _table(
        "sighting_link", _id("sighting_id"), _id("lookout_id", nullable=True), _id("case_id", nullable=True),
        _enum("state", "linkstate", "proposed", "accepted", "refused", "withdrawn"),
        sa.Column("origin", sa.Boolean(), nullable=False), sa.Column("similarity", sa.Float(), nullable=True),
        sa.Column("log10_lr", sa.Float(), nullable=True), _text("model_version", 80, nullable=True),
        _at("created_at"), _at("decided_at", nullable=True), _id("decided_by_id", nullable=True),
        _text("reason", 500, nullable=True),
        _check("sighting_link", "decided_whole", "(state = 'proposed') = (decided_at IS NULL)"),
        _check("sighting_link", "withdrawn_state", "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)"),
        _check("sighting_link", "decided_by_somebody", "(decided_at IS NULL) = (decided_by_id IS NULL)"),
        _check("sighting_link", "one_target", "(lookout_id IS NULL) <> (case_id IS NULL)"),
        _check("sighting_link", "engine_whole", "(similarity IS NULL) = (model_version IS NULL)"),
        _check("sighting_link", "origin_of_a_case", "NOT origin OR case_id IS NOT NULL"),
        _fk("sighting_link", "case_id", "case_file"), _fk("sighting_link", "decided_by_id", "user_account"),
        _fk("sighting_link", "lookout_id", "lookout"), _fk("sighting_link", "sighting_id", "sighting"),
        *_withdrawal("sighting_link"),
    )  # fmt: skip
    op.create_index("ix_sighting_link_case_id_state", "sighting_link", ["case_id", "state"])
    op.create_index("ix_sighting_link_lookout_id_state", "sighting_link", ["lookout_id", "state"])
    op.create_index("ix_sighting_link_sighting_id", "sighting_link", ["sighting_id"])
    op.create_index(
        "uq_sighting_link_standing_case",
        "sighting_link",
        ["sighting_id", "case_id"],
        unique=True,
        **_where("state IN ('proposed', 'accepted')"),
    )
    op.create_index(
        "uq_sighting_link_standing_lookout",
        "sighting_link",
        ["sighting_id", "lookout_id"],
        unique=True,
        **_where("state IN ('proposed', 'accepted')"),
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


def _table(name: str, *items: sa.schema.SchemaItem) -> None:
    op.create_table(name, *items, _id("id"), sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")))


def _enum(column: str, name: str, *values: str, nullable: bool = False) -> sa.Column[object]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
    return sa.Column(column, kind, nullable=nullable)


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _fk(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _where(condition: str) -> dict[str, sa.TextClause]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _withdrawal(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        _at("withdrawn_at", nullable=True), _id("withdrawn_by_id", nullable=True),
        _text("withdrawal_reason", 500, nullable=True), _check(table, "withdrawn_whole", WITHDRAWN_WHOLE),
        _fk(table, "withdrawn_by_id", "user_account"),
    )  # fmt: skip
