"""Features first (先描述，后比对): an examiner describes the unknown person, then sees candidates."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import ItemsOut, items_out
from api.schemas.features import FeatureListOut, FeaturesIn, FeaturesOut, feature_list_out, features_out
from tracing import features
from tracing.access import Permission, require
from tracing.review_policy import feature_lists

router = APIRouter(tags=["review"], responses=problems(403))


@router.get("/review/features", summary="The features to note, top to bottom")
def feature_list(viewer: ViewerDep) -> ItemsOut[FeatureListOut]:
    """One list for a face, one for a person of whom there is no photograph."""
    require(viewer, Permission.REVIEW)
    return items_out(feature_list_out(one) for one in feature_lists().values())


@router.get("/cases/{case_id}/features", summary="What oneself noted of the unknown person", responses=problems(404))
def features_noted(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ItemsOut[FeaturesOut]:
    """Newest first; the newest counts. Nobody else's."""
    found = features.own_features(session, services, viewer, case_id, now=now)
    return items_out(features_out(one) for one in found)


@router.post(
    "/cases/{case_id}/features",
    summary="Note the unknown person's features",
    status_code=201,
    responses=problems(404, 409),
)
def note_features(
    case_id: uuid.UUID,
    body: FeaturesIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> FeaturesOut:
    """The candidates of the case open to the examiner from then on. Again is an amendment, beside what was noted."""
    created(response, f"/api/v1/cases/{case_id}/features")
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        found = features.own_features(session, services, viewer, case_id, now=now)
        return features_out(next(one for one in found if one.row.id == earlier))
    made = features.note_features(session, services, viewer, case_id, body.basis, body.noted(), now=now)
    once.remember(session, made.row.id)
    return features_out(made)
