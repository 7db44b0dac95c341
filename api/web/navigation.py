"""Navigation (导航): the ways into the service, each shown to those who may go there, once its page is there."""

from dataclasses import dataclass

from api.web.page import Page
from tracing.access import Permission

_P = Permission
INLINE = 5
"""Entries that stand beside "Home" where there is room; the others are under "More"."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One way in: shown to whom any of the permissions is given."""

    path: str
    text: str
    needs: tuple[Permission, ...]


ENTRIES = (
    Entry("/review", "Review", (_P.REVIEW,)),
    Entry("/cases", "Cases", (_P.CASE_READ,)),
    Entry("/reports", "Reports", (_P.REPORT_READ,)),
    Entry("/deadlines", "Deadlines", (_P.CASE_READ,)),
    Entry("/lookouts", "Sightings and lookouts", (_P.SIGHTING_READ,)),
    Entry("/notices", "Notices", (_P.NOTICE, _P.NOTICE_APPROVE)),
    Entry("/tips", "Tips", (_P.TIP,)),
    Entry("/handovers", "Brought to the hospital", (_P.HANDOVER_RECEIVE,)),
    Entry("/referrals", "Referrals", (_P.REFER, _P.ANSWER)),
    Entry("/followup", "Follow-up", (_P.FOLLOW_UP,)),
    Entry("/statistics", "Statistics", (_P.STATISTICS,)),
    Entry("/users", "Users", (_P.ACCOUNTS,)),
    Entry("/organisations", "Organisations", (_P.ACCOUNTS,)),
    Entry("/jobs", "Jobs", (_P.JOBS,)),
    Entry("/system", "System", (_P.JOBS,)),
    Entry("/evaluation", "Evaluation", (_P.REVIEW_MANAGE, _P.JOBS)),
    Entry("/audit", "Audit log", (_P.AUDIT,)),
)


def navigation(page: Page) -> tuple[Entry, ...]:
    """What this viewer may open, in the order of the work."""
    there: frozenset[str] = page.request.app.state.page_paths
    return tuple(entry for entry in ENTRIES if entry.path in there and any(map(page.may, entry.needs)))
