"""Where a notification leads: the page of the record that it is about, or of the cases and reports that it concerns.

Every object kind that `notify` is called with is in `OBJECTS`. What a recipient may open is asked at each look: one
that is no longer the recipient's to see leads nowhere, and the notification says so.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.admission import HospitalHandover
from models.candidate import Candidate
from models.case import Case
from models.duplicate import DuplicatePair
from models.home_notice import HomeNotice
from models.lookout import Lookout
from models.notice import Notice, NoticeVersion
from models.notification import Notification
from models.referral import Referral
from models.report import Report
from models.sighting import LinkState, Sighting, SightingLink
from models.tip import Tip
from models.webhook import WebhookEndpoint
from tracing import access
from tracing.access import Permission, Viewer
from tracing.platform.settings import Settings

PAGES: Mapping[str, str] = MappingProxyType(
    {
        "case": "/cases/{id}",
        "report": "/reports/{id}",
        "candidate": "/candidates/{id}",
        "sighting": "/sightings/{id}",
        "lookout": "/lookouts/{id}",
        "notice": "/notices/{id}",
        "tip": "/tips/{id}",
        "duplicate": "/duplicates/{id}",
        "referral": "/referrals/{id}",
        "home_notice": "/home-notices",
        "webhook": "/webhooks/{id}",
    }
)
"""Records that have a page, or a list that shows them."""
LISTS: Mapping[str, tuple[Permission, str]] = MappingProxyType(
    {"handover": (Permission.HANDOVER_RECEIVE, "/handovers")}
)
"""Records that are shown in a list of those alone who have the permission."""
INBOX = "/inbox"


@dataclass(frozen=True, slots=True)
class About:
    """A kind of record: who may open it, where the API has it, and which cases and reports it concerns.

    `resource` may be the address of a list. `cases` and `reports` are statements of ids, given the record's id.
    """

    model: Any
    scope: Callable[[Viewer], ColumnElement[bool]]
    resource: str
    cases: Callable[[uuid.UUID], Any] | None = None
    reports: Callable[[uuid.UUID], Any] | None = None


def _named(model: Any, *columns: Any) -> Callable[[uuid.UUID], Any]:
    """The cases, or reports, that the columns of a record name."""

    def ids(identity: uuid.UUID) -> Any:
        first, *others = (select(column).where(model.id == identity, column.is_not(None)) for column in columns)
        return first.union(*others) if others else first

    return ids


def _case_of_notice(identity: uuid.UUID) -> Any:
    return select(Notice.case_id).join(NoticeVersion).where(NoticeVersion.id == identity)


def _cases_of_sighting(identity: uuid.UUID) -> Any:
    return select(SightingLink.case_id).where(
        SightingLink.sighting_id == identity,
        SightingLink.case_id.is_not(None),
        SightingLink.state.in_((LinkState.PROPOSED, LinkState.ACCEPTED)),
    )


OBJECTS: Mapping[str, About] = MappingProxyType(
    {
        "case": About(Case, access.case_scope, "/cases/{id}", cases=_named(Case, Case.id)),
        "report": About(Report, access.report_scope, "/reports/{id}", reports=_named(Report, Report.id)),
        "candidate": About(
            Candidate, access.candidate_scope, "/candidates/{id}",
            cases=_named(Candidate, Candidate.case_id, Candidate.other_case_id),
            reports=_named(Candidate, Candidate.report_id),
        ),
        "notice": About(NoticeVersion, access.notice_scope, "/notices/{id}", cases=_case_of_notice),
        "tip": About(Tip, access.tip_scope, "/tips/{id}", cases=_named(Tip, Tip.case_id)),
        "sighting": About(Sighting, access.sighting_scope, "/sightings/{id}", cases=_cases_of_sighting),
        "lookout": About(
            Lookout, access.lookout_scope, "/lookouts/{id}",
            cases=_named(Lookout, Lookout.case_id, Lookout.found_case_id),
        ),
        "duplicate": About(
            DuplicatePair, access.duplicate_scope, "/duplicates/{id}",
            cases=_named(DuplicatePair, DuplicatePair.first_case_id, DuplicatePair.second_case_id),
            reports=_named(DuplicatePair, DuplicatePair.first_report_id, DuplicatePair.second_report_id),
        ),
        "referral": About(
            Referral, access.referral_scope, "/referrals/{id}", cases=_named(Referral, Referral.case_id)
        ),
        "handover": About(
            HospitalHandover, access.handover_scope, "/handovers",
            cases=_named(HospitalHandover, HospitalHandover.case_id),
        ),
        "home_notice": About(
            HomeNotice, access.home_notice_scope, "/home-notices", cases=_named(HomeNotice, HomeNotice.case_id)
        ),
        "webhook": About(WebhookEndpoint, access.webhook_scope, "/webhooks/{id}"),
    }
)  # fmt: skip
"""Every kind of record that a notification may be about."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page that the viewer may open: of a case or a report, by its number."""

    number: str
    path: str


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a notification leads its recipient. `may` False: the record is not, or no longer, the recipient's to see.

    `page`: the record's own page, if it has one. `places`: the cases and reports it concerns that the recipient may
    open. `resource`: where the API has the record, below its version.
    """

    may: bool
    page: str | None = None
    places: tuple[Place, ...] = ()
    resource: str | None = None


def destination(session: Session, viewer: Viewer, object_kind: str, object_id: uuid.UUID) -> Destination:
    """Where the viewer is led from a notification about this record."""
    about = OBJECTS[object_kind]
    standing = select(about.model.id).where(about.model.id == object_id, about.scope(viewer))
    if session.scalar(standing) is None:
        return Destination(may=False)
    page = PAGES[object_kind].format(id=object_id) if object_kind in PAGES else _list(viewer, object_kind)
    places = [
        *_places(session, Case, access.case_scope(viewer), about.cases, object_id, PAGES["case"]),
        *_places(session, Report, access.report_scope(viewer), about.reports, object_id, PAGES["report"]),
    ]
    return Destination(may=True, page=page, places=tuple(places), resource=about.resource.format(id=object_id))


def _list(viewer: Viewer, object_kind: str) -> str | None:
    permission, path = LISTS.get(object_kind, (None, None))
    return path if permission is not None and viewer.may(permission) else None


def _places(
    session: Session,
    table: type[Case] | type[Report],
    scope: ColumnElement[bool],
    concerned: Callable[[uuid.UUID], Any] | None,
    object_id: uuid.UUID,
    path: str,
) -> list[Place]:
    if concerned is None:
        return []
    wanted = select(table.number, table.id).where(table.id.in_(concerned(object_id)), scope).order_by(table.number)
    return [Place(number, path.format(id=identity)) for number, identity in session.execute(wanted)]


def path_of(one: Notification) -> str:
    """The page that a notification leads to: the record's own, or the notification's, which says what it concerns."""
    if one.object_kind in PAGES:
        return PAGES[one.object_kind].format(id=one.object_id)
    return f"{INBOX}/{one.id}"


def link(settings: Settings, object_kind: str, object_id: uuid.UUID) -> str:
    """The address of a record's page for whoever is told by a webhook; the inbox when it has none."""
    return settings.web.public_url.rstrip("/") + PAGES.get(object_kind, INBOX).format(id=object_id)
