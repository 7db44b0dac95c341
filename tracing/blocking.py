"""Blocking (分块): keys stored with every record's facts, and the records that share most with a probe.

Retrieval counts first how many records each key would bring, then reads the rare ones alone. A key that many share is
never read out, whatever it is worth: 王 alone would bring seven records of a hundred.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10

from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    Integer,
    Select,
    and_,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    values,
)
from sqlalchemy.orm import Session

from matcher.blocking import UNKNOWN_YEAR, WantedKeys, keys_version, stored_keys, wanted_keys
from matcher.evidence.base import Parameters
from matcher.profile import Profile as Described
from matcher.vocabulary import GalleryKind
from models.blocking import KEY_TYPE, BlockingKey
from models.case import Case
from models.report import Report
from models.subject import Subject
from tracing.gallery_faces import searchable_case, searchable_report
from tracing.matching_records import described

ANY_YEAR = 9999
LOOKED_AT = 2
"""Times as many records as are wanted are looked at first."""
_ASKED = (column("key", KEY_TYPE), column("first", Integer), column("last", Integer))
FIELDS: Mapping[str, int] = {"name": 0, "place": 1, "marks": 2, "ethnicity": 3, "sex": 4, "kin": 5, "phone": 6}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a probe may read.

    Attributes:
        hits: records brought back.
        common: records from which on a key is too common to be read.
        budget: records read over all keys, the rarest keys first.
    """

    hits: int
    common: int
    budget: int


@dataclass(frozen=True, slots=True)
class _Readable:
    """A key that will be read: the number of what it is about, what agreeing on it is worth (log10), its records."""

    key: str
    field: int
    worth: float
    count: int


def store_keys(session: Session, parameters: Parameters, owner: Case | Report) -> None:
    """Make the keys of a record, loaded with its facts, in the transaction that changed them (flushed).

    They are made anew as a whole: there are some twenty of them. A person who was erased has none.
    """
    kind = GalleryKind.CASE if isinstance(owner, Case) else GalleryKind.REPORT
    keys = stored_keys(described(owner), parameters)
    session.execute(delete(BlockingKey).where(BlockingKey.profile_id == owner.profile_id))
    erased = session.get_one(Subject, owner.profile.subject_id).destroyed_at is not None
    rows = [
        {"profile_id": owner.profile_id, "key": key, "gallery": kind, "born": keys.born} for key in sorted(keys.keys)
    ]
    if rows and not erased:
        session.execute(insert(BlockingKey), rows)
    owner.profile.keys_version = keys_version()
    session.flush()


def retrieve(
    session: Session,
    parameters: Parameters,
    probe: Described,
    kind: GalleryKind,
    size: int,
    limits: Limits,
) -> list[uuid.UUID]:
    """Searchable records of a kind that share most with the probe, the likeliest first.

    `size` is the number of records in the gallery, from which a key's worth follows.
    """
    wanted = wanted_keys(probe, parameters)
    readable = _affordable(wanted, _counted(session, wanted, kind, limits.common), size, limits)
    if not readable:
        return []
    first = session.scalars(_ranked(wanted, readable, kind, limits.hits, limits.hits * LOOKED_AT)).all()
    if len(first) >= limits.hits or sum(one.count for one in readable) <= limits.hits * LOOKED_AT:
        return list(first)
    # Many of the best are no longer searched for: look at all of them.
    return list(session.scalars(_ranked(wanted, readable, kind, limits.hits, limits.budget)))


def _windows(wanted: WantedKeys) -> list[tuple[int, int]]:
    """Years of birth that fit, both ends included; whose year nobody knows always fits."""
    if wanted.first == UNKNOWN_YEAR:
        return [(UNKNOWN_YEAR, ANY_YEAR)]
    return [(wanted.first, wanted.last), (UNKNOWN_YEAR, UNKNOWN_YEAR)]


def _counted(session: Session, wanted: WantedKeys, kind: GalleryKind, common: int) -> Counter[str]:
    """How many records stand under each key, within the years that fit; counted up to a little more than `common`."""
    rows = [(one.key, *window) for one in wanted.keys for window in _windows(wanted)]
    if not rows:
        return Counter()
    asked = values(*_ASKED, name="asked").data(rows).cte("asked")
    shared = select(literal(1)).where(*_under(asked, kind)).limit(common + 1).correlate(asked).subquery("shared")
    counted = select(func.count()).select_from(shared).scalar_subquery()
    found: Counter[str] = Counter()
    for key, records in session.execute(select(asked.c.key, counted)):
        found[key] += records
    return found


def _affordable(wanted: WantedKeys, counts: Mapping[str, int], size: int, limits: Limits) -> list[_Readable]:
    """The rarest keys, as many as the budget allows, each with its worth; those worth nothing are left out."""
    found, spent = [], 0
    for one in sorted(wanted.keys, key=lambda one: (counts[one.key], one.key)):
        count = counts[one.key]
        worth = log10(one.share * max(size, count, 1) / count) if count else 0.0
        if count == 0 or worth <= 0:
            continue
        if count > limits.common or spent + count > limits.budget:
            break
        spent += count
        found.append(_Readable(one.key, FIELDS[one.field], worth, count))
    return found


def _ranked(
    wanted: WantedKeys, readable: Sequence[_Readable], kind: GalleryKind, hits: int, looked_at: int
) -> Select[uuid.UUID]:
    """Ids by the sum, over what the keys are about, of the best shared key's worth.

    Whether a record is searchable is looked up for the best `looked_at` alone: each look-up is a page somewhere.
    """
    rows = [(one.key, *window, one.field, one.worth) for one in readable for window in _windows(wanted)]
    asked = values(*_ASKED, column("field", Integer), column("worth", Double), name="asked").data(rows).cte("asked")
    best = (
        select(BlockingKey.profile_id, func.max(asked.c.worth).label("worth"))
        .join_from(asked, BlockingKey, and_(*_under(asked, kind)))
        .group_by(BlockingKey.profile_id, asked.c.field)
        .subquery("best")
    )
    worth = func.sum(best.c.worth)
    scored = (
        select(best.c.profile_id, worth.label("worth"))
        .group_by(best.c.profile_id)
        .order_by(worth.desc(), best.c.profile_id)
        .limit(looked_at)
        .subquery("scored")
    )
    table, searchable = (Case, searchable_case()) if kind is GalleryKind.CASE else (Report, searchable_report())
    return (
        select(table.id)
        .join(scored, scored.c.profile_id == table.profile_id)
        .where(searchable)
        .order_by(scored.c.worth.desc(), table.id)
        .limit(hits)
    )


def _under(asked: CTE, kind: GalleryKind) -> tuple[ColumnElement[bool], ...]:
    return (
        BlockingKey.gallery == kind,
        BlockingKey.key == asked.c.key,
        BlockingKey.born.between(asked.c.first, asked.c.last),
    )
