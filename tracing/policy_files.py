"""Policy files (政策文件): rules as data, with source and mark; an installation's own goes before the packaged."""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tracing.platform.settings import SettingsError

PACKAGED = Path(__file__).parent / "policies"
COUNTRY = "CN"
Mark = Annotated[str, Field(pattern=r"^(H|M|L|B|ours)$")]
"""How well a source is known: read in a primary text (H), in one secondary text (M), weakly (L), background, ours."""


class Row(BaseModel):
    """A part of a file; a misspelt member is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Row)


def read_policy(own: Path, name: str, kind: type[P]) -> P:
    """The file of this name in the folder `own`, whole, or the packaged one. Raises SettingsError, naming the field."""
    return parse_policy(own / name if (own / name).is_file() else PACKAGED / name, kind)


def parse_policy(path: Path, kind: type[P]) -> P:
    """One file. Raises SettingsError, naming file and field."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise SettingsError(f"{path.name}: {in_words(error)}.") from None
    except OSError as error:
        raise SettingsError(f"{path.name}: cannot be read ({error}).") from None


def in_words(error: ValidationError) -> str:
    """Every field that is wrong, and why."""
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
