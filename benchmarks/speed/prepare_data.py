"""The events file that both sides prepare: deterministic, 30 days, 2 % duplicates, 1 % bad rows of five kinds.

Rows come as a log is written: in the order of time but for half an hour's jitter, one in 200 up to three days late;
`shuffled`: in no order at all.
"""

from __future__ import annotations

import random
from pathlib import Path

HEADER = "event_id,user_id,event_type,event_time,item_id,category,value,currency,channel\n"
TYPES = ("view", "view", "view", "search", "add_to_cart", "buy")
FIRST = 1_767_225_600
"""2026-01-01, seconds."""
DAYS = 30


def write(path: Path, rows: int, *, event_ids: bool = True, shuffled: bool = False, seed: int = 7) -> None:
    """Write `rows` rows: 97 % good and new, 2 % repetitions of a recent row, 1 % bad ones."""
    import time

    rng = random.Random(seed)
    days = [time.strftime("%Y-%m-%d", time.gmtime(FIRST + day * 86_400)) for day in range(DAYS)]
    clocks = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86_400)]
    draw, span = rng.random, DAYS * 86_400
    recent: list[str] = []
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER if event_ids else HEADER.removeprefix("event_id,"))
        block: list[str] = []
        for number in range(rows):
            dice = draw()
            if dice < 0.02 and recent:
                block.append(recent[int(draw() * len(recent))])
                continue
            user = int(draw() * rows / 10)
            kind = TYPES[int(draw() * 6)]
            if shuffled:
                second = int(draw() * span)
            else:
                second = int(number / rows * span + draw() * 1_800 - (draw() * 259_200 if draw() < 0.005 else 0)) % span
            day, clock = days[second // 86_400], clocks[second % 86_400]
            item = int(draw() * 50_000)
            cells = [
                f"u{user:07d}",
                kind,
                f"{day}T{clock}Z",
                f"i{item:05d}",
                f"cat{item % 40}",
                f"{draw() * 200:.2f}",
                "EUR",
                "web",
            ]
            if event_ids:
                cells.insert(0, f"e{number:09d}")
            if dice > 0.99:
                cells = _spoiled(cells, int((dice - 0.99) * 500), 1 if event_ids else 0)
            line = ",".join(cells) + "\n"
            block.append(line)
            if dice <= 0.99:
                if len(recent) < 5_000:
                    recent.append(line)
                else:
                    recent[number % 5_000] = line
            if len(block) >= 50_000:
                file.write("".join(block))
                block.clear()
        file.write("".join(block))


def _spoiled(cells: list[str], how: int, user: int) -> list[str]:
    if how == 0:
        return cells[:-2]
    if how == 1:
        return [*cells, "extra"]
    cells = list(cells)
    position, value = {2: (user, ""), 3: (user + 2, "2026-02-30T10:00:00Z"), 4: (user + 5, "12.3.4")}.get(
        how, (user, "")
    )
    cells[position] = value
    return cells
