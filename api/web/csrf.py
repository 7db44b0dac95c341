"""Proof that a form was ours (跨站请求防护): a token in every form, bound to the cookie of the sign-in.

The token is HMAC-SHA-256 under the cookie's secret value, so that only a page of ours, which sees the cookie, can have
made it. Before the sign-in the secret is a random cookie of the visitor.
"""

import hashlib
import hmac

from starlette.requests import Request

from api.web import cookies
from api.web.errors import FormExpired

FIELD = "csrf_token"
_PURPOSE = b"guitu form 1"


def secret_of(request: Request) -> str:
    """The secret that this browser holds: of its sign-in, else of its visit."""
    visitor: str = getattr(request.state, "visitor", "") or cookies.read(request, cookies.VISITOR) or ""
    return cookies.read(request, cookies.SESSION) or visitor


def sign(secret: str, purpose: bytes, content: bytes = b"") -> str:
    """HMAC-SHA-256, in hex, of a content for one purpose."""
    return hmac.new(secret.encode(), purpose + b"\0" + content, hashlib.sha256).hexdigest()


def token_of(request: Request) -> str:
    """The token for the forms of the page that answers this request."""
    return sign(secret_of(request), _PURPOSE)


def check(request: Request, given: str) -> None:
    """Raise FormExpired unless the token belongs to the browser that sends it."""
    secret = secret_of(request)
    if not secret or not hmac.compare_digest(sign(secret, _PURPOSE).encode(), given.encode()):
        raise FormExpired()
