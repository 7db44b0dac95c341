"""Messages for the next page (提示): kept in a signed cookie of the browser over one redirect."""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response

from api.web import cookies, csrf

_PURPOSE = b"guitu flash 1"
TEXT_LIMIT = 240
COUNT_LIMIT = 12
"""A cookie holds four kilobytes."""


class Tone(StrEnum):
    """How a message looks, and how urgently a screen reader says it."""

    DONE = "done"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence in the user's language."""

    tone: Tone
    text: str


def send(request: Request, response: Response, messages: list[Message]) -> None:
    """Show these on the next page."""
    rows = [[message.tone.value, message.text[:TEXT_LIMIT]] for message in messages[:COUNT_LIMIT]]
    while rows:
        body = base64.urlsafe_b64encode(json.dumps(rows, ensure_ascii=False).encode())
        if len(body) < 3500:
            signature = csrf.sign(csrf.secret_of(request), _PURPOSE, body)
            cookies.write(request, response, cookies.FLASH, f"{body.decode()}.{signature}", seconds=300)
            return
        rows.pop()


def take(request: Request) -> tuple[Message, ...]:
    """The messages that wait; none when the cookie is not ours."""
    body, _, signature = (cookies.read(request, cookies.FLASH) or "").partition(".")
    expected = csrf.sign(csrf.secret_of(request), _PURPOSE, body.encode())
    if not body or not hmac.compare_digest(expected.encode(), signature.encode()):
        return ()
    try:
        rows = json.loads(base64.urlsafe_b64decode(body))
        return tuple(Message(Tone(tone), str(text)) for tone, text in rows)
    except (ValueError, TypeError, binascii.Error):
        return ()
