"""Evidence figures learned from the service's own candidates (参数学习), and their back-test (回测).

Confirmed candidates count as pairs of one person and excluded ones as pairs of two; of those that nobody has decided,
each counts by its posterior, which follows the figures, so they are learned in rounds (expectation-maximisation).
Nothing that is learned comes into force by itself.
"""

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from matcher import profile as matching
from matcher.evaluation.parameter_backtest import Backtest, JudgedScore, backtest
from matcher.evidence.base import Parameters
from matcher.evidence.terms import compare
from matcher.fusion import Fusion, fuse
from matcher.linkage.learning import Learned, Pair, learn
from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateState
from models.case import Case
from models.parameter_set import ParameterSet
from models.profile import Profile
from models.report import Report
from models.review import AGREEING_GRADE, Review
from models.subject import Subject
from tracing.face_models import version_in_force
from tracing.gallery_faces import gallery_size
from tracing.matching_batch import request_match_again
from tracing.matching_records import records_of
from tracing.parameter_sets import IN_FORCE, content_named, packaged_content, parameters_of, put_in_force
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note

ROUNDS = 10
SETTLED = 1e-3
READ_AT_ONCE = 400
MOST_CANDIDATES = 5000
"""The newest so many candidates are learned from: older ones were judged on other photographs and other figures."""

STRANGERS = 2000
FEWEST_CONFIRMED = 5
MOST_REASON = 500


class ParametersWorse(errors.Conflict):
    """A back-test that speaks against new figures."""

    slug = "parameters_worse"
    message = (
        "The back-test speaks against these parameters: {objections}. Look at “tracing parameters backtest”, "
        "or put them in force all the same with --despite and the reason."
    )


class TooFewJudged(errors.Conflict):
    """Too few confirmed candidates to learn anything from."""

    slug = "too_few_judged"
    message = "Only {confirmed} candidates are confirmed; {needed} are needed to learn from. Try again when there are."


@dataclass(frozen=True, slots=True)
class Known:
    """A candidate as it is learned from: its two profiles, and True, False or None (not decided)."""

    case_id: uuid.UUID
    pair: Pair
    confirmed: bool | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A parameter file that was learned: its content, what changed in it by key, and how many candidates it is from."""

    content: dict[str, Any]
    changed: Mapping[str, Learned]
    confirmed: int
    excluded: int
    undecided: int
    rounds: int


def propose_parameters(
    session: Session, services: Services, base: Mapping[str, Any], *, prior_pairs: float, seed: int, now: datetime
) -> Proposal:
    """New figures, starting from those of `base` (a parameter file's JSON).

    `prior_pairs`: how many pairs the figures of `base` are worth. Raises TooFewJudged.
    """
    known = known_candidates(session, services)
    confirmed = sum(one.confirmed is True for one in known)
    if confirmed < FEWEST_CONFIRMED:
        raise TooFewJudged(confirmed=confirmed, needed=FEWEST_CONFIRMED)
    size = max(gallery_size(session), 1)
    pairs = [one.pair for one in known]
    drawn = _strangers(session, services, seed)
    figures = dict(parameters_of(base, services.parameters).numbers)
    current, found, rounds = dict(base), dict[str, Learned](), 0
    for _ in range(ROUNDS):
        rounds += 1
        weights = _weights(known, size, parameters_of(current, services.parameters))
        before, found = found, learn(figures, pairs, weights, drawn, prior_pairs)
        current = _content(base, found, _version(now), _source(now, known, len(drawn), prior_pairs))
        moved = [abs(one.value - before[key].value) if key in before else 1.0 for key, one in found.items()]
        if max(moved, default=0.0) < SETTLED:
            break
    note(session, None, "parameters.learn", "parameter_set", None, at=now, console=True,
         candidates=len(known), confirmed=confirmed)  # fmt: skip
    excluded = sum(one.confirmed is False for one in known)
    return Proposal(current, found, confirmed, excluded, len(known) - confirmed - excluded, rounds)


def backtest_parameters(
    session: Session, services: Services, before: Mapping[str, Any], after: Mapping[str, Any], *, now: datetime
) -> Backtest:
    """Both files on every judged candidate whose people are still kept."""
    known = [one for one in known_candidates(session, services) if one.confirmed is not None]
    sets = [parameters_of(content, services.parameters) for content in (before, after)]
    rows = [
        JudgedScore(
            str(one.case_id), bool(one.confirmed), *(_fused(one.pair, parameters, 1).log10_lr for parameters in sets)
        )
        for one in known
    ]
    note(session, None, "parameters.backtest", "parameter_set", None, at=now, console=True, candidates=len(rows))
    return backtest(rows, services.settings.matching.minimum_log10_lr)


def use_parameters(
    session: Session, services: Services, name: str, *, despite: str | None, now: datetime
) -> tuple[ParameterSet, Backtest]:
    """Put a file, an earlier set or the packaged figures in force, and have the gallery matched again.

    Raises ParametersWorse when the back-test against the figures in force speaks against it and `despite`, the reason
    to do it all the same, is not given; ParametersUnknown, ParametersInvalid, ParametersVersionTaken.
    """
    wanted = content_named(session, name)
    judged = backtest_parameters(session, services, content_named(session, IN_FORCE), wanted, now=now)
    reason = (despite or "").strip()[:MOST_REASON] or None
    if judged.objections and reason is None:
        raise ParametersWorse(objections="; ".join(judged.objections))
    content = None if wanted == packaged_content() else wanted
    found = put_in_force(session, content, reason=reason if judged.objections else None, now=now)
    if found.in_force_at == now:
        for kind in GalleryKind:
            request_match_again(session, kind, found.id, now=now)
    return found, judged


def known_candidates(session: Session, services: Services) -> list[Known]:
    """The newest candidates with what people made of them, of records whose data are still kept.

    Confirmed ones are of one person. Excluded are those closed because another was confirmed, and those that two
    examiners or more oppose and nobody supports.
    """
    candidates = session.scalars(
        select(Candidate).order_by(Candidate.updated_at.desc(), Candidate.id).limit(MOST_CANDIDATES)
    ).all()
    opposed = _opposed(session)
    case_ids = {one.case_id for one in candidates} | {one.other_case_id for one in candidates if one.other_case_id}
    cases = _profiles(session, services, GalleryKind.CASE, sorted(case_ids))
    reports = _profiles(session, services, GalleryKind.REPORT, sorted({c.report_id for c in candidates if c.report_id}))
    found = []
    for one in candidates:
        case = cases.get(one.case_id)
        other = reports.get(one.report_id) if one.report_id else cases.get(one.other_case_id or one.case_id)
        if case is None or other is None:
            continue
        confirmed = None
        if one.state is CandidateState.CONFIRMED:
            confirmed = True
        elif one.state in (CandidateState.CLOSED, CandidateState.EXCLUDED) or one.id in opposed:
            confirmed = False
        found.append(Known(one.case_id, (case, other), confirmed))
    return found


def _opposed(session: Session) -> frozenset[uuid.UUID]:
    opposing = func.count().filter(Review.grade <= -AGREEING_GRADE)
    others = func.count().filter(Review.grade > 0)
    query = (
        select(Review.candidate_id)
        .where(Review.withdrawn_at.is_(None))
        .group_by(Review.candidate_id)
        .having(and_(opposing >= 2, others == 0))
    )
    return frozenset(session.scalars(query))


def _profiles(
    session: Session, services: Services, kind: GalleryKind, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, matching.Profile]:
    owner: type[Case] | type[Report] = Case if kind is GalleryKind.CASE else Report
    version = version_in_force(session, services)
    found = {}
    for start in range(0, len(ids), READ_AT_ONCE):
        part = ids[start : start + READ_AT_ONCE]
        kept = session.scalars(
            select(owner.id)
            .join(Profile, Profile.id == owner.profile_id)
            .join(Subject, Subject.id == Profile.subject_id)
            .where(owner.id.in_(part), Subject.destroyed_at.is_(None))
        ).all()
        for record in records_of(session, services, kind, list(kept), version):
            found[record.id] = record.profile
    return found


def _strangers(session: Session, services: Services, seed: int) -> list[Pair]:
    """Cases and reports put together at random, without those that are known to be one person."""
    sides = []
    for kind, owner in ((GalleryKind.CASE, Case), (GalleryKind.REPORT, Report)):
        newest = session.scalars(select(owner.id).order_by(owner.created_at.desc(), owner.id).limit(READ_AT_ONCE)).all()
        sides.append(_profiles(session, services, kind, newest))
    cases, reports = sides
    confirmed = select(Candidate.case_id, Candidate.report_id).where(Candidate.state == CandidateState.CONFIRMED)
    one_person = {(case, report) for case, report in session.execute(confirmed)}
    pairs = [(case, report) for case in cases for report in reports if (case, report) not in one_person]
    chosen = np.random.default_rng(seed).permutation(len(pairs))[:STRANGERS]
    return [(cases[pairs[at][0]], reports[pairs[at][1]]) for at in chosen]


def _weights(known: Sequence[Known], size: int, parameters: Parameters) -> NDArray[np.float64]:
    return np.array(
        [
            _fused(one.pair, parameters, size).posterior if one.confirmed is None else float(one.confirmed)
            for one in known
        ]
    )


def _fused(pair: Pair, parameters: Parameters, size: int) -> Fusion:
    return fuse(compare(*pair, parameters), size, parameters)


def _content(base: Mapping[str, Any], found: Mapping[str, Learned], version: str, source: str) -> dict[str, Any]:
    rows = dict(base["parameters"])
    for key, one in found.items():
        text = f"{source} {one.pairs:.1f} pairs say something; {one.before:g} before."
        rows[key] = {**rows[key], "value": round(one.value, 6), "source": text}
    return {**base, "version": version, "based_on": base["version"], "parameters": rows}


def _version(now: datetime) -> str:
    return f"learned-{now:%Y%m%d-%H%M%S}"


def _source(now: datetime, known: Sequence[Known], strangers: int, prior_pairs: float) -> str:
    confirmed = sum(one.confirmed is True for one in known)
    excluded = sum(one.confirmed is False for one in known)
    return (
        f"Learned on {now:%Y-%m-%d} from the service's own candidates ({confirmed} confirmed, {excluded} excluded, "
        f"{len(known) - confirmed - excluded} by their posterior; {strangers} random pairs), drawn towards the figure "
        f"before by {prior_pairs:g} pairs."
    )


def write_proposal(content: Mapping[str, Any], folder: Path) -> Path:
    """The file in that folder (mode 0700), named by its version; readable by the service's own account alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{content['version']}.json"
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path
