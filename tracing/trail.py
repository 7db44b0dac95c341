"""The trail (留痕): one line in every use case that reads or writes a person's data."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from tracing.access import Viewer
from tracing.platform import audit


def note(
    session: Session,
    viewer: Viewer | None,
    action: str,
    object_kind: str,
    object_id: uuid.UUID | None,
    *,
    at: datetime,
    **detail: object,
) -> None:
    """Record what the viewer (None = the service itself) did, in the transaction that did it.

    `detail` takes identifiers, states and counts alone; `tracing.platform.audit.record` refuses anything else.
    """
    audit.record(
        session,
        actor_id=viewer.user_id if viewer else None,
        organisation_id=viewer.organisation_id if viewer else None,
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        at=at,
        **detail,
    )
