"""The README's picture: the examiner's page of the demo, with the sample portraits, taken by a real browser.

python -m benchmarks.screenshot docs/examiner.jpg
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tracing.demo.client import ApiUser
from tracing.demo.environments import environment
from tracing.demo.processes import running
from tracing.demo.seed import seed_records, seed_region
from tracing.platform import migrations
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import build_services

PHOTOS = Path("var/demo-photos")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def take(target: Path) -> None:
    """Seed, match, open the examiner's page in Chinese and photograph it."""
    browser_path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser_path is None:
        raise SystemExit("No Chromium here. On Debian: apt-get install chromium fonts-noto-cjk.")
    with tempfile.TemporaryDirectory() as folder, environment(Path(folder), production=False) as settings:
        migrations.upgrade(settings)
        services = build_services(settings)
        with unit_of_work(services.db) as session:
            accounts = {account.username: account.password for account in seed_region(session, now=utc_now())}
        seed_records(services, PHOTOS, now=utc_now())
        with running(Path(folder) / "logs", celery=False) as installation, sync_playwright() as playwright:
            examiner = ApiUser(installation.url, "station", accounts["station"])
            case = examiner.call("GET", "/cases")["items"][0]
            examiner.wait_until(f"/cases/{case['id']}", lambda record: record["state"] == "in_review")
            photos = examiner.call("GET", f"/cases/{case['id']}")["photos"]
            keys = ("hairline", "ears", "chin") if photos else ("stature",)
            noted = [{"feature": key, "text": "演示"} for key in keys]
            basis = "facial" if photos else "non_facial"
            ApiUser(installation.url, "examiner1", accounts["examiner1"]).call(
                "POST", f"/cases/{case['id']}/features", json={"basis": basis, "features": noted}
            )
            candidate = examiner.call("GET", f"/cases/{case['id']}/candidates")["items"][0]
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="zh-CN")
            page.goto(f"{installation.url}/login")
            page.fill("[name=username]", "examiner1")
            page.fill("[name=password]", accounts["examiner1"])
            page.press("[name=password]", "Enter")
            page.wait_for_url(f"{installation.url}/")
            page.goto(f"{installation.url}/candidates/{candidate['id']}")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=target, type="jpeg", quality=88)
            browser.close()
        services.db.dispose()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
