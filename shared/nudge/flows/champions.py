"""What stays warm between decisions: the plan as a `Plan`, and loaded models.

In: ports that answer with plain data. Out: built objects, built once for each version. Knows no decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

from nudge import plan as plans
from nudge.errors import BadInput, NotReady, Unavailable
from nudge.ports import Models, Plans
from nudge.score import Scorer
from nudge.score.verify import OTHERS
from nudge.vocabulary import Plan


class Champion(NamedTuple):
    """The model in force for a goal, or for another thing that is learned (then `scorer` is what its kind loads, see
    `score.verify.OTHERS`). `typical_value` is the mean value of the goal's event, where training knew it."""

    version: str
    scorer: Any
    typical_value: float | None = None


@dataclass(slots=True)
class PlanInForce:
    """The plan as a `Plan`, parsed once for each object that the port answers with."""

    plans: Plans
    _data: dict[str, Any] | None = None
    _plan: Plan | None = None

    def __call__(self) -> Plan:
        """Raises NotReady when no plan was ever published."""
        data = self.plans.current()
        if self._plan is None or data is not self._data:
            self._plan, self._data = plans.load(data), data
        return self._plan


@dataclass(slots=True)
class Champions:
    """Loaded champions by name: a goal's, or `uplift.purchase`. One that cannot be read does not replace one that is loaded."""

    models: Models
    _held: dict[str, Champion] = field(default_factory=dict)

    def __call__(self, name: str) -> Champion | None:
        """The champion of a name, or None: then the plan's rules decide.

        Raises
        ------
        Unavailable
            When the store is down and no champion was loaded before.
        """
        held = self._held.get(name)
        try:
            version, artefact = self.models.champion(name)
            if held is None or held.version != version:
                held = Champion(version, _scorer(artefact), _number(artefact.get("typical_value")))
                self._held[name] = held
        except NotReady:
            self._held.pop(name, None)
            return None
        except BadInput:
            return held
        except Unavailable:
            if held is None:
                raise
        return held


def _scorer(artefact: Mapping[str, Any]) -> Any:
    """What its kind loads; the module of another kind is imported when a model of it is met."""
    module = OTHERS.get(artefact["kind"])
    return Scorer(artefact) if module is None else import_module(module).load(artefact)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
