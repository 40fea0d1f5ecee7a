"""What a reader may ask the public list of donor days for, as SQL: filters, search words, order."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select
from sqlalchemy.types import SmallInteger

from app.models.blood import EVERY_TYPE, bit, takes
from app.models.donation_type import DonationType
from app.models.enums import BloodGroup, Channel, ScheduleStatus, Sign, SlotStatus
from app.models.organization import Organization
from app.models.schedule import Schedule, Slot
from app.rules.clock import local_date
from app.rules.known import PersonFacts

OPEN = (ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)
SIZES = (10, 25, 50, 100)
POSITIVE = sum(bit(t) for t in EVERY_TYPE if t.rh is Sign.POSITIVE)
GROUP_WORDS = {
    "i": BloodGroup.O,
    "ii": BloodGroup.A,
    "iii": BloodGroup.B,
    "iv": BloodGroup.AB,
    "o": BloodGroup.O,
    "0": BloodGroup.O,
    "a": BloodGroup.A,
    "b": BloodGroup.B,
    "ab": BloodGroup.AB,
}
"""How people type a group; Cyrillic look-alikes are folded before."""
LOOK_ALIKES = str.maketrans("аво", "abo")


class Order(StrEnum):
    """The columns of the list (row A2)."""

    TYPE = "type"
    GROUP = "group"
    RH = "rh"
    DATE = "date"
    FREE = "free"
    HOURS = "hours"


@dataclass(frozen=True)
class Wish:
    """What the reader asked the list for. Empty means any."""

    text: str = ""
    type_code: str = ""
    group: BloodGroup | None = None
    rh: Sign | None = None
    date: dt.date | None = None
    settlement: str = ""
    branch: uuid.UUID | None = None
    order: Order = Order.DATE
    descending: bool = False
    page: int = 1
    size: int = SIZES[0]

    @property
    def narrows(self) -> bool:
        """Whether anything is filtered: an empty list then means «nothing found», not «no need»."""
        return self != replace(
            Wish(), order=self.order, descending=self.descending, page=self.page, size=self.size
        )


def plain(text: str) -> str:
    """``text`` as search compares it on both sides: small letters, ё as е.

    >>> plain("Щёлково")
    'щелково'
    """
    return text.casefold().replace("ё", "е")


def choosable(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    """A place (Slot) that can be chosen on the site now."""
    return (Slot.status == SlotStatus.FREE, Slot.channel == Channel.WEB, Slot.starts_at > now)


def open_days(
    organizations: Collection[Organization], types: Mapping[int, DonationType], now: dt.datetime
) -> ColumnElement[bool]:
    """Published or paused, not before today in the organization's own zone."""
    zones: dict[str, list[int]] = {}
    for organization in organizations:
        zones.setdefault(organization.time_zone, []).append(organization.id)
    parts = [
        and_(Schedule.organization_id.in_(ids), Schedule.date >= local_date(now, zone))
        for zone, ids in zones.items()
    ]
    active = [key for key, kind in types.items() if kind.is_active]
    return and_(
        Schedule.status.in_(OPEN),
        Schedule.donation_type_id.in_(active),
        or_(*parts) if parts else false(),
    )


def conditions(
    wish: Wish, organizations: Mapping[int, Organization], types: Mapping[int, DonationType]
) -> list[ColumnElement[bool]]:
    """The filters and search words of ``wish`` about a Schedule."""
    found: list[ColumnElement[bool]] = []
    if wish.type_code:
        codes = [key for key, kind in types.items() if kind.code == wish.type_code]
        found.append(Schedule.donation_type_id.in_(codes))
    if wish.group is not None or wish.rh is not None:
        wanted = [
            t for t in EVERY_TYPE if wish.group in (None, t.group) and wish.rh in (None, t.rh)
        ]
        found.append(takes(Schedule.blood_types, wanted))
    if wish.date is not None:
        found.append(Schedule.date == wish.date)
    if wish.settlement or wish.branch is not None:
        places = [
            key
            for key, row in organizations.items()
            if wish.settlement in ("", row.settlement) and wish.branch in (None, row.uid)
        ]
        found.append(Schedule.organization_id.in_(places))
    for word in plain(wish.text).split()[:8]:
        found.append(_mentions(word, organizations, types))
    return found


def _mentions(
    word: str, organizations: Mapping[int, Organization], types: Mapping[int, DonationType]
) -> ColumnElement[bool]:
    """The word is in the name of the type or the place, or is a group, an Rh sign or a date.

    Types and places are few and loaded already: they are compared here, and the query goes by their keys.
    """
    if word in ("+", "-", "−"):
        sign = Sign.POSITIVE if word == "+" else Sign.NEGATIVE
        return takes(Schedule.blood_types, [t for t in EVERY_TYPE if t.rh is sign])
    group = GROUP_WORDS.get(word.strip("()").translate(LOOK_ALIKES))
    if group is not None:
        return takes(Schedule.blood_types, [t for t in EVERY_TYPE if t.group is group])
    kinds = [key for key, kind in types.items() if word in plain(f"{kind.name_ru} {kind.name_en}")]
    places = [
        key
        for key, row in organizations.items()
        if word in plain(f"{row.name} {row.short_name} {row.settlement} {row.address}")
    ]
    parts: list[ColumnElement[bool]] = [
        Schedule.donation_type_id.in_(kinds),
        Schedule.organization_id.in_(places),
    ]
    day = _date_in(word)
    if day is not None:
        parts.append(Schedule.date == day)
    return or_(*parts)


def _date_in(word: str) -> dt.date | None:
    """«25.11.2026» or «2026-11-25»."""
    try:
        if word.count(".") == 2 and word.replace(".", "").isascii():
            day, month, year = word.split(".")
            return dt.date(int(year), int(month), int(day))
        return dt.date.fromisoformat(word) if word.count("-") == 2 else None
    except ValueError:
        return None


def ordered(
    query: Select[Any], wish: Wish, own: Mapping[int, PersonFacts], now: dt.datetime
) -> Select[Any]:
    """Days of the reader's own group first, then by the chosen column, then by date and group."""
    keys: dict[Order, tuple[Any, ...]] = {
        Order.TYPE: (DonationType.position, DonationType.name_ru),
        Order.GROUP: (Schedule.blood_types,),
        Order.RH: (
            case(
                (Schedule.blood_types.op("&", return_type=SmallInteger())(POSITIVE) != 0, 0),
                else_=1,
            ),
        ),
        Order.DATE: (Schedule.date,),
        Order.FREE: (_free_count(now),),
        Order.HOURS: (Schedule.start_time, Schedule.end_time),
    }
    chosen = [key.desc() if wish.descending else key.asc() for key in keys[wish.order]]
    mine = [
        and_(Schedule.tenant_id == tenant_id, takes(Schedule.blood_types, [person.blood_type]))
        for tenant_id, person in own.items()
        if person.blood_type is not None
    ]
    own_first = [case((or_(*mine), 0), else_=1)] if mine else []
    return query.join(DonationType, DonationType.id == Schedule.donation_type_id).order_by(
        *own_first,
        *chosen,
        Schedule.date,
        DonationType.position,
        Schedule.blood_types,
        Schedule.start_time,
        Schedule.id,
    )


def _free_count(now: dt.datetime) -> Any:
    return (
        select(func.count(Slot.id))
        .where(Slot.schedule_id == Schedule.id, *choosable(now))
        .correlate(Schedule)
        .scalar_subquery()
    )
