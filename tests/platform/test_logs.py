"""Logs: one JSON object a line in production, ids on each, nothing personal."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import structlog

from tracing.platform import logs
from tracing.platform.errors import Conflict
from tracing.platform.settings import Settings


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, configured = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**configured)


def production() -> None:
    """Logging as in production."""
    logs.configure(Settings(environment="production", data_dir=Path("unused")))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What was logged."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_carries_ids_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    production()
    job_id = uuid4()
    with logs.request_context("r-1"), logs.job_context(job_id, "match"):
        structlog.stdlib.get_logger("here").info("job_done", attempt=1)
    (line,) = lines(capsys)
    assert str(line.pop("timestamp")).endswith("+00:00")
    assert line == {
        "event": "job_done",
        "attempt": 1,
        "level": "info",
        "logger": "here",
        "request_id": "r-1",
        "job_id": str(job_id),
        "job_kind": "match",
    }


def test_personal_and_secret_keys_are_dropped_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    production()
    structlog.stdlib.get_logger("here").info(
        "seen",
        name="王小明",
        display_name="王小明",
        password="hunter2",
        access_token="hunter2",
        contact_phone="13800000000",
        count=3,
        inner={"id_number": "45", "case_id": "c", "more": [{"Notes": "free", "kept": 1}]},
    )
    (line,) = lines(capsys)
    del line["timestamp"]
    assert line == {
        "event": "seen",
        "level": "info",
        "logger": "here",
        "count": 3,
        "inner": {"case_id": "c", "more": [{"kept": 1}]},
    }


@pytest.mark.parametrize("through", ["structlog", "logging"])
def test_the_text_of_an_exception_is_left_out_in_production(through: str, capsys: pytest.CaptureFixture[str]) -> None:
    production()
    try:
        raise ValueError("王小明 13800000000")
    except ValueError:
        if through == "structlog":
            structlog.stdlib.get_logger("here").exception("failed")
        else:
            logging.getLogger("here").exception("failed")
    (line,) = lines(capsys)
    assert "王小明" not in json.dumps(line, ensure_ascii=False)
    assert (line["event"], line["error"], line["level"]) == ("failed", "ValueError", "error")
    (frame,) = line["frames"]  # type: ignore[misc]
    assert frame.startswith(f"{__name__}:")  # type: ignore[has-type]


def test_development_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings())
    logging.getLogger("here").warning("plain words")
    shown = capsys.readouterr().err
    assert "plain words" in shown
    assert not shown.startswith("{")


def test_development_shows_frames_but_not_what_their_variables_held(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(environment="development", data_dir=Path("unused")))
    person = "a person's own words"
    try:
        raise Conflict
    except Conflict:
        structlog.stdlib.get_logger("tests").exception("failed")
    printed = capsys.readouterr().err
    assert "raise Conflict" in printed
    assert person not in printed


def test_request_lines_of_the_server_are_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    production()
    logging.getLogger("uvicorn.access").info("GET /search?q=王小明")
    assert lines(capsys) == []


def test_error_code_is_class_and_slug() -> None:
    assert logs.error_code(ValueError("王小明")) == "ValueError"
    assert logs.error_code(Conflict(value="王小明")) == "Conflict:conflict"
