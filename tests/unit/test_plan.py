"""The plan: what a marketer writes, and what is said about mistakes."""

from pathlib import Path

import pytest

from nudge import plan
from nudge.errors import BadInput

SAMPLE = (Path(__file__).parent.parent.parent / "local" / "shop" / "plan.yaml").read_text()
BARE = SAMPLE.partition("\nlearn:")[0].replace("  churn:", "  lapse:")
"""Without what is learned besides the goals."""


def test_the_sample_plan_is_good() -> None:
    loaded = plan.load(plan.parse(SAMPLE))
    assert loaded.goals["purchase"].event == "purchase"
    assert loaded.activities["discount_mail"].channel == "email"
    assert len(loaded.version) == 12


def test_every_mistake_is_reported_at_once_each_with_its_line() -> None:
    text = SAMPLE.replace("cost: 0.50", "cost: -1", 1).replace("channel: inline", "channel: pigeon", 1)
    with pytest.raises(BadInput) as caught:
        plan.parse(text)
    lines = text.splitlines()
    cost = next(number for number, line in enumerate(lines, 1) if "cost: -1" in line)
    pigeon = next(number for number, line in enumerate(lines, 1) if "pigeon" in line)
    assert f"plan.yaml:{cost}: activities.discount_mail.cost: must be a number ≥ 0" in str(caught.value)
    assert f"plan.yaml:{pigeon}: activities.banner.channel" in str(caught.value)


def test_text_that_is_not_yaml_names_the_line() -> None:
    with pytest.raises(BadInput, match=r"plan.yaml:3: not YAML"):
        plan.parse("currency: EUR\ngoals: [unclosed\n")


@pytest.mark.parametrize("text", ["", "[]", "just words", "null", "currency: EUR"])
def test_a_text_that_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        plan.parse(text)


def test_a_time_of_day_means_the_same_with_and_without_quotes() -> None:
    quoted = plan.load(plan.parse(SAMPLE))
    bare = plan.load(plan.parse(SAMPLE.replace('"21:00"', "21:00").replace('"08:00"', "08:00")))
    assert quoted.policy.quiet_hours == bare.policy.quiet_hours


def test_the_version_follows_the_meaning_not_the_comments() -> None:
    assert plan.parse(SAMPLE)["version"] == plan.parse(SAMPLE + "\n# a remark\n")["version"]
    assert plan.parse(SAMPLE)["version"] != plan.parse(SAMPLE.replace("holdout: 0.05", "holdout: 0.06"))["version"]


def test_an_unchecked_plan_is_never_loaded() -> None:
    data = plan.parse(SAMPLE)
    data["activities"]["banner"]["goal"] = "nowhere"
    with pytest.raises(BadInput, match=r"activities\.banner\.goal"):
        plan.load(data)


def test_nothing_cannot_be_redefined() -> None:
    with pytest.raises(BadInput, match="always a candidate"):
        plan.parse(SAMPLE.replace("  banner:", "  nothing:"))


def test_a_goal_may_stand_after_an_event_and_be_about_the_same_thing() -> None:
    told = "event: page_view\n    within_days: 7"
    text = SAMPLE.replace(told, f"{told}\n    after: page_view\n    same: item", 1)
    goal = plan.load(plan.parse(text)).goals["visit"]
    assert (goal.after, goal.same) == ("page_view", "item")
    with pytest.raises(BadInput, match=r"goals\.visit\.same: must be one of category, action, item"):
        plan.parse(text.replace("same: item", "same: colour"))
    with pytest.raises(BadInput, match=r"goals\.visit\.same: needs 'after'"):
        plan.parse(text.replace("    after: page_view\n", ""))


def test_everything_is_learned_by_default_and_what_is_turned_off_is_not() -> None:
    learn = plan.load(plan.parse(BARE)).learn
    assert learn["value"] == {"event": "purchase", "horizon_days": 90.0}
    assert learn["send_time"]["open_hours"] == {"start": "08:00", "until": "21:00"}
    assert [one["by"] for one in learn["demand"]] == ["all", "category"]
    off = BARE + "\nlearn:\n  uplift: false\n  value: false\n  demand: {every: week, by: item}\n"
    learn = plan.load(plan.parse(off)).learn
    assert not {"uplift", "value"} & set(learn)
    assert learn["demand"] == [{"event": "purchase", "of": "count", "by": "item", "every": "week", "horizon": 8}]


def test_mistakes_in_what_is_learned_have_their_lines() -> None:
    text = BARE + (
        "\nlearn:\n  value: {event: 7, horizon_days: 0}\n  recommend: {again: 3, events: {purchase: -1}}\n"
        "  demand: [{by: colour}]\n  send_time: {open_hours: {start: noon}}\n  magic: {}\n  uplift: perhaps\n"
    )
    with pytest.raises(BadInput) as caught:
        plan.parse(text)
    said = str(caught.value)
    for part in (
        "learn.value.event: must be a text",
        "learn.value.horizon_days: must be a number from 1 to 730",
        "learn.recommend.again: must be one of true, false",
        "learn.recommend.events.purchase: must be a number from 0 to 1000",
        "learn.demand[0].by: must be one of all, category, item",
        'learn.send_time.open_hours.start: must be a time of day such as "21:00"',
        "learn.magic: unknown name",
        "learn.uplift: must be true or false",
    ):
        assert part in said, part


def test_that_people_stay_away_is_a_loss() -> None:
    churn = "\n  churn: {event: purchase, within_days: 30, absent: true, among: purchase, value: %s}\n"
    at = "goals:\n"
    good = plan.load(plan.parse(BARE.replace(at, "goals:" + churn % -15, 1)))
    assert (good.goals["churn"].value, good.goals["churn"].absent) == (-15.0, True)
    with pytest.raises(BadInput, match="must be a number ≤ 0"):
        plan.parse(BARE.replace(at, "goals:" + churn % 15, 1))


def test_a_goal_cannot_take_the_name_of_another_kind_of_model() -> None:
    with pytest.raises(BadInput, match="choose another"):
        plan.parse(BARE.replace("goals:\n", "goals:\n  value.purchase: {event: purchase, within_days: 3}\n", 1))


CHOICES = """
currency: EUR
goals: {buy: {event: purchase, within_days: 7}}
activities:
  mail: {goal: buy, channel: email, template: t, items: recommended, send_time: best}
  short: {goal: buy, channel: inline, items: {recommended: 1}}
  fixed: {goal: buy, channel: inline, items: [a, b]}
channels: {email: {sender: "a@b.example", postal_address: "A, B"}}
"""


def test_an_activity_may_choose_items_and_its_hour() -> None:
    held = plan.load(plan.parse(CHOICES)).activities
    assert (held["mail"].recommended, held["mail"].items, held["mail"].send_time) == (3, (), "best")
    assert (held["short"].recommended, held["fixed"].recommended) == (1, 0)
    assert (held["fixed"].items, held["fixed"].send_time) == (("a", "b"), "now")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("items: recommended", "items: best", "activities.mail.items: must be a list of names"),
        (
            "{recommended: 1}",
            "{recommended: 0}",
            "activities.short.items.recommended: must be a whole number from 1 to 50",
        ),
        ("{recommended: 1}", "{top: 1}", "activities.short.items.top: unknown name"),
        ("send_time: best", "send_time: soon", "activities.mail.send_time: must be one of now, best"),
        ("items: [a, b]", "send_time: best", "activities.fixed.send_time: what is shown inline is shown at once"),
    ],
)
def test_choices_that_make_no_sense_are_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        plan.parse(CHOICES.replace(old, new))
    assert said in str(caught.value)
