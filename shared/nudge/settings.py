"""What a door needs from its environment: one frozen dataclass a door, read once; all that is missing reported together.

Field names in capitals are the names of the variables; `template.yaml` sets exactly these (a contract test compares).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True)
class Settings:
    """Base of the doors' settings: nothing but how to read them."""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Settings from the environment (or from a mapping in tests).

        Raises
        ------
        LookupError
            Naming every variable that is missing or empty.
        """
        source = os.environ if environment is None else environment
        names = {field.name: field.name.upper() for field in fields(cls)}
        missing = [variable for variable in names.values() if not source.get(variable)]
        if missing:
            raise LookupError(f"missing environment: {', '.join(missing)}; template.yaml sets them for this function")
        return cls(**{name: source[variable] for name, variable in names.items()})


@dataclass(frozen=True, slots=True)
class CollectSettings(Settings):
    lake_bucket: str


@dataclass(frozen=True, slots=True)
class ArriveSettings(Settings):
    lake_bucket: str
    arrivals_table: str
    chunks_queue_url: str


@dataclass(frozen=True, slots=True)
class PrepareSettings(Settings):
    lake_bucket: str
    arrivals_table: str
    profiles_table: str


@dataclass(frozen=True, slots=True)
class TrainSettings(Settings):
    lake_bucket: str
    model_key_id: str


@dataclass(frozen=True, slots=True)
class DecideSettings(Settings):
    lake_bucket: str
    profiles_table: str
    ledger_table: str
    deliver_queue_url: str
    model_key_id: str


@dataclass(frozen=True, slots=True)
class DeliverSettings(Settings):
    lake_bucket: str
    profiles_table: str
    ledger_table: str
    deliver_queue_url: str
    token_key_id: str
    configuration_set: str
    public_url: str


@dataclass(frozen=True, slots=True)
class FeedbackSettings(Settings):
    lake_bucket: str
    profiles_table: str
    ledger_table: str
    token_key_id: str
    feedback_topic_arn: str


@dataclass(frozen=True, slots=True)
class ReportSettings(Settings):
    lake_bucket: str
    arrivals_table: str
