"""What may stand in an audit event's detail or a job's payload: identifiers, states, counts; nothing personal."""

import math
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from enum import Enum
from uuid import UUID

# No spaces, no "@", ASCII alone: keeps out names, sentences and mail addresses, lets in ids, states, versions, times.
IDENTIFIER = re.compile(r"[A-Za-z0-9_.:/+-]{0,128}", re.ASCII)


def plain(value: object) -> object:
    """The value as JSON keeps it: UUIDs, enums, dates as text, sets as sorted lists.

    Raises ValueError for text that is not an identifier and TypeError for any other kind of value; neither repeats it.
    """
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("not a finite number")
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        if IDENTIFIER.fullmatch(value) is None:
            raise ValueError("free text: only identifiers, states and counts may be kept here")
        return value
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise TypeError(f"a {type(value).__name__} cannot be kept here")
