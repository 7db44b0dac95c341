"""Fields of a card, each taken once and checked; what is left over is refused."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from matcher.faces.transforms import Point

# float32 holds it, and nothing that a network was trained with is near it.
_LARGEST = 1e6


class CardInvalid(ValueError):
    """A card, or the model that it describes, cannot be used. The message says which field, why, and what to do.

    Attributes:
        card: name of the card's file.
        field: dotted name, "" for the card as a whole.
    """

    def __init__(self, card: str, field: str, reason: str, remedy: str) -> None:
        place = f"{card}, {field}" if field else card
        super().__init__(f"{place}: {reason}. Remedy: {remedy}.")
        self.card = card
        self.field = field


class Fields:
    """One table of a card. Each method takes a field and raises CardInvalid when it is missing or not as it must be."""

    def __init__(self, card: str, prefix: str, values: Mapping[str, object]) -> None:
        """`prefix` is what is before a field's name in messages, such as "input."."""
        self._card, self._prefix, self._values = card, prefix, dict(values)

    def invalid(self, field: str, reason: str, remedy: str) -> CardInvalid:
        """The error to raise for a field of this table."""
        return CardInvalid(self._card, self._prefix + field, reason, remedy)

    def has(self, field: str) -> bool:
        """Whether the field is there and was not taken yet."""
        return field in self._values

    def text(self, field: str, remedy: str, form: re.Pattern[str] | None = None, default: str | None = None) -> str:
        """A string of a certain form; one that is asked for is not empty."""
        if not self.has(field) and default is not None:
            return default
        value = self._take(field, remedy)
        if not isinstance(value, str):
            raise self.invalid(field, "not a text", remedy)
        if (default is None and not value.strip()) or (form is not None and form.fullmatch(value) is None):
            raise self.invalid(field, f"{value!r} is not of that form", remedy)
        return value

    def choice(self, field: str, choices: Sequence[str], remedy: str, default: str | None = None) -> str:
        """One of some words."""
        value = self.text(field, f"{remedy}: {' or '.join(choices)}", default=default)
        if value not in choices:
            raise self.invalid(field, f"{value!r} is not known", f"{remedy}: {' or '.join(choices)}")
        return value

    def choices(self, field: str, choices: Sequence[str], remedy: str) -> tuple[str, ...]:
        """Different ones of some words, in the order of `choices`; none when the field is left out."""
        value = self._take(field, remedy) if self.has(field) else []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.invalid(field, "not a list of texts", remedy)
        unknown = sorted(set(value) - set(choices))
        if unknown or len(set(value)) != len(value):
            raise self.invalid(field, f"{unknown or value} is not known, or twice there", remedy)
        return tuple(item for item in choices if item in value)

    def whole(self, field: str, bounds: tuple[int, int], remedy: str) -> int:
        """A whole number, both bounds included."""
        value = self._take(field, remedy)
        low, high = bounds
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.invalid(field, f"not a whole number from {low} to {high}", remedy)
        return value

    def number(self, field: str, remedy: str, *, positive: bool) -> float:
        """A number."""
        return self._number(field, self._take(field, remedy), remedy, positive=positive)

    def three(self, field: str, remedy: str, *, positive: bool) -> tuple[float, float, float]:
        """Three numbers, one a channel."""
        value = self._take(field, remedy)
        if not isinstance(value, list) or len(value) != 3:
            raise self.invalid(field, "not a list of three numbers", remedy)
        first, second, third = (self._number(field, item, remedy, positive=positive) for item in value)
        return first, second, third

    def points(self, field: str, count: int, bounds: tuple[float, float], remedy: str) -> tuple[Point, ...]:
        """So many pairs of numbers within the bounds."""
        value = self._take(field, remedy)
        if not isinstance(value, list) or len(value) != count:
            raise self.invalid(field, f"not a list of {count} points", remedy)
        result = []
        for item in value:
            if not isinstance(item, list) or len(item) != 2:
                raise self.invalid(field, "a point is not [x, y]", remedy)
            x, y = (self._number(field, part, remedy, positive=False) for part in item)
            if not (bounds[0] <= x <= bounds[1] and bounds[0] <= y <= bounds[1]):
                raise self.invalid(field, f"[{x}, {y}] is far outside the picture", remedy)
            result.append((x, y))
        return tuple(result)

    def file(self, field: str, folder: Path, remedy: str) -> Path:
        """A file in the folder or below it, links followed."""
        name = self.text(field, remedy)
        try:
            path = (folder / name).resolve()
            inside, there = path.is_relative_to(folder.resolve()), path.is_file()
        except (OSError, RuntimeError, ValueError) as error:  # too long, links in a circle, a zero byte
            raise self.invalid(field, "not the name of a file", remedy) from error
        if not inside:
            raise self.invalid(field, "outside the card's folder", remedy)
        if not there:
            raise self.invalid(field, f"there is no file {name!r}", remedy)
        return path

    def table(self, field: str, remedy: str) -> "Fields":
        """A table within."""
        value = self._take(field, remedy)
        if not isinstance(value, dict):
            raise self.invalid(field, "not a table", remedy)
        return Fields(self._card, f"{self._prefix}{field}.", value)

    def finish(self) -> None:
        """Refuse what was not taken: a misspelt field would be passed over in silence."""
        for field in sorted(self._values):
            raise self.invalid(field, "is not a field of a card", "take it out, or correct its name")

    def _take(self, field: str, remedy: str) -> object:
        if field not in self._values:
            raise self.invalid(field, "is missing", remedy)
        return self._values.pop(field)

    def _number(self, field: str, value: object, remedy: str, *, positive: bool) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            raise self.invalid(field, "not a number, or far too large", remedy)
        if positive and value <= 0:
            raise self.invalid(field, "not above 0", remedy)
        return float(value)
