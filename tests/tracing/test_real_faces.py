"""The matching pass with the real engine on real photographs: the right person comes first."""

import os
import signal
import subprocess
import sys
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models.candidate import Candidate
from models.case import CaseState
from models.face import Face
from models.photo import AnalysisState, Photo
from tests.factories.commands import tracing
from tests.factories.records import make_case, make_report
from tests.factories.stories import run_jobs, state_of
from tracing.access import Viewer
from tracing.face_models import version_in_force
from tracing.facts import Facts
from tracing.photos import choose_face
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import FaceSettings
from tracing.services import NO_ENGINE, Services, find_faces

REPOSITORY = Path(__file__).parents[2]
DEMO = REPOSITORY / "var" / "demo-photos"
CELEBRITIES = REPOSITORY.parent / "shared" / "data" / "faces" / "asian_celeb"


@pytest.fixture
def real(services: Services) -> Services:
    """Services with the installed face engine."""
    faces = find_faces(FaceSettings(engine="face_recognition"), services.settings.data_dir)
    if faces.wanted == NO_ENGINE:
        pytest.skip("no face engine is installed")
    return replace(services, faces=faces)


def readable(photo: Path) -> bytes:
    """The file as PNG: some of the shared photographs are bitmaps under another name."""
    target = BytesIO()
    with Image.open(photo) as picture:
        picture.convert("RGB").save(target, "PNG")
    return target.getvalue()


def pick_the_largest_face(services: Services, viewer: Viewer, now: datetime) -> None:
    """What the operator does with photographs of several people."""
    with read_only(services.db) as session:
        several = session.scalars(
            select(Photo).where(Photo.analysis == AnalysisState.SEVERAL_FACES).options(selectinload(Photo.faces))
        ).all()
    for photo in several:
        largest = max(photo.faces, key=lambda face: face.box["bottom"] - face.box["top"])
        with unit_of_work(services.db) as session:
            choose_face(session, services, viewer, photo.id, largest.id, now=now)
    run_jobs(services, now)


def people(folder: Path) -> dict[str, list[bytes]]:
    """Photographs of those of whom there are at least two, by name; skips when there are none."""
    found = {
        person.name: [readable(photo) for photo in sorted(person.iterdir())]
        for person in sorted(folder.glob("*"))
        if person.is_dir()
    }
    if not any(len(photos) > 1 for photos in found.values()):
        pytest.skip("the photographs are not here")
    return found


def ranked(
    services: Services, staff: Viewer, reporter: Viewer, photographs: dict[str, list[bytes]], now: datetime
) -> dict[str, list[str]]:
    """Report everybody by one photograph, admit those who have two by another; each case's candidates in order."""
    reports: dict[uuid.UUID, str] = {}
    cases: dict[uuid.UUID, str] = {}
    for name, photos in photographs.items():
        with unit_of_work(services.db) as session:
            reports[make_report(session, services, reporter, known=Facts(), photo=photos[0], now=now).id] = name
    run_jobs(services, now)
    pick_the_largest_face(services, reporter, now)
    for name, photos in photographs.items():
        if len(photos) > 1:
            with unit_of_work(services.db) as session:
                cases[make_case(session, services, staff, known=Facts(), photo=photos[1], now=now).id] = name
    run_jobs(services, now)
    pick_the_largest_face(services, staff, now)
    with read_only(services.db) as session:
        assert set(session.scalars(select(Photo.analysis))) == {AnalysisState.READY}
        rows = session.scalars(
            select(Candidate).where(Candidate.report_id.is_not(None)).order_by(Candidate.log10_lr.desc())
        ).all()
    assert {state_of(services, case_id) for case_id in cases} == {CaseState.IN_REVIEW}
    found: dict[str, list[str]] = {name: [] for name in cases.values()}
    for row in rows:
        assert row.report_id is not None
        found[cases[row.case_id]].append(reports[row.report_id])
    return found


@pytest.mark.demo_photos
def test_the_sample_portraits_find_their_own(real: Services, staff: Viewer, reporter: Viewer, now: datetime) -> None:
    photographs = people(DEMO)
    found = ranked(real, staff, reporter, photographs, now)
    assert {name: names[0] for name, names in found.items()} == {
        name: name for name, photos in photographs.items() if len(photos) > 1
    }


@pytest.mark.shared
def test_people_of_one_country_find_their_own(real: Services, staff: Viewer, reporter: Viewer, now: datetime) -> None:
    """The engine saw few East Asian faces in training: a look-alike may come first, and examiners judge a list."""
    photographs = {name: photos[:2] for name, photos in list(people(CELEBRITIES).items())[:5]}
    found = ranked(real, staff, reporter, photographs, now)
    assert set(found) == set(photographs)
    assert all(name in names for name, names in found.items())
    assert sum(names[0] == name for name, names in found.items()) >= 4


def variables(services: Services) -> dict[str, str]:
    """The settings of these services' installation, wanting the other engine."""
    assert services.settings.keys.master_key is not None
    return {
        "GUITU_KEYS__MASTER_KEY": services.settings.keys.master_key.get_secret_value(),
        "GUITU_FACES__ENGINE": "dlib_onnx",
        "COLUMNS": "200",
    }


def said(services: Services, *arguments: str, code: int = 0) -> str:
    """What `tracing faces …` says; AssertionError unless it ends with that code."""
    result = tracing(services.settings.data_dir, "faces", *arguments, **variables(services))
    assert result.exit_code == code, result.output
    return result.output


def interrupted(services: Services, *arguments: str, after: str) -> tuple[int, str]:
    """Exit code and output of `tracing faces …` in a process of its own, with Ctrl-C after its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tracing", "faces", *arguments],
        env={name: value for name, value in os.environ.items() if not name.startswith("GUITU_")}
        | {"GUITU_DATA_DIR": str(services.settings.data_dir), **variables(services)},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    assert after in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


@pytest.mark.demo_photos
def test_an_operator_changes_the_model_of_a_real_installation(
    real: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    """Nothing runs jobs but the command itself; interrupted, it resumes."""
    photographs = people(DEMO)
    before = ranked(real, staff, reporter, photographs, now)
    old = real.faces.wanted
    (new,) = {version for version, engine in real.faces.known.items() if engine.name == "dlib_onnx"}
    assert f"{old} " in said(real, "models")
    assert "no face model" in said(real, "switch", new, code=1)

    code, output = interrupted(real, "reembed", after="1 pieces of work asked for")
    assert (code, "to resume" in output) == (130, True), output
    assert "building" in said(real, "models")
    assert "not been analysed" in said(real, "switch", "dlib_onnx", code=1)

    assert f"{new} is in force" in said(real, "reembed")
    with read_only(real.db) as session:
        assert version_in_force(session, real) == new
        assert {photo.analysed_with for photo in session.scalars(select(Photo))} == {new}
        assert set(session.scalars(select(Photo.analysis))) == {AnalysisState.READY}
    run_jobs(real, utc_now() + timedelta(minutes=5))
    with read_only(real.db) as session:
        assert {one.model_version for one in session.scalars(select(Candidate)) if one.listed} == {new}
        similar = {one.report_id: one.face_similarity for one in session.scalars(select(Candidate))}
    assert len(before) > 0
    assert max(value for value in similar.values() if value is not None) > 0.9

    assert f"{old} is in force" in said(real, "switch", "face_recognition")
    assert "photographs under" in said(real, "prune", new)
    assert new not in [line.split()[1] for line in said(real, "models").splitlines() if "in_force" in line]
    with read_only(real.db) as session:
        assert version_in_force(session, real) == old
        assert new not in set(session.scalars(select(Face.model_version)))
