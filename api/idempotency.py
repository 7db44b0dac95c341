"""The header `Idempotency-Key`: a POST repeated under the same key answers with what the first one made."""

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from sqlalchemy.orm import Session

from api.deps import ViewerDep
from api.errors import KeyMalformed
from tracing.access import Viewer
from tracing.idempotency import claim_key, remember

KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
REPLAYED = "Idempotent-Replayed"


@dataclass(frozen=True)
class Once:
    """One request under its key, or under none."""

    viewer: Viewer
    key: str | None
    digest: str
    response: Response

    def earlier(self, session: Session, *, now: datetime) -> uuid.UUID | None:
        """What the first request under the key made; None for the first one. Raises KeyReused."""
        if self.key is None:
            return None
        found = claim_key(session, self.viewer, self.key, self.digest, now=now)
        if found is not None:
            self.response.headers[REPLAYED] = "true"
        return found

    def remember(self, session: Session, resource_id: uuid.UUID) -> None:
        """Name what this request made."""
        if self.key is not None:
            remember(session, self.viewer, self.key, resource_id)


def digest_of(request: Request, body: bytes) -> str:
    """SHA-256, in hex, of method, path and body."""
    head = f"{request.method} {request.url.path}\n".encode()
    return hashlib.sha256(head + body).hexdigest()


def checked_key(
    idempotency_key: Annotated[
        str | None,
        Header(description="A key of your own making, one for each new request; repeat it to repeat the request."),
    ] = None,
) -> str | None:
    """The header, if it is there. Raises KeyMalformed."""
    if idempotency_key is not None and KEY.fullmatch(idempotency_key) is None:
        raise KeyMalformed(field="Idempotency-Key")
    return idempotency_key


KeyDep = Annotated[str | None, Depends(checked_key)]


async def _json_body(request: Request) -> bytes:
    # Read (and kept) by FastAPI before; a coroutine because Starlette offers nothing else.
    return await request.body()


def _once(
    request: Request, response: Response, viewer: ViewerDep, key: KeyDep, body: Annotated[bytes, Depends(_json_body)]
) -> Once:
    return Once(viewer, key, digest_of(request, body), response)


OnceDep = Annotated[Once, Depends(_once)]
"""For routes with a JSON body or none. A route with a form makes its own from what it has read."""
