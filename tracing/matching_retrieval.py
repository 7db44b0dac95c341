"""Retrieval (初筛): which records are worth weighing for a probe, before any of them is read."""

import uuid
from collections.abc import Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.vocabulary import GalleryKind
from models.case import Case
from models.report import Report
from tracing.blocking import Limits, retrieve
from tracing.gallery import searchable_case, searchable_report
from tracing.matching_records import Record
from tracing.services import Services

Wanted = dict[GalleryKind, list[uuid.UUID]]


def retrieve_all(
    session: Session,
    services: Services,
    probes: Sequence[Record],
    kinds: frozenset[GalleryKind],
    size: int,
    version: str,
) -> list[Wanted]:
    """Ids worth weighing for each probe: owners of the nearest faces, the records that share most of what is known, and
    the newest records, whatever is known of them. Raises IndexWarming.

    The newest ones are few: they are there for records of whom too little is known to be found by anything else.
    """
    found: list[dict[GalleryKind, dict[uuid.UUID, None]]] = [{kind: {} for kind in kinds} for _ in probes]
    _by_face(session, services, probes, found, kinds, version)
    settings = services.settings.matching
    limits = Limits(settings.attribute_hits, settings.attribute_common, settings.attribute_budget)
    newest = {kind: _newest(session, kind, settings.attribute_pool) for kind in kinds}
    for probe, one in zip(probes, found, strict=True):
        for kind in kinds:
            one[kind].update(dict.fromkeys(retrieve(session, services.parameters, probe.profile, kind, size, limits)))
            one[kind].update(dict.fromkeys(newest[kind]))
        if probe.kind in kinds:
            one[probe.kind].pop(probe.id, None)
    return [{kind: list(ids) for kind, ids in one.items()} for one in found]


def _by_face(
    session: Session,
    services: Services,
    probes: Sequence[Record],
    found: Sequence[dict[GalleryKind, dict[uuid.UUID, None]]],
    kinds: frozenset[GalleryKind],
    version: str,
) -> None:
    owners = [place for place, probe in enumerate(probes) for _ in probe.profile.templates]
    if not owners:
        return
    queries = np.concatenate([probe.profile.templates for probe in probes if len(probe.profile.templates)])
    answers = services.gallery.search(session, version, queries, services.settings.matching.face_hits, kinds)
    for place, hits in zip(owners, answers, strict=True):
        for hit in hits:
            found[place][hit.kind][hit.subject_id] = None


def _newest(session: Session, kind: GalleryKind, count: int) -> Sequence[uuid.UUID]:
    if kind is GalleryKind.CASE:
        return session.scalars(
            select(Case.id).where(searchable_case()).order_by(Case.created_at.desc()).limit(count)
        ).all()
    return session.scalars(
        select(Report.id).where(searchable_report()).order_by(Report.created_at.desc()).limit(count)
    ).all()
