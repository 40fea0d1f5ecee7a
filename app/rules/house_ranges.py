"""Houses of one street among districts: whose is a house, who meets whom, which houses nobody has. Pure.

The most specific wins: a house named with its letter or building («7к2»), a plain number («7», which
stands for everything built at 7 that is not named itself), numbers from–to, the whole street.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from app.models.enums import DistrictKind, Parity
from app.rules import houses as spelling
from app.rules.errors import N_, RuleError
from app.rules.houses import LARGEST, House

NONE, STREET, NUMBERS, PLAIN, EXACT = range(5)
"""How specifically a range means a house; the greatest wins."""
MOST_HOUSES = 300
"""Single houses, and houses left out, of one range."""


class RangeUnclear(RuleError):
    """What was typed about one range cannot be meant."""

    code = "range_unclear"

    def __init__(self, text: str, **params: object) -> None:
        super().__init__(**params)
        self.text = text


@dataclass(frozen=True)
class Span:
    """Houses of one street in one district."""

    kind: DistrictKind
    district: str
    """The district's number: with the kind, its name within an organization."""
    parity: Parity = Parity.ALL
    first: int | None = None
    last: int | None = None
    houses: frozenset[House] = frozenset()
    excepted: frozenset[House] = frozenset()

    @property
    def ranges(self) -> bool:
        """Whether it means numbers or a whole street, not single houses only."""
        return self.bounded or not self.houses

    @property
    def bounded(self) -> bool:
        return self.first is not None or self.last is not None

    def level(self, house: House) -> int:
        """How specifically this range means ``house``; NONE if it does not."""
        if house in self.houses:
            return EXACT
        if house.base in self.houses:
            return PLAIN
        if not self.ranges or house in self.excepted or house.base in self.excepted:
            return NONE
        return (NUMBERS if self.bounded else STREET) if self.holds(house.number) else NONE

    def holds(self, number: int) -> bool:
        """Whether ``number`` lies between the ends, on the right side of the street."""
        first, last = self.first or 1, self.last or LARGEST
        return first <= number <= last and of_side(number, self.parity)

    def numbers(self, top: int) -> set[int]:
        """The plain numbers up to ``top`` that belong to it."""
        found = {h.number for h in self.houses if h == h.base and h.number <= top}
        if self.ranges:
            first, last = self.first or 1, min(self.last or top, top)
            side = range(first, last + 1)
            if self.parity is not Parity.ALL:
                side = range(first + (not of_side(first, self.parity)), last + 1, 2)
            found |= set(side) - {h.number for h in self.excepted if h == h.base}
        return found


@dataclass(frozen=True)
class Overlap:
    """Two districts of one kind mean the same houses equally specifically."""

    kind: DistrictKind
    districts: tuple[str, str]
    houses: tuple[str, ...] = ()
    """Single houses; or the numbers from ``first`` to ``last`` (None: and further) of ``parity``."""
    parity: Parity = Parity.ALL
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Gap:
    """Houses among those known that no district of the kind has."""

    kind: DistrictKind
    houses: tuple[str, ...] = ()
    parity: Parity = Parity.ALL
    first: int | None = None
    last: int | None = None


def of_side(number: int, parity: Parity) -> bool:
    return parity is Parity.ALL or (number % 2 == 1) is (parity is Parity.ODD)


def span(
    *,
    kind: DistrictKind,
    district: str,
    parity: Parity = Parity.ALL,
    first: int | None = None,
    last: int | None = None,
    houses: Iterable[House] = (),
    excepted: Iterable[House] = (),
) -> Span:
    """A range that makes sense. Raises RangeUnclear with the sentence."""
    made = Span(kind, district, parity, first, last, frozenset(houses), frozenset(excepted))
    for end in (first, last):
        if end is not None and not 1 <= end <= LARGEST:
            raise RangeUnclear(N_("House numbers go from 1 to %(most)s."), most=LARGEST)
    if first is not None and last is not None and first > last:
        raise RangeUnclear(N_("The range ends before it begins: %(first)s–%(last)s."), first=first, last=last)  # fmt: skip
    if len(made.houses) > MOST_HOUSES or len(made.excepted) > MOST_HOUSES:
        raise RangeUnclear(N_("At most %(most)s single houses in one row."), most=MOST_HOUSES)
    if not made.ranges and parity is not Parity.ALL:
        raise RangeUnclear(
            N_(
                "With single houses alone a side of the street says nothing: choose “all houses”, or give the ends of the range."
            )
        )
    if made.bounded and not any(made.holds(n) for n in _ends(made)):
        raise RangeUnclear(N_("No house of that side lies between these numbers."))
    for house in sorted(made.excepted):
        if not made.ranges or not made.holds(house.number):
            raise RangeUnclear(N_("House %(house)s is not in this range, so it cannot be left out of it."), house=str(house))  # fmt: skip
        if house in made.houses:
            raise RangeUnclear(N_("House %(house)s stands both among the single houses and among those left out."), house=str(house))  # fmt: skip
    return made


def _ends(made: Span) -> tuple[int, ...]:
    first, last = made.first or 1, made.last or LARGEST
    return (first, min(first + 1, last))


def matching(spans: Sequence[Span], house: House) -> dict[DistrictKind, Span]:
    """Of each kind the range that means ``house`` most specifically."""
    found: dict[DistrictKind, tuple[int, Span]] = {}
    for each in spans:
        level = each.level(house)
        if level > found.get(each.kind, (NONE, each))[0]:
            found[each.kind] = (level, each)
    return {kind: each for kind, (_level, each) in found.items()}


# What is wrong with a street


def overlaps(spans: Sequence[Span]) -> list[Overlap]:
    """Every two ranges of different districts of a kind that mean one house equally specifically."""
    found: list[Overlap] = []
    for one, two in combinations(spans, 2):
        if one.kind is not two.kind or one.district == two.district:
            continue
        pair = (one.district, two.district)
        both = one.houses & two.houses
        if both:
            found.append(Overlap(one.kind, pair, tuple(spelling.spelled(both))))
        meeting = _meeting(one, two)
        if meeting is not None:
            first, last, parity = meeting
            found.append(Overlap(one.kind, pair, parity=parity, first=first, last=last))
    return found


def _meeting(one: Span, two: Span) -> tuple[int, int | None, Parity] | None:
    """The numbers two ranges of one level share: first, last (None: no end) and side."""
    if not (one.ranges and two.ranges) or one.bounded is not two.bounded:
        return None
    sides = {one.parity, two.parity} - {Parity.ALL}
    if len(sides) == 2:
        return None
    parity = sides.pop() if sides else Parity.ALL
    ends = [end for end in (one.last, two.last) if end is not None]
    first, last = max(one.first or 1, two.first or 1), min(ends, default=LARGEST)
    apart = {h.number for h in one.excepted | two.excepted if h == h.base}
    shared = range(first, last + 1)
    if parity is not Parity.ALL:
        shared = range(first + (not of_side(first, parity)), last + 1, 2)
    start = next((n for n in shared if n not in apart), None)
    end = next((n for n in reversed(shared) if n not in apart), None)
    if start is None:
        return None
    return start, (end if ends else None), parity


def gaps(spans: Sequence[Span]) -> list[Gap]:
    """Of each kind on this street: numbers up to the greatest one known, and houses left out, nobody has."""
    top = max((_greatest(each) for each in spans), default=0)
    found: list[Gap] = []
    for kind in dict.fromkeys(each.kind for each in spans):
        own = [each for each in spans if each.kind is kind]
        free = set(range(1, top + 1)).difference(*(each.numbers(top) for each in own))
        found += [Gap(kind, parity=side, first=a, last=b) for side, a, b in _runs(free, top)]
        left_out = {house for each in own for house in each.excepted if house.number not in free}
        nobodys = [h for h in sorted(left_out) if not any(each.level(h) for each in own)]
        if nobodys:
            found.append(Gap(kind, tuple(map(str, nobodys))))
    return found


def _greatest(each: Span) -> int:
    ends = [end for end in (each.first, each.last) if end is not None]
    return max([*ends, *(h.number for h in each.houses | each.excepted)], default=0)


def _runs(free: set[int], top: int) -> Iterator[tuple[Parity, int, int]]:
    """Neighbours on one side as first–last; both sides together where neither is anybody's at all."""
    if free and len(free) == top:
        yield Parity.ALL, 1, top
        return
    for parity, start in ((Parity.ODD, 1), (Parity.EVEN, 2)):
        first = None
        for number in range(start, top + 3, 2):
            if number in free and first is None:
                first = number
            elif number not in free and first is not None:
                yield parity, first, number - 2
                first = None
