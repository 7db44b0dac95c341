"""docs/workflow.md says what the tables and policies say, and its examples are taken by the code that reads them."""

import json
import re
from pathlib import Path

from models.notification import NotificationKind
from tests.architecture.source import ROOT
from tracing.clock_policy import load_clocks
from tracing.commands.deadlines import documented
from tracing.notification_links import OBJECTS

TEXT = (ROOT / "docs" / "workflow.md").read_text("utf-8")


def test_the_generated_parts_are_current() -> None:
    assert documented(TEXT) == TEXT, "run: tracing deadlines document docs/workflow.md"


def test_the_examples_are_taken(tmp_path: Path) -> None:
    policy, calendar, event = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))
    assert event["type"] in set(NotificationKind)
    assert event["data"]["object"] in OBJECTS
    (tmp_path / "deadlines-45.json").write_text(json.dumps(policy), "utf-8")
    (tmp_path / "calendar-CN.json").write_text(json.dumps(calendar), "utf-8")
    clocks = load_clocks(tmp_path, "Asia/Shanghai")
    assert clocks.policy_for("450702").version == "CN-1/45-1"
    assert clocks.calendar.year(2027).certain
