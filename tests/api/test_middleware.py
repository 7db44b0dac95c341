"""Around every request: what is no fault of the service is not answered as one."""

from anyio.from_thread import start_blocking_portal
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from api.middleware import RequestLog


def test_a_body_that_breaks_off_is_no_error_and_nobody_is_answered() -> None:
    sent: list[Message] = []

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientDisconnect

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/cases/new", "headers": []}
    # In a thread of its own: a browser test before it in the same process leaves a loop running in this one.
    with start_blocking_portal() as portal:
        portal.call(RequestLog(broken), scope, receive, send)
    assert sent == []
