"""The ground of every schema: inputs that refuse what they do not know, and the types of text, days and moments."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

T = TypeVar("T")


class Input(BaseModel):
    """What a program sends. A field that does not exist is an error: a misspelt fact must not be lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(BaseModel):
    """What a program receives."""

    model_config = ConfigDict(frozen=True)


def _day(value: Any) -> Any:
    # Before pydantic, which would take a number for seconds since 1970.
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise PydanticCustomError("impossible_date", "There is no such day.") from None


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_parsing", "There is no such moment.") from None


def _text_of_number(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


# PostgreSQL keeps no NUL in text.
_NO_NUL = r"^[^\x00]*$"

Line = Annotated[str, StringConstraints(max_length=200, pattern=_NO_NUL)]
"""One line of text."""
Text = Annotated[str, StringConstraints(max_length=4000, pattern=_NO_NUL)]
"""Text of a few paragraphs."""
Division = Annotated[
    str,
    StringConstraints(max_length=6, pattern=_NO_NUL, strip_whitespace=True),
    Field(description="GB/T 2260 code of 2, 4 or 6 digits", examples=["450702"]),
]
"""Code of an administrative division; whether it exists, the use case says."""
Value = Annotated[
    Text, BeforeValidator(_text_of_number), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}]})
]
"""A fact's value as text; a number is taken for its text."""
Day = Annotated[date, BeforeValidator(_day)]
"""A day, written year-month-day."""
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A moment with its time zone, kept in UTC."""


class PageOut(Output, Generic[T]):
    """Some rows, and the cursor of the next page: null on the last."""

    items: tuple[T, ...]
    next_cursor: str | None = Field(description="Send it as `cursor` to get the next page.")


class ItemsOut(Output, Generic[T]):
    """All rows: these lists are short."""

    items: tuple[T, ...]


def items_out(items: Iterable[T]) -> ItemsOut[T]:
    """A list without pages."""
    return ItemsOut(items=tuple(items))


class ProblemErrorOut(Output):
    """One wrong field."""

    field: str = Field(examples=["attributes.height"])
    slug: str = Field(examples=["height_in_metres"])
    detail: str = Field(examples=["Height is given in centimetres: write 172 instead of 1.72."])


class ProblemOut(Output):
    """An RFC 9457 problem. Programs test `slug`; `detail` is for people, in the language they asked for."""

    type: str = Field(examples=["urn:guitu:problem:invalid_facts"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    slug: str = Field(examples=["invalid_facts"])
    detail: str = Field(examples=["Some values cannot be right. Each is named below; everything else is kept."])
    request_id: str | None = None
    errors: tuple[ProblemErrorOut, ...] = ()
