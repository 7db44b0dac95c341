"""Who may see and do what (访问控制), in one place: the matrix of role and permission, and the scope of each query.

The matrix is written in `tracing.permissions`. A record outside the viewer's scope does not exist for the viewer. An
organisation's subtree is a prefix of `Organisation.path`.
"""

import uuid
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select, true
from sqlalchemy.orm import Session

from models.admission import HospitalHandover
from models.candidate import Candidate
from models.case import AdmissionKind, Case, CaseState
from models.confirmation import Confirmation
from models.duplicate import DuplicatePair
from models.home_notice import HomeNotice
from models.lookout import Lookout, LookoutRing
from models.notice import Notice, NoticeVersion
from models.notification import Notification
from models.organisation import Organisation
from models.patrol import Patrol
from models.referral import Referral, ReferralState
from models.report import Report
from models.review_protocol import ReviewSeed
from models.saved_filter import SavedFilter
from models.sighting import LinkState, Sighting, SightingLink
from models.tip import Tip
from models.user import Locale, Role, User
from models.webhook import WebhookEndpoint
from tracing.permissions import MATRIX, POLICE, Permission
from tracing.platform import errors

__all__ = ["MATRIX", "POLICE", "Permission", "Viewer"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking. `jurisdiction` is the path whose subtree the viewer's role reaches."""

    user_id: uuid.UUID
    organisation_id: uuid.UUID
    role: Role
    display_name: str
    locale: Locale
    path: str
    jurisdiction: str

    def may(self, permission: Permission) -> bool:
        """Whether the role has the permission at all."""
        return permission in MATRIX[self.role]


def viewer_of(user: User, organisation: Organisation) -> Viewer:
    """The viewer for an account. Police liaison stations serve the organisation above them: theirs is its subtree."""
    path = organisation.path
    jurisdiction = path
    if user.role in POLICE:
        jurisdiction = path.rstrip("/").rsplit("/", 1)[0] + "/" if organisation.parent_id else path
    return Viewer(
        user_id=user.id,
        organisation_id=organisation.id,
        role=user.role,
        display_name=user.display_name,
        locale=user.locale,
        path=path,
        jurisdiction=jurisdiction,
    )


def chain_of(path: str) -> list[uuid.UUID]:
    """The organisations above the one of a path, from the root, and that one itself."""
    return [uuid.UUID(one) for one in path.strip("/").split("/")]


def police_serving(organisation: Organisation) -> ColumnElement[bool]:
    """Condition on `User` joined to its `Organisation`: active police in whose jurisdiction (`viewer_of`) it lies."""
    above = chain_of(organisation.path)
    root = Organisation.parent_id.is_(None) & Organisation.id.in_(above)
    return User.active & User.role.in_(POLICE) & (root | Organisation.parent_id.in_(above))


def require(viewer: Viewer, permission: Permission) -> None:
    """Raise Forbidden unless the viewer's role has the permission."""
    if not viewer.may(permission):
        raise errors.Forbidden(permission=permission.value)


def _organisations_under(path: str) -> Select[uuid.UUID]:
    return select(Organisation.id).where(Organisation.path.startswith(path, autoescape=True))


def case_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Case`: which cases exist for the viewer.

    A draft is its own organisation's business; from submission on the police of the jurisdiction and the supervisors
    above see it. Whose identity is known is nobody for the police to trace.
    """
    if not viewer.may(Permission.CASE_READ):
        return false()
    inside = Case.organisation_id.in_(_organisations_under(viewer.jurisdiction))
    if viewer.role in (Role.STATION_STAFF, Role.CASEWORKER):
        return inside
    handed_in = inside & (Case.state != CaseState.DRAFT)
    if viewer.role in POLICE:
        return handed_in & (Case.admission_kind == AdmissionKind.UNKNOWN_IDENTITY)
    return handed_in


def report_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Report`: which reports exist for the viewer."""
    if not viewer.may(Permission.REPORT_READ):
        return false()
    return Report.organisation_id.in_(_organisations_under(viewer.jurisdiction))


def candidate_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Candidate`: those of the cases that exist for the viewer, from either side of a case pair."""
    if not viewer.may(Permission.CANDIDATE_READ):
        return false()
    # One by one: as lists of ids, every case of the jurisdiction would be gathered for each candidate that is opened.
    return or_(
        *(
            exists().where(Case.id == side, case_scope(viewer)).correlate_except(Case)
            for side in (Candidate.case_id, Candidate.other_case_id)
        )
    )


def home_notice_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `HomeNotice`: those to the viewer's organisations, and those of the cases that the viewer sees."""
    if not viewer.may(Permission.HOME_NOTICE):
        return false()
    mine = select(Case.id).where(case_scope(viewer))
    return or_(addressed_to(viewer), HomeNotice.case_id.in_(mine))


def addressed_to(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `HomeNotice`: the addressee is in the subtree that the viewer's role reaches."""
    return HomeNotice.organisation_id.in_(_organisations_under(viewer.jurisdiction))


def referral_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Referral`: what was sent to the own organisation, for those who answer; else those of own cases."""
    if viewer.may(Permission.ANSWER):
        return (Referral.receiver_id == viewer.organisation_id) & Referral.sent_at.is_not(None)
    mine = Referral.case_id.in_(select(Case.id).where(case_scope(viewer)))
    # A draft is its writers' own business.
    return mine if viewer.may(Permission.REFER) else mine & (Referral.state != ReferralState.DRAFT)


def notice_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `NoticeVersion`: those of the cases that exist for the viewer."""
    mine = select(Notice.id).where(Notice.case_id.in_(select(Case.id).where(case_scope(viewer))))
    return NoticeVersion.notice_id.in_(mine)


def tip_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Tip`: those on the viewer's cases, for those who judge them."""
    if not viewer.may(Permission.TIP):
        return false()
    return Tip.case_id.in_(select(Case.id).where(case_scope(viewer)))


def handover_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `HospitalHandover`: those to the own hospital that stand, for its liaisons; else those of the cases
    that exist for the viewer.
    """
    if viewer.may(Permission.HANDOVER_RECEIVE):
        return (HospitalHandover.hospital_id == viewer.organisation_id) & HospitalHandover.withdrawn_at.is_(None)
    return HospitalHandover.case_id.in_(select(Case.id).where(case_scope(viewer)))


def duplicate_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `DuplicatePair`: those of which at least one record exists for the viewer."""
    cases = select(Case.id).where(case_scope(viewer))
    reports = select(Report.id).where(report_scope(viewer))
    return or_(
        DuplicatePair.first_case_id.in_(cases),
        DuplicatePair.second_case_id.in_(cases),
        DuplicatePair.first_report_id.in_(reports),
        DuplicatePair.second_report_id.in_(reports),
    )


def addressed(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Lookout`: open, and one of its rings covers the division of the viewer's organisation."""
    own = select(Organisation.division).where(Organisation.id == viewer.organisation_id).scalar_subquery()
    return Lookout.ended_at.is_(None) & exists().where(
        LookoutRing.lookout_id == Lookout.id,
        func.substr(own, 1, func.length(LookoutRing.division)) == LookoutRing.division,
    )


def own_lookouts(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Lookout`: those that an organisation of the viewer's jurisdiction opened."""
    return Lookout.organisation_id.in_(_organisations_under(viewer.jurisdiction))


def lookout_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Lookout`: those that the jurisdiction opened, and open ones addressed to the viewer's division.

    A liaison sees the addressed ones alone: when one ends, it is gone.
    """
    if not viewer.may(Permission.SIGHTING_READ):
        return false()
    if not viewer.may(Permission.CASE_READ):
        return addressed(viewer)
    return or_(own_lookouts(viewer), addressed(viewer))


def own_sightings(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Sighting`: a liaison's own organisation's, others' of the jurisdiction."""
    if not viewer.may(Permission.CASE_READ):
        return Sighting.organisation_id == viewer.organisation_id
    return Sighting.organisation_id.in_(_organisations_under(viewer.jurisdiction))


def sighting_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Sighting`: a liaison's own organisation's; for stations, police and supervisors those of the
    jurisdiction, and whatever answers a lookout or was linked to a case of theirs, wherever it was recorded.
    """
    if not viewer.may(Permission.SIGHTING_READ):
        return false()
    if not viewer.may(Permission.CASE_READ):
        return own_sightings(viewer)
    linked = (
        select(SightingLink.sighting_id)
        .outerjoin(Lookout, Lookout.id == SightingLink.lookout_id)
        .outerjoin(Case, Case.id == SightingLink.case_id)
        .where(
            SightingLink.state.in_((LinkState.PROPOSED, LinkState.ACCEPTED)),
            or_(own_lookouts(viewer), case_scope(viewer)),
        )
    )
    return or_(own_sightings(viewer), Sighting.id.in_(linked))


def sighting_link_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `SightingLink`: those of which both the sighting and the lookout or case exist for the viewer."""
    return SightingLink.sighting_id.in_(select(Sighting.id).where(sighting_scope(viewer))) & or_(
        SightingLink.lookout_id.in_(select(Lookout.id).where(lookout_scope(viewer))),
        SightingLink.case_id.in_(select(Case.id).where(case_scope(viewer))),
    )


def patrol_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Patrol`: a liaison's own organisation's, others' of the jurisdiction."""
    if not viewer.may(Permission.PATROL_READ):
        return false()
    if not viewer.may(Permission.CASE_READ):
        return Patrol.organisation_id == viewer.organisation_id
    return Patrol.organisation_id.in_(_organisations_under(viewer.jurisdiction))


def examines(viewer: Viewer) -> bool:
    """Whether the viewer is an examiner, who sees a case's candidates only after noting the person's features."""
    return viewer.role is Role.POLICE_EXAMINER


def seed_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `ReviewSeed`: those shown to the examiners of its case, while they are known to be somebody else.

    Nobody but examiners sees seeds; to them they are candidates like any other.
    """
    if not examines(viewer):
        return false()
    known = select(Confirmation.id).where(Confirmation.recalled_at.is_(None))
    mine = select(Case.id).where(case_scope(viewer))
    return ReviewSeed.case_id.in_(mine) & ReviewSeed.confirmation_id.in_(known)


def examiner_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `User`: the examiners whom a police supervisor gives cases to, and whose results are the
    supervisor's alone to see.
    """
    if not viewer.may(Permission.REVIEW_MANAGE):
        return false()
    return User.organisation_id.in_(_organisations_under(viewer.jurisdiction)) & User.role.in_(POLICE)


def organisation_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Organisation`: an administrator manages the subtree of the own organisation, others see theirs."""
    return Organisation.path.startswith(viewer.jurisdiction, autoescape=True)


def user_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `User`: the accounts that an administrator manages; nobody else lists accounts."""
    if not viewer.may(Permission.ACCOUNTS):
        return false()
    return User.organisation_id.in_(_organisations_under(viewer.path))


def notification_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `Notification`: one's own, whatever the role."""
    return Notification.recipient_id == viewer.user_id


def filter_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `SavedFilter`: one's own, whatever the role."""
    return SavedFilter.user_id == viewer.user_id


def webhook_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `WebhookEndpoint`: those of the organisations that an administrator manages."""
    if not viewer.may(Permission.WEBHOOKS):
        return false()
    return WebhookEndpoint.organisation_id.in_(_organisations_under(viewer.path))


def audit_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Condition on `AuditEvent`: the whole log for an auditor, whose task is the whole chain; nothing for others."""
    return true() if viewer.may(Permission.AUDIT) else false()


def own_organisation(session: Session, viewer: Viewer) -> Organisation:
    """The organisation that the viewer belongs to."""
    return session.get_one(Organisation, viewer.organisation_id)


def find(session: Session, statement: Select[T]) -> T:
    """The single row of a scoped statement; NotFound when there is none (or none for this viewer)."""
    row = session.scalars(statement).one_or_none()
    if row is None:
        raise errors.NotFound()
    return row
