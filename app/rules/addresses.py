"""Where an address is, by the installation's own points: nobody else is asked (row E37).

Points come as files (``app.rules.address_imports``); the middle of a street stands for houses that
nobody has measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from app.models.address import AddressPoint
from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import houses
from app.rules.distances import Point
from app.rules.errors import N_, NotAllowed, RuleError
from app.rules.houses import House
from app.rules.streets import MARK, keys_typed, settlement_folded, street_key, tidy

MOST_STREETS = 500
"""Names offered beside the field: the page stays light on an old telephone."""
MIDDLE = ""
"""The house of a point that is the middle of its street."""
Points = Mapping[str, Point]
"""Houses of one street in their one spelling → where they are."""


class StreetUnknown(RuleError):
    code = "street_unknown"
    text = N_("The street “%(street)s” of %(settlement)s is not among the addresses of this site. Check its name, please: the list stands without distances.")  # fmt: skip


@dataclass(frozen=True)
class Spot:
    """Where the address asked for is shown."""

    point: Point
    street: str
    """As the file has written it."""
    settlement: str
    asked: str
    """The house that was asked for; empty if none was."""
    house: str
    """The one whose point it is; empty for the middle of the street."""

    @property
    def exact(self) -> bool:
        return self.asked != MIDDLE and self.asked == self.house


@dataclass(frozen=True)
class Settlement:
    """How much is known of a settlement."""

    name: str
    streets: int
    points: int


def locate(session: Session, *, settlement: str, street: str, house: str = "") -> Spot:
    """The house; else the one whose number is nearest, else the middle of the street: one query.

    Raises StreetUnclear, HouseUnclear, StreetUnknown.
    """
    wanted = houses.parse(house) if house else None
    keys = _keys(street, settlement)
    rows = session.scalars(select(AddressPoint).where(AddressPoint.street_key.in_(keys))).all()
    there = {row.street_key for row in rows}
    key = next((key for key in keys if key in there), None)
    if key is None:
        raise StreetUnknown(street=tidy(street), settlement=settlement)
    by_house = {row.house: row for row in rows if row.street_key == key}
    row = by_house[nearest(by_house, wanted)]
    asked = str(wanted) if wanted else MIDDLE
    point = Point(row.latitude, row.longitude)
    return Spot(point, row.street, row.settlement, asked, row.house)


def nearest(known: Iterable[str], wanted: House | None) -> str:
    """Which of the houses of a street stands for the one that is looked for.

    The house itself; the one nearest by number, before others those built under the same one; the
    middle of the street where no house is known. Nothing looked for: the middle, or the house
    halfway along the numbers.
    """
    measured = sorted(houses.parse(each) for each in known if each != MIDDLE)
    if wanted is None:
        return MIDDLE if MIDDLE in known or not measured else str(measured[len(measured) // 2])
    if wanted in measured:
        return str(wanted)
    closest = min(measured, key=lambda each: (abs(each.number - wanted.number), each), default=None)
    return str(closest) if closest else MIDDLE


def _keys(street: str, settlement: str) -> list[str]:
    """«ул. Ленина» of the settlement chosen; «ул. Ленина, пос. Высокий» of that one."""
    found = [street_key(street, settlement)]
    if "," in street:
        found += [key for key in keys_typed(street) if MARK in key]
    return found


def streets(session: Session, *, settlement: str, most: int = MOST_STREETS) -> list[str]:
    """Names of the streets known in a settlement, to be offered while one types: one query.

    It goes from street to street in the index, not from house to house.
    """
    own = AddressPoint.settlement == settlement
    first = select(func.min(AddressPoint.street_key).label("key")).where(own)
    keys = first.cte("streets", recursive=True)
    after = select(func.min(AddressPoint.street_key)).where(
        own, AddressPoint.street_key > keys.c.key
    )
    keys = keys.union_all(select(after.scalar_subquery()).where(keys.c.key.is_not(None)))
    name = select(AddressPoint.street).where(AddressPoint.street_key == keys.c.key)
    name = name.order_by(AddressPoint.house).limit(1)
    return list(
        session.scalars(select(name.scalar_subquery()).where(keys.c.key.is_not(None)).limit(most))
    )


def known(session: Session) -> bool:
    """Whether there are any points at all."""
    return session.scalar(select(AddressPoint.id).limit(1)) is not None


def settlements(session: Session) -> list[Settlement]:
    """Every settlement with points, by name."""
    each = (
        select(AddressPoint.settlement, AddressPoint.street_key, func.count().label("points"))
        .group_by(AddressPoint.settlement, AddressPoint.street_key)
        .subquery()
    )
    rows = session.execute(
        select(each.c.settlement, func.count(), func.sum(each.c.points)).group_by(each.c.settlement)
    )
    found = [Settlement(name, streets, int(points)) for name, streets, points in rows]
    return sorted(found, key=lambda each: each.name)


# --- writing


def may_edit(session: Session) -> bool:
    """The list is everybody's: only who works over the whole installation changes it."""
    scope = scope_of(session)
    return scope.kind == "system" or scope.everywhere


def own_names(session: Session) -> dict[str, str]:
    """Settlement folded → as institutions that take patients write it."""
    rows = session.scalars(
        select(Organization.settlement).where(Organization.takes_patients).distinct()
    )
    return {settlement_folded(name): name for name in sorted(rows) if name}


def replace_street(session: Session, *, settlement: str, street: str, points: Points) -> None:
    """Make the points of a street these and no others; none of them: the street is forgotten.

    Houses may be spelled in any way, ``MIDDLE`` is the middle of the street. Raises NotAllowed,
    StreetUnclear, HouseUnclear.
    """
    if not may_edit(session):
        raise NotAllowed()
    key = street_key(street, settlement)
    name = own_names(session).get(settlement_folded(settlement), tidy(settlement))
    rows = {str(houses.parse(each)) if each else MIDDLE: at for each, at in points.items()}
    write(session, {key: Street(name, tidy(street), rows)})


@dataclass(frozen=True)
class Street:
    """All that is known of a street."""

    settlement: str
    street: str
    points: Points


def write(session: Session, streets_by_key: Mapping[str, Street]) -> None:
    """Put these streets in the place of those with the same keys: a few statements for all."""
    keys = list(streets_by_key)
    for start in range(0, len(keys), 500):
        gone = delete(AddressPoint).where(AddressPoint.street_key.in_(keys[start : start + 500]))
        session.execute(gone, execution_options={"synchronize_session": "fetch"})
    rows = [
        {
            "settlement": each.settlement,
            "street": each.street,
            "street_key": key,
            "house": house,
            "latitude": at.latitude,
            "longitude": at.longitude,
        }
        for key, each in streets_by_key.items()
        for house, at in each.points.items()
    ]
    if rows:
        session.execute(insert(AddressPoint), rows)
    session.flush()
