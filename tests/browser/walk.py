"""The steps of the main job, each as a person takes it on the pages; the same in every language and without scripts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, FilePayload, Page, Request, Response, expect

from models.user import Locale, User
from tests.factories.records import FAMILY

SEARCH_MILLISECONDS = 60_000
AXE_RUN = "options => axe.run(options).then(found => found.violations)"
KIN = {
    "relative": FAMILY.name, "relation": "姐姐", "documents.0.reference": "450702-0001",
    "questions.0.question": "您家里有没有人走失？", "questions.0.answer": "弟弟，去年冬天走的",
    "questions.1.question": "家里人平时怎么称呼他？", "questions.1.answer": "阿国",
}  # fmt: skip


@dataclass
class Walk:
    """One way of using the service: a window, a language, with or without scripts. `faults` gathers what went wrong."""

    browser: Browser
    url: str
    password: str
    locale: Locale
    width: int
    scripts: bool
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def signed_in(self, user: User, *, last_look: bool = True) -> Iterator[Page]:
        """A window of this user's own. Its last page is looked at, unless the caller looks at the pages itself."""
        context = self.browser.new_context(
            viewport={"width": self.width, "height": 800}, java_script_enabled=self.scripts, locale="en-GB"
        )
        page = context.new_page()
        page.on("request", self._hear_request)
        page.on("response", self._hear_response)
        page.on("console", self._hear_console)
        page.goto(f"{self.url}/login")
        page.locator("[name=username]").fill(user.username)
        page.locator("[name=password]").fill(self.password)
        page.locator("main button").click()
        # A click does not wait for the page it leads to: without this the next line may still ask the old one.
        expect(page.locator("form[action='/logout']")).to_have_count(1)
        page.wait_for_load_state()
        switch = page.locator(f"button[name=locale][value={self.locale.value}]")
        if switch.count():
            switch.click()
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans" if self.locale is Locale.ZH else "en")
        yield page
        if last_look:
            self.look(page)
        context.close()

    def _hear_request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "blob:")):
            self.faults.append(f"leaves the origin: {request.url}")

    def _hear_response(self, response: Response) -> None:
        form = response.request.resource_type == "document" or response.request.method == "POST"
        if response.status >= 400 and not (form and response.status < 500):
            self.faults.append(f"{response.status} {response.url}")

    def _hear_console(self, message: ConsoleMessage) -> None:
        # A refused form is a page with a status of its own; parts of a page that fail are heard above.
        if message.type == "error" and not message.text.startswith("Failed to load"):
            self.faults.append(message.text)

    def measure(self, page: Page) -> None:
        """Nothing hangs over the edge."""
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            self.faults.append(f"{page.url} is {wide} pixels too wide")

    def look(self, page: Page) -> None:
        """Nothing hangs over the edge, and axe finds no fault (it needs scripts)."""
        if self.scripts:
            self.measure(page)
            self._ask_axe(page)

    def look_at_contrast(self, page: Page) -> None:
        """Axe finds no fault in what a theme changes."""
        self._ask_axe(page, runOnly=["color-contrast", "link-in-text-block"])

    def _ask_axe(self, page: Page, **options: object) -> None:
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        for one in page.evaluate(AXE_RUN, {"resultTypes": ["violations"], **options}):
            self.faults.append(f"{page.url}: {one['id']} {[node['html'][:160] for node in one['nodes'][:3]]}")


def choose(page: Page, name: str, value: str) -> None:
    """A radio button, a box or a list, by its value."""
    page.locator(f"[name='{name}']").first.wait_for(state="attached")
    element = page.locator(f"select[name='{name}']")
    if element.count():
        element.select_option(value)
    else:
        page.locator(f"input[name='{name}'][value='{value}']").check()


def send(page: Page, action: str = "") -> None:
    """Send the page's main form, or the one with this address."""
    form = page.locator(f"main form[action$='{action}']" if action else "main form[method=post]").last
    form.locator("button").first.click()


def report_missing(walk: Walk, page: Page, photos: list[Path]) -> None:
    """A family's report, published with the family's details sealed."""
    page.goto(f"{walk.url}/reports/new")
    page.locator("[name='last_seen_on']").fill("2026-02-01")
    page.locator("[name='last_seen_division']").fill("思明区")
    if photos:
        page.locator("[name='photos.front']").set_input_files(photos[0])
    choose(page, "attributes.sex", "male")
    page.locator("[name='attributes.age']").fill("50")
    page.locator("[name='attributes.height']").fill("185")
    page.locator("[name='names.0.text']").fill("韦建国")
    page.locator("[name='contact.name']").fill(FAMILY.name)
    page.locator("[name='contact.telephone']").fill(FAMILY.telephone or "")
    walk.look(page)
    page.locator("button[value=publish]").click()
    expect(page.locator(".sealed")).to_be_visible()
    assert FAMILY.name not in page.content()


def interview(walk: Walk, page: Page, case_url: str) -> None:
    """Record a talk that brought one clue, and correct it."""
    page.goto(f"{case_url}/interviews")
    walk.look(page)
    choose(page, "clues.0.kind", "food")
    page.locator("[name='clues.0.text']").fill("沙茶面")
    page.locator("[name='notes']").fill("她说家里有条河")
    page.locator("form[enctype] button:not([name])").last.click()
    expect(page.locator(".items .item").first).to_contain_text("沙茶面")
    walk.look(page)
    page.locator(".item a").first.click()
    page.locator("[name='text']").fill("沙茶麵")
    walk.look(page)
    send(page, "/correct")
    expect(page.locator(".item").first).to_contain_text("沙茶麵")


def tick_off(walk: Walk, page: Page, case_url: str) -> None:
    """Tick a deadline off with its note, and look at the form that pauses another."""
    page.goto(f"{case_url}/deadlines")
    walk.look(page)
    before = page.locator(".badge.good").count()
    page.locator(".item .actions a").first.click()
    walk.look(page)
    page.locator("[name='note']").fill("已电话报告值班民警")
    send(page, "/met")
    expect(page.locator(".badge.good")).to_have_count(before + 1)
    page.locator(".item .actions a[href$='/pause']").last.click()
    expect(page.locator("[name='reason']")).to_be_visible()
    walk.look(page)


def admit(walk: Walk, page: Page, photos: list[Path]) -> str:
    """Admit a person; a height in metres is told apart first. The case's address."""
    page.goto(f"{walk.url}/cases/new")
    page.locator("[name='found_division']").fill("钦南区")
    page.locator("[name='found_place']").fill("白石湖公园东门")
    choose(page, "attributes.sex", "male")
    page.locator("[name='attributes.age.from']").fill("45")
    page.locator("[name='attributes.age.to']").fill("55")
    page.locator("[name='attributes.height']").fill("1.84")
    page.locator("[name='names.0.text']").fill("韦建国")
    page.locator("button[value=submit]").click()
    expect(page.locator("[id='e-attributes.height'] .wrong")).to_be_visible()
    expect(page.locator("[name='found_place']")).to_have_value("白石湖公园东门")
    walk.look(page)
    page.locator("[name='attributes.height']").fill("184")
    if photos:
        page.locator("[name='photos.front']").set_input_files(photos[1])
        half = FilePayload(name="half.jpg", mimeType="image/jpeg", buffer=photos[0].read_bytes()[:2000])
        page.locator("[name='photos.other']").set_input_files([half])
    page.locator("button[value=submit]").click()
    expect(page).to_have_url(re.compile(r"/cases/[0-9a-f-]{36}$"))
    if photos:
        expect(page.locator(".notice.warning").last).to_contain_text("half.jpg")
        page.goto(f"{page.url}/edit")
        walk.look(page)
        page.go_back()
        send(page, "/submit")
    return page.url


def wait_for_candidate(walk: Walk, page: Page) -> None:
    """Until the search is done: the page follows by itself, or is loaded anew where there are no scripts."""
    if walk.scripts:
        expect(page.locator(".candidate")).not_to_have_count(0, timeout=SEARCH_MILLISECONDS)
        return
    for _ in range(SEARCH_MILLISECONDS // 1000):
        if page.locator(".candidate").count():
            return
        page.wait_for_timeout(1000)
        if page.locator("[data-progress]").count():
            page.locator("[data-progress] a").click()
    raise AssertionError(f"no candidate: {page.locator('main').inner_text()[:800]}")


def judge(walk: Walk, page: Page, case_url: str) -> None:
    """From the queue to the features, to the candidate, and an opinion given before any score is seen."""
    page.goto(f"{walk.url}/review")
    page.locator("tbody a").first.click()
    expect(page).to_have_url(re.compile(re.escape(case_url)))
    expect(page.locator(".candidate")).to_have_count(0)
    page.locator("#main a[href$='/features'], main a[href$='/features']").first.click()
    fields = page.locator("form[action$='/features'] input.seen")
    for position in range(3):
        fields.nth(position).fill("中等")
    walk.look(page)
    send(page, "/features")
    page.locator(".candidate a").first.click()
    expect(page.locator(".weighing")).to_have_count(0)
    walk.look(page)
    if walk.scripts:
        page.keyboard.press("6")
    else:
        choose(page, "opinion", "supports")
    expect(page.locator("[value=supports]")).to_be_checked()
    page.locator("[name=remarks]").fill("眉弓、鼻翼、耳廓一致")
    send(page, "/opinion")
    expect(page.locator(".weighing")).to_be_visible()


def confirm(walk: Walk, page: Page, case_url: str, *, refused: bool = False) -> None:
    """Confirm by the examiners' agreement; refused while only one has given an opinion."""
    page.goto(f"{case_url}/confirmation")
    page.locator("[name=candidate_id]").first.check()
    choose(page, "method", "agreeing_reviews")
    page.locator("[name=grounds]").fill("两名比对员意见一致，户籍地派出所已核实")
    send(page, "/confirmation")
    if refused:
        expect(page.locator("#problem")).to_be_visible()
        expect(page.locator("[name=grounds]")).to_have_value("两名比对员意见一致，户籍地派出所已核实")
    else:
        expect(page).to_have_url(case_url)


def release(walk: Walk, page: Page, case_url: str) -> None:
    """The person wants contact and home is safe."""
    page.goto(f"{case_url}/recall")
    walk.look(page)
    page.goto(f"{case_url}/release")
    walk.look(page)
    choose(page, "wish", "wants_contact")
    choose(page, "danger", "no_sign")
    send(page, "/release")
    expect(page).to_have_url(case_url)


def reach_family(walk: Walk, page: Page, case_url: str) -> None:
    """The family is reached, the person goes home, the case is closed."""
    page.goto(f"{case_url}/contact")
    expect(page.locator(".opened")).to_contain_text(FAMILY.name)
    walk.look(page)
    choose(page, "channel", "local_police")
    choose(page, "result", "reached")
    page.locator("[name=note]").fill("姐姐明天来站")
    send(page, "/attempts")
    expect(page.locator(".timeline")).to_contain_text("姐姐明天来站")
    page.goto(f"{case_url}/kin")
    walk.look(page)
    for name, said in KIN.items():
        page.locator(f"[name='{name}']").fill(said)
    for row in (0, 1):
        page.locator(f"[name='questions.{row}.agrees']").check()
    choose(page, "documents.0.kind", "household_booklet")
    page.locator("[name=verified]").check()
    send(page, "/kin")
    page.goto(f"{case_url}/outcome")
    walk.look(page)
    choose(page, "kind", "reunited")
    choose(page, "route", "face")
    page.locator("[name='handover.name']").fill(FAMILY.name)
    page.locator("[name='handover.relation']").fill("姐姐")
    send(page, "/outcome")
    expect(page).to_have_url(case_url)
    choose(page, "state", "closed")
    page.locator("[name=reason]").fill("已由家属接回")
    send(page, "/move")
    expect(page.locator(".steps .current")).to_have_count(1)
    expect(page.locator(".head .badge")).to_have_text("结案" if walk.locale is Locale.ZH else "closed")
