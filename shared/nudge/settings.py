"""What a door needs from its environment: one class a door, read once; all that is missing reported together.

Field names in capitals are the names of the variables; `template.yaml` sets exactly these (a contract test compares).
They are no dataclasses: nine of those would cost every cold start as much as loading the model.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NoReturn, Self


class Settings:
    """Base of the doors' settings: nothing but how to read them."""

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Field → the environment variable it is read from; what a class builds upon comes first."""
        each = (vars(one).get("__annotations__", {}) for one in reversed(cls.__mro__))
        return {name: name.upper() for own in each for name in own}

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Settings from the environment (or from a mapping in tests).

        Raises
        ------
        LookupError
            Naming every variable that is missing or empty.
        """
        source = os.environ if environment is None else environment
        variables = cls.variables()
        missing = [variable for variable in variables.values() if not source.get(variable)]
        if missing:
            raise LookupError(f"missing environment: {', '.join(missing)}; template.yaml sets them for this function")
        here = cls()
        vars(here).update({name: source[variable] for name, variable in variables.items()})
        return here

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"settings are read, not written: {name}")


class CollectSettings(Settings):
    lake_bucket: str


class ArriveSettings(Settings):
    lake_bucket: str
    arrivals_table: str
    chunks_queue_url: str


class PrepareSettings(Settings):
    lake_bucket: str
    arrivals_table: str
    profiles_table: str
    ledger_table: str


class TrainSettings(Settings):
    lake_bucket: str
    model_key_id: str
    trainings_queue_url: str


class DecideSettings(Settings):
    lake_bucket: str
    profiles_table: str
    ledger_table: str
    deliver_queue_url: str
    model_key_id: str


class CampaignSettings(DecideSettings):
    campaigns_queue_url: str


class DeliverSettings(Settings):
    lake_bucket: str
    profiles_table: str
    ledger_table: str
    deliver_queue_url: str
    token_key_id: str
    configuration_set: str
    text_configuration_set: str
    public_url: str


class FeedbackSettings(Settings):
    lake_bucket: str
    profiles_table: str
    ledger_table: str
    token_key_id: str
    feedback_topic_arn: str
    text_topic_arn: str
    push_topic_arn: str


class ReportSettings(Settings):
    lake_bucket: str
    arrivals_table: str
    model_key_id: str


class ConsoleSettings(Settings):
    """`console_login` and `console_client_id` are `none` where people have no place to sign in."""

    profiles_table: str
    ledger_table: str
    console_login: str
    console_client_id: str
    console_scope: str


class ModelsSettings(Settings):
    """Who works with models by hand."""

    lake_bucket: str
    model_key_id: str


class AudienceSettings(Settings):
    """Who counts an audience by hand."""

    lake_bucket: str
    model_key_id: str
    profiles_table: str
    ledger_table: str
