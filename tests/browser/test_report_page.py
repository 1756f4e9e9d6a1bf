"""The report page in a real browser: readable in light and dark, on a desk and on a phone, alone and by keyboard.

Without Chromium these tests fail: a page that nobody looked at is not known to work.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from nudge.measure.page import page as render
from tests.unit.measure import reports, world

pytestmark = pytest.mark.browser

ADDRESS = "http://report.test/v1/reports/latest"
HOSTILE = (
    "</title><script>document.title='gone'</script><img src=x onerror=\"document.title='gone'\"> \u202e very_long_name"
    + "x" * 80
)


@dataclass
class Seen:
    """A page with what it asked for and what it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


type Show = Callable[..., Seen]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return reports.report(world.shop(900))


@pytest.fixture
def show(browser: Browser, report: dict[str, Any]) -> Iterator[Show]:
    contexts = []

    def open_page(shown: dict[str, Any] | None = None, *, width: int = 1280, scheme: str = "light") -> Seen:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        seen = Seen(context.new_page())
        html = render(shown or report)
        context.route("**/*", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on(
            "console", lambda said: seen.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.goto(ADDRESS, wait_until="networkidle")
        return seen

    yield open_page
    for context in contexts:
        context.close()


def named(report: dict[str, Any], name: str) -> dict[str, Any]:
    """The report with one name everywhere a plan, a file or a model may put one."""
    changed = copy.deepcopy(report)
    for goal in changed["goals"]:
        goal["goal"] = goal["event"] = name
        for activity in goal["activities"]:
            activity["activity"] = activity["channel"] = name
            activity["messages"]["reasons"] = [{"state": "skipped", "reason": name, "count": 5}]
    for model in changed["models"]:
        model |= {"goal": name, "kind": name, "version": name, "reason": name}
    changed["data_quality"]["rows"][1]["reasons"] = [{"reason": name, "count": 3}]
    return changed


def test_the_headline_is_what_one_sees_first(show: Show, report: dict[str, Any]) -> None:
    seen = show()
    headline = seen.page.locator(".big")
    assert headline.is_visible()
    box = headline.bounding_box()
    assert box is not None
    assert box["y"] < 400
    assert f"{report['total']['incremental_value']['estimate']:,.0f}" in headline.inner_text()
    assert seen.page.get_by_text("With 95 % confidence").is_visible()
    assert seen.page.get_by_text("Return on cost").first.is_visible()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("name", [None, HOSTILE])
def test_the_page_never_scrolls_sideways(show: Show, report: dict[str, Any], width: int, name: str | None) -> None:
    page = show(named(report, name) if name else report, width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [390, 1280])
def test_no_text_is_squeezed_into_a_column_of_letters(show: Show, width: int) -> None:
    narrow = """() => [...document.querySelectorAll("p,td div,th,caption,dt,dd,h2,h3,.name,.line span")]
      .filter(one => one.innerText && one.getClientRects().length && one.innerText.length > 8
                     && one.getBoundingClientRect().height > 0 && one.getBoundingClientRect().width < 40)
      .map(one => one.innerText)"""
    page = show(width=width).page
    hidden_by_design = page.evaluate("[...document.querySelectorAll('.stacked thead th')].map(one => one.innerText)")
    assert [text for text in page.evaluate(narrow) if text not in hidden_by_design] == []


def test_it_asks_nothing_of_anybody_and_complains_of_nothing(show: Show) -> None:
    seen = show()
    assert seen.requests == [ADDRESS]
    assert seen.complaints == []


def test_a_hostile_name_is_shown_and_does_nothing(show: Show, report: dict[str, Any]) -> None:
    seen = show(named(report, HOSTILE))
    assert seen.page.title().startswith("Nudge report")
    assert seen.page.evaluate("document.querySelectorAll('script, img').length") == 0
    assert seen.page.get_by_text("<script>").first.is_visible()
    assert seen.requests == [ADDRESS]
    assert seen.complaints == []


def test_every_drawing_says_in_words_what_it_shows(show: Show) -> None:
    page = show().page
    drawings = page.locator("svg[role=img]").all()
    assert len(drawings) > 20
    assert all(len(one.get_attribute("aria-label") or "") > 5 for one in drawings)
    silent = "[...document.querySelectorAll('svg')].filter(s => !s.closest('[role=img],[aria-hidden=true]')).length"
    assert page.evaluate(silent) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(show: Show, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 (large text 3 to 1), computed from what the browser paints."""
    assert show(scheme=scheme).page.evaluate(CONTRAST) == []


def test_light_and_dark_follow_the_reader(show: Show) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = (show(scheme=scheme).page.evaluate(ground) for scheme in ("light", "dark"))
    assert light == "rgb(246, 245, 241)"
    assert dark == "rgb(17, 21, 19)"


def test_headings_go_down_one_step_at_a_time(show: Show) -> None:
    levels = show().page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_it_can_be_read_by_keyboard(show: Show) -> None:
    page = show().page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the report"
    assert page.locator(".skip").is_visible()
    page.get_by_text("How to read this").focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("Chance decides who is held out").is_visible()


def test_a_warning_about_the_groups_is_on_the_first_screen(show: Show, report: dict[str, Any]) -> None:
    spoiled = copy.deepcopy(report)
    spoiled["goals"][0]["activities"][0]["sample_ratio"] |= {
        "flagged": True,
        "note": "the groups are not split as planned",
    }
    box = show(spoiled).page.get_by_text("the groups are not split as planned").bounding_box()
    assert box is not None
    assert box["y"] < 900


def test_a_report_of_nothing_says_so(show: Show) -> None:
    empty = reports.report(world.World(), truth=False) | {"models": []}
    seen = show(empty, width=390)
    assert seen.page.get_by_text("Nothing to report yet").is_visible()
    assert seen.page.evaluate("document.documentElement.scrollWidth") == 390
    assert seen.complaints == []


CONTRAST = """() => {
  const parse = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length > 3 && n[3] === 0 ? null : n.slice(0, 3); };
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const ground = one => { for (; one; one = one.parentElement) { const c = parse(getComputedStyle(one).backgroundColor); if (c) return c; }
    return [255, 255, 255]; };
  const poor = [];
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !one.getClientRects().length || one.classList.contains("skip")) continue;
    const style = getComputedStyle(one), size = parseFloat(style.fontSize);
    const ink = parse(one.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(ink), light(ground(one))].sort((x, y) => y - x);
    const need = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700) ? 3 : 4.5;
    if ((a + .05) / (b + .05) < need) poor.push([one.textContent.slice(0, 40), (a + .05) / (b + .05)]);
  }
  return poor;
}"""
