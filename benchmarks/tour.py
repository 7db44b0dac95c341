"""The tour: pictures of the pages, taken by a real browser of the demo with its three stories played.

    python -m benchmarks.tour docs

Writes DIR/tour.md and DIR/tour/*.jpg. Sample portraits alone are shown; without them the tour is told by attributes.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

from tracing.demo.client import ApiUser
from tracing.demo.environments import environment
from tracing.demo.photos import people
from tracing.demo.processes import running
from tracing.demo.seed import PEOPLE_LIMIT, invent, seed_records, seed_region
from tracing.demo.stories.catalogue import STORIES
from tracing.demo.stories.narrator import Narrator
from tracing.demo.stories.stage import Stage
from tracing.demo.story import KNOWN
from tracing.platform import migrations
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import build_services

PHOTOS = Path("var/demo-photos")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DESK, PHONE = 1280, 360


@dataclass(frozen=True)
class Stop:
    """One picture: whose page, where, how wide, what to see. `{case}`, `{candidate}`: those in review."""

    name: str
    title: str
    text: str
    user: str
    path: str
    width: int = DESK
    dark: bool = False
    english: bool = False


STOPS = (
    Stop("home", "What waits for you 待办", "Home by role: due clocks first, every count a link.", "station", "/"),
    Stop(
        "submit", "Admitting a person on a phone 手机登记",
        "Photographs with advice before the page is left, marks, places and clues; nothing is lost without a network.",
        "station", "/cases/new", PHONE,
    ),
    Stop("cases", "Cases 案例", "Filters, search by characters or pinyin, export.", "station", "/cases"),
    Stop("case", "A case 案例页", "Photographs, facts with their sources, clocks.", "station", "/cases/{case}"),
    Stop(
        "examiner", "The examiner's page 比对", "Side by side, features noted first, scores sealed until the opinion.",
        "examiner1", "/candidates/{candidate}",
    ),
    Stop("review", "The review queue 复核队列", "By clock, strength and need.", "examiner1", "/review", dark=True),
    Stop("lookouts", "Lookouts 协查", "Who has gone, where seen; answered on a phone.", "liaison", "/lookouts", PHONE),
    Stop("deadlines", "Deadlines 时限", "The law's clocks in working days.", "station", "/deadlines", english=True),
    Stop("referrals", "Referrals 转介", "Under the receiving unit's own login.", "benefits", "/referrals"),
    Stop("statistics", "Statistics 统计", "The joint meeting's figures; small ones hidden.", "bureau", "/statistics"),
    Stop("audit", "Audit log 审计", "Every look is a link of one chain.", "auditor", "/audit"),
    Stop("design", "Design 组件", "Every component in every state, in the dark theme.", "admin", "/design", dark=True),
)  # fmt: skip
HEADER = """\
# A tour 导览

Made by `make tour` from the demo, with the three stories of `make story` played and the packages' sample portraits.
"""


@contextmanager
def _demo() -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """A running demo after its stories: the URL, the passwords, and the case and candidate that are in review."""
    with tempfile.TemporaryDirectory() as folder, environment(Path(folder), production=False) as settings:
        migrations.upgrade(settings)
        services = build_services(settings)
        with unit_of_work(services.db) as session:
            accounts = {account.username: account.password for account in seed_region(session, now=utc_now())}
        found = people(PHOTOS, limit=PEOPLE_LIMIT)
        names = list(found) or list(KNOWN)
        persons = dict(zip(names, invent(names), strict=True))
        with running(Path(folder) / "logs", celery=False) as installation:
            today = utc_now().astimezone(settings.zone).date()
            tell = Narrator(Console(quiet=True))
            for story in STORIES:
                story.play(Stage(installation.url, accounts, found, persons, today, tell))
            seed_records(services, PHOTOS if found else None, now=utc_now())
            yield installation.url, accounts, _in_review(installation.url, accounts)
        services.db.dispose()


def _in_review(url: str, accounts: dict[str, str]) -> dict[str, str]:
    station, examiner = (ApiUser(url, name, accounts[name]) for name in ("station", "examiner1"))
    case = station.call("GET", "/cases")["items"][0]
    station.wait_until(f"/cases/{case['id']}", lambda record: record["state"] == "in_review")
    seen = bool(station.call("GET", f"/cases/{case['id']}")["photos"])
    noted = [{"feature": key, "text": "演示"} for key in (("hairline", "ears", "chin") if seen else ("stature",))]
    basis = "facial" if seen else "non_facial"
    examiner.call("POST", f"/cases/{case['id']}/features", json={"basis": basis, "features": noted})
    candidate = examiner.call("GET", f"/cases/{case['id']}/candidates")["items"][0]
    return {"case": case["id"], "candidate": candidate["id"]}


def _photograph(browser: Browser, url: str, password: str, stop: Stop, path: str, target: Path) -> None:
    page = browser.new_page(
        viewport={"width": stop.width, "height": 900}, locale="zh-CN", color_scheme="dark" if stop.dark else "light"
    )
    page.goto(f"{url}/login")
    page.fill("[name=username]", stop.user)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{url}/")
    if stop.english:
        page.locator("button[name=locale][value=en]").click()
        page.wait_for_load_state()
    response = page.goto(f"{url}{path}")
    if response is None or response.status != 200:
        raise SystemExit(f"{stop.name}: {path} did not open")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target, type="jpeg", quality=82)
    page.close()


def take(folder: Path) -> None:
    """Every picture, and the page that shows them."""
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        raise SystemExit("No Chromium here. On Debian: apt-get install chromium fonts-noto-cjk.")
    (folder / "tour").mkdir(parents=True, exist_ok=True)
    lines = [HEADER]
    with _demo() as (url, accounts, ids), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for stop in STOPS:
            _photograph(
                browser, url, accounts[stop.user], stop, stop.path.format(**ids), folder / "tour" / f"{stop.name}.jpg"
            )
            lines.append(f"## {stop.title}\n{stop.text}\n\n![{stop.title}](tour/{stop.name}.jpg)\n")
            print(stop.name, flush=True)
        browser.close()
    (folder / "tour.md").write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
