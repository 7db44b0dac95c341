"""The jobs drill: cases are handed in while server and worker are killed with -9; nothing may be lost or done twice.

    python -m benchmarks.drill_jobs [--cases 50] [--kills 20] [--production] [--seed 1]

Real processes over a throw-away installation. Clients repeat a request that died under its idempotency key. At the end
the database and the photo store are read directly: every case once, every photograph there and whole, every revision
that a pass was asked for matched exactly once per model and index version. The last line is one JSON object.
"""

import argparse
import io
import json
import random
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matcher.faces.intake import IntakeLimits, decode
from models.audit import AuditEvent
from models.candidate import Candidate, MatchPass
from models.case import Case, CaseState
from models.job import Job, JobState
from models.photo import AnalysisState, Photo
from models.profile import Profile
from tracing.demo.environments import environment
from tracing.demo.photos import people
from tracing.demo.processes import Installation
from tracing.demo.seed import seed_region
from tracing.faces import photo_purpose
from tracing.platform import audit, migrations
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services, build_services

PHOTOS = Path("var/demo-photos")
PATIENCE_SECONDS = 300.0
CLIENTS = 4


@dataclass(frozen=True)
class Found:
    """What the database and the store say at the end."""

    cases: int
    photos_lost: int
    passes_missing: int
    passes_twice: int
    jobs_open: int
    jobs_set_aside: int
    jobs_interrupted: int
    audit_whole: bool

    @property
    def good(self) -> bool:
        """Whether nothing was lost and nothing done twice."""
        return not (self.photos_lost or self.passes_missing or self.passes_twice or self.jobs_open) and (
            self.audit_whole and not self.jobs_set_aside
        )


def portraits(count: int, chance: random.Random) -> list[bytes]:
    """Distinct small JPEGs made from the sample portraits, or plain pictures where there are none."""
    sources = [path for paths in people(PHOTOS, limit=12).values() for path in paths]
    made = []
    for number in range(count):
        if sources:
            picture = Image.open(sources[number % len(sources)]).convert("RGB")
            picture.thumbnail((360 + chance.randrange(40), 360))
        else:
            picture = Image.new("RGB", (200, 200), (chance.randrange(256), number % 256, 90))
        picture.putpixel((0, 0), (number % 256, number // 256, 7))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=90)
        made.append(buffer.getvalue())
    return made


class Client:
    """A station's program that does not give up: it repeats each request until it has an answer."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._url, self._username, self._password = url, username, password
        self._client = httpx2.Client(base_url=f"{url}/api/v1", timeout=20)
        self.repeated = 0
        self._sign_in()

    def _sign_in(self) -> None:
        grant = self._until_answered(
            "/oauth/token",
            data={"grant_type": "password", "username": self._username, "password": self._password},
        )
        self._client.headers["Authorization"] = f"Bearer {grant['access_token']}"

    def _until_answered(self, path: str, **request: Any) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._client.post(path, **request)
                if answer.is_success:
                    found: dict[str, Any] = answer.json() if answer.content else {}
                    return found
                if answer.is_client_error and answer.status_code != httpx2.codes.TOO_MANY_REQUESTS:
                    raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
            except httpx2.TransportError:
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(path)
            self.repeated += 1
            time.sleep(0.1)

    def hand_in(self, facts: Mapping[str, Any], photo: bytes) -> None:
        """One case with one photograph, submitted."""
        case = self._until_answered("/cases", json=facts, headers={"Idempotency-Key": str(uuid.uuid4())})
        files = {"photo": ("photo.jpg", photo, "image/jpeg")}
        self._until_answered(f"/cases/{case['id']}/photos", files=files)
        self._until_answered(f"/cases/{case['id']}/submit")


def hand_in_all(url: str, password: str, photos: list[bytes], progress: Counter[str], seed: int) -> None:
    """Hand in all cases from a few clients at once, at an even pace, so that kills fall between and into them."""
    chance = random.Random(seed)
    facts = [
        {
            "admitted_on": "2026-03-02",
            "attributes": [
                {"kind": "age", "value": str(chance.randint(20, 80)), "basis": "estimated"},
                {"kind": "sex", "value": chance.choice(("male", "female")), "basis": "estimated"},
            ],
        }
        for _ in photos
    ]
    work = list(zip(facts, photos, strict=True))
    lock = threading.Lock()

    def client() -> None:
        try:
            own = Client(url, "station", password)
            while True:
                with lock:
                    if not work:
                        break
                    fact, photo = work.pop()
                own.hand_in(fact, photo)
                with lock:
                    progress["handed_in"] += 1
            with lock:
                progress["repeated"] += own.repeated
        except Exception:
            with lock:
                work.clear()  # the others stop
            raise

    with ThreadPoolExecutor(CLIENTS) as pool:
        for one in [pool.submit(client) for _ in range(CLIENTS)]:
            one.result()


def kill_at_random(
    installation: Installation, kills: int, seed: int, done: Counter[str], stop: threading.Event
) -> None:
    """Kill a random process again and again, and start it again at once."""
    chance = random.Random(seed)
    victims = [name for name in installation.names if name != "beat"]
    while done["kills"] < kills and not stop.is_set():
        time.sleep(chance.uniform(0.3, 1.6))
        victim = chance.choice(victims)
        installation.kill(victim)
        done["kills"] += 1
        done[f"killed_{victim}"] += 1
        installation.start(victim)
        if victim == "server":
            installation.wait_ready()


def wait_until_done(services: Services, seconds: float) -> None:
    """Wait until no job is queued or running."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with read_only(services.db) as session:
            open_jobs = session.scalar(
                select(func.count()).select_from(Job).where(Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
            )
        if not open_jobs:
            return
        time.sleep(0.5)


def inspect(services: Services, session: Session) -> Found:
    """Read what there is, row by row and file by file."""
    cases = session.scalars(select(Case).where(Case.state != CaseState.DRAFT)).all()
    lost = 0
    rows = session.execute(select(Photo, Profile.subject_id).join(Profile, Profile.id == Photo.profile_id)).all()
    for photo, subject_id in rows:
        sealed = services.store.get(str(photo.id))
        decode(services.vault.open(session, subject_id, photo_purpose(photo.id), sealed), IntakeLimits())
        lost += photo.analysis is AnalysisState.PENDING
    lost += len(cases) - len({photo.profile_id for photo, _ in rows})
    # From the audit log, which a unique constraint does not tidy up: each finished pass left one event.
    passed = Counter(
        (event.object_id, event.detail["revision"], event.detail["model_version"], event.detail["index_version"])
        for event in session.scalars(select(AuditEvent).where(AuditEvent.action == "match.pass"))
    )
    revisions = {case.id: session.get_one(Profile, case.profile_id).revision for case in cases}
    missing = sum(not any(key[0] == str(case.id) and key[1] == revisions[case.id] for key in passed) for case in cases)
    states = Counter(session.scalars(select(Job.state)))
    return Found(
        cases=len(cases),
        photos_lost=lost,
        passes_missing=missing,
        passes_twice=sum(count > 1 for count in passed.values()),
        jobs_open=states[JobState.QUEUED] + states[JobState.RUNNING],
        jobs_set_aside=states[JobState.SET_ASIDE],
        jobs_interrupted=session.scalar(select(func.count()).select_from(Job).where(Job.attempts > 1)) or 0,
        audit_whole=audit.verify(session).ok,
    )


def drill(cases: int, kills: int, *, production: bool, seed: int) -> dict[str, Any]:
    """Run the drill; its figures."""
    started = time.monotonic()
    progress: Counter[str] = Counter()
    quick = {"GUITU_JOBS__LEASE_SECONDS": "5", "GUITU_JOBS__MAX_ATTEMPTS": "50", "GUITU_JOBS__REPUBLISH_SECONDS": "10"}
    with (
        tempfile.TemporaryDirectory() as folder,
        environment(Path(folder), production=production, extra=quick) as settings,
    ):
        migrations.upgrade(settings)
        services = build_services(settings)
        with unit_of_work(services.db) as session:
            accounts = {account.username: account.password for account in seed_region(session, now=utc_now())}
        installation = Installation(Path(folder) / "logs", celery=production)
        stop = threading.Event()
        try:
            installation.start_all()
            killer = threading.Thread(target=kill_at_random, args=(installation, kills, seed, progress, stop))
            killer.start()
            photos = portraits(cases, random.Random(seed))
            hand_in_all(installation.url, accounts["station"], photos, progress, seed)
            killer.join()
            wait_until_done(services, PATIENCE_SECONDS)
            with read_only(services.db) as session:
                found = inspect(services, session)
                candidates = session.scalar(select(func.count()).select_from(Candidate)) or 0
                passes = session.scalar(select(func.count()).select_from(MatchPass)) or 0
        finally:
            stop.set()
            installation.stop_all()
            services.db.dispose()
    return {
        "mode": "production" if production else "embedded",
        "cases_wanted": cases,
        **vars(found),
        "kills": progress["kills"],
        "kills_server": progress["killed_server"],
        "kills_worker": progress["killed_worker"],
        "requests_repeated": progress["repeated"],
        "passes": passes,
        "candidates": candidates,
        "seconds": round(time.monotonic() - started, 1),
        "good": found.good and found.cases == cases and progress["kills"] >= kills,
    }


def main() -> int:
    """Run from the command line; exit code 1 when anything was lost or done twice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--production", action="store_true")
    given = parser.parse_args()
    figures = drill(given.cases, given.kills, production=given.production, seed=given.seed)
    for name, value in figures.items():
        print(f"{name:20} {value}")
    print(json.dumps(figures))
    return 0 if figures["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
