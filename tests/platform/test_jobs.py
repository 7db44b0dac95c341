"""The queue: each job once, leases, fencing, growing waits, and jobs that are set aside."""

from datetime import datetime, timedelta
from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest

from models.job import Job, JobState
from models.subject import Subject
from tests.platform.conftest import NOW
from tracing.platform import jobs
from tracing.platform.db import Database, unit_of_work
from tracing.platform.jobs import ClaimedJob, JobUnknown, LeaseLost
from tracing.platform.settings import JobSettings

SETTINGS = JobSettings(max_attempts=3, backoff_base_seconds=2, backoff_max_seconds=10)
LEASE = 60.0


def after(seconds: float) -> datetime:
    """That long after the test's beginning."""
    return NOW + timedelta(seconds=seconds)


def enqueued(db: Database, key: str, run_after: datetime | None = None) -> UUID:
    """A committed job."""
    with unit_of_work(db) as session:
        job_id = jobs.enqueue(session, kind="match", key=key, payload={"case": uuid4()}, now=NOW, run_after=run_after)
    assert job_id is not None
    return job_id


def claimed(db: Database, now: datetime = NOW, job_id: UUID | None = None) -> ClaimedJob | None:
    """A committed claim."""
    with unit_of_work(db) as session:
        return jobs.claim(session, worker="w", now=now, lease_seconds=LEASE, max_attempts=3, job_id=job_id)


def taken(db: Database, now: datetime = NOW) -> ClaimedJob:
    """A committed claim that must succeed."""
    job = claimed(db, now)
    assert job is not None
    return job


def stored(db: Database, job_id: UUID) -> Job:
    """The row as it is now."""
    with unit_of_work(db) as session:
        return session.get_one(Job, job_id)


def failed(db: Database, job: ClaimedJob, now: datetime = NOW) -> JobState | None:
    """A committed failure."""
    with unit_of_work(db) as session:
        return jobs.fail(session, job, "ValueError", now, SETTINGS)


def test_a_key_makes_one_job(db: Database) -> None:
    first = enqueued(db, "match:1")
    with unit_of_work(db) as session:
        assert jobs.enqueue(session, kind="match", key="match:1", payload={}, now=NOW) is None
    assert stored(db, first).state is JobState.QUEUED


def test_a_key_can_be_asked_for_again_once_its_job_is_over(db: Database) -> None:
    def again() -> UUID | None:
        with unit_of_work(db) as session:
            return jobs.enqueue(session, kind="match", key="match:1", payload={}, now=after(9), again=True)

    job_id = enqueued(db, "match:1")
    assert again() is None  # it waits
    job = taken(db)
    assert again() is None  # it runs
    with unit_of_work(db) as session:
        jobs.finish(session, job, NOW)
    assert (again(), again()) == (job_id, None)
    found = stored(db, job_id)
    assert (found.state, found.attempts, found.run_after, found.finished_at) == (JobState.QUEUED, 0, after(9), None)


def test_a_job_is_written_with_its_transaction_or_not_at_all(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), unit_of_work(db) as session:  # noqa: PT012 - the block is what is tested
        jobs.enqueue(session, kind="match", key="match:1", payload={}, now=NOW)
        raise ZeroDivisionError
    assert claimed(db) is None


def test_personal_data_is_refused_in_a_payload(sqlite_db: Database) -> None:
    with unit_of_work(sqlite_db) as session, pytest.raises(ValueError, match="free text") as refusal:
        jobs.enqueue(session, kind="match", key="k", payload={"name": "王小明"}, now=NOW)
    assert "王" not in str(refusal.value)


def test_claim_and_finish(db: Database) -> None:
    job_id = enqueued(db, "match:1")
    job = taken(db)
    assert (job.id, job.kind, job.key, job.attempts, job.lease_until) == (job_id, "match", "match:1", 1, after(LEASE))
    assert UUID(job.payload["case"])
    assert job.token not in repr(job)
    assert claimed(db) is None
    with unit_of_work(db) as session:
        jobs.finish(session, job, after(1))
    row = stored(db, job_id)
    assert (row.state, row.leased_by, row.lease_until, row.finished_at) == (JobState.DONE, None, None, after(1))
    assert claimed(db, after(1000)) is None


def test_the_longest_due_comes_first_and_the_future_waits(db: Database) -> None:
    late, early = enqueued(db, "late", after(-5)), enqueued(db, "early", after(-10))
    future = enqueued(db, "future", after(10))
    assert [job and job.id for job in (claimed(db), claimed(db), claimed(db))] == [early, late, None]
    job = claimed(db, after(10))
    assert job is not None
    assert job.id == future


def test_a_job_can_be_asked_for_by_id_and_by_kind(db: Database) -> None:
    first, second = enqueued(db, "1"), enqueued(db, "2")
    job = claimed(db, job_id=second)
    assert job is not None
    assert job.id == second
    assert claimed(db, job_id=second) is None
    for kinds, found in ((["photo"], None), ([], None), (["photo", "match"], first)):
        with unit_of_work(db) as session:
            by_kind = jobs.claim(session, worker="w", now=NOW, lease_seconds=1, max_attempts=3, kinds=kinds)
        assert (by_kind and by_kind.id) == found


def test_a_long_worker_name_fits_the_column(db: Database) -> None:
    enqueued(db, "1")
    with unit_of_work(db) as session:
        job = jobs.claim(session, worker="w" * 200, now=NOW, lease_seconds=1, max_attempts=3)
    assert job is not None
    assert len(job.token) == 64


def test_two_claimers_never_get_the_same_job(db: Database) -> None:
    ids = {enqueued(db, f"match:{number}") for number in range(30)}
    together = Barrier(4)
    got: list[UUID] = []

    def work() -> None:
        together.wait()
        while job := claimed(db):
            got.append(job.id)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 30
    assert set(got) == ids


def test_two_enqueuers_of_one_key_make_one_job(db: Database) -> None:
    together = Barrier(4)
    made: list[UUID | None] = []

    def write() -> None:
        together.wait()
        for number in range(5):
            with unit_of_work(db) as session:
                made.append(jobs.enqueue(session, kind="match", key=f"k:{number}", payload={}, now=NOW))

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([job_id for job_id in made if job_id is not None]) == 5


def test_a_lease_that_ran_out_is_claimed_again_and_the_late_one_loses_its_effects(db: Database) -> None:
    enqueued(db, "match:1")
    late = taken(db)
    assert claimed(db, after(LEASE)) is None
    other = taken(db, after(LEASE + 1))
    assert (other.id, other.attempts) == (late.id, 2)
    assert other.token != late.token
    effect = Subject(id=uuid4(), wrapped_key=None, master_key_id="m", created_at=NOW, destroyed_at=None)
    with pytest.raises(LeaseLost), unit_of_work(db) as session:  # noqa: PT012 - the block is what is tested
        session.add(effect)
        session.flush()
        jobs.finish(session, late, after(LEASE + 2))
    with unit_of_work(db) as session:
        assert session.get(Subject, effect.id) is None
        assert not jobs.renew(session, late, after(LEASE + 2), LEASE)
        assert jobs.fail(session, late, "ValueError", after(LEASE + 2), SETTINGS) is None
        assert not jobs.defer(session, late, after(LEASE + 2))
    with unit_of_work(db) as session:
        jobs.finish(session, other, after(LEASE + 3))
    assert stored(db, other.id).state is JobState.DONE


def test_finishing_twice_is_refused(db: Database) -> None:
    enqueued(db, "match:1")
    job = taken(db)
    with unit_of_work(db) as session:
        jobs.finish(session, job, NOW)
    with pytest.raises(LeaseLost), unit_of_work(db) as session:
        jobs.finish(session, job, NOW)


def test_renewing_keeps_others_away(db: Database) -> None:
    enqueued(db, "match:1")
    job = taken(db)
    with unit_of_work(db) as session:
        assert jobs.renew(session, job, after(50), LEASE)
    assert claimed(db, after(LEASE + 1)) is None
    assert claimed(db, after(50 + LEASE + 1)) is not None


def test_failures_wait_longer_each_time_and_are_set_aside_at_last(db: Database) -> None:
    job_id = enqueued(db, "match:1")
    moment = NOW
    for attempt, (least, most) in enumerate(((1, 2), (2, 4)), start=1):
        job = taken(db, moment)
        assert job.attempts == attempt
        assert failed(db, job, moment) is JobState.QUEUED
        row = stored(db, job_id)
        assert timedelta(seconds=least) <= row.run_after - moment <= timedelta(seconds=most)
        assert (row.last_error, row.leased_by, row.lease_until) == ("ValueError", None, None)
        assert claimed(db, row.run_after - timedelta(microseconds=1)) is None
        moment = row.run_after
    assert failed(db, taken(db, moment), moment) is JobState.SET_ASIDE
    assert stored(db, job_id).finished_at == moment
    assert claimed(db, after(1_000_000)) is None


@pytest.mark.parametrize("attempts", [1, 2, 3, 4, 50, 5000])
def test_wait_is_capped_and_spread(attempts: int) -> None:
    waits = [jobs.backoff(attempts, SETTINGS).total_seconds() for _ in range(50)]
    whole = min(2.0 * 2 ** min(attempts - 1, 60), 10.0)
    assert whole / 2 <= min(waits) < max(waits) <= whole


def test_a_job_that_kills_its_workers_is_set_aside(db: Database) -> None:
    job_id = enqueued(db, "poison")
    moment = NOW
    for _ in range(3):
        taken(db, moment)
        moment += timedelta(seconds=LEASE + 1)
    assert claimed(db, moment, job_id=job_id) is None
    row = stored(db, job_id)
    assert (row.state, row.last_error, row.attempts, row.leased_by) == (JobState.SET_ASIDE, "WorkerLost", 3, None)


def test_an_operator_can_have_a_set_aside_job_tried_again(db: Database) -> None:
    job_id = enqueued(db, "match:1")
    with pytest.raises(JobUnknown), unit_of_work(db) as session:
        jobs.retry(session, job_id, NOW)
    for _ in range(3):
        failed(db, taken(db, after(1000)), after(0))
    with unit_of_work(db) as session:
        jobs.retry(session, job_id, after(2000))
    assert taken(db, after(2000)).attempts == 1
    with pytest.raises(JobUnknown), unit_of_work(db) as session:
        jobs.retry(session, uuid4(), NOW)


def test_deferring_does_not_count(db: Database) -> None:
    job_id = enqueued(db, "match:1")
    for _ in range(10):
        job = taken(db, after(0))
        with unit_of_work(db) as session:
            assert jobs.defer(session, job, after(0))
    assert (stored(db, job_id).attempts, stored(db, job_id).state) == (0, JobState.QUEUED)


def test_counts(db: Database) -> None:
    for number in range(3):
        enqueued(db, f"{number}", after(number * 10))
    taken(db)
    with unit_of_work(db) as session:
        found = jobs.counts(session, after(15))
    assert found.by_state[JobState.QUEUED] == 2
    assert found.by_state[JobState.RUNNING] == 1
    assert found.by_state[JobState.SET_ASIDE] == 0
    assert (found.due, found.oldest_due) == (1, after(10))


class TestPublication:
    """Which ids the relay announces, and when again."""

    @pytest.fixture(autouse=True)
    def _database(self, db: Database) -> None:
        self.db = db

    def published(self, seconds: float, limit: int = 10, republish: float = 30) -> list[UUID]:
        """What is announced at that time."""
        with unit_of_work(self.db) as session:
            return jobs.due_for_publication(session, after(seconds), republish_seconds=republish, limit=limit)

    def test_once_and_again_when_nobody_took_it(self) -> None:
        job_id = enqueued(self.db, "1")
        assert self.published(0) == [job_id]
        assert self.published(29) == []
        assert self.published(30) == [job_id]
        assert self.published(59) == []

    def test_not_before_it_is_due_nor_once_it_is_taken_or_done(self) -> None:
        job_id = enqueued(self.db, "1", after(10))
        assert self.published(9) == []
        assert self.published(10) == [job_id]
        job = taken(self.db, after(11))
        assert self.published(11 + LEASE) == []
        with unit_of_work(self.db) as session:
            jobs.finish(session, job, after(12))
        assert self.published(1000) == []

    def test_at_once_when_a_lease_runs_out(self) -> None:
        job_id = enqueued(self.db, "1")
        assert self.published(0) == [job_id]
        taken(self.db, after(1))
        assert self.published(1 + LEASE, republish=1000) == []
        assert self.published(2 + LEASE, republish=1000) == [job_id]
        assert self.published(3 + LEASE, republish=1000) == []

    def test_at_once_when_a_failed_job_is_due_again(self) -> None:
        job_id = enqueued(self.db, "1")
        assert self.published(0) == [job_id]
        failed(self.db, taken(self.db), NOW)
        assert self.published(0.5, republish=1000) == []
        assert self.published(2, republish=1000) == [job_id]

    def test_longest_due_first_within_the_limit(self) -> None:
        ids = [enqueued(self.db, f"{number}", after(-number)) for number in range(5)]
        assert set(self.published(0, limit=2)) == {ids[4], ids[3]}
        assert set(self.published(0, limit=2)) == {ids[2], ids[1]}
        assert self.published(0, limit=2) == [ids[0]]

    def test_two_relays_never_announce_the_same_job(self) -> None:
        ids = {enqueued(self.db, f"{number}") for number in range(30)}
        together = Barrier(3)
        announced: list[UUID] = []

        def relay() -> None:
            together.wait()
            for _ in range(6):
                announced.extend(self.published(0, limit=4))

        threads = [Thread(target=relay) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        announced.extend(self.published(0, limit=100))
        assert len(announced) == 30
        assert set(announced) == ids
