"""When sending must stop by itself. In: how many mails left lately, how many bounced for good, how many were called spam. Out: a verdict.

SES reviews an account at 5 % bounces or 0.1 % complaints and pauses it at 10 % and 0.5 %; mailbox providers act at 0.1 to 0.3 % complaints.
So we warn at half of that and stop before it. A share of few is no share: below a minimum nothing is judged. Knows no store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WINDOW_DAYS = 3
"""What is judged: today and the two days before (UTC)."""

LEAST_SENT = 100
WARN_BOUNCED, STOP_BOUNCED, LEAST_BOUNCED = 0.025, 0.04, 5
WARN_COMPLAINED, STOP_COMPLAINED, LEAST_COMPLAINED = 0.0005, 0.0008, 3
"""Shares, and how many it takes at least: three complaints, not one of a thousand."""

TRIAL = 100
TRIAL_LEAST_SENT = 50
TRIAL_SECONDS = 3600
"""After a person reset it: so many mails, then a wait for what comes back, then all."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Mails of the window: that left, that bounced for good, that were called spam."""

    sent: int = 0
    bounced: int = 0
    complained: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(self.sent + other.sent, self.bounced + other.bounced, self.complained + other.complained)

    def share(self, number: int) -> float:
        """Of what left; 0 when nothing did."""
        return number / self.sent if self.sent else 0.0


type Verdict = Literal["good", "warn", "stop"]


def judge(figures: Figures) -> Verdict:
    """Whether to go on.

    >>> judge(Figures(1000, 40)), judge(Figures(1000, 25)), judge(Figures(50, 50)), judge(Figures(3000, 0, 3))
    ('stop', 'warn', 'good', 'stop')
    """
    if figures.sent < LEAST_SENT:
        return "good"
    bounced, complained = figures.share(figures.bounced), figures.share(figures.complained)
    many = figures.bounced >= LEAST_BOUNCED, figures.complained >= LEAST_COMPLAINED
    if (many[0] and bounced >= STOP_BOUNCED) or (many[1] and complained >= STOP_COMPLAINED):
        return "stop"
    if (many[0] and bounced >= WARN_BOUNCED) or (many[1] and complained >= WARN_COMPLAINED):
        return "warn"
    return "good"


def proven(figures: Figures, seconds_since_reset: float) -> bool:
    """Whether a trial after a reset may end: enough left, enough time passed for it to come back, and it did not."""
    enough = figures.sent >= TRIAL_LEAST_SENT and seconds_since_reset >= TRIAL_SECONDS
    return enough and judge(figures) == "good"
