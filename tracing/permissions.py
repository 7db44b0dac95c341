"""Permissions (权限): what each role may do at all. The rest of the house takes them from `tracing.access`.

Deny by default: a permission not listed for a role is refused.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from models.user import Role


class Permission(StrEnum):
    """One thing that a role may be allowed to do."""

    CASE_READ = "case.read"
    CASE_WRITE = "case.write"
    REPORT_READ = "report.read"
    REPORT_WRITE = "report.write"
    CANDIDATE_READ = "candidate.read"
    REVIEW = "review.write"
    REVIEW_MANAGE = "review.manage"
    CONFIRM = "confirmation.write"
    RECALL = "confirmation.recall"
    EXCLUDE = "exclusion.write"
    EXCLUSION_REOPEN = "exclusion.reopen"
    CLAIM = "claim.write"
    CLAIM_SETTLE = "claim.settle"
    RELEASE = "contact.release"
    CONTACT = "contact.write"
    CONTACT_EXCEPTION = "contact.exception"
    SCREEN = "contact.screen"
    HOME_NOTICE = "home_notice.answer"
    OUTCOME = "outcome.write"
    MILESTONE = "milestone.write"
    PAUSE = "deadline.pause"
    INTERVIEW = "interview.write"
    REFER = "referral.write"
    ANSWER = "referral.answer"
    FOLLOW_UP = "followup.write"
    DUPLICATE = "duplicate.decide"
    NOTICE = "notice.write"
    NOTICE_APPROVE = "notice.approve"
    TIP = "tip.judge"
    STATISTICS = "statistics.read"
    EXPORT = "list.export"
    ADMISSION = "admission.open"
    HANDOVER_RECEIVE = "handover.receive"
    SIGHTING = "sighting.write"
    SIGHTING_READ = "sighting.read"
    SIGHTING_DECIDE = "sighting.decide"
    LOOKOUT = "lookout.write"
    PATROL = "patrol.write"
    PATROL_READ = "patrol.read"
    ACCOUNTS = "accounts.manage"
    WEBHOOKS = "webhooks.manage"
    JOBS = "jobs.manage"
    AUDIT = "audit.read"


_P = Permission
_DECIDE_SIGHTINGS = frozenset({_P.SIGHTING, _P.SIGHTING_READ, _P.SIGHTING_DECIDE, _P.LOOKOUT})
MATRIX: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.STATION_STAFF: frozenset(
            {
                _P.CASE_READ,
                _P.CASE_WRITE,
                _P.REPORT_READ,
                _P.REPORT_WRITE,
                _P.CANDIDATE_READ,
                _P.OUTCOME,
                _P.MILESTONE,
                _P.PAUSE,
                _P.INTERVIEW,
                _P.SCREEN,
                _P.HOME_NOTICE,
                _P.REFER,
                _P.FOLLOW_UP,
                _P.DUPLICATE,
                _P.NOTICE,
                _P.TIP,
                _P.STATISTICS,
                _P.EXPORT,
                _P.ADMISSION,
                _P.PATROL,
                _P.PATROL_READ,
            }
        )
        | _DECIDE_SIGHTINGS,
        Role.POLICE_EXAMINER: frozenset(
            {
                _P.CASE_READ,
                _P.REPORT_READ,
                _P.REPORT_WRITE,
                _P.CANDIDATE_READ,
                _P.REVIEW,
                _P.CONFIRM,
                _P.EXCLUDE,
                _P.CLAIM,
                _P.RELEASE,
                _P.SCREEN,
                _P.MILESTONE,
                _P.DUPLICATE,
            }
        )
        | _DECIDE_SIGHTINGS,
        Role.POLICE_SUPERVISOR: frozenset(
            {
                _P.CASE_READ,
                _P.REPORT_READ,
                _P.REPORT_WRITE,
                _P.CANDIDATE_READ,
                _P.REVIEW,
                _P.CONFIRM,
                _P.CLAIM,
                _P.CLAIM_SETTLE,
                _P.REVIEW_MANAGE,
                _P.RECALL,
                _P.EXCLUDE,
                _P.EXCLUSION_REOPEN,
                _P.RELEASE,
                _P.SCREEN,
                _P.CONTACT_EXCEPTION,
                _P.MILESTONE,
                _P.DUPLICATE,
                _P.NOTICE_APPROVE,
                _P.STATISTICS,
                _P.EXPORT,
            }
        )
        | _DECIDE_SIGHTINGS,
        Role.CASEWORKER: frozenset(
            {
                _P.CASE_READ,
                _P.CANDIDATE_READ,
                _P.CONTACT,
                _P.OUTCOME,
                _P.MILESTONE,
                _P.PAUSE,
                _P.INTERVIEW,
                _P.SCREEN,
                _P.HOME_NOTICE,
                _P.REFER,
                _P.FOLLOW_UP,
                _P.TIP,
                _P.ADMISSION,
            }
        ),
        Role.HEALTH_LIAISON: frozenset({_P.HANDOVER_RECEIVE, _P.ANSWER}),  # what is handed over or referred to it
        Role.COMMUNITY_LIAISON: frozenset({_P.SIGHTING, _P.SIGHTING_READ, _P.PATROL, _P.PATROL_READ}),
        Role.RECEIVING_UNIT: frozenset({_P.ANSWER}),
        Role.BUREAU_SUPERVISOR: frozenset(
            {
                _P.CASE_READ,
                _P.REPORT_READ,
                _P.CANDIDATE_READ,
                _P.PAUSE,
                _P.HOME_NOTICE,
                _P.NOTICE_APPROVE,
                _P.STATISTICS,
                _P.EXPORT,
                _P.SIGHTING_READ,
                _P.PATROL_READ,
            }
        ),
        Role.AUDITOR: frozenset({_P.AUDIT}),
        Role.ADMINISTRATOR: frozenset({_P.ACCOUNTS, _P.WEBHOOKS, _P.JOBS}),
    }
)
"""An administrator runs the service and reads nobody's case; an auditor reads what was done, not about whom."""

POLICE = frozenset({Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR})
