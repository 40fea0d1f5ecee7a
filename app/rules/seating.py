"""Which free place goes to whom: one after another, families together. Pure functions.

A family comes at one time, or one right after another on the same day, or nothing is offered to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from app.rules.eligibility import Refusal


@dataclass(frozen=True)
class Place:
    """A free place: when it begins and ends."""

    slot_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True)
class Waiting:
    """One who waits, with the places that were offered to him before."""

    entry_id: int
    person_id: int
    before: frozenset[int] = frozenset()


Unit = tuple[Waiting, ...]
"""Those who come together; mostly one."""
Against = Callable[[Waiting, Place], Sequence[Refusal]]
OFFERED_BEFORE = "offered_before"
NOT_TOGETHER = "not_together"


@dataclass
class Seating:
    """What goes to whom, and why somebody before them in line was passed over."""

    given: list[tuple[Waiting, Place]] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)
    """By entry: the code of the first reason."""


def seat(units: Iterable[Unit], places: Iterable[Place], against: Against) -> Seating:
    """Go down the line; each takes the earliest that suits. Ends when no place is left."""
    left = sorted(places, key=lambda place: (place.starts_at, place.slot_id))
    done = Seating()
    for unit in units:
        if not left:
            break
        taken = _seat_one(unit, left, against, done)
        done.given += zip(unit, taken, strict=True) if taken else ()
        gone = {place.slot_id for place in taken}
        left = [place for place in left if place.slot_id not in gone]
    return done


def _seat_one(unit: Unit, left: Sequence[Place], against: Against, done: Seating) -> list[Place]:
    """The places for this unit, none if it cannot be seated; then ``done`` says why."""
    reasons: dict[int, str] = {}
    any_run = False
    for run in runs(left, len(unit)):
        any_run = True
        fits = True
        for waiting, place in zip(unit, run, strict=True):
            reason = _reason(waiting, place, against)
            if reason:
                reasons.setdefault(waiting.entry_id, reason)
                fits = False
        if fits:
            return run
    for waiting in unit:
        done.skipped[waiting.entry_id] = reasons.get(
            waiting.entry_id, NOT_TOGETHER if not any_run or len(unit) > 1 else OFFERED_BEFORE
        )
    return []


def _reason(waiting: Waiting, place: Place, against: Against) -> str:
    if place.slot_id in waiting.before:
        return OFFERED_BEFORE
    found = against(waiting, place)
    return found[0].code if found else ""


def runs(left: Sequence[Place], count: int) -> Iterator[list[Place]]:
    """``count`` places at one time or following each other without a gap, the earliest first."""
    for number, first in enumerate(left):
        run = [first]
        for place in left[number + 1 :]:
            if len(run) == count:
                break
            if place.starts_at in (run[-1].starts_at, run[-1].ends_at):
                run.append(place)
        if len(run) == count:
            yield run


def units_of(
    waiting: Iterable[tuple[Waiting, object]], busy: Collection[object] = ()
) -> list[Unit]:
    """In the order of each unit's first; ``waiting`` comes with its family or None. Families that have
    an answer to give (``busy``) are left out."""
    units: dict[object, list[Waiting]] = {}
    for one, family in waiting:
        if family is None or family not in busy:
            units.setdefault(family if family is not None else ("alone", one.entry_id), []).append(
                one
            )
    return [tuple(unit) for unit in units.values()]
