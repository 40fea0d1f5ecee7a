"""What happened in the invented past, done in the order of time, so that numbers and journals follow the clock."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable
from itertools import count

Act = Callable[[dt.datetime], object]


class Agenda:
    """Acts wait for their instant; an act may add others, not earlier than itself."""

    def __init__(self) -> None:
        self._waiting: list[tuple[dt.datetime, int, Act]] = []
        self._number = count()

    def at(self, when: dt.datetime, act: Act) -> None:
        heapq.heappush(self._waiting, (when, next(self._number), act))

    def run(self) -> None:
        """Do everything; ``act`` is given its instant as ``now``."""
        while self._waiting:
            when, _, act = heapq.heappop(self._waiting)
            act(when)
