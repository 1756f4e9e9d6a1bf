"""`nudge plan` and `nudge audience` on the tables of a stack: what a marketer types, and what is answered."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import stack
from local.cli import main
from nudge.adapters.plans import KEY
from nudge.adapters.profiles import DynamoProfiles
from nudge.vocabulary import Consent, Suppression
from tests.acting import Aws, aws, person, put_person
from tests.unit.plan.plans import EXAMPLE


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with aws() as embedded:
        for name, value in embedded.environment.items():
            monkeypatch.setenv(name, value)
        embedded.s3.delete_object(Bucket="lake", Key=KEY)
        yield embedded


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(EXAMPLE)
    return path


def in_force(here: Aws) -> dict[str, object]:
    held: dict[str, object] = json.loads(here.s3.get_object(Bucket="lake", Key=KEY)["Body"].read())
    return held


def test_a_first_plan_is_applied_and_the_next_one_is_told_in_words(
    here: Aws, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "diff", str(file)]) == 0
    assert "no plan is in force yet" in capsys.readouterr().out
    assert main(["plan", "apply", str(file), "--yes"]) == 0
    assert "in force (version" in capsys.readouterr().out
    assert main(["plan", "diff", str(file)]) == 0
    assert "says what is in force" in capsys.readouterr().out
    file.write_text(EXAMPLE.replace("cost: 0.50", "cost: 0.60") + "# a remark\n")
    assert main(["plan", "apply", str(file), "--yes"]) == 0
    told = capsys.readouterr().out
    assert "~ activity discount_mail.cost: 0.5 → 0.6\n" in told
    assert told.count("\n~") == 1
    assert in_force(here)["activities"]["discount_mail"]["cost"] == 0.6  # type: ignore[index]


def test_a_bad_plan_never_replaces_a_good_one(here: Aws, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["plan", "apply", str(file), "--yes"])
    good = in_force(here)
    file.write_text(EXAMPLE.replace("budget: 5000", "budget: much"))
    assert main(["plan", "apply", str(file), "--yes"]) == 1
    line = EXAMPLE[: EXAMPLE.index("budget: 5000")].count("\n") + 1
    assert f"plan.yaml:{line}: campaigns.winback.budget: must be a number ≥ 0" in capsys.readouterr().err
    assert in_force(here) == good


@pytest.mark.parametrize(
    ("answer", "code", "said"), [("y\n", 0, "in force (version"), ("\n", 1, "nothing was changed")]
)
def test_a_person_is_asked_after_they_saw_what_changes(
    here: Aws, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    answer: str, code: int, said: str,
) -> None:  # fmt: skip
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert main(["plan", "apply", str(file)]) == code
    assert said in capsys.readouterr().out


def test_where_nobody_can_be_asked_nothing_is_applied(here: Aws, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["plan", "apply", str(file)]) == 2
    assert stack.proposed(file).is_first


def test_a_plan_that_decides_otherwise_asks_the_log_and_is_forced_only_with_a_reason(
    here: Aws, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["plan", "apply", str(file), "--yes"])
    file.write_text(EXAMPLE.replace("policy: rules", "policy: greedy"))
    assert stack.judged(stack.proposed(file)) == [
        ("purchase", True, "nothing logged to judge by: 0 decisions that explored, of 100 needed")
    ]
    held = in_force(here)
    monkeypatch.setattr(stack, "judged", lambda proposal: [("purchase", False, "refused by the log: it does harm")])
    capsys.readouterr()
    assert main(["plan", "apply", str(file), "--yes"]) == 3
    told = capsys.readouterr()
    assert "the log on purchase: refused by the log: it does harm" in told.out
    assert "--force WHY" in told.err
    assert in_force(here) == held
    assert main(["plan", "apply", str(file), "--yes", "--force", "the shop is closed"]) == 0
    version = str(in_force(here)["version"])
    assert version != held["version"]
    kept = json.loads(here.s3.get_object(Bucket="lake", Key=f"plan/versions/{version}.forced.json")["Body"].read())
    assert "the shop is closed (purchase: refused by the log: it does harm)" in kept["why"]


def test_a_plan_that_decides_as_before_asks_nothing(here: Aws, file: Path) -> None:
    assert stack.judged(stack.proposed(file)) == []
    main(["plan", "apply", str(file), "--yes"])
    file.write_text(EXAMPLE.replace("cost: 0.50", "cost: 0.60"))
    assert stack.judged(stack.proposed(file)) == []


def test_two_who_apply_at_once_do_not_overwrite_each_other(
    here: Aws, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["plan", "apply", str(file), "--yes"])
    file.write_text(EXAMPLE.replace("cost: 0.50", "cost: 0.60"))
    mine = stack.proposed(file)
    file.write_text(EXAMPLE.replace("cost: 0.50", "cost: 0.70"))
    assert main(["plan", "apply", str(file), "--yes"]) == 0
    with pytest.raises(Exception, match=KEY):
        stack.apply(mine, None)
    assert in_force(here)["activities"]["discount_mail"]["cost"] == 0.7  # type: ignore[index]


def test_templates_are_published_with_the_plan(here: Aws, file: Path, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "reminder.json").write_text('{"subject": "s", "text": "t", "html": "h"}')
    assert main(["plan", "apply", str(file), "--yes", "--templates", str(tmp_path / "templates")]) == 0
    assert here.s3.get_object(Bucket="lake", Key="templates/reminder.json")["Body"].read()


def test_an_audience_is_told_before_launch(here: Aws, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["plan", "apply", str(file), "--yes"])
    profiles = DynamoProfiles(here.dynamodb, "profiles")
    for number in range(30):
        put_person(profiles, person(f"u{number}", country="DE" if number < 20 else "FR", consent=number % 2 == 0))
    put_person(profiles, person("gone", country="DE"))
    profiles.suppress("gone", "email", Suppression("bounce", 5))
    profiles.consent("late", "email", Consent(True, 1, "form"))
    capsys.readouterr()
    assert main(["audience", "country in [DE, AT]"]) == 0
    told = capsys.readouterr().out
    assert "21 of 32 people belong" in told
    assert "trait.country is known of 31" in told
    assert "email: 10 reachable now; not: 10 no_consent, 1 suppressed" in told
    assert "by the plan's base rate: there is no model yet" in told
    assert main(["audience", "country = DE", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["size"], said["channels"]["email"]["reachable"], said["by_model"]) == (21, 10, False)
    assert main(["audience", "countri >"]) == 1
    assert "neither a campaign (winback, cart, birthday, leaving) nor an audience: column 10" in capsys.readouterr().err
