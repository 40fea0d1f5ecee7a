"""Institutions on a list and on a map, numbered alike: the nearest to an address first (row E38). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from app.models.organization import Organization
from app.rules.distances import Point, metres


@dataclass(frozen=True)
class Placed:
    """An institution of the list."""

    organization: Organization
    point: Point | None
    """Where its mark stands; None if staff have given no coordinates."""
    number: int | None
    """On the list and on its mark; none without a mark."""
    metres: float | None
    """From the address; None without one."""


def point_of(place: Organization) -> Point | None:
    """Where it stands, if staff have said so."""
    if place.latitude is None or place.longitude is None:
        return None
    return Point(place.latitude, place.longitude)


def placed(found: Sequence[Organization], *, near: Point | None = None) -> list[Placed]:
    """In the order given; with an address by the distance from it, those without coordinates last."""
    rows = [(place, at, metres(near, at) if near and at else None) for place, at in _points(found)]
    if near is not None:
        rows.sort(key=lambda row: inf if row[2] is None else row[2])
    listed, number = [], 0
    for place, at, way in rows:
        number += at is not None
        listed.append(Placed(place, at, number if at else None, way))
    return listed


def _points(found: Sequence[Organization]) -> list[tuple[Organization, Point | None]]:
    return [(place, point_of(place)) for place in found]
