"""Celery's side: what is announced, where it lands, and that importing does nothing."""

import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
import redis
from celery import Celery
from pydantic import SecretStr

from tests.platform.conftest import REDIS, prepared, settings_for
from tracing.platform import jobs
from tracing.platform.celery_app import JOB_QUEUE, PERIODIC, RELAY, RELAY_QUEUE, RUN_JOB, make_celery, publish_due
from tracing.platform.clock import utc_now
from tracing.platform.db import Database, unit_of_work
from tracing.platform.settings import Settings
from tracing.services import Services


@dataclass(frozen=True)
class Announcer:
    """The part of the services that announcing needs."""

    settings: Settings
    db: Database


@dataclass(frozen=True)
class Broker:
    """A broker of the test's own: everything under one prefix, removed afterwards."""

    client: Any
    settings: Settings
    celery: Celery

    def waiting(self, queue: str) -> list[dict[str, Any]]:
        """The messages that wait in a queue."""
        raw = self.client.lrange(self.settings.jobs.broker_key_prefix + queue, 0, -1)
        return [json.loads(message) for message in raw]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A Celery application on the real Redis."""
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=3)
    try:
        client.ping()
    except redis.ConnectionError:
        pytest.skip("no Redis server answers (GUITU_TEST_REDIS_URL)")
    prefix = f"guitu_test_{secrets.token_hex(6)}:"
    settings = settings_for("sqlite:///{data_dir}/guitu.sqlite3", tmp_path)
    own = settings.jobs.model_copy(update={"broker_url": SecretStr(REDIS), "broker_key_prefix": prefix})
    settings = settings.model_copy(update={"jobs": own})
    celery = make_celery(settings)
    yield Broker(client, settings, celery)
    celery.close()
    for key in client.scan_iter(f"{prefix}*"):
        client.delete(key)
    client.close()


@pytest.mark.redis
def test_relay_announces_each_due_job_once_by_its_id_alone(broker: Broker) -> None:
    db = prepared(broker.settings)
    services = cast(Services, Announcer(broker.settings, db))
    with unit_of_work(db) as session:
        ids = [
            str(jobs.enqueue(session, kind="match", key=f"k{number}", payload={"case": uuid4()}, now=utc_now()))
            for number in range(3)
        ]
    assert publish_due(broker.celery, services) == 3
    assert publish_due(broker.celery, services) == 0
    messages = broker.waiting(JOB_QUEUE)
    assert broker.waiting(RELAY_QUEUE) == []
    bodies = [json.loads(base64.b64decode(message["body"])) for message in messages]
    assert sorted(arguments[0] for arguments, _, _ in bodies) == sorted(ids)
    assert {message["headers"]["task"] for message in messages} == {RUN_JOB}
    assert all(message["headers"]["expires"] and message["content-type"] == "application/json" for message in messages)
    db.dispose()


@pytest.mark.redis
def test_beat_sends_relay_and_periodic_work_to_their_own_queue(broker: Broker) -> None:
    entries = broker.celery.conf.beat_schedule.values()
    for entry in entries:
        broker.celery.send_task(entry["task"], **entry["options"])
    assert broker.waiting(JOB_QUEUE) == []
    sent = {message["headers"]["task"] for message in broker.waiting(RELAY_QUEUE)}
    assert sent == {RELAY, PERIODIC} == {entry["task"] for entry in entries}


def test_a_message_stays_hidden_longer_than_its_task_may_run(sqlite_settings: Settings) -> None:
    conf = make_celery(sqlite_settings).conf
    assert conf.broker_transport_options["visibility_timeout"] > conf.task_time_limit > conf.task_soft_time_limit
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost) == (True, True)
    assert (conf.accept_content, conf.result_backend) == (["json"], None)


def test_importing_and_asking_for_the_app_touch_nothing(tmp_path: Path) -> None:
    program = "from tracing.platform.celery_app import app; print(sorted(n for n in app.tasks if 'guitu' in n))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GUITU_")}
    environment |= {
        "GUITU_DATA_DIR": str(tmp_path / "var"),
        "GUITU_JOBS__BROKER_URL": "redis://192.0.2.1:6379/0",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=environment, check=True
    )
    assert done.stdout.strip() == "['guitu.periodic', 'guitu.relay', 'guitu.run_job']"
    assert list(tmp_path.iterdir()) == []
