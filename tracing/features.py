"""Features first (先描述，后比对; ACE-V): an examiner describes the unknown person before seeing any candidate.

A description is sealed under the unknown person's key and belongs to one examiner; an amendment is a new row.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.review_protocol import FeatureBasis, FeatureNote
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import load_case, seen_case
from tracing.facts import check_optional_text
from tracing.photos import has_photo
from tracing.platform import errors
from tracing.review_policy import feature_lists
from tracing.review_seeds import sow
from tracing.services import Services
from tracing.trail import note

TEXT_LIMIT = 500


class FeaturesMissing(errors.Conflict):
    """An examiner who has not described the unknown person asks for candidates."""

    slug = "features_missing"
    message = (
        "Note the unknown person's features first, before you see who it could be. The candidates of this case open to "
        "you once they are noted."
    )

    def __init__(self, case_id: uuid.UUID) -> None:
        """`case_id`: whose person is to be described."""
        super().__init__(field="features")
        self.case_id = case_id


class FeatureUnknown(errors.Invalid):
    """A feature that the list does not have."""

    slug = "feature_unknown"
    message = "This feature is not in the list. Choose one of the features of the list in use."


class TooFewFeatures(errors.Invalid):
    """Fewer features than the protocol asks for."""

    slug = "too_few_features"
    message = "Note at least {least} features; one that cannot be seen may be noted as such."


class PhotographThere(errors.Invalid):
    """Something else than the face is described although there is a photograph."""

    slug = "photograph_there"
    message = "This case has a photograph. Describe the face from top to bottom; note what cannot be seen as such."


class NoPhotograph(errors.Invalid):
    """A face is described of which there is no photograph."""

    slug = "no_photograph"
    message = (
        "This case has no photograph. Describe what else is known of the person, or note that nothing can be seen."
    )


@dataclass(frozen=True)
class NotedFeatures:
    """One description: from the feature's key to what was seen, None where it could not be seen."""

    row: FeatureNote
    noted: Mapping[str, str | None]


def feature_purpose(note_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a description."""
    return f"feature-note/{note_id}"


def basis_wanted(session: Session, case: Case) -> tuple[FeatureBasis, ...]:
    """By what the person of a case can be described now: the face when there is a photograph."""
    if has_photo(session, case.profile_id):
        return (FeatureBasis.FACIAL,)
    return (FeatureBasis.NON_FACIAL, FeatureBasis.NOTHING)


def note_features(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    basis: FeatureBasis,
    noted: Mapping[str, str | None],
    *,
    now: datetime,
) -> NotedFeatures:
    """Record what the examiner sees of the unknown person; from then on the case's candidates are open to the examiner.

    Again is an amendment: a new row beside the old ones. Raises PhotographThere, NoPhotograph, FeatureUnknown,
    TooFewFeatures, NotFound, Forbidden.
    """
    access.require(viewer, Permission.REVIEW)
    case = load_case(session, viewer, case_id, lock=True)
    wanted = basis_wanted(session, case)
    if basis not in wanted:
        raise PhotographThere(field="basis") if wanted == (FeatureBasis.FACIAL,) else NoPhotograph(field="basis")
    checked = _checked(services, basis, noted)
    identity = uuid.uuid4()
    row = FeatureNote(
        id=identity,
        case_id=case.id,
        examiner_id=viewer.user_id,
        basis=basis,
        list_version=next(iter(feature_lists().values())).version,
        count=len(checked),
        noted_sealed=services.vault.seal_json(session, case.profile.subject_id, feature_purpose(identity), checked),
        noted_at=now,
    )
    session.add(row)
    session.flush()
    sow(session, services, case, now=now)
    note(session, viewer, "features.note", "case", case.id, at=now, basis=basis.value, count=len(checked))
    return NotedFeatures(row, checked)


def _checked(services: Services, basis: FeatureBasis, noted: Mapping[str, str | None]) -> dict[str, str | None]:
    """In the order of the list, texts trimmed."""
    if basis is FeatureBasis.NOTHING:
        if noted:
            raise FeatureUnknown(field="features")
        return {}
    listed = feature_lists()[basis]
    if not noted.keys() <= listed.keys:
        raise FeatureUnknown(field="features")
    least = services.review_rules.least_features if basis is FeatureBasis.FACIAL else 1
    if len(noted) < least:
        raise TooFewFeatures(field="features", least=least)
    return {
        one.key: check_optional_text(noted[one.key], field=f"features.{one.key}", limit=TEXT_LIMIT)
        for one in listed.features
        if one.key in noted
    }


def own_features(
    session: Session, services: Services, viewer: Viewer, case: uuid.UUID | Case, *, now: datetime
) -> list[NotedFeatures]:
    """The examiner's own descriptions of a case's person, newest first; nobody else's. Raises NotFound, Forbidden."""
    access.require(viewer, Permission.REVIEW)
    case = seen_case(session, viewer, case)
    rows = session.scalars(
        select(FeatureNote)
        .where(FeatureNote.case_id == case.id, FeatureNote.examiner_id == viewer.user_id)
        .order_by(FeatureNote.noted_at.desc(), FeatureNote.id)
    ).all()
    note(session, viewer, "features.view", "case", case.id, at=now, count=len(rows))
    return [
        NotedFeatures(
            row,
            services.vault.open_json(session, case.profile.subject_id, feature_purpose(row.id), row.noted_sealed),
        )
        for row in rows
    ]


def are_noted(session: Session, viewer: Viewer, case: Case) -> bool:
    """Whether the viewer has described the case's person by what there is to see now."""
    newest = session.scalars(
        select(FeatureNote.basis)
        .where(FeatureNote.case_id == case.id, FeatureNote.examiner_id == viewer.user_id)
        .order_by(FeatureNote.noted_at.desc(), FeatureNote.id)
        .limit(1)
    ).one_or_none()
    if newest is None:
        return False
    # A photograph that came later has to be described before the candidate's face is seen beside it.
    return newest is FeatureBasis.FACIAL or not has_photo(session, case.profile_id)


def require_noted(session: Session, viewer: Viewer, *cases: Case | None) -> None:
    """Raise FeaturesMissing unless the viewer has described the person of one of these cases.

    The error names the first of them that exists for the viewer.
    """
    there = [case for case in cases if case is not None]
    if any(are_noted(session, viewer, case) for case in there):
        return
    seen = set(
        session.scalars(select(Case.id).where(Case.id.in_([case.id for case in there]), access.case_scope(viewer)))
    )
    raise FeaturesMissing(next(case.id for case in there if case.id in seen))
