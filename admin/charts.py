"""Bar charts drawn on the server: where each bar stands and what it says (templates/admin/reports/chart.html).

Lengths across are per cent of the drawing and those down are ``em``, so that the words keep their size on a
phone and grow with the reader's type. Each series has a pattern of its own besides its colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SHADES = ("solid", "hatch", "dots", "cross", "stripes", "grid", "blank")
"""Patterns with their colours (app/static/css/reports.css); ``blank`` is for what is left."""
MOST_BARS = 60
ROW = 3.0
"""Of a bar with the words above it."""
WORDS, BAR, THICK = 1.0, 1.45, 1.0
"""From the top of a row: the base line of the words, the bar; and how thick it is."""


@dataclass(frozen=True)
class Series:
    """One kind of pieces of all bars."""

    title: Any
    shade: str


@dataclass(frozen=True)
class Piece:
    """A piece of a bar: where it begins and how long it is, in per cent of the drawing."""

    series: Series
    count: int
    start: float
    length: float


@dataclass(frozen=True)
class Bar:
    """``at``: the top of its row in ``em``; ``words`` stand at its right end."""

    label: str
    words: str
    at: float
    pieces: tuple[Piece, ...]

    @property
    def base(self) -> float:
        return round(self.at + WORDS, 2)

    @property
    def top(self) -> float:
        return round(self.at + BAR, 2)


@dataclass(frozen=True)
class Chart:
    """``name`` is unique on its page; ``hidden`` lines stand only in the table."""

    name: str
    title: str
    description: str
    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    hidden: int

    @property
    def height(self) -> float:
        return len(self.bars) * ROW

    @property
    def thick(self) -> float:
        return THICK


Line = tuple[str, str, Sequence[int]]
"""A label, the words at the right end, and a count for each series."""


def draw(
    name: str, *, title: str, description: str, series: Sequence[Series], lines: Sequence[Line]
) -> Chart:
    """The longest bar is as wide as the drawing; more than ``MOST_BARS`` are left to the table."""
    shown = lines[:MOST_BARS]
    longest = max((sum(counts) for _, _, counts in shown), default=0)
    bars = tuple(
        Bar(label, words, round(number * ROW, 2), _pieces(series, counts, longest))
        for number, (label, words, counts) in enumerate(shown)
    )
    return Chart(name, title, description, tuple(series), bars, len(lines) - len(shown))


def _pieces(series: Sequence[Series], counts: Sequence[int], longest: int) -> tuple[Piece, ...]:
    found = []
    before = 0
    for one, count in zip(series, counts, strict=True):
        if count:
            start, end = 100 * before / longest, 100 * (before + count) / longest
            found.append(Piece(one, count, round(start, 3), round(end - start, 3)))
        before += count
    return tuple(found)
