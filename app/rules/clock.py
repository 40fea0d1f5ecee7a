"""From instants to an organization's own dates and hours, and back. ``now`` is always an argument."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local(instant: dt.datetime, zone_name: str) -> dt.datetime:
    """The same instant on the wall clock of ``zone_name``."""
    return instant.astimezone(zone(zone_name))


def local_date(instant: dt.datetime, zone_name: str) -> dt.date:
    return local(instant, zone_name).date()


def instant(date: dt.date, time: dt.time, zone_name: str) -> dt.datetime:
    """The UTC instant of a wall-clock time. An hour that occurs twice means its first occurrence.

    Raises ValueError for an hour that the clocks skip.
    """
    wall = dt.datetime.combine(date, time, tzinfo=zone(zone_name))
    utc = wall.astimezone(dt.UTC)
    if utc.astimezone(zone(zone_name)).replace(tzinfo=None) != wall.replace(tzinfo=None):
        raise ValueError(f"{date} {time} does not exist in {zone_name}")
    return utc


def midnight(date: dt.date, zone_name: str) -> dt.datetime:
    """The first instant of ``date``, also where the clocks skip midnight."""
    wall = dt.datetime.combine(date, dt.time(), tzinfo=zone(zone_name))
    return wall.astimezone(dt.UTC)


def monday_of(day: dt.date) -> dt.date:
    """The first day of its week."""
    return day - dt.timedelta(days=day.weekday())


def birthday(born: dt.date, age: int) -> dt.date:
    """The day one turns ``age``; of 29 February, the 1st of March in other years."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return dt.date(born.year + age, 3, 1)
