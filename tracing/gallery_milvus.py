"""The Milvus that the settings name, opened only where it is the one that the database says the faces are in."""

from sqlalchemy.orm import Session

from matcher.index.base import IndexUnreachable, VectorIndex
from matcher.index.distributed import DistributedIndexUnavailable, drop_distributed, open_distributed
from tracing.gallery_place import location_of, place_of
from tracing.platform.settings import IndexSettings


def open_milvus(
    session: Session, settings: IndexSettings, model_version: str, dimension: int, *, make: bool
) -> VectorIndex:
    """The index of a model version there. Raises IndexUnreachable, also when it cannot be opened as the settings say,
    with the remedy; IndexLost when it is not there and `make` is False.
    """
    url = checked_location(session, settings)
    try:
        return open_distributed(
            url,
            model_version,
            dimension,
            token=_token(settings),
            plan=settings.milvus_plan,
            prefix=settings.milvus_prefix,
            timeout_seconds=settings.milvus_timeout_seconds,
            make=make,
        )
    except (ValueError, DistributedIndexUnavailable) as error:
        raise IndexUnreachable(str(error)) from error


def drop_milvus(session: Session, settings: IndexSettings, model_version: str) -> None:
    """Delete everything of a model version there. Raises IndexUnreachable."""
    url = checked_location(session, settings)
    try:
        drop_distributed(
            url,
            model_version,
            token=_token(settings),
            prefix=settings.milvus_prefix,
            timeout_seconds=settings.milvus_timeout_seconds,
        )
    except (ValueError, DistributedIndexUnavailable) as error:
        raise IndexUnreachable(str(error)) from error


def checked_location(session: Session, settings: IndexSettings) -> str:
    """The address in the settings. Raises IndexUnreachable when it is not where the faces are."""
    row = place_of(session)
    if settings.milvus_url is None or row is None or row.location != location_of(settings):
        wanted = None if row is None else row.location
        raise IndexUnreachable(
            f"The index is kept in Milvus at {wanted} (address and prefix), which these settings do not name: set"
            " GUITU_INDEX__MILVUS_URL and GUITU_INDEX__MILVUS_PREFIX"
        )
    return settings.milvus_url


def _token(settings: IndexSettings) -> str:
    return "" if settings.milvus_token is None else settings.milvus_token.get_secret_value()
