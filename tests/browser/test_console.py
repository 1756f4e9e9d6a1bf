"""The console in a real browser: every view, both languages, light and dark, on a phone and on a desk, by keyboard, and by axe.

Without Chromium these tests fail: a page that nobody looked at is not known to work.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from functions.console import handler as door
from tests.browser import console_shop as shop
from tests.unit.measure import reports, world

pytestmark = pytest.mark.browser

ORIGIN = "https://nudge.test"
ADDRESS = f"{ORIGIN}/console"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
VIEWS = {
    "overview": "#/overview",
    "campaigns": "#/campaigns",
    "a campaign": "#/campaigns/campaign/spring",
    "an activity": "#/campaigns/activity/purchase/discount_mail",
    "asking for a person": "#/people",
    "a person": f"#/people/{shop.PERSON}",
    "models": "#/models",
    "a model": "#/models/purchase",
    "data": "#/data",
}
HOSTILE = (
    "<script>document.title='gone'</script><img src=x onerror=\"document.title='gone'\"> \u202e very_long_name"
    + "x" * 80
)
TIME = world.NOW.replace(hour=9)
"""When the page is looked at: three hours after its report was made."""


@dataclass
class Seen:
    """A page with what it asked for and what it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, view: str) -> Page:
        """Another view of the same page, when all of it is there."""
        self.page.evaluate("to => { location.hash = to }", view)
        self.page.wait_for_load_state("networkidle")
        expect(self.page.locator("#main h1")).to_be_visible()
        expect(self.page.locator(".loading")).to_have_count(0)
        return self.page


type Show = Callable[..., Seen]


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    told = {"CONSOLE_LOGIN": "none", "CONSOLE_CLIENT_ID": "none", "CONSOLE_SCOPE": "nudge/api"}
    for name, value in {**told, "PROFILES_TABLE": "p", "LEDGER_TABLE": "l"}.items():
        monkeypatch.setenv(name, value)
    door.here.cache_clear()
    yield
    door.here.cache_clear()


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    contexts: list[BrowserContext] = []

    def open_page(
        shown: dict[str, Any] | None = None,
        *,
        view: str = "#/overview",
        width: int = 1280,
        scheme: str = "light",
        language: str = "en-GB",
        signed_in: bool = True,
        elsewhere: Callable[[Route], None] | None = None,
    ) -> Seen:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale=language)  # type: ignore[arg-type]
        contexts.append(context)
        context.clock.set_fixed_time(TIME)
        context.route("**/*", lambda route: _answered(route, shown, elsewhere))
        if signed_in:
            context.add_init_script(f"sessionStorage.setItem('nudge.token', '{shop.TOKEN}')")
        seen = Seen(context.new_page())
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on(
            "console", lambda said: seen.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.goto(ADDRESS + view, wait_until="networkidle")
        return seen

    yield open_page
    for context in contexts:
        context.close()


def _answered(route: Route, shown: dict[str, Any] | None, elsewhere: Callable[[Route], None] | None) -> None:
    if not route.request.url.startswith(ORIGIN):
        assert elsewhere is not None, route.request.url
        elsewhere(route)
        return
    headers = {name.lower(): value for name, value in route.request.headers.items()}
    status, said, body = shop.answer(route.request.url, headers, shown)
    route.fulfill(status=status, headers=said, body=body)


def violations(page: Page) -> list[str]:
    """What axe-core finds serious or critical, with where."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_axe_is_awake(show: Show) -> None:
    page = show().page
    page.evaluate(
        "document.querySelector('.card').insertAdjacentElement('afterbegin', document.createElement('input'))"
    )
    page.evaluate("document.querySelector('.lead').style.color = '#ddd'")
    found = " ".join(violations(page))
    assert "color-contrast" in found
    assert "label" in found


def named(name: str) -> dict[str, Any]:
    """The report with one name everywhere a plan, a file or a model may put one."""
    changed = copy.deepcopy(shop.report())
    for goal in changed["goals"]:
        goal["goal"] = goal["event"] = name
        for activity in goal["activities"]:
            activity["activity"] = activity["channel"] = name
    for campaign in changed["campaigns"]:
        campaign["campaign"] = name
        campaign["reach"]["reasons"] = [{"end": "open", "reason": name, "people": 4}]
    for model in changed["models"]:
        model |= {"goal": name, "kind": name, "reason": name}
    for one in changed["data_quality"]["files"]:
        one["key"] = name
    return changed


# ── it is there, and it is right ─────────────────────────────────────────────────────────────────────────────────────────
def test_every_view_is_reached_by_its_link_and_nothing_is_complained_of(show: Show) -> None:
    seen = show()
    for name in ("Campaigns", "Person", "Models", "Data", "Overview"):
        seen.page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(seen.page.locator("#main h1")).to_have_text(name)
        expect(seen.page.get_by_role("navigation").locator("[aria-current=page]")).to_have_text(name)
        assert seen.page.title() == f"{name} · Nudge"
    for view in VIEWS.values():
        seen.go(view)
    assert seen.complaints == []
    assert {url for url in seen.requests if not url.startswith(ORIGIN)} == set()


def test_the_overview_says_what_the_report_says(show: Show) -> None:
    page, told = show().page, shop.report()
    total = told["total"]["incremental_value"]
    assert page.locator(".big").inner_text() == f"+€{total['estimate']:,.0f}"
    words = page.locator(".big + p").inner_text().replace("\u2060", "")
    assert words == (
        "Not distinguishable from no effect. With 95 % confidence it lies between "
        f"−€{-total['sequence']['low']:,.0f} and +€{total['sequence']['high']:,.0f}."
    )
    rows = page.locator(".forest-row:not(.foot)")
    each = [one for goal in told["goals"] for one in goal["activities"]]
    assert rows.count() == len(each)
    for at, one in enumerate(each):
        said = rows.nth(at).inner_text()
        assert one["activity"].replace("_", " ").capitalize() in said
        assert "true €" in said or "true +€" in said
    course = told["course"][-1]
    assert course["estimate"] == total["estimate"]
    assert f"now +€{course['estimate']:,.0f}" in (page.locator("svg.plot").first.get_attribute("aria-label") or "")


def test_what_wants_attention_stands_first_and_leads_there(show: Show) -> None:
    page = show().page
    alerts = page.get_by_role("region", name="Alerts")
    box = alerts.bounding_box()
    assert box is not None
    assert box["y"] < 200
    assert "4 messages have an unknown end." in alerts.inner_text()
    alerts.get_by_role("link", name="Look at Purchase has drifted.").click()
    expect(page.locator(".crumb b")).to_have_text("Purchase")


def test_a_calm_shop_is_called_calm(show: Show) -> None:
    calm = copy.deepcopy(shop.report())
    calm["models"], calm["forecasts"] = [], []
    for goal in calm["goals"]:
        for one in goal["activities"]:
            one["messages"] |= {"unknown": 0, "bounced": 0}
    page = show(calm).page
    expect(page.get_by_role("region", name="Alerts")).to_have_count(0)
    expect(page.get_by_text("Groups are split as planned")).to_be_visible()


def test_a_campaign_shows_reach_reasons_states_and_days_that_still_mature(show: Show) -> None:
    seen = show(view="#/campaigns")
    page, told = seen.page, shop.report()["campaigns"][0]
    page.get_by_role("link", name="Spring").click()
    text = page.locator("#main").inner_text()
    for word in (
        "People reached, and why not the others",
        "held out, to compare with",
        "Conversions gained",
        "Last touch",
    ):
        assert word in text
    assert str(told["reach"]["reached"]) in text
    assert "days are still maturing" in text
    assert page.locator(".fill.pale").count() > 3
    page.get_by_role("link", name="Discount mail").click()
    expect(page.get_by_role("heading", name="Day by day")).to_be_visible()


def test_a_persons_timeline_says_why_and_what_came_of_it(show: Show) -> None:
    page = show(view="#/people").page
    page.get_by_label("Person (user id)").fill(shop.PERSON)
    page.keyboard.press("Enter")
    story = page.locator(".story").first
    expect(story.get_by_text("Purchase", exact=True)).to_be_visible()
    expect(story.get_by_text("Nothing, instead of Reminder mail")).to_be_visible()
    expect(story.get_by_text("with an unknown end")).to_be_visible()
    expect(story.get_by_text("Email click")).to_be_visible()
    story.get_by_text("Why?").first.click()
    why = story.locator(".why").first
    for word in (
        "€5.20",
        "31 % likely, drawn 72 % of the time",
        "contacted enough that week",
        "days_since.purchase",
        "+0.62",
    ):
        expect(why).to_contain_text(word)
    expect(page.get_by_text("not shown", exact=True)).to_have_count(2)
    assert "customer.example" not in page.content()
    page.get_by_role("button", name="Show earlier decisions").click()
    expect(page.get_by_role("button", name="Show earlier decisions")).to_be_hidden()


def test_nobody_is_said_to_be_nobody(show: Show) -> None:
    page = show(view="#/people/nobody").page
    expect(page.get_by_role("alert")).to_have_text("Nobody is known by this id.")


def test_a_model_shows_its_calibration_in_words_and_in_a_table(show: Show) -> None:
    page = show(view="#/models/purchase").page
    drawn = page.locator("svg.calibration")
    assert "2\u00a0% said, 1.8\u00a0% came" in (drawn.get_attribute("aria-label") or "")
    assert drawn.locator("circle").count() == 10
    expect(page.get_by_text("Gates: 2 of 3 passed")).to_be_visible()
    expect(page.get_by_text("124 %")).to_be_visible()


def test_data_accounts_for_every_row_kind_by_kind_and_file_by_file(show: Show) -> None:
    page = show(view="#/data").page
    expect(page.get_by_role("heading", name="Events")).to_be_visible()
    expect(page.get_by_text("184,230 rows")).to_be_visible()
    rows = page.locator("table.rows tbody tr")
    assert rows.first.locator("th").inner_text() == "inbox/events/2026-04-05.csv.gz"
    assert "Bad time 1,200" in rows.nth(1).inner_text()


def test_a_report_of_nothing_says_so_in_every_view(show: Show) -> None:
    empty = reports.report(world.World(), truth=False) | {"models": [], "forecasts": []}
    seen = show(empty, width=390)
    expect(seen.page.get_by_text("Nothing to report yet")).to_be_visible()
    for view in VIEWS.values():
        seen.go(view)
        assert seen.page.evaluate("document.documentElement.scrollWidth") == 390
    assert seen.complaints == []


def test_the_report_itself_is_taken_home_in_the_readers_language(show: Show) -> None:
    page = show(language="zh-CN").page
    with page.expect_download() as started:
        page.get_by_role("button", name="下载报告").click()
    assert started.value.suggested_filename == "nudge-report.html"
    assert '<html lang="zh-Hans">' in Path(started.value.path()).read_text(encoding="utf-8")


# ── for everybody ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("language", "tag"), [("en-GB", "en"), ("zh-CN", "zh-Hans")])
@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(246, 245, 241)"), ("dark", "rgb(17, 21, 19)")])
def test_axe_finds_nothing_serious_and_a_phone_never_scrolls_sideways(
    show: Show, language: str, tag: str, scheme: str, ground: str
) -> None:
    seen = show(width=360, scheme=scheme, language=language)
    assert seen.page.evaluate("document.documentElement.lang") == tag
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
    for name, view in VIEWS.items():
        page = seen.go(view)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") == 360, name
        assert violations(page) == [], name
    assert seen.complaints == []


@pytest.mark.parametrize("width", [768, 1280])
def test_axe_finds_nothing_serious_on_a_desk(show: Show, width: int) -> None:
    seen = show(width=width)
    for name, view in VIEWS.items():
        page = seen.go(view)
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
        assert violations(page) == [], name


def test_a_hostile_name_is_shown_and_does_nothing(show: Show) -> None:
    seen = show(named(HOSTILE), width=360)
    for view in ("#/overview", "#/campaigns", "#/models", "#/data"):
        page = seen.go(view)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, view
        assert page.evaluate("document.querySelectorAll('main script, main img').length") == 0
        assert "Nudge" in page.title()
    assert seen.complaints == []


def test_in_chinese_no_sentence_is_left_in_english(show: Show) -> None:
    seen = show(language="zh-CN")
    expect(seen.page.locator("#main h1")).to_have_text("总览")
    data = json.dumps([shop.report(), shop.timeline()(shop.PERSON), shop.events()])
    told = data.replace("_", " ").lower()  # names and reasons of the data stay as their makers wrote them
    for name, view in VIEWS.items():
        text = seen.go(view).locator("body").inner_text()
        english = [one for one in re.findall(r"[A-Za-z][a-z]+(?: [a-z]+){2,}", text) if one.lower() not in told]
        assert english == [], name


def test_language_and_colours_are_chosen_by_the_reader_and_remembered(show: Show) -> None:
    page = show().page
    page.get_by_label("Language").select_option("zh")
    expect(page.locator("#main h1")).to_have_text("总览")
    page.get_by_label("颜色").select_option("dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 21, 19)"
    page.reload(wait_until="networkidle")
    expect(page.locator("#main h1")).to_have_text("总览")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 21, 19)"


def test_it_can_be_used_by_keyboard_alone(show: Show) -> None:
    page = show().page
    focused = "document.activeElement.innerText"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.reload(wait_until="networkidle")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Campaigns"
    page.keyboard.press("Enter")
    expect(page.locator("#main h1")).to_have_text("Campaigns")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Spring"
    page.keyboard.press("Enter")
    expect(page.locator(".crumb b")).to_have_text("Spring")
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details[open] table")).to_be_visible()


def test_every_drawing_says_in_words_what_it_shows(show: Show) -> None:
    seen = show()
    for view in VIEWS.values():
        page = seen.go(view)
        silent = "[...document.querySelectorAll('svg')].filter(s => !s.closest('[role=img],[aria-hidden=true]')).length"
        assert page.evaluate(silent) == 0
        labels = page.locator("svg[role=img]").evaluate_all(
            "all => all.map(one => one.getAttribute('aria-label') || '')"
        )
        assert all(len(one) > 4 for one in labels), view


def test_headings_go_down_one_step_at_a_time(show: Show) -> None:
    seen = show()
    for view in VIEWS.values():
        levels = seen.go(view).evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
        assert levels[0] == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), view


# ── who may see it ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_without_a_token_there_is_a_form_and_no_data_is_asked_for(show: Show) -> None:
    seen = show(signed_in=False)
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert not [url for url in seen.requests if "/v1/" in url]
    assert violations(seen.page) == []
    seen.page.get_by_label("Access token").fill("wrong")
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("alert")).to_contain_text("not valid")
    seen.page.get_by_label("Access token").fill(f"Bearer {shop.TOKEN}")
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("#main h1")).to_have_text("Overview")
    assert all(shop.TOKEN not in url for url in seen.requests)
    assert shop.TOKEN not in seen.page.evaluate("JSON.stringify(localStorage) + document.cookie + location.href")
    seen.page.get_by_role("button", name="Sign out").click()
    expect(seen.page.get_by_label("Access token")).to_be_visible()
    assert seen.page.evaluate("JSON.stringify(sessionStorage)").find(shop.TOKEN) == -1


def test_people_sign_in_with_their_account_by_a_code_that_only_this_page_can_redeem(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_LOGIN", "https://login.test")
    monkeypatch.setenv("CONSOLE_CLIENT_ID", "c1")
    asked: dict[str, str] = {}

    def login(route: Route) -> None:
        """An authorization server that gives one code, and redeems it for the verifier of its challenge (RFC 7636)."""
        import base64
        import hashlib
        from urllib.parse import parse_qsl, urlsplit

        parts = urlsplit(route.request.url)
        if parts.path == "/oauth2/authorize":
            asked.update(parse_qsl(parts.query))
            back = f"{asked['redirect_uri']}?code=one-code&state={asked['state']}"
            route.fulfill(status=302, headers={"Location": back})
            return
        given = dict(parse_qsl(route.request.post_data or ""))
        proof = base64.urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest()).decode().rstrip("=")
        known = (given["code"], proof, given["client_id"]) == ("one-code", asked["code_challenge"], "c1")
        token = {"access_token": shop.TOKEN} if known else {}
        allowed = {"Access-Control-Allow-Origin": ORIGIN, "Content-Type": "application/json"}
        route.fulfill(status=200 if known else 400, headers=allowed, body=json.dumps(token))

    seen = show(signed_in=False, view="#/models", elsewhere=login)
    seen.page.get_by_role("button", name="Sign in with your account").click()
    expect(seen.page.locator("#main h1")).to_have_text("Models")
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == ("code", "S256", "nudge/api")
    assert asked["redirect_uri"] == ADDRESS
    assert "code=" not in seen.page.url
    assert seen.complaints == []


def test_a_code_that_this_page_did_not_ask_for_is_not_redeemed(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_LOGIN", "https://login.test")
    monkeypatch.setenv("CONSOLE_CLIENT_ID", "c1")
    seen = show(signed_in=False, view="?code=planted&state=planted")
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "code=" not in seen.page.url


def test_the_page_that_loads_from_elsewhere_or_has_a_script_inside_is_stopped_by_its_own_policy(show: Show) -> None:
    page = show().page
    page.evaluate("""() => { const one = document.createElement('script'); one.textContent = 'document.title = "gone"';
      document.body.append(one); const two = document.createElement('img'); two.src = 'https://elsewhere.test/x.png';
      document.body.append(two); }""")
    assert page.title() == "Overview · Nudge"
