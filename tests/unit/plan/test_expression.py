"""Audiences as text: what they mean, what is said about mistakes, and that reading undoes writing."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.errors import BadInput
from nudge.plan.expression import DEEPEST, LONGEST, parse, written
from nudge.vocabulary import Asked, Combined, Expression
from tests.unit.plan.trees import FLAGS, NAMES, NUMBERS, TEXTS, same, trees

ORDERS = Asked(">=", "count.purchase.30d", 2.0)
CHURN = Asked(">", "predicted.churn", 0.6)
COUNTRY = Asked("in", "trait.country", ("DE", "AT"))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("orders_30d >= 2 and churn > 0.6 and country in [DE, AT]", Combined("and", (ORDERS, CHURN, COUNTRY))),
        ("orders_30d>=2 AND churn>60%", Combined("and", (ORDERS, CHURN))),
        ("count.purchase.30d ≥ 2", ORDERS),
        (
            "orders_30d >= 2 or churn > 0.6 and country in [DE, AT]",
            Combined("or", (ORDERS, Combined("and", (CHURN, COUNTRY)))),
        ),
        (
            "(orders_30d >= 2 or churn > 0.6) and country in [DE, AT]",
            Combined("and", (Combined("or", (ORDERS, CHURN)), COUNTRY)),
        ),
        ("not churn > 0.6 and orders_30d >= 2", Combined("and", (Combined("not", (CHURN,)), ORDERS))),
        ("not (churn > 0.6)", Combined("not", (CHURN,))),
        ("country not in [DE, AT]", Combined("not", (COUNTRY,))),
        ("country is known", Asked("known", "trait.country")),
        ("trait.country is not known", Combined("not", (Asked("known", "trait.country"),))),
        ("has consent(email)", Asked("has", "consent.email")),
        ("not reachable(sms)", Combined("not", (Asked("has", "reachable.sms"),))),
        ("country == DE", Asked("=", "trait.country", "DE")),
        ("country != 'D\\'E'", Asked("!=", "trait.country", "D'E")),
        ('city = "Bad \\"Tölz\\" \\\\"', Asked("=", "trait.city", 'Bad "Tölz" \\')),
        ("country in [IN, NO, OR]", Asked("in", "trait.country", ("IN", "NO", "OR"))),
        ("vip = true", Asked("=", "trait.vip", True)),
        ('vip = "true"', Asked("=", "trait.vip", "true")),
        ("renewal <= 2026-12-01", Asked("<=", "trait.renewal", date(2026, 12, 1))),
        ("balance < -1.5e2", Asked("<", "trait.balance", -150.0)),
        ("`category.Home & Garden.share` > .5", Asked(">", "category.Home & Garden.share", 0.5)),
        ("`and` = 1", Asked("=", "trait.and", 1.0)),
        ("language = en-GB", Asked("=", "trait.language", "en-GB")),
    ],
)
def test_what_is_written_is_what_is_meant(text: str, tree: Expression) -> None:
    assert same(parse(text, NAMES.whole), tree)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "column 1: the text ends where a name is expected"),
        ("orders_30d >=", "column 14: the text ends where a value is expected"),
        ("orders_30d > = 2", "column 14 (here: = 2): a value is expected"),
        ("orders_30d => 2", "column 12 (here: => 2): a comparison (=, !=, <, <=, >, >=, in, is known) is expected; write >="),
        ("churn > 0.6 && vip = true", "column 13 (here: && vip = true): 'and', 'or' or the end is expected; write and"),
        ("churn > 0.6 vip = true", "column 13 (here: vip = true): 'and', 'or' or the end is expected"),
        ("(churn > 0.6", "column 13: the text ends where a closing ')' is expected"),
        ("churn between 1 and 2", "write: x >= 1 and x <= 3"),
        ("country in DE", "a list such as [DE, AT] is expected"),
        ("country in []", "a value is expected"),
        ("country in [DE AT]", "',' or a closing ']' is expected"),
        ("country = 'DE", "column 11 (here: 'DE): this ' is never closed"),
        ("country > DE", "column 11 (here: DE): only numbers and dates can be compared by >"),
        ("since = 30d", "column 9 (here: 30d): put a text that begins with a digit in quotes"),
        ("a = 1; b = 2", "column 6 (here: ; b = 2): ';' means nothing here"),
        ("renewal < 2026-02-30", "there is no such day"),
        ("spent > 1e999", "this number is too large"),
        ("has consent(fax)", "a channel (email, sms, push) is expected"),
        ("and = 1", "column 1 (here: and = 1): a name is expected"),
        ("predicted.chrun > 0.5", "nothing predicts 'chrun'; known are purchase, churn, alive, purchases, spend; did you mean 'churn'?"),
        ("churm > 0.5", "there is no number 'churm'; did you mean 'churn'? An attribute of that name: trait.churm"),
        ("order_30d > 1", "did you mean 'orders_30d'?"),
        ("count.purchase.31d > 1", "they are called count.<event>.1d|7d|30d|90d"),
        ("spend > 100", "write predicted.spend, or trait.spend for an attribute"),
        ("__import__('os').system('true') = 1", "column 17 (here: .system"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_column_and_what_to_do(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text, NAMES.whole)
    assert said in str(caught.value)
    assert caught.value.reason == "bad_audience"


def test_length_and_depth_are_bounded() -> None:
    deep = "(" * DEEPEST + "churn > 0.6" + ")" * DEEPEST
    assert parse(deep, NAMES.whole) == CHURN
    for text in (f"({deep})", "not " * 10_000 + "churn > 0.6", "(" * 3_000):
        with pytest.raises(BadInput, match=r"within each other|characters"):
            parse(text, NAMES.whole)
    with pytest.raises(BadInput, match="at most 4000"):
        parse("churn > 0.6" + " " * LONGEST, NAMES.whole)


@settings(max_examples=300, deadline=None)
@given(trees(st.sampled_from([*NUMBERS, *TEXTS])))
def test_reading_what_was_written_gives_the_same_tree(tree: Expression) -> None:
    text = written(tree)
    if len(text) <= LONGEST:
        assert same(parse(text, NAMES.whole), tree)
        assert written(parse(text, NAMES.whole)) == text


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(
    ["churn", ">", "0.6", "and", "or", "not", "(", ")", "in", "[", "]", ",", "is", "known", "has", "consent", "'x'", "`", "2026-01-01"]
), max_size=14).map(" ".join))  # fmt: skip
def test_any_text_is_read_or_refused_with_a_column(text: str) -> None:
    try:
        tree = parse(text, NAMES.whole)
    except BadInput as refused:
        told = refused.where or ""
    else:
        told = "column" if same(parse(written(tree), NAMES.whole), tree) else "another tree"
    assert told.startswith("column")


def test_flags_are_named_by_channel() -> None:
    assert {written(Asked("has", flag)) for flag in FLAGS} == {"has consent(email)", "reachable(sms)"}
