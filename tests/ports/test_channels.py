"""One contract for every channel: sends once, says doubt as doubt, "not now" as later, a refusal with its reason, and no address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nudge.adapters.channels import senders
from nudge.ports import Refused, Throttled, Unsure
from nudge.vocabulary import CHANNELS
from tests.ports.rigs import AWS, PRIVATE, Rig, of_webhook, receiving

EVERY = [*AWS, "webhook"]


@pytest.fixture(params=EVERY)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param != "webhook":
        yield AWS[request.param]()
        return
    with receiving(tmp_path) as receiver:
        yield of_webhook(receiver)


def test_every_channel_of_the_table_is_under_this_contract() -> None:
    assert set(CHANNELS) - {"inline"} == set(EVERY) - {"memory"}


def test_one_call_sends_once_and_names_it(rig: Rig) -> None:
    rig.set_up("take")
    assert rig.sender.send(rig.composed)
    assert rig.sent() == 1


@pytest.mark.parametrize("how", ["unsure", "broken"])
def test_an_unknown_outcome_is_said_as_unknown_and_not_tried_again(rig: Rig, how: str) -> None:
    rig.set_up(how)
    with pytest.raises(Unsure) as told:
        rig.sender.send(rig.composed)
    assert rig.sent() == 1
    assert _says_no_address(told.value)


def test_throttled_is_later(rig: Rig) -> None:
    rig.set_up("throttle")
    with pytest.raises(Throttled) as told:
        rig.sender.send(rig.composed)
    assert _says_no_address(told.value)


def test_a_refusal_is_final_and_has_a_reason_code(rig: Rig) -> None:
    rig.set_up("refuse")
    with pytest.raises(Refused) as told:
        rig.sender.send(rig.composed)
    assert re.fullmatch(r"[a-z0-9_]+", str(told.value))
    assert _says_no_address(told.value)


def test_after_any_failure_the_next_message_goes_out(rig: Rig) -> None:
    for how in ("throttle", "refuse", "unsure"):
        rig.set_up(how)
        with pytest.raises((Throttled, Refused, Unsure)):
            rig.sender.send(rig.composed)
    rig.set_up("take")
    assert rig.sender.send(rig.composed)


def _says_no_address(error: BaseException) -> bool:
    """Neither the error nor what a log would print of where it comes from."""
    shown = [error, *([error.__cause__] if error.__cause__ and not error.__suppress_context__ else [])]
    return not any(secret in f"{one!r} {one}" for one in shown for secret in PRIVATE)


@pytest.mark.parametrize("name", [name for name in CHANNELS if name != "inline"])
def test_a_channel_is_found_by_its_name_and_kept(name: str, aws: None) -> None:
    find = senders(configuration_set="mails", text_configuration_set="texts", secrets=object())  # type: ignore[arg-type]
    assert find(name) is find(name)
    assert find(name).repeats is (name in ("webhook", "event"))


@pytest.mark.parametrize("name", ["inline", "pigeon", "attempt", "../x"])
def test_what_is_no_channel_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="no_channel"):
        senders(configuration_set="mails", text_configuration_set="texts", secrets=object())(name)  # type: ignore[arg-type]
