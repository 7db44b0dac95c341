"""Who may do what over HTTP: every route, every role, in the record's own province and in another one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from models.user import Role

STAFF = Role.STATION_STAFF
EXAMINER = Role.POLICE_EXAMINER
SUPERVISOR = Role.POLICE_SUPERVISOR
CASEWORKER = Role.CASEWORKER
BUREAU = Role.BUREAU_SUPERVISOR
AUDITOR = Role.AUDITOR
ADMINISTRATOR = Role.ADMINISTRATOR

ALL = frozenset(Role)
POLICE = frozenset({EXAMINER, SUPERVISOR})
CASE_READERS = frozenset({STAFF, EXAMINER, SUPERVISOR, CASEWORKER, BUREAU})
REPORT_READERS = frozenset({STAFF, EXAMINER, SUPERVISOR, BUREAU})
REPORT_WRITERS = frozenset({STAFF, EXAMINER, SUPERVISOR})
STATION = frozenset({STAFF, CASEWORKER})
DOERS = STATION | POLICE
PAUSERS = STATION | {BUREAU}

PUBLIC: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("GET", "/health"): 200,
        ("GET", "/ready"): 200,
        ("GET", "/version"): 200,
        ("GET", "/metrics"): 404,  # closed unless a setting opens it
        ("GET", "/api/v1/openapi.json"): 200,
        ("POST", "/api/v1/oauth/token"): 400,
        ("POST", "/api/v1/oauth/revoke"): 400,
    }
)
"""Routes for everybody, and what they answer to an empty request."""

FACTS = {"attributes": [{"kind": "sex", "value": "male", "basis": "estimated"}]}
CASE = {"admitted_on": "2026-03-01", **FACTS}
CLUES = [{"kind": "food", "text": "沙茶面", "confidence": "sure"}]
REPORT = {"last_seen_on": "2026-01-01", "contact": {"name": "韦桂英", "telephone": "13907770123"}, **FACTS}


@dataclass(frozen=True)
class Row:
    """One route and what each role gets.

    `may` have the permission: they get `ok` for a record of their own province and `abroad` for another's. Roles in
    `sees` may see the record and not do this: `seen` and `abroad`. All others get `refused`, wherever the record is.
    """

    method: str
    path: str
    may: frozenset[Role]
    ok: int = 200
    abroad: int = 404
    refused: int = 403
    sees: frozenset[Role] = frozenset()
    seen: int = 403
    stage: str = "in_review"
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    photo: bool = False
    audio: bool = False

    def expected(self, role: Role, *, own: bool) -> int:
        """The status that this role gets."""
        if role in self.may:
            return self.ok if own else self.abroad
        if role in self.sees:
            return self.seen if own else self.abroad
        return self.refused


def _anywhere(method: str, path: str, may: frozenset[Role], ok: int = 200, **more: Any) -> Row:
    """A route without a record of a province: lists, and what is made in one's own organisation."""
    return Row(method, path, may, ok, abroad=ok, **more)


_V1 = "/api/v1"
_CASE = f"{_V1}/cases/{{case_id}}"
_REPORT = f"{_V1}/reports/{{report_id}}"
_DEADLINE = f"{_V1}/deadlines/{{deadline_id}}"
_PHOTO = f"{_V1}/photos/{{photo_id}}"
_CANDIDATE = f"{_V1}/candidates/{{candidate_id}}"
_ANY_VERSION = {"If-Match": "*"}
_ADMINISTRATOR = frozenset({ADMINISTRATOR})

ROWS: tuple[Row, ...] = (
    _anywhere("GET", f"{_V1}/me", ALL),
    _anywhere("GET", f"{_V1}/divisions", ALL),
    # Cases. A record outside the scope does not exist: 404 where reading is all that is asked.
    _anywhere("GET", f"{_V1}/cases", CASE_READERS),
    _anywhere("POST", f"{_V1}/cases", frozenset({STAFF}), 201, body=CASE),
    Row("GET", _CASE, CASE_READERS, refused=404),
    Row("PUT", _CASE, frozenset({STAFF}), body=CASE, headers=_ANY_VERSION),
    Row("POST", f"{_CASE}/submit", frozenset({STAFF}), stage="draft"),
    Row(
        "POST", f"{_CASE}/transitions", STATION, sees=CASE_READERS - STATION, refused=404,
        body={"state": "left", "reason": "left the station"},
    ),
    Row("GET", f"{_CASE}/history", CASE_READERS, refused=404),
    Row("GET", f"{_CASE}/candidates", CASE_READERS),
    Row("GET", f"{_CASE}/candidate-changes", CASE_READERS),
    # Photographs.
    Row("GET", f"{_CASE}/photos", CASE_READERS, refused=404),
    Row("POST", f"{_CASE}/photos", frozenset({STAFF}), 201, photo=True),
    Row("GET", f"{_REPORT}/photos", REPORT_READERS, refused=404),
    Row("POST", f"{_REPORT}/photos", REPORT_WRITERS, 201, photo=True),
    Row("GET", _PHOTO, CASE_READERS, refused=404),
    Row("GET", f"{_PHOTO}/image", CASE_READERS, refused=404),
    Row("DELETE", _PHOTO, frozenset({STAFF}), 204, sees=CASE_READERS - {STAFF}, refused=404),
    Row(
        "POST", f"{_PHOTO}/face", frozenset({STAFF}), 422, sees=CASE_READERS - {STAFF}, refused=404,
        body={"face_id": "00000000-0000-4000-8000-000000000000"},
    ),
    # Reports.
    _anywhere("GET", f"{_V1}/reports", REPORT_READERS),
    _anywhere("POST", f"{_V1}/reports", REPORT_WRITERS, 201, body=REPORT),
    Row("GET", _REPORT, REPORT_READERS, refused=404),
    Row("PUT", _REPORT, REPORT_WRITERS, body=REPORT, headers=_ANY_VERSION),
    Row("POST", f"{_REPORT}/publish", REPORT_WRITERS),
    Row("POST", f"{_REPORT}/withdraw", REPORT_WRITERS),
    # Review, confirmation, contact, outcomes: the chain in which nobody may skip a link.
    _anywhere("GET", f"{_V1}/review/queue", POLICE),
    Row("GET", _CANDIDATE, CASE_READERS),
    Row("POST", f"{_CANDIDATE}/reviews", POLICE, 201, body={"opinion": "supports"}),
    _anywhere("GET", f"{_V1}/review/features", POLICE),
    Row("GET", f"{_CASE}/features", POLICE),
    Row("POST", f"{_CASE}/features", POLICE, 201,
        body={"basis": "facial", "features": [{"feature": one} for one in ("hairline", "ears", "chin")]}),
    Row("POST", f"{_CASE}/review/take", POLICE),
    Row("GET", f"{_CASE}/review/assignments", frozenset({SUPERVISOR})),
    Row("POST", f"{_V1}/review/assignments/{{assignment_id}}/reassign", frozenset({SUPERVISOR}),
        body={"reason": "on leave"}),
    _anywhere("GET", f"{_V1}/review/quality", frozenset({SUPERVISOR})),
    Row("POST", f"{_CANDIDATE}/requests", POLICE, 201, body={"kind": "photo"}),
    Row("GET", f"{_CASE}/review/requests", CASE_READERS, refused=404),
    Row("POST", f"{_V1}/review/requests/{{request_id}}/withdraw", frozenset({EXAMINER}),
        sees=frozenset({SUPERVISOR}), seen=404, body={"reason": "not needed"}),
    Row("DELETE", f"{_CANDIDATE}/reviews/mine", frozenset({EXAMINER}), 204, sees=frozenset({SUPERVISOR}), seen=404,
        stage="reviewed"),
    Row(
        "POST", f"{_CASE}/confirmation", POLICE, 201, stage="reviewed",
        body={"candidate_id": "{candidate_id}", "method": "agreeing_reviews", "grounds": "both agree"},
    ),
    Row("POST", f"{_CASE}/confirmation", POLICE, 409,
        body={"candidate_id": "{candidate_id}", "method": "agreeing_reviews", "grounds": "nobody has looked yet"}),
    Row("POST", f"{_CASE}/confirmation/recall", frozenset({SUPERVISOR}), stage="identified", body={"reason": "DNA"}),
    Row(
        "POST", f"{_CASE}/contact-release", POLICE, 201, stage="identified",
        body={"wish": "wants_contact", "danger": "no_sign"},
    ),
    Row("POST", f"{_CASE}/contact-release", POLICE, 409, body={"wish": "wants_contact", "danger": "no_sign"}),
    Row("GET", f"{_CASE}/family-contact", frozenset({CASEWORKER}), stage="released"),
    Row("GET", f"{_CASE}/family-contact", frozenset({CASEWORKER}), 403, stage="identified"),
    Row("GET", f"{_CASE}/contacts", frozenset({CASEWORKER}), stage="released"),
    Row(
        "POST", f"{_CASE}/contacts", frozenset({CASEWORKER}), 201, stage="released",
        body={"channel": "local_police", "result": "reached", "attempted_at": "2026-03-02T10:00:00+08:00"},
    ),
    Row("GET", f"{_CASE}/outcomes", CASE_READERS, refused=404),
    Row("POST", f"{_CASE}/outcomes", STATION, 201, body={"kind": "hospital", "occurred_on": "2026-03-02"}),
    # Deadlines and what was done.
    _anywhere("GET", f"{_V1}/deadlines", CASE_READERS),
    _anywhere("GET", f"{_V1}/deadlines/counts", CASE_READERS),
    _anywhere("GET", f"{_V1}/deadlines/policy", CASE_READERS),
    Row("GET", f"{_CASE}/deadlines", CASE_READERS, refused=404),
    Row("GET", f"{_CASE}/milestones", CASE_READERS, refused=404),
    Row("POST", f"{_CASE}/milestones", DOERS, 201,
        body={"kind": "dna_requested", "occurred_at": "2026-03-02T10:00:00+08:00"}),
    Row("POST", f"{_V1}/milestones/{{milestone_id}}/withdraw", DOERS, body={"reason": "entered by mistake"}),
    Row("POST", f"{_DEADLINE}/met", DOERS, body={"occurred_at": "2026-03-02T10:00:00+08:00", "note": "done"}),
    Row("POST", f"{_DEADLINE}/pause", PAUSERS, body={"reason": "hospital", "from_at": "2026-03-10T10:00:00+08:00"}),
    Row("POST", f"{_DEADLINE}/resume", PAUSERS, 409, body={"note": "back"}),
    # Interviews and clues.
    Row("GET", f"{_CASE}/interviews", CASE_READERS, refused=404),
    Row("POST", f"{_CASE}/interviews", STATION, 201, body={"held_at": "2026-03-02T10:00:00+08:00", "method": "talk"}),
    Row("POST", f"{_V1}/interviews/{{interview_id}}/withdraw", STATION, body={"reason": "another person's"}),
    Row("POST", f"{_V1}/interviews/{{interview_id}}/audio", STATION, 201, audio=True),
    Row("GET", f"{_V1}/audio/{{audio_id}}", CASE_READERS, refused=404),
    Row("DELETE", f"{_V1}/audio/{{audio_id}}", STATION, 204, sees=CASE_READERS - STATION, refused=404),
    Row("GET", f"{_CASE}/clues", CASE_READERS, refused=404),
    Row("POST", f"{_CASE}/clues", STATION, 201, body={"heard_at": "2026-03-02T10:00:00+08:00", "clues": CLUES}),
    Row("POST", f"{_V1}/clues/{{clue_id}}/correct", STATION, 201, body=CLUES[0]),
    Row("POST", f"{_V1}/clues/{{clue_id}}/withdraw", STATION, body={"reason": "misheard"}),
    # Results of police systems.
    Row("GET", f"{_CASE}/claims", CASE_READERS, refused=404),
    Row(
        "POST", f"{_CASE}/claims", POLICE, 201,
        body={"method": "fingerprint", "obtained_on": "2026-03-02", "officer": "王警官", "reference": "F-1",
              "candidate_id": "{candidate_id}"},
    ),
    Row("POST", f"{_V1}/claims/{{claim_id}}/withdraw", POLICE, body={"reason": "mixed up"}),
    Row("POST", f"{_V1}/claims/{{claim_id}}/settle", frozenset({SUPERVISOR}), 409, body={"reason": "an old number"}),
    Row("GET", f"{_V1}/claims/{{claim_id}}/identity", POLICE),
    # Administration.
    _anywhere("GET", f"{_V1}/organisations", ALL),
    Row(
        "POST", f"{_V1}/organisations", _ADMINISTRATOR, 201,
        body={"parent_id": "{organisation_id}", "kind": "street_post", "name_zh": "驿站", "name_en": "Post",
              "division": "450702"},
    ),
    _anywhere("GET", f"{_V1}/users", _ADMINISTRATOR),
    Row(
        "POST", f"{_V1}/users", _ADMINISTRATOR, 201,
        body={"organisation_id": "{organisation_id}", "username": "new.colleague", "display_name": "新同事",
              "role": "station_staff", "password": "long enough for this"},
    ),
    Row("PATCH", f"{_V1}/users/{{user_id}}", _ADMINISTRATOR, body={"active": False}),
    _anywhere("GET", f"{_V1}/jobs", _ADMINISTRATOR),
    _anywhere("POST", f"{_V1}/jobs/{{job_id}}/retry", _ADMINISTRATOR, 204),
    _anywhere("GET", f"{_V1}/audit", frozenset({AUDITOR})),
    _anywhere("POST", f"{_V1}/audit/verify", frozenset({AUDITOR})),
)  # fmt: skip
