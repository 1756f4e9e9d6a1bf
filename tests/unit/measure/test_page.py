"""The page shows what the report says and nothing that a name could smuggle in; exports compute nothing in a spreadsheet."""

from __future__ import annotations

import csv
import json
import re
from html import unescape
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nudge.measure import charts, export, privacy
from nudge.measure.markup import tag, text
from nudge.measure.page import page
from nudge.measure.words import money
from tests.unit.measure import reports, world

KNOWN = {
    "html", "head", "meta", "title", "link", "style", "body", "a", "div", "header", "main", "section", "article", "footer",
    "h1", "h2", "h3", "h4", "p", "span", "b", "br", "bdi", "code", "strong", "nav", "details", "summary", "dl", "dt", "dd",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "line", "rect", "circle", "polygon", "polyline", "text",
}  # fmt: skip


class Tags(HTMLParser):
    """What a browser would see: element names, attribute names, text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.said: list[str] = []
        self.open: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return reports.report(world.shop(400))


def poisoned(value: Any, name: str) -> Any:
    """The report with a hostile name wherever a text stands."""
    if isinstance(value, dict):
        return {key: held if key in KEPT else poisoned(held, name) for key, held in value.items()}
    if isinstance(value, list):
        return [poisoned(held, name) for held in value]
    return name if isinstance(value, str) else value


KEPT = {"generated_at", "period", "worth"}

hostile = st.text(max_size=40) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</title><svg onload=x>",
        "{{7*7}}",
        "\x00\u202e",
        "\ud800",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile)
@example("<script>")
@example("</style><script>")
@example('" onmouseover="x')
def test_a_hostile_name_is_only_text_wherever_it_stands(report: dict[str, Any], name: str) -> None:
    document = page(poisoned(report, name))
    seen = Tags(document)
    assert set(seen.elements) <= KNOWN
    assert not {attribute for attribute in seen.attributes if attribute.startswith("on")}
    assert seen.open == []
    assert "<script" not in document
    document.encode("utf-8")


def test_the_page_needs_nothing_from_anywhere(report: dict[str, Any]) -> None:
    document = page(report)
    assert not re.findall(r"https?://|url\(|@import|<script|src=", document)
    assert "default-src 'none'" in unescape(document)


def test_the_headline_is_the_incremental_value_with_its_interval(report: dict[str, Any]) -> None:
    said = "".join(Tags(page(report)).said).replace("\u2060", "")
    total = report["total"]["incremental_value"]
    assert said.index(f"€{total['estimate']:,.0f}") < said.index("Return on cost") < said.index("Purchase")
    assert f"€{abs(total['high']):,.0f}" in said


def test_every_chart_says_in_words_what_it_draws(report: dict[str, Any]) -> None:
    drawn = re.findall(r"<svg[^>]*>", page(report))
    outer = [one for one in drawn if "width=" in one]
    assert len(outer) > 20
    assert all('role="img" aria-label="' in one or 'aria-hidden="true"' in one for one in outer)


def test_the_language_and_one_first_heading_are_there(report: dict[str, Any]) -> None:
    document = page(report)
    assert '<html lang="en">' in document
    assert Tags(document).elements.count("h1") == 1


def test_a_group_that_is_not_split_as_planned_is_said_before_any_activity(report: dict[str, Any]) -> None:
    spoiled = json.loads(json.dumps(report))
    spoiled["goals"][0]["activities"][0]["sample_ratio"] |= {
        "flagged": True,
        "note": "the groups are not split as planned",
    }
    said = "".join(Tags(page(spoiled)).said)
    assert said.index("not split as planned") < said.index("Conversion")


def test_the_last_touch_count_stands_last_and_is_called_what_it_is(report: dict[str, Any]) -> None:
    said = "".join(Tags(page(report)).said)
    assert (
        said.index("Last-touch attribution, for comparison")
        > said.index("The model in force")
        > said.index("quarantine")
    )


def test_a_report_with_nothing_in_it_is_still_a_page() -> None:
    empty = page(reports.report(world.World(), truth=False) | {"models": []})
    assert "Nothing to report yet" in empty
    assert Tags(empty).open == []


def test_withheld_figures_leave_a_readable_page(report: dict[str, Any]) -> None:
    document = page(privacy.withhold(report, 10_000))
    assert Tags(document).open == []
    assert "withheld" in document


def test_which_interval_is_shown_and_when_the_other_is_right_is_said_in_words(report: dict[str, Any]) -> None:
    def said(of: dict[str, Any]) -> str:
        return "".join(Tags(page(of)).said).replace("\u2060", "")

    total, daily = report["total"]["incremental_value"], report["total"]["incremental_value"]["sequence"]
    running = said(report)
    assert f"lies between {_euro(daily['low'])} and {_euro(daily['high'])}" in running
    assert f"read it every day. The narrow one, {_euro(total['low'])} to {_euro(total['high'])}" in running
    over = json.loads(json.dumps(report))
    over["total"]["reading"]["interval"] = "fixed"
    assert f"lies between {_euro(total['low'])} and {_euro(total['high'])}" in said(over)
    assert "It has ended on the day the plan said" in said(over)


def _euro(value: float) -> str:
    return money(value, "EUR", signed=True)


def test_every_section_of_the_contents_is_there_and_has_its_place() -> None:
    document = page(reports.report(world.shop(1500)))
    places = re.findall(r'<a href="#(\w+)">', document)
    assert places == ["campaigns", "activities", "segments", "customers", "forecasts", "costs", "data", "models"]
    assert [place for place in places if document.count(f'id="{place}"') != 1] == []


def test_days_still_maturing_reasons_and_the_arithmetic_of_costs_are_on_the_page(report: dict[str, Any]) -> None:
    said = "".join(Tags(page(report)).said)
    for words in (
        "days are still maturing",
        "another activity was chosen",
        "not in the audience",
        "Activities against each other",
        "Last touch would say",
        "measured 2026-11-22, benchmarks/speed/decide_warm",
        "expected in the next 14 days",
        "Champions",
    ):
        assert words in said, words


def test_a_report_of_an_older_version_still_has_a_page(report: dict[str, Any]) -> None:
    new = {"campaigns", "segments", "customers", "forecasts", "costs"}
    old = json.loads(json.dumps({name: value for name, value in report.items() if name not in new}))
    for goal in old["goals"]:
        del goal["contrasts"]
        for one in goal["activities"]:
            for name in ("reach", "days", "course", "reading"):
                del one[name]
            for figure in (one["incremental_value"], one["incremental_conversions"], one["roi"]):
                del figure["sequence"]
    assert Tags(page(old)).open == []


@given(st.text())
def test_escaped_text_holds_no_markup(value: str) -> None:
    assert not set(text(value)) & set("<>\"'")
    text(value).encode("utf-8")


def test_attributes_are_escaped_too() -> None:
    assert tag("p", title='"><b>', hidden=True, lang=None) == '<p title="&quot;&gt;&lt;b&gt;" hidden></p>'


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=6))
def test_every_value_and_zero_lie_within_the_drawing(values: list[float]) -> None:
    of = charts.domain(values)
    assert all(0 < charts.place(value, of) < 100 for value in (0.0, *values))
    marks = charts.ticks(of)
    assert 0 in marks
    assert len(marks) <= 12


@given(
    st.text(max_size=30) | st.sampled_from(["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
)
def test_no_text_cell_of_the_export_is_taken_for_a_formula(name: str) -> None:
    cell = export.cell(name)
    assert not cell.lstrip(" \u00a0").startswith(export.FORMULA)


def test_the_export_has_a_row_an_activity_and_numbers_stay_numbers(report: dict[str, Any]) -> None:
    rows = list(csv.DictReader(StringIO(export.to_csv(report))))
    assert [row["activity"] for row in rows] == list(world.PLAN["activities"])
    first = report["goals"][0]["activities"][0]
    assert float(rows[0]["incremental_value_low"]) == first["incremental_value"]["low"]
    assert float(rows[0]["true_incremental_value"]) == first["truth"]["incremental_value"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(2, 60))
def test_no_count_shown_is_below_the_smallest_group(report: dict[str, Any], smallest: int) -> None:
    body = privacy.withhold(report, smallest)

    def counts(value: Any) -> list[int]:
        if isinstance(value, dict):
            return [n for held in value.values() for n in counts(held)]
        if isinstance(value, list):
            return [n for held in value for n in counts(held)]
        return [value] if isinstance(value, int) and not isinstance(value, bool) else []

    parts = ("people", "decisions", "messages", "conversions", "attribution", "reach", "days")
    shown = [one for goal in body["goals"] for one in goal["activities"]]
    shown += [one for campaign in body["campaigns"] for one in (campaign, *campaign["activities"])]
    for one in shown:
        for part in parts:
            assert not [n for n in counts(one.get(part)) if 0 < n < smallest]
    for part in (body["segments"], body["customers"], *(goal["contrasts"] for goal in body["goals"])):
        assert not [n for n in people(part) if 0 < n < smallest]


def people(value: Any) -> list[int]:
    """Every count of people in a table of cells."""
    if isinstance(value, list):
        return [n for held in value for n in people(held)]
    if not isinstance(value, dict):
        return []
    own = [value.get("people"), *(value["people"].values() if isinstance(value.get("people"), dict) else ())]
    own += list(value.get("ends", {}).values())
    return [n for n in own if isinstance(n, int)] + [n for held in value.values() for n in people(held)]
