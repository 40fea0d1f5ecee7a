"""The latest rows of a long list, that know whether there are more: what is cut must say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self, TypeVar

T = TypeVar("T")

MOST = 30
"""Of each list on a card."""
MOST_WHOLE = 1000
"""When somebody asks for all of them."""


class Shown(list[T]):
    """At most ``most`` rows; ``more`` says that at least one was left out."""

    more = False

    @classmethod
    def of(cls, rows: Iterable[T], most: int) -> Self:
        """``rows``: one more than ``most`` is enough."""
        found = list(rows)
        shown = cls(found[:most])
        shown.more = len(found) > most
        return shown


def most_of(whole: bool) -> int:
    return MOST_WHOLE if whole else MOST
