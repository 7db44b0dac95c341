"""Where a notification leads: the page of the record that it is about."""

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from tracing.platform.settings import Settings

PATHS: Mapping[str, str] = MappingProxyType(
    {"case": "/cases/{id}", "report": "/reports/{id}", "candidate": "/candidates/{id}"}
)
"""Pages by `object_kind`; what has no page of its own is reached from the inbox."""
INBOX = "/inbox"


def path_of(object_kind: str, object_id: uuid.UUID) -> str:
    """The page's path."""
    return PATHS.get(object_kind, INBOX).format(id=object_id)


def link(settings: Settings, object_kind: str, object_id: uuid.UUID) -> str:
    """The page's address."""
    return settings.web.public_url.rstrip("/") + path_of(object_kind, object_id)
