"""Who may do what over HTTP: every route, every role, in the record's own province and in another one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from models.user import Role

STAFF, CASEWORKER, BUREAU = Role.STATION_STAFF, Role.CASEWORKER, Role.BUREAU_SUPERVISOR
EXAMINER, SUPERVISOR = Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR
HEALTH, LIAISON, UNIT = Role.HEALTH_LIAISON, Role.COMMUNITY_LIAISON, Role.RECEIVING_UNIT
AUDITOR, ADMINISTRATOR = Role.AUDITOR, Role.ADMINISTRATOR

ALL = frozenset(Role)
POLICE = frozenset({EXAMINER, SUPERVISOR})
CASE_READERS = frozenset({STAFF, EXAMINER, SUPERVISOR, CASEWORKER, BUREAU})
REPORT_READERS = frozenset({STAFF, EXAMINER, SUPERVISOR, BUREAU})
REPORT_WRITERS = frozenset({STAFF, EXAMINER, SUPERVISOR})
STATION = frozenset({STAFF, CASEWORKER})
DOERS = STATION | POLICE
PAUSERS = STATION | {BUREAU}
RECEIVERS = frozenset({HEALTH, UNIT})
DECIDERS = POLICE | {STAFF}
APPROVERS = frozenset({SUPERVISOR, BUREAU})
COUNTERS = APPROVERS | {STAFF}
NETWORK = POLICE | {STAFF, LIAISON}
SIGHTING_READERS = NETWORK | {BUREAU}
WALKERS = frozenset({STAFF, LIAISON})

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
GRADES = dict.fromkeys(("housing", "caregiver", "medicine", "income", "safety", "wish"), "good")
VISIT = {
    "method": "phone", "result": "met", "visited_at": "2026-03-02T09:00:00+08:00", "visitor": "陈社工",
    "assessment": GRADES,
}  # fmt: skip
SIGHTING = {"source": "community", "seen_at": "2026-03-02T08:00:00+08:00", "division": "450702"}
PATROL = {"route": "火车站一带", "started_at": "2026-03-01T20:00:00+08:00", "ended_at": "2026-03-01T22:00:00+08:00",
          "members": 3, "people_met": 2, "aid": {"food": 2}}  # fmt: skip
ADMISSION = {"kind": "unknown_identity", "fingerprint_reason": "no device"}
REPORT = {"last_seen_on": "2026-01-01", "contact": {"name": "韦桂英", "telephone": "13907770123"}, **FACTS}
_DNA = {"evidence": "dna", "reference": "D-1", "reason": "no kinship"}
PLAN = {"channel": "local_police", "unit": "演武派出所", "call_back_number": "0777-2820000"}
KIN = {
    "relative": "韦桂英", "relation": "姐姐", "verified": False, "documents": [],
    "questions": [{"question": "家里人怎么称呼他？", "answer": "阿国", "agrees": True}],
}  # fmt: skip


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
    query: Mapping[str, str] | None = None
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
_NOTICE = f"{_V1}/notices/{{version_id}}"
_CANDIDATE = f"{_V1}/candidates/{{candidate_id}}"
_SIGHTING = f"{_V1}/sightings/{{sighting_id}}"
_LINK = f"{_V1}/sighting-links/{{link_id}}"
_LOOKOUT = f"{_V1}/lookouts/{{lookout_id}}"
_HANDOVER = f"{_V1}/handovers/{{handover_id}}"
_ANY_VERSION = {"If-Match": "*"}
_ADMINISTRATOR = frozenset({ADMINISTRATOR})

ROWS: tuple[Row, ...] = (
    _anywhere("GET", f"{_V1}/me", ALL),
    _anywhere("GET", f"{_V1}/divisions", ALL),
    # One's own inbox: somebody else's line does not exist.
    _anywhere("GET", f"{_V1}/notifications", ALL),
    _anywhere("GET", f"{_V1}/notifications/unread", ALL),
    _anywhere("POST", f"{_V1}/notifications/read", ALL, body={}),
    Row("POST", f"{_V1}/notifications/{{notification_id}}/read", frozenset({STAFF}), refused=404),
    _anywhere("GET", f"{_V1}/me/mail", ALL),
    _anywhere("PUT", f"{_V1}/me/mail", ALL, body={"address": "li.na@example.org"}),
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
    # Exclusions.
    Row("GET", f"{_CASE}/exclusions", CASE_READERS),
    Row("POST", f"{_CANDIDATE}/exclude", POLICE, 201, body=_DNA),
    Row("POST", f"{_V1}/exclusions/{{exclusion_id}}/reopen", frozenset({SUPERVISOR}), stage="excluded", body=_DNA),
    # The protocol of contact, kin, the papers of an outcome.
    _anywhere("GET", f"{_V1}/contact-script", CASE_READERS),
    Row("GET", f"{_CASE}/contact-plan", frozenset({CASEWORKER}), 404, stage="released"),
    Row("POST", f"{_CASE}/contact-plan", frozenset({CASEWORKER}), 201, stage="released", body=PLAN),
    Row("GET", f"{_CASE}/screenings", DOERS),
    Row("POST", f"{_CASE}/screenings", DOERS, 201,
        body={"wish": "objects", "danger": "suspected", "asked_on": "2026-03-02"}),
    Row("POST", f"{_CASE}/contact-exception", frozenset({SUPERVISOR}), 201, stage="released",
        body={"reason": "no police post on the island"}),
    Row("GET", f"{_CASE}/kin-verifications", frozenset({CASEWORKER}), stage="released"),
    Row("POST", f"{_CASE}/kin-verifications", frozenset({CASEWORKER}), 201, stage="released", body=KIN),
    Row("POST", f"{_V1}/kin-verifications/{{verification_id}}/withdraw", frozenset({CASEWORKER}), stage="ended",
        body={"reason": "another sister"}),
    _anywhere("GET", f"{_V1}/home-notices", STATION | {BUREAU}),
    Row("POST", f"{_V1}/home-notices/{{notice_id}}/answer", STATION | {BUREAU}, stage="ended",
        body={"answer": "received"}),
    Row("POST", f"{_V1}/outcomes/{{outcome_id}}/withdraw", STATION, stage="ended", body={"reason": "wrong day"}),
    Row("GET", f"{_V1}/outcomes/{{outcome_id}}/handover", frozenset({CASEWORKER}), sees=frozenset({STAFF}),
        stage="ended"),
    Row("GET", f"{_CASE}/dossier", CASE_READERS, refused=404),
    Row("POST", f"{_CASE}/dossier", STATION, 201, body={"item": "photos", "done_on": "2026-03-02"}),
    Row("POST", f"{_V1}/dossier-items/{{entry_id}}/withdraw", STATION, stage="ended", body={"reason": "lost"}),
    _anywhere("GET", f"{_V1}/return-ledger", CASE_READERS),
    _anywhere("GET", f"{_V1}/return-ledger.csv", CASE_READERS),
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
    # Referrals: the receiving organisation's own login sees what was sent to it, and nothing else.
    _anywhere("GET", f"{_V1}/referrals", CASE_READERS | RECEIVERS),
    _anywhere("GET", f"{_V1}/referrals/receivers", STATION),
    Row("GET", f"{_CASE}/referrals", CASE_READERS, refused=404),
    Row(
        "POST", f"{_CASE}/referrals", STATION, 201,
        body={"kind": "medical", "receiver_id": "{health_id}", "summary": "kidney failure"},
    ),
    Row("GET", f"{_V1}/referrals/{{referral_id}}", CASE_READERS | {UNIT}, refused=404),
    Row(
        "PUT", f"{_V1}/referrals/{{referral_id}}", STATION, 409,  # it was sent
        body={"kind": "medical", "receiver_id": "{health_id}", "summary": "kidney failure"},
    ),
    Row("POST", f"{_V1}/referrals/{{referral_id}}/send", STATION),
    Row("POST", f"{_V1}/referrals/{{referral_id}}/withdraw", STATION, body={"reason": "moved"}),
    Row("POST", f"{_V1}/referrals/{{referral_id}}/accept", frozenset({UNIT}), sees=frozenset({HEALTH}), seen=404),
    Row(
        "POST", f"{_V1}/referrals/{{referral_id}}/reject", frozenset({UNIT}), sees=frozenset({HEALTH}), seen=404,
        body={"text": "not of this district"},
    ),
    Row(
        "POST", f"{_V1}/referrals/{{referral_id}}/done", frozenset({UNIT}), 409, sees=frozenset({HEALTH}), seen=404,
        body={"text": "granted"},
    ),
    # Follow-up and wandering again.
    Row("GET", f"{_CASE}/follow-up", CASE_READERS, refused=404),
    Row("POST", f"{_CASE}/visits", STATION, 409, body=VISIT),
    Row("POST", f"{_CASE}/follow-up/end", STATION, 409, body={"reason": "stable"}),
    Row("POST", f"{_V1}/visits/{{visit_id}}/withdraw", STATION, 404, body={"reason": "another's"}),
    Row("POST", f"{_V1}/follow-up-ends/{{end_id}}/withdraw", STATION, 404, body={"reason": "too soon"}),
    Row("GET", f"{_CASE}/earlier-cases", CASE_READERS, refused=404),
    Row(
        "POST", f"{_CASE}/earlier-cases", STATION, 201,
        body={"earlier_case_id": "{earlier_case_id}", "reason": "recognised at the gate"},
    ),
    Row("POST", f"{_V1}/wandering-links/{{link_id}}/withdraw", STATION, 404, body={"reason": "somebody else"}),
    # Duplicates.
    _anywhere("GET", f"{_V1}/duplicates", CASE_READERS),
    Row(
        "POST", f"{_V1}/duplicates", DECIDERS, 201,
        body={"kind": "case", "first_id": "{case_id}", "second_id": "{earlier_case_id}", "reason": "the same scar"},
    ),
    Row("GET", f"{_V1}/duplicates/{{pair_id}}", CASE_READERS),
    Row("POST", f"{_V1}/duplicates/{{pair_id}}/decision", DECIDERS, body={"verdict": "different", "reason": "twins"}),
    Row("POST", f"{_V1}/duplicates/{{pair_id}}/decision/withdraw", DECIDERS, 409, body={"reason": "looked again"}),
    # Notices, tips, statistics.
    _anywhere("GET", f"{_V1}/notices", CASE_READERS),
    Row("GET", f"{_CASE}/notices", CASE_READERS),
    Row(
        "POST", f"{_CASE}/notices", frozenset({STAFF}), 409,
        body={"telephone": "0777-2860110", "wish": "cannot_express", "danger": "no_sign"},
    ),
    Row("GET", _NOTICE, CASE_READERS, refused=404),
    Row("GET", f"{_NOTICE}/photo", CASE_READERS, refused=404),
    Row("GET", f"{_NOTICE}/pdf", CASE_READERS, refused=404),
    Row("POST", f"{_NOTICE}/approve", APPROVERS),
    Row("POST", f"{_NOTICE}/reject", APPROVERS, body={"reason": "the photograph is unclear"}),
    Row("POST", f"{_NOTICE}/withdraw", APPROVERS | {STAFF}, body={"reason": "a better photograph"}),
    _anywhere("GET", f"{_V1}/tips", STATION),
    Row("GET", f"{_V1}/tips/{{tip_id}}", STATION),
    Row("GET", f"{_V1}/tips/{{tip_id}}/photo", STATION),
    Row("POST", f"{_V1}/tips/{{tip_id}}/accept", STATION, body={"clues": [{"kind": "name", "text": "阿珍"}]}),
    Row("POST", f"{_V1}/tips/{{tip_id}}/reject", STATION, body={"reason": "an advertisement"}),
    _anywhere("GET", f"{_V1}/statistics", COUNTERS),
    _anywhere("GET", f"{_V1}/statistics/definitions", COUNTERS),
    _anywhere("GET", f"{_V1}/statistics/file", COUNTERS),
    _anywhere("GET", f"{_V1}/statistics/{{figure}}/cases", COUNTERS),
    # Admission, and handovers to hospitals.
    Row("GET", f"{_CASE}/admission", CASE_READERS, refused=404),
    Row("PUT", f"{_CASE}/admission", frozenset({STAFF}), body=ADMISSION, headers=_ANY_VERSION),
    Row("GET", f"{_CASE}/admission/sealed", STATION),
    Row("POST", f"{_CASE}/care", frozenset({STAFF}), 409, stage="draft"),
    Row("POST", f"{_CASE}/identity-disproved", frozenset({STAFF}), 409, body={"reason": "the papers are another's"}),
    Row("GET", f"{_CASE}/handovers", CASE_READERS, refused=404),
    Row(
        "POST", f"{_CASE}/handovers", frozenset({STAFF}), 201,
        body={"hospital_id": "{hospital_id}", "officer": "陈某", "complaint": "水肿",
              "handed_at": "2026-03-02T08:30:00+08:00"},
    ),
    _anywhere("GET", f"{_V1}/handovers", frozenset({HEALTH})),
    Row("POST", f"{_HANDOVER}/receive", frozenset({HEALTH}), body={"received_at": "2026-03-02T08:50:00+08:00"}),
    Row("POST", f"{_HANDOVER}/withdraw", frozenset({STAFF}), body={"reason": "another person's"}),
    # Sightings, lookouts, patrols. A liaison sees the own ones, and lookouts addressed to the own division.
    _anywhere("GET", f"{_V1}/sightings", SIGHTING_READERS),
    _anywhere("POST", f"{_V1}/sightings", NETWORK, 201, body=SIGHTING),
    Row("GET", _SIGHTING, SIGHTING_READERS, refused=404),
    Row("POST", f"{_SIGHTING}/withdraw", NETWORK, body={"reason": "somebody else"}),
    Row("POST", f"{_SIGHTING}/photos", NETWORK, 201, photo=True),
    Row("GET", f"{_SIGHTING}/photos/{{sighting_photo_id}}", SIGHTING_READERS, refused=404),
    Row("GET", f"{_SIGHTING}/links", SIGHTING_READERS, refused=404),
    Row("POST", f"{_SIGHTING}/links", POLICE | {STAFF}, 201, body={"case_id": "{case_id}", "reason": "same coat"},
        stage="in_review"),
    Row("POST", f"{_LINK}/decision", POLICE | {STAFF}, 409, body={"accept": True}),
    Row("POST", f"{_LINK}/withdraw", POLICE | {STAFF}, body={"reason": "a mistake"}),
    Row("POST", f"{_SIGHTING}/case", frozenset({STAFF}), 201, body={}),
    Row("GET", f"{_CASE}/sightings", CASE_READERS, refused=404),
    _anywhere("GET", f"{_V1}/lookouts", SIGHTING_READERS),
    Row("POST", f"{_V1}/lookouts", POLICE | {STAFF}, 201, body={"case_id": "{case_id}"}),
    Row("GET", _LOOKOUT, SIGHTING_READERS),
    Row("GET", f"{_LOOKOUT}/photo", SIGHTING_READERS),
    Row("GET", f"{_LOOKOUT}/answers", SIGHTING_READERS),
    Row("POST", f"{_LOOKOUT}/answers", NETWORK, 201, body={}),
    Row("GET", f"{_LOOKOUT}/track", SIGHTING_READERS),
    Row("POST", f"{_LOOKOUT}/widen", POLICE | {STAFF}),
    Row("POST", f"{_LOOKOUT}/end", POLICE | {STAFF}, body={"kind": "found", "reason": "in the hospital"}),
    _anywhere("GET", f"{_V1}/patrols", WALKERS | {BUREAU}),
    _anywhere("POST", f"{_V1}/patrols", WALKERS, 201, body=PATROL),
    _anywhere("GET", f"{_V1}/patrols/counts", WALKERS | {BUREAU},
              query={"since": "2026-03-01T00:00:00Z", "until": "2026-04-01T00:00:00Z"}),
    Row("GET", f"{_V1}/patrols/{{patrol_id}}", WALKERS | {BUREAU}, refused=404),
    Row("POST", f"{_V1}/patrols/{{patrol_id}}/withdraw", WALKERS, body={"reason": "counted twice"}),
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
    _anywhere("GET", f"{_V1}/webhooks", _ADMINISTRATOR),
    Row(
        "POST", f"{_V1}/webhooks", _ADMINISTRATOR, 422,
        body={"organisation_id": "{organisation_id}", "url": "https://no.host.is.allowed/"},
    ),
    Row("GET", f"{_V1}/webhooks/{{webhook_id}}", _ADMINISTRATOR),
    Row("POST", f"{_V1}/webhooks/{{webhook_id}}/rotate", _ADMINISTRATOR),
    Row("POST", f"{_V1}/webhooks/{{webhook_id}}/disable", _ADMINISTRATOR),
    Row("POST", f"{_V1}/webhooks/{{webhook_id}}/enable", _ADMINISTRATOR, 409),
    Row("DELETE", f"{_V1}/webhooks/{{webhook_id}}", _ADMINISTRATOR, 204),
    Row("GET", f"{_V1}/webhooks/{{webhook_id}}/deliveries", _ADMINISTRATOR),
    _anywhere("GET", f"{_V1}/jobs", _ADMINISTRATOR),
    _anywhere("POST", f"{_V1}/jobs/{{job_id}}/retry", _ADMINISTRATOR, 204),
    _anywhere("GET", f"{_V1}/audit", frozenset({AUDITOR})),
    _anywhere("POST", f"{_V1}/audit/verify", frozenset({AUDITOR})),
)  # fmt: skip
