"""Around every request: what is no fault of the service is not answered as one."""

import asyncio

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
    asyncio.run(RequestLog(broken)(scope, receive, send))
    assert sent == []
