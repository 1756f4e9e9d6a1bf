"""Channels as the port `Sender`: a file each, named as the channel in `vocabulary.CHANNELS`, with one function `make`.

In: the name of a channel and what the door knows of its surroundings. Out: its sender. Only what is used is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from nudge.ports import Refused, Secrets, Sender, Senders
from nudge.vocabulary import CHANNELS


def senders(*, configuration_set: str, text_configuration_set: str, secrets: Secrets) -> Senders:
    """Each channel's sender, built when it is first asked for and kept. Raises Refused `no_channel` for any other name."""

    @cache
    def sender(name: str) -> Sender[Any]:
        if name not in CHANNELS or name == "inline":
            raise Refused("no_channel")
        make: Callable[..., Sender[Any]] = import_module(f"{__name__}.{name}").make
        return make(configuration_set=configuration_set, text_configuration_set=text_configuration_set, secrets=secrets)

    return sender
