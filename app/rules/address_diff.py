"""What a file of addresses would change: houses that come, move and go, and lines that cannot be taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.address import AddressPoint
from app.models.organization import Organization
from app.rules import addresses, checked_files, houses
from app.rules.address_file import FileRow
from app.rules.addresses import MIDDLE, Street
from app.rules.distances import Point, metres
from app.rules.donor_cells import BadCell
from app.rules.errors import N_
from app.rules.streets import settlement_folded

MOST_HOUSES = 2000
"""Of one street: the longest have some hundreds."""
FAR = 100_000
"""Metres from the institutions of its settlement: nobody's house, but latitude and longitude turned."""


@dataclass(frozen=True)
class StreetChange:
    """What a file does to one street."""

    key: str
    after: Street
    came: tuple[str, ...]
    moved: tuple[tuple[str, float], ...]
    """Houses, and by how many metres."""
    gone: tuple[str, ...]
    there: bool
    """Whether the street is known already."""


@dataclass
class Difference(checked_files.Difference[FileRow, StreetChange]):
    """What a file would do to the points as they are now."""

    strange: list[str] = field(default_factory=list)
    """Settlements of the file in which no institution takes patients: nobody will search there."""

    def said(self) -> Iterator[str]:
        for change in self.changes:
            yield f"{change.key}{change.gone}{sorted(change.after.points.items(), key=str)}"


def compare(session: Session, *, rows: Sequence[FileRow]) -> Difference:
    """What these rows would do; three queries and one more for each five hundred streets."""
    names, doors = addresses.own_names(session), _doors(session)
    found = Difference(bad=[row for row in rows if row.problem is not None])
    streets: dict[str, list[FileRow]] = {}
    for row in rows:
        if row.problem is None:
            streets.setdefault(row.key, []).append(row)
    there = _points_of(session, list(streets))
    strange: dict[str, str] = {}
    for key, own in streets.items():
        folded = settlement_folded(own[0].settlement)
        if folded not in names:
            strange.setdefault(folded, own[0].settlement)
        name = names.get(folded, own[0].settlement)
        points = _taken(own, doors.get(folded, []), found.bad)
        change = _change(key, Street(name, own[0].street, points), there.get(key, {}))
        if change.came or change.moved or change.gone:
            found.changes.append(change)
        else:
            found.same += 1
    found.strange = sorted(strange.values())
    found.bad.sort(key=lambda row: row.line)
    return found


def _doors(session: Session) -> dict[str, list[Point]]:
    """Settlement folded → where its institutions stand, as far as staff have said so."""
    rows = session.execute(
        select(Organization.settlement, Organization.latitude, Organization.longitude).where(
            Organization.takes_patients
        )
    )
    found: dict[str, list[Point]] = {}
    for name, latitude, longitude in rows:
        if latitude is not None and longitude is not None:
            found.setdefault(settlement_folded(name), []).append(Point(latitude, longitude))
    return found


def _points_of(session: Session, keys: Sequence[str]) -> dict[str, dict[str, Point]]:
    """Street → house → point, of the streets with these keys."""
    found: dict[str, dict[str, Point]] = {}
    for start in range(0, len(keys), 500):
        query = select(
            AddressPoint.street_key,
            AddressPoint.house,
            AddressPoint.latitude,
            AddressPoint.longitude,
        ).where(AddressPoint.street_key.in_(keys[start : start + 500]))
        for key, house, latitude, longitude in session.execute(query):
            found.setdefault(key, {})[house] = Point(latitude, longitude)
    return found


def _taken(rows: Sequence[FileRow], doors: Sequence[Point], bad: list[FileRow]) -> dict[str, Point]:
    """The points of one street; what speaks against a line goes to ``bad``."""
    points: dict[str, Point] = {}
    lines: dict[str, int] = {}
    for row in rows:
        if row.point is None:
            continue
        problem = None
        if points.get(row.house, row.point) != row.point:
            problem = BadCell(
                N_("Line %(line)s puts this house elsewhere."), line=str(lines[row.house])
            )
        elif len(points) >= MOST_HOUSES:
            problem = BadCell(N_("A street has at most %(most)s lines."), most=str(MOST_HOUSES))
        elif doors and (away := min(metres(row.point, door) for door in doors)) > FAR:
            problem = BadCell(
                N_("This point is %(number)s km from the institutions of the settlement. Are latitude and longitude turned?"),
                number=str(round(away / 1000)),
            )  # fmt: skip
        if problem is not None:
            bad.append(replace(row, point=None, problem=problem))
            continue
        points[row.house] = row.point
        lines.setdefault(row.house, row.line)
    return points


def _change(key: str, after: Street, before: Mapping[str, Point]) -> StreetChange:
    now = after.points
    return StreetChange(
        key,
        after,
        came=_in_order(set(now) - set(before)),
        moved=tuple(
            (house, metres(before[house], now[house]))
            for house in _in_order(set(now) & set(before))
            if before[house] != now[house]
        ),
        gone=_in_order(set(before) - set(now)),
        there=bool(before),
    )


def _in_order(found: set[str]) -> tuple[str, ...]:
    """The middle of the street, then its houses as they are numbered."""
    middle = [MIDDLE] if MIDDLE in found else []
    return (*middle, *houses.spelled(houses.parse(each) for each in found - {MIDDLE}))
