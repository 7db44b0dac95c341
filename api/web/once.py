"""Forms that make something, sent twice (a double click, "back"): the second time shows what the first made."""

import uuid

from api.web.page import Page
from tracing.idempotency import claim_key
from tracing.idempotency import remember as remember_key

FIELD = "form_key"


def key(page: Page) -> str:
    """The key for a form that is being shown: a new one, or that of the form that is shown again."""
    return _given(page) or str(uuid.uuid4())


def earlier(page: Page, kind: str) -> uuid.UUID | None:
    """What the form made before; None the first time, and for a form without a key."""
    given = _given(page)
    # The digest names the form alone: values changed after "back" must lead to the record, not to an error.
    return claim_key(page.session, page.viewer, f"form:{given}", f"form:{kind}", now=page.now) if given else None


def remember(page: Page, made: uuid.UUID) -> None:
    """Name what the form made."""
    given = _given(page)
    if given:
        remember_key(page.session, page.viewer, f"form:{given}", made)


def _given(page: Page) -> str:
    try:
        return str(uuid.UUID(page.typed.text(FIELD)))
    except ValueError:
        return ""
