"""Looking for duplicates (查重): each matching pass of a record proposes pairs for a human to decide on.

Two cases are proposed when they are each other's candidates and as strong as the policy asks. Two reports are weighed
by the same terms, without where and when: both tell of one leaving, which says nothing of a way from there. An equal
identity number proposes by itself.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matcher.evidence.batch import score
from matcher.evidence.terms import compare
from matcher.fusion import fuse
from matcher.profile import Profile as Described
from matcher.vocabulary import GalleryKind
from models.candidate import Candidate
from models.case import Case
from models.duplicate import DuplicateBasis, DuplicatePair
from models.notification import NotificationKind
from models.report import Report
from models.user import Role
from tracing.duplicate_links import OPEN, REPORTERS, close_found
from tracing.duplicate_pairs import ends_of
from tracing.identity_digests import same_number
from tracing.matching_records import Record, read_records
from tracing.matching_retrieval import retrieve_all
from tracing.matching_store import weighted_rows
from tracing.notifications import notify, users_of
from tracing.platform.db import dialect_insert
from tracing.services import Services
from tracing.trail import note

Row = Mapping[str, Any]


def similar_reports(
    session: Session, services: Services, probes: Sequence[Record], size: int, version: str
) -> list[list[Row]]:
    """The pairs to propose for each of these open reports, under the weighing in force: one search and one reading for
    all of them. Raises IndexWarming.
    """
    wanted = retrieve_all(session, services, probes, frozenset({GalleryKind.REPORT}), size, version)
    ids = list(dict.fromkeys(one for found in wanted for one in found[GalleryKind.REPORT]))
    others = read_records(session, services, GalleryKind.REPORT, ids, version)
    answers = []
    for probe, found in zip(probes, wanted, strict=True):
        numbered = same_number(session, probe.id)
        rows: list[Row] = [
            {"basis": DuplicateBasis.IDENTITY_NUMBER, **ends_of(GalleryKind.REPORT, probe.id, other)}
            for other in numbered
        ]
        known = {probe.id, *numbered}
        near = [others[one] for one in found[GalleryKind.REPORT] if one in others and one not in known]
        answers.append([*rows, *_reports(services, probe, near, size, version)])
    return answers


def propose_duplicates(
    session: Session, services: Services, probe: Record, similar: Sequence[Row], *, now: datetime
) -> None:
    """Keep the pairs of a record whose pass has just been stored, and close what a link has closed since."""
    found = similar if probe.kind is GalleryKind.REPORT else list(_cases(session, services, probe.id))
    for row in sorted(found, key=lambda one: str(one["pair"])):
        _propose(session, services, row, now)
    if probe.kind is GalleryKind.REPORT:
        close_found(session, {probe.id}, now=now)
        return
    reports = select(Candidate.report_id).where(
        Candidate.case_id == probe.id, Candidate.report_id.is_not(None), Candidate.state.in_(OPEN)
    )
    close_found(session, {one for one in session.scalars(reports) if one}, now=now)


def _cases(session: Session, services: Services, case_id: uuid.UUID) -> Iterator[Row]:
    policy = services.care.duplicates
    strong = select(Candidate).where(
        or_(Candidate.case_id == case_id, Candidate.other_case_id == case_id),
        Candidate.other_case_id.is_not(None),
        Candidate.listed,
        Candidate.state.in_(OPEN),
        Candidate.log10_lr >= policy.minimum_log10_lr,
        Candidate.posterior >= policy.minimum_posterior,
    )
    for one in session.scalars(strong.order_by(Candidate.id)):
        if one.other_case_id is not None:
            yield {
                "basis": DuplicateBasis.EVIDENCE,
                "log10_lr": one.log10_lr,
                "posterior": one.posterior,
                "terms": one.terms,
                "parameters_version": one.parameters_version,
                "model_version": one.model_version,
                **ends_of(GalleryKind.CASE, one.case_id, one.other_case_id),
            }


def _reports(services: Services, probe: Record, others: list[Record], size: int, version: str) -> Iterator[Row]:
    """Open reports that agree as strongly as the policy asks, the best few weighed in full."""
    policy = services.care.duplicates
    for other in _best(services, probe, others, policy.considered):
        fusion = fuse(compare(_still(probe), _still(other), services.parameters), max(1, size), services.parameters)
        if fusion.log10_lr >= policy.minimum_log10_lr and fusion.posterior >= policy.minimum_posterior:
            yield {
                "basis": DuplicateBasis.EVIDENCE,
                "log10_lr": fusion.log10_lr,
                "posterior": fusion.posterior,
                "terms": weighted_rows(fusion),
                "parameters_version": services.parameters.version,
                "model_version": version,
                **ends_of(GalleryKind.REPORT, probe.id, other.id),
            }


def _best(services: Services, probe: Record, others: list[Record], count: int) -> list[Record]:
    if not others:
        return []
    totals = score(probe.prepared, [one.prepared for one in others], services.parameters).totals.tolist()
    ranked = sorted(zip(totals, others, strict=True), key=lambda one: (-one[0], one[1].id))
    return [one for _, one in ranked[:count]]


def _still(record: Record) -> Described:
    """What is known of the person, apart from where they were last seen and whether lost or found."""
    return replace(record.profile, kind=None, seen_at=None)


def _propose(session: Session, services: Services, row: Row, now: datetime) -> None:
    """Keep the pair, if nobody has proposed it before, and tell those whose records they are."""
    identity = session.execute(
        dialect_insert(session)(DuplicatePair)
        .values(id=uuid.uuid4(), proposed_at=now, policy_version=services.care.duplicates.version, **row)
        .on_conflict_do_nothing(index_elements=[DuplicatePair.pair])
        .returning(DuplicatePair.id)
    ).scalar_one_or_none()
    if identity is None:
        return
    note(
        session, None, "duplicate.propose", "duplicate", identity, at=now,
        kind=row["kind"].value, basis=row["basis"].value,
    )  # fmt: skip
    pair = session.get_one(DuplicatePair, identity)
    # Not the police for two cases: examiners judge them as candidates first, without a word from anybody.
    case = pair.kind is GalleryKind.CASE
    table: type[Case] | type[Report] = Case if case else Report
    stations = session.scalars(
        select(table.organisation_id).where(table.id.in_((pair.first_id, pair.second_id))).distinct()
    ).all()
    recipients = [
        user for one in sorted(stations) for user in users_of(session, one, {Role.STATION_STAFF} if case else REPORTERS)
    ]
    notify(session, recipients, NotificationKind.DUPLICATE_PROPOSED, "duplicate", pair.id, now=now)
