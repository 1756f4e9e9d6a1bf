"""When to send. In: a decision id, a zone, open and quiet hours, a model's best moment. Out: a `SendTime`. Knows no model.

One message in ten goes out in an open hour that is drawn, whatever the model thinks: only from hours that were drawn can
anyone learn what another hour would have done. The rest wait for the best hour, or go at the first open moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from nudge.decide import chance, quiet
from nudge.vocabulary import DAY, SECOND, Micros, QuietHours, SendTime

DRAWN = 0.1
"""The share of messages whose hour is drawn."""
WITHIN: Micros = DAY
HOUR: Micros = 3600 * SECOND


def open_moments(now: Micros, where: ZoneInfo, open_hours: QuietHours, silent: QuietHours | None) -> list[Micros]:
    """`now` and the full local hours of the 24 h after it, without those that are closed or quiet there."""
    local = (quiet.EPOCH + timedelta(microseconds=now)).astimezone(where)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    first = now - into // timedelta(microseconds=1)
    moments = [now, *range(first + HOUR, now + WITHIN, HOUR)]
    return [at for at in moments if _is_open(at, where, open_hours) and quiet.release(at, where, silent) == at]


def _is_open(at: Micros, where: ZoneInfo, hours: QuietHours) -> bool:
    """Whether the local time lies in [start, until), which may cross midnight. start = until means always."""
    local = (quiet.EPOCH + timedelta(microseconds=at)).astimezone(where)
    return hours.start_minute == hours.until_minute or quiet.is_quiet(local.hour * 60 + local.minute, hours)


def choose(decision_id: str, moments: Sequence[Micros], best: tuple[Micros, float] | None) -> SendTime | None:
    """One of these moments, or the best one; None when there is no open moment.

    Parameters
    ----------
    best
        The moment that a model names, and the gain it expects over sending now. One that lies in no open hour is not taken.

    The propensity is that of the hour: `DRAWN` / number of hours, and 1 − `DRAWN` more for the hour of the best.
    """
    if not moments:
        return None
    ends = [*moments[1:], moments[-1] + HOUR]
    hours = [(begin, min(end, begin + HOUR)) for begin, end in zip(moments, ends, strict=True)]
    wanted = 0 if best is None else next((n for n, (begin, end) in enumerate(hours) if begin <= best[0] < end), 0)
    is_best = best is not None and hours[wanted][0] <= best[0] < hours[wanted][1]
    drawn = chance.uniform(f"{decision_id}/is the hour drawn") < DRAWN
    taken = int(chance.uniform(f"{decision_id}/hour") * len(hours)) if drawn else wanted
    propensity = DRAWN / len(hours) + (1.0 - DRAWN if taken == wanted else 0.0)
    at = best[0] if best is not None and is_best and not drawn else moments[taken]
    return SendTime(at, drawn, propensity, best[1] if best is not None and is_best and not drawn else None)
