"""Who acts in a story: people at the pages, who find everything by the words on it, in whatever language."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

from api.messages import translate
from api.web.rendering import Words
from models.user import Locale, User
from tests.browser.conftest import Site, StoryClock
from tests.browser.walk import Walk
from tracing.platform.errors import TracingError

IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
UNTRANSLATED = re.compile(r"[A-Za-z][a-z’']*(?:,? [A-Za-z][a-z’']+){2,}")
"""Three English words in a row: no name, no unit, no user name."""


@dataclass(frozen=True)
class Actor:
    """One signed-in user's window. `scope` is the part of the page that is looked at, the main part by default.

    `looked_at`: the kinds of pages that need no second look.
    """

    walk: Walk
    page: Page
    words: Words
    clock: StoryClock
    looked_at: set[str]
    scope: Locator

    def say(self, msgid: str, **params: object) -> str:
        """A sentence of the pages in this user's language."""
        return self.words.text(msgid, **params)

    def moment(self, **later: float) -> str:
        """What is typed for a moment that much later than now (negative: earlier)."""
        at = self.clock().astimezone(self.words.zone) + timedelta(**later)
        return f"{at:%Y-%m-%dT%H:%M}"

    def day(self) -> str:
        """What is typed for today."""
        return self.moment()[:10]

    # Where to look

    def within(self, msgid: str, **params: object) -> "Actor":
        """The innermost part of the page under this heading."""
        heading = self.page.get_by_role("heading", name=self.say(msgid, **params), exact=True)
        found = self.scope.locator("section, form").filter(has=heading)
        return replace(self, scope=found.last)

    def group(self, msgid: str, **params: object) -> "Actor":
        """The fields that belong together under this name."""
        return replace(self, scope=self.scope.get_by_role("group", name=self.say(msgid, **params), exact=True))

    def item(self, text: str) -> "Actor":
        """The entry of a list that has this text."""
        return replace(self, scope=self.scope.locator("li.item, tr, li").filter(has_text=text).last)

    def listed(self, msgid: str) -> "Actor":
        """The part of the page that is named for screen readers alone: most lists."""
        return replace(self, scope=self.scope.get_by_role("region", name=self.say(msgid), exact=True))

    # Going somewhere

    def home(self) -> "Actor":
        """To the first page, by the sign at the top of every page."""
        self._go(self.page.locator("header a.brand"))
        return self

    def enter(self, msgid: str) -> "Actor":
        """Into one of the rooms that the navigation offers, whatever menu it is under."""
        rooms = self.page.get_by_role("navigation", name=self.say("Main"), exact=True)
        link = rooms.get_by_role("link", name=self.say(msgid), exact=True)
        menu = self.page.locator("header details.narrow-only > summary")
        if menu.is_visible():
            menu.click()
        elif not link.is_visible():
            rooms.locator("summary").click()
        self._go(link)
        return self

    def has_no_room(self, msgid: str) -> None:
        """The navigation of this user does not offer it at all."""
        rooms = self.page.locator("header nav").first
        expect(rooms.locator("a").filter(has_text=re.compile(f"^{re.escape(self.say(msgid))}$"))).to_have_count(0)

    def read_inbox(self, text: str) -> "Actor":
        """Open the newest notification that says this."""
        self._go(self.page.locator("header a.inbox"))
        self._go(self.scope.get_by_role("link", name=text, exact=True).first)
        return self

    def follow(self, msgid: str, **params: object) -> "Actor":
        """Follow the link with these words, the first one of several."""
        self._go(self.scope.get_by_role("link", name=self._named(self.say(msgid, **params))).first)
        return self

    def open(self, text: str) -> "Actor":
        """Follow the first link with a record's number or text."""
        self._go(self.scope.get_by_role("link", name=text).first)
        return self

    def press(self, msgid: str, **params: object) -> "Actor":
        """Press the button with these words; the page that answers is there when this returns."""
        self._go(self.scope.get_by_role("button", name=self._named(self.say(msgid, **params))))
        return self

    def unfold(self, msgid: str) -> "Actor":
        """Open what is behind this line."""
        self.scope.locator("summary").filter(has_text=self.say(msgid)).first.click()
        return self

    def begin(self, number: str) -> "Actor":
        """Begin the review of this case, from the queue; the service may have given it to this examiner already."""
        row = self.item(number)
        given = row.scope.get_by_role("link", name=self._named(self.say("Begin")))
        return row.follow("Begin") if given.count() else row.press("Take and begin")

    # Filling in

    def write(self, msgid: str, value: str, **params: object) -> "Actor":
        """Fill the field with this label."""
        self.scope.get_by_label(self.say(msgid, **params), exact=True).fill(value)
        return self

    def choose(self, msgid: str, choice: StrEnum | str) -> "Actor":
        """Choose from the list with this label: a member by what it is called, or what the list says."""
        self._list(msgid).select_option(label=self._called(choice))
        return self

    def offers(self, msgid: str, choice: StrEnum | str) -> bool:
        """Whether the list with this label has such a line."""
        lines = self._list(msgid).locator("option").all_inner_texts()
        return self._called(choice) in [line.strip() for line in lines]

    def answer(self, msgid: str, choice: StrEnum) -> "Actor":
        """Answer the question by the button of that name; what explains an answer may stand behind its name."""
        asked = self.scope.get_by_role("group", name=self.say(msgid), exact=True)
        called = self._called(choice)
        exact = asked.get_by_role("radio", name=called, exact=True)
        (exact if exact.count() else asked.get_by_role("radio", name=re.compile(f"^{re.escape(called)}"))).check()
        return self

    def tick(self, choice: StrEnum | str) -> "Actor":
        """Tick the box with this label."""
        self.scope.get_by_role("checkbox", name=self._called(choice), exact=True).check()
        return self

    def put(self, msgid: str, files: Sequence[Path | FilePayload]) -> "Actor":
        """Choose files in the field with this label."""
        field = self.scope.get_by_label(self._named(self.say(msgid))).first
        paths = [one for one in files if isinstance(one, Path)]
        field.set_input_files(paths if paths else [one for one in files if not isinstance(one, Path)])
        return self

    def line(self, msgid: str, text: str) -> str:
        """The line of the list with this label that has this text in it."""
        lines = self._list(msgid).locator("option").all_inner_texts()
        return next(line.strip() for line in lines if text in line)

    # Reading

    def reads(self, *texts: str) -> "Actor":
        """The page says all of this."""
        for text in texts:
            expect(self.scope).to_contain_text(text)
        return self

    def reads_words(self, msgid: str, **params: object) -> "Actor":
        """The page says this sentence of its own."""
        return self.reads(self.say(msgid, **params))

    def reads_label(self, *members: StrEnum) -> "Actor":
        """The page says what these are called."""
        return self.reads(*(self.words.label(member) for member in members))

    def lacks(self, *texts: str) -> "Actor":
        """The page says nothing of this."""
        for text in texts:
            expect(self.scope).not_to_contain_text(text)
        return self

    def cannot(self, msgid: str) -> "Actor":
        """There is neither button nor link with these words."""
        for role in ("button", "link"):
            found = self.scope.locator("a, button").filter(has_text=re.compile(f"^{re.escape(self.say(msgid))}$"))
            expect(found, f"{role} {msgid}").to_have_count(0)
        return self

    def refused(self, error: type[TracingError]) -> "Actor":
        """The page says that the last thing was refused, and why."""
        said = re.split(r"\{\w+\}", translate(self.words.locale, error.message))
        for part in said:
            expect(self.page.locator("#problem")).to_contain_text(part.strip())
        return self

    def needs(self, msgid: str) -> "Actor":
        """The browser itself does not send the form while the field with this label is empty."""
        field = self.scope.get_by_label(self.say(msgid), exact=True)
        expect(field).to_have_attribute("required", "")
        return self

    def shows(self, description: str) -> "Actor":
        """A picture with this description is there, and its data came."""
        picture = self.scope.get_by_role("img", name=description, exact=True)
        expect(picture).to_be_visible()
        assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
        return self

    def number(self) -> str:
        """The number in the heading: what people call the record by."""
        return self.scope.locator("h1.number").inner_text()

    def case_number(self) -> str:
        """The number of the case to which the page belongs: the first of the way back at its head."""
        return self.scope.locator(".crumb a").first.inner_text()

    def state(self, member: StrEnum) -> "Actor":
        """The state of the record in the heading, waited for: background work may bring it about."""
        expect(self.page.locator(".head .badge").first).to_have_text(self.words.label(member), timeout=60_000)
        return self

    # How it is done

    def _called(self, choice: StrEnum | str) -> str:
        return self.words.label(choice) if isinstance(choice, StrEnum) else self.say(choice)

    def _list(self, msgid: str) -> Locator:
        return self.scope.get_by_label(self.say(msgid), exact=True).and_(self.page.locator("select"))

    @staticmethod
    def _named(text: str) -> re.Pattern[str]:
        # What is said to screen readers alone follows the words that are seen.
        return re.compile(rf"^{re.escape(text)}(\s*·.*)?$")

    def _go(self, to: Locator) -> None:
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            to.click()
        self._arrive()

    def _arrive(self) -> None:
        """Nothing hangs over the edge or is left in English; axe looks at each kind of page once."""
        self.walk.measure(self.page)
        where = IDENTIFIER.sub("-", self.page.url.removeprefix(self.walk.url)).partition("?")[0]
        if self.walk.locale is Locale.ZH:
            text = self.page.locator("body").inner_text()
            self.walk.faults.extend(f"{where} is not in Chinese: {one}" for one in UNTRANSLATED.findall(text))
        if where not in self.looked_at:  # axe takes longer than the page
            self.looked_at.add(where)
            self.walk.look(self.page)


@dataclass
class Cast:
    """The people of one story; each signs in when first wanted, and again when a day has passed."""

    site: Site
    walk: Walk
    looked_at: set[str]
    _stack: ExitStack = field(default_factory=ExitStack)
    _actors: dict[str, Actor] = field(default_factory=dict)

    def __call__(self, user: User) -> Actor:
        """The user: at the first page after signing in, later wherever the last step led."""
        if user.username in self._actors:
            return self._actors[user.username]
        page = self._stack.enter_context(self.walk.signed_in(user, last_look=False))
        words = Words(self.walk.locale, self.site.zone)
        made = Actor(self.walk, page, words, self.site.clock, self.looked_at, page.locator("main"))
        self._actors[user.username] = made
        return made

    def later(self, **time: float) -> None:
        """Time passes; sessions do not outlast a night."""
        self.leave()
        self.site.clock.ahead += timedelta(**time)

    def leave(self) -> None:
        """Everybody goes home."""
        self._actors.clear()
        self._stack.close()
