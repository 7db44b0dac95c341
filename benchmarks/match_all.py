"""Matching a whole gallery in one pass, against one pass a record: records a second.

    python -m benchmarks.match_all [--records 5000] [--cases 1000] [--one-by-one 100] [--postgresql] [--kill]

Fills a throw-away installation with reports and unresolved cases of synthetic people with synthetic faces, half of the
cases people of whom there is a report, and runs `tracing match-all` over the reports with a worker of its own process;
before that, some of the records one by one, as single passes do it. With `--kill` the worker is killed with -9 on the
way and another goes on. The last line is one JSON object.
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import numpy as np
from sqlalchemy import select, update

from benchmarks.drill_index import database, settings_of
from benchmarks.names import DATA, People
from benchmarks.synthetic_gallery import DIMENSION, embedding, services_for
from benchmarks.synthetic_people import Missing, Town, seen
from matcher.calibration import FaceCalibration
from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, MatchPass
from models.case import Case
from models.photo import AnalysisState, PhotoAnalysis
from models.profile import Profile, ProfileAttribute, ProfileMark, ProfileName, ProfilePlace
from models.report import Report
from tests.factories.faces import ColourFaceEngine, with_engines
from tests.factories.gallery import AT, VERSION, Ground, make_ground, make_person, unit
from tracing.blocking import store_keys
from tracing.facts import Facts
from tracing.matching import request_match
from tracing.matching_batch import coverage, request_match_all
from tracing.platform import migrations
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import IndexSettings, Settings
from tracing.platform.worker import run_one
from tracing.profiles import with_profile
from tracing.services import Services
from tracing.tasks import REGISTRY

FORK = multiprocessing.get_context("fork")
INDEX = IndexSettings(wait_seconds=60)
BATCH = 250
NOISE = 0.06
"""Standard deviation, a value, between two photographs of one synthetic person: a cosine of about .7."""


class SyntheticEngine(ColourFaceEngine):
    """An engine by the name of the synthetic faces' version; it is never asked to look at a picture."""

    model_version = VERSION
    dimension = DIMENSION


def with_faces(services: Services) -> Services:
    """Services for which the synthetic faces are of the version in force, with a calibration of theirs."""
    made = with_engines(services, SyntheticEngine())
    calibration = FaceCalibration(VERSION, 20.0, 0.4, 3.0, -1.5, "Made up, as the faces are.")
    return replace(made, parameters=replace(made.parameters, calibrations=MappingProxyType({VERSION: calibration})))


def fill(services: Services, town: Town, records: int, cases: int) -> Ground:
    """Reports, then cases of every second one of the first people."""
    with unit_of_work(services.db) as session:
        ground = make_ground(session)
    speakers = People(town.folder, np.random.default_rng(town.seed))
    people = list(town.people(0, records + cases))
    wanted: list[tuple[int, GalleryKind, Facts]] = [
        (number, GalleryKind.REPORT, people[number].facts) for number in range(records)
    ]
    for number in range(cases):
        place = number // 2 if number % 2 and number // 2 < records else records + number
        wanted.append((place, GalleryKind.CASE, seen(people[place], speakers)))
    for start in range(0, len(wanted), BATCH):
        _add(services, ground, people, wanted[start : start + BATCH])
        print(f"{start + BATCH} of {len(wanted)} records made", end="\r", flush=True)
    return ground


def _add(
    services: Services, ground: Ground, people: Sequence[Missing], wanted: Sequence[tuple[int, GalleryKind, Facts]]
) -> None:
    made: dict[GalleryKind, list[uuid.UUID]] = {kind: [] for kind in GalleryKind}
    with unit_of_work(services.db) as session:
        for number, kind, facts in wanted:
            face = embedding(number)
            if kind is GalleryKind.CASE:
                face = unit(face + np.random.default_rng(number).normal(0, NOISE, len(face)).astype(np.float32))
            person = make_person(session, services.vault, ground, face, kind)
            recorded = {"profile_id": person.profile_id, "recorded_by_id": ground.user_id, "recorded_at": AT}
            for fact in facts.attributes:
                session.add(
                    ProfileAttribute(kind=fact.kind, value=fact.value, basis=fact.basis, as_of=fact.as_of, **recorded)
                )
            for name in facts.names:
                session.add(ProfileName(kind=name.kind, text=name.text, basis=name.basis, **recorded))
            for spot in facts.places:
                session.add(ProfilePlace(kind=spot.kind, division=spot.division, basis=spot.basis, **recorded))
            for mark in facts.marks:
                session.add(
                    ProfileMark(kind=mark.kind, region=mark.region, side=mark.side, basis=mark.basis, **recorded)
                )
            session.add(
                PhotoAnalysis(
                    photo_id=person.photo_id, model_version=VERSION, state=AnalysisState.READY, analysed_at=AT
                )
            )
            made[kind].append(person.owner_id)
        if made[GalleryKind.REPORT]:
            last_seen = {"last_seen_on": people[wanted[0][0]].last_seen}
            session.execute(update(Report).where(Report.id.in_(made[GalleryKind.REPORT])).values(last_seen))
        session.flush()
        session.expunge_all()
        reports = select(Report).where(Report.id.in_(made[GalleryKind.REPORT])).options(*with_profile(Report.profile))
        cases = select(Case).where(Case.id.in_(made[GalleryKind.CASE])).options(*with_profile(Case.profile))
        for owner in (*session.scalars(reports), *session.scalars(cases)):
            store_keys(session, services.parameters, owner)


def work(services: Services) -> int:
    """Run every job that is due; how many."""
    ran = 0
    while run_one(services.db, services.settings, REGISTRY, services, "bench", lambda: utc_now() + timedelta(hours=1)):
        ran += 1
    return ran


def one_by_one(services: Services, count: int) -> float:
    """Records a second by single passes, the index and the other records in memory."""
    with read_only(services.db) as session:
        ids = session.scalars(select(Report.id).order_by(Report.id).limit(count + 5)).all()
    for part in (ids[:5], ids[5:]):
        with unit_of_work(services.db) as session:
            for one in part:
                request_match(session, services, GalleryKind.REPORT, one, now=utc_now())
        started = time.perf_counter()
        work(services)
    return count / (time.perf_counter() - started)


def all_at_once(services: Services) -> float:
    """Records a second by `match-all`."""
    with unit_of_work(services.db) as session:
        before = coverage(session, services, GalleryKind.REPORT)
        request_match_all(session, services, GalleryKind.REPORT, now=utc_now())
    started = time.perf_counter()
    work(services)
    seconds = time.perf_counter() - started
    with read_only(services.db) as session:
        after = coverage(session, services, GalleryKind.REPORT)
    if after.matched != after.total:
        raise RuntimeError(f"{after.matched} of {after.total} matched")
    return (after.matched - before.matched) / seconds


def _working(settings: Settings) -> None:
    with services_for(settings, INDEX) as built:
        work(with_faces(built))


def killed(settings: Settings) -> bool:
    """Start `match-all`, kill its worker with -9 when a part is done; whether the rest was taken up exactly once."""
    with services_for(settings, INDEX) as built:
        services = with_faces(built)
        with unit_of_work(services.db) as session:
            request_match_all(session, services, GalleryKind.CASE, now=utc_now())
        services.db.dispose()
        worker = FORK.Process(target=_working, args=(settings,))
        worker.start()
        while True:
            time.sleep(0.05)
            with read_only(services.db) as session:
                matched = coverage(session, services, GalleryKind.CASE).matched
            if matched or not worker.is_alive():
                break
        if worker.pid and worker.is_alive():
            os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        print(f"killed with {matched} matched")
        work(services)
        with read_only(services.db) as session:
            found = coverage(session, services, GalleryKind.CASE)
            passes = session.scalars(select(MatchPass.profile_id).where(MatchPass.kind == GalleryKind.CASE)).all()
        return found.matched == found.total == len(passes) == len(set(passes))


def mates(services: Services) -> float:
    """Share of the reports with a case of the same person whose candidate stands first in that case's list."""
    with read_only(services.db) as session:
        rows = session.execute(
            select(Candidate.case_id, ProfileName.text, Candidate.face_similarity)
            .join(Report, Report.id == Candidate.report_id)
            .join(Profile, Profile.id == Report.profile_id)
            .join(ProfileName, ProfileName.profile_id == Profile.id)
            .where(Candidate.listed)
            .order_by(Candidate.log10_lr.desc())
        ).all()
        cases = session.scalars(select(Case.id)).all()
    best: dict[uuid.UUID, float] = {}
    for case_id, _, similarity in rows:
        best.setdefault(case_id, similarity or 0.0)
    return sum(value > 0.5 for value in best.values()) / max(1, len(cases) // 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--one-by-one", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args(arguments)
    if not (options.data / "familyname.csv").is_file():
        print(f"{options.data} holds no familyname.csv: give the folder with --data", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, database(Path(folder), postgresql=options.postgresql) as url:
        settings = settings_of(Path(folder) / "var", url)
        settings.data_dir.mkdir(mode=0o700)
        migrations.upgrade(settings)
        with services_for(settings, INDEX) as built:
            services = with_faces(built)
            fill(services, Town(options.data, options.seed), options.records, options.cases)
            single = one_by_one(services, options.one_by_one)
            together = all_at_once(services)
            figures: dict[str, object] = {
                "records": options.records,
                "cases": options.cases,
                "database": "postgresql" if options.postgresql else "sqlite",
                "one_by_one_per_second": round(single, 1),
                "records_per_second": round(together, 1),
                "ratio": round(together / single, 2),
                "mates_first": round(mates(services), 3),
            }
        if options.kill:
            figures["resumed_after_kill"] = killed(settings)
    for name, value in figures.items():
        print(f"{name:22} {value}")
    print(json.dumps(figures))
    return 0 if figures.get("resumed_after_kill", True) else 1


if __name__ == "__main__":
    sys.exit(main())
