"""Parameter sets (参数版本): which evidence figures are in force, and the switch from one set to another.

Every process asks the database, so all of them weigh by the same figures from the moment of the switch; what was
weighed before is weighed again, because a matching pass is kept under the version of its parameters.
"""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.evidence.base import PARAMETERS_FILE, Parameters, parse_parameters
from models.parameter_set import PACKAGED, ParameterSet, ParameterSetState
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note

IN_FORCE = "in-force"
SHARE = re.compile(r"\b(same|chance|share|recorded)\b")
"""Keys whose figures are shares: logarithms are taken of them."""

MOST_CHARACTERS = 31
"""Of a version: the digest of the face calibrations that is appended must fit into the 40 of a pass's version."""


class ParametersUnknown(errors.NotFound):
    """A name that is neither a file nor a set that was in force."""

    slug = "parameters_unknown"
    message = "There are no parameters of this name. The command “tracing parameters list” lists those that there are."


class ParametersInvalid(errors.Invalid):
    """A parameter file that cannot be used."""

    slug = "parameters_invalid"
    message = (
        "This parameter file cannot be used: {why}. Correct it, or learn a new one with “tracing parameters learn”."
    )


class ParametersVersionTaken(errors.Conflict):
    """Other figures were in force under the same version."""

    slug = "parameters_version_taken"
    message = "Other figures were in force as {version}. Give the file another version, so that both can be told apart."


def in_force(session: Session, services: Services, *, held: bool = False) -> Services:
    """The services, weighing by the figures in force; `held`: these stay in force until the transaction ends."""
    found = _current(session, held=held)
    if found.content is None:
        return services
    return replace(services, parameters=parameters_of(found.content, services.parameters))


def parameters_of(content: Mapping[str, Any], packaged: Parameters) -> Parameters:
    """Parameters of a file's content, with the face calibrations of the process.

    A set that came into force before an update lacks the figures that the update brought: those are the packaged ones.
    """
    _, plus, own = packaged.version.partition("+")
    parsed = _parsed(json.dumps(content))
    return Parameters(
        f"{parsed.version}{plus}{own}",
        MappingProxyType({**packaged.numbers, **parsed.numbers}),
        MappingProxyType({**packaged.curves, **parsed.curves}),
        MappingProxyType({**packaged.sources, **parsed.sources}),
        packaged.calibrations,
    )


def _current(session: Session, *, held: bool) -> ParameterSet:
    query = select(ParameterSet).where(ParameterSet.state == ParameterSetState.IN_FORCE)
    if not held:
        return session.scalars(query).one()
    # A lock that waited for a switch finds that its row has left the state: then the other one is there.
    query = query.with_for_update(read=True).execution_options(populate_existing=True)
    return session.scalars(query).one_or_none() or session.scalars(query).one()


@lru_cache(maxsize=8)
def _parsed(text: str) -> Parameters:
    return parse_parameters(text)


def packaged_content() -> dict[str, Any]:
    """The JSON of the figures that come with the software."""
    found: dict[str, Any] = json.loads(files("matcher.parameters").joinpath(PARAMETERS_FILE).read_text("utf-8"))
    return found


def content_named(session: Session, name: str) -> dict[str, Any]:
    """The JSON of a set by its version, of the one IN_FORCE, of the packaged one, or of a file.

    Raises ParametersUnknown, ParametersInvalid.
    """
    if name == IN_FORCE:
        row = session.scalars(select(ParameterSet).where(ParameterSet.state == ParameterSetState.IN_FORCE)).one()
    else:
        known = session.scalars(select(ParameterSet).where(ParameterSet.version == name)).one_or_none()
        if known is None:
            return read_content(Path(name))
        row = known
    return packaged_content() if row.content is None else row.content


def read_content(path: Path) -> dict[str, Any]:
    """The JSON of a file with every key of the packaged one. Raises ParametersUnknown, ParametersInvalid."""
    try:
        text = path.read_text("utf-8")
    except OSError:
        raise ParametersUnknown(field="name") from None
    try:
        content = json.loads(text)
        parsed = parse_parameters(text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParametersInvalid(field="file", why=str(error) or type(error).__name__) from None
    if not isinstance(parsed.version, str) or not 1 <= len(parsed.version) <= MOST_CHARACTERS or "+" in parsed.version:
        raise ParametersInvalid(field="version", why=f"its version has 1 to {MOST_CHARACTERS} characters and no +")
    missing = sorted(packaged_content()["parameters"].keys() - content["parameters"].keys())
    if missing:
        raise ParametersInvalid(field="parameters", why=f"it lacks {', '.join(missing[:3])}")
    for key, value in parsed.numbers.items():
        if not isfinite(value) or (SHARE.search(key) and not 0 < value <= 1):
            raise ParametersInvalid(field=key, why=f"{key} is {value}; a share lies above 0 and not above 1")
    found: dict[str, Any] = content
    return found


def list_sets(session: Session) -> Sequence[ParameterSet]:
    """The packaged set, then every other one that is or was in force, the oldest first."""
    order = (ParameterSet.version != PACKAGED, ParameterSet.created_at, ParameterSet.version)
    return session.scalars(select(ParameterSet).order_by(*order)).all()


def put_in_force(
    session: Session, content: Mapping[str, Any] | None, *, reason: str | None, now: datetime
) -> ParameterSet:
    """Switch to these figures (None: the packaged ones); whoever asks has looked at their back-test.

    `reason` says why in spite of a worse one. The caller asks for a pass over the gallery. Doing it again does nothing.
    Raises ParametersVersionTaken.
    """
    # All rows, in one order: passes that are being stored hold the one in force, and are waited for.
    rows = session.scalars(select(ParameterSet).order_by(ParameterSet.id).with_for_update()).all()
    version = PACKAGED if content is None else str(content["version"])
    wanted = next((row for row in rows if row.version == version), None)
    if wanted is not None and wanted.content != content:
        raise ParametersVersionTaken(version=version)
    previous = next(row for row in rows if row.state is ParameterSetState.IN_FORCE)
    if wanted is previous:
        return wanted
    previous.state, previous.retired_at = ParameterSetState.RETIRED, now
    session.flush()  # before the other: at no moment are there two
    if wanted is None:
        wanted = ParameterSet(
            id=uuid.uuid4(), version=version, content=None if content is None else dict(content), created_at=now
        )
        session.add(wanted)
    wanted.state, wanted.in_force_at, wanted.reason = ParameterSetState.IN_FORCE, now, reason
    session.flush()
    note(
        session, None, "parameters.use", "parameter_set", wanted.id, at=now, console=True,
        version=version, previous=previous.version, despite=reason is not None,
    )  # fmt: skip
    return wanted
