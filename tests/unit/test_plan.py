"""The plan: what a marketer writes, and what is said about mistakes."""

from pathlib import Path

import pytest

from nudge import plan
from nudge.errors import BadInput

SAMPLE = (Path(__file__).parent.parent.parent / "local" / "shop" / "plan.yaml").read_text()


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
    text = SAMPLE.replace("within_days: 3", "within_days: 3\n    after: page_view\n    same: item", 1)
    goal = plan.load(plan.parse(text)).goals["visit"]
    assert (goal.after, goal.same) == ("page_view", "item")
    with pytest.raises(BadInput, match=r"goals\.visit\.same: must be one of category, action, item"):
        plan.parse(text.replace("same: item", "same: colour"))
    with pytest.raises(BadInput, match=r"goals\.visit\.same: needs 'after'"):
        plan.parse(text.replace("    after: page_view\n", ""))
