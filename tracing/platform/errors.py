"""Errors that a user or a program may be told about: a slug, a translatable sentence, never a status code.

Use cases subclass the kinds below; `api/problems.py` maps each kind to an HTTP problem.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Named:
    """A value of a message that policies name in each language."""

    zh: str
    en: str


class TracingError(Exception):
    """Base of every expected error.

    `slug` is the stable name that programs test. `message` is an English sentence that names the remedy: a
    `str.format` template over `params`, and the msgid under which translations are found. `field` names the input at
    fault. `params` may hold what the user typed, so `str()` gives the slug alone: what reaches a log is never personal.
    """

    slug: ClassVar[str] = "error"
    message: ClassVar[str] = "Something went wrong. Try again; if it happens again, tell your administrator."

    def __init__(self, *, field: str | None = None, **params: object) -> None:
        """Keep the field at fault and the values of the message's placeholders."""
        super().__init__()
        self.field = field
        self.params = params

    def __str__(self) -> str:
        """The slug; never the parameters."""
        return self.slug

    def __repr__(self) -> str:
        """Class and slug; never the parameters."""
        return f"{type(self).__name__}({self.slug!r})"


class NotFound(TracingError):
    """The thing does not exist, or the viewer may not know that it does."""

    slug = "not_found"
    message = "This was not found, or you may not see it. Check the address, or ask the organisation that holds it."


class Forbidden(TracingError):
    """The viewer may see the thing and may not do this to it."""

    slug = "forbidden"
    message = "Your role does not allow this. Ask your supervisor, or someone whose role allows it."


class Conflict(TracingError):
    """The state of things does not allow this now."""

    slug = "conflict"
    message = "This is not possible in the present state. Reload the page and look at what has changed."


class StaleVersion(TracingError):
    """Someone else saved in between: the version the editor started from is no longer the current one."""

    slug = "stale_version"
    message = "Someone else has changed this in the meantime. Reload, look at the change, and enter yours again."


class Invalid(TracingError):
    """An input that cannot be accepted; `field` says which."""

    slug = "invalid"
    message = "This value cannot be accepted. Correct it and send it again."


class Unauthenticated(TracingError):
    """Nobody is signed in, or the token is no longer good."""

    slug = "unauthenticated"
    message = "Sign in first; if you were signed in, your session has ended."


class TooManyAttempts(TracingError):
    """Too many tries in too short a time; `retry_after` is in whole seconds."""

    slug = "too_many_attempts"
    message = "Too many attempts. Wait {retry_after} seconds, then try again."

    def __init__(self, *, retry_after: int, field: str | None = None, **params: object) -> None:
        """Keep the seconds to wait, as an attribute and for the message."""
        super().__init__(field=field, retry_after=retry_after, **params)
        self.retry_after = retry_after


class Unavailable(TracingError):
    """A part of the installation is missing or broken; trying again later may help, the administrator will."""

    slug = "unavailable"
    message = "A part of the service is not available. Try again later; if it stays so, tell your administrator."


class IndexWarming(Unavailable):
    """The face index of this process is still being loaded or rebuilt; `retry_after` is in whole seconds."""

    slug = "index_warming"
    message = "The face index is being made ready. Nothing is lost; try again in {retry_after} seconds."

    def __init__(self, *, retry_after: int, field: str | None = None, **params: object) -> None:
        """Keep the seconds to wait, as an attribute and for the message."""
        super().__init__(field=field, retry_after=retry_after, **params)
        self.retry_after = retry_after


class IndexUnanswered(IndexWarming):
    """The index that all processes share does not answer; `retry_after` is in whole seconds."""

    slug = "index_unreachable"
    message = (
        "The face index does not answer. Nothing is lost; try again in {retry_after} seconds. If it stays so, tell your"
        " administrator."
    )
