"""Around every request: its id and one line in the log, security headers, a limit on the body. Plain ASGI."""

import re
import time
import uuid

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.paths import template
from api.problems import unexpected
from tracing.platform.logs import request_context

log = structlog.stdlib.get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
BODY_LIMIT = 2**20
PHOTOS_A_FORM = 4
"""One of each view: what an intake form may carry at once."""


class RequestLog:
    """Outermost: gives the request an id, logs it without its query, and answers 500 for what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an id from the proxy in front if it looks like one."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with request_context(request_id):
            try:
                await self.app(scope, receive, send_with_id)
            except ClientDisconnect:
                log.info("sender_gone")  # the connection broke while the body was coming: there is nobody to answer
            except Exception:
                log.exception("request_failed")
                if status:
                    raise
                # In a thread: a page's problem may ask the database who is looking.
                response = await run_in_threadpool(unexpected, Request(scope))
                secure(response.headers, scope["path"])
                await response(scope, receive, send_with_id)
            finally:
                log.info(
                    "request",
                    method=scope["method"],
                    route=template(scope),
                    status=status,
                    milliseconds=round((time.perf_counter() - started) * 1000, 1),
                )


class SecurityHeaders:
    """Headers that every answer has unless its route has set them."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add what is missing when the answer starts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(MutableHeaders(scope=message), scope["path"], https=self.https)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def secure(headers: MutableHeaders, path: str, *, https: bool = False) -> None:
    """Add the security headers that are not there yet."""
    for name, value in SECURITY.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", API_POLICY if path.startswith("/api/") else PAGE_POLICY)
    if https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


class BodyLimit:
    """Refuses a body above the limit: by its declared length before a byte is read, or once it has grown too long."""

    def __init__(self, app: ASGIApp, *, photo_bytes: int, tip_bytes: int) -> None:
        self.app = app
        self.tip_limit = tip_bytes + BODY_LIMIT
        self.form_limit = PHOTOS_A_FORM * photo_bytes + BODY_LIMIT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forms with files may be as large as their photographs; all else is small."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        form = headers.get("content-type", "").startswith("multipart/form-data")
        limit = (self.tip_limit if scope["path"].startswith("/n/") else self.form_limit) if form else BODY_LIMIT
        scope.setdefault("state", {})["body_limit"] = limit
        declared = headers.get("content-length", "")
        received = 0

        async def limited() -> Message:
            nonlocal received
            # Raised where the body is read, so that the application's own handler words it.
            if declared.isdecimal() and int(declared) > limit:
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413)
            return message

        await self.app(scope, limited, send)
