"""From a plan and the facts of a branch to sittings, and everything that is left out with its reason. Pure."""

from __future__ import annotations

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.models.enums import Channel
from app.rules import holidays
from app.rules.errors import N_
from app.rules.sittings import Line, Plan, PlannedSlot, Sitting, line_slots, skipped

Interval = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Remark:
    """What is left out, or stands against the whole plan; said like a refusal."""

    code: str
    text: str
    params: Mapping[str, Any] = field(default_factory=dict)
    date: dt.date | None = None
    role_id: int | None = None
    """Of everybody if empty."""


@dataclass(frozen=True)
class RoleFacts:
    id: int
    practitioner_id: int
    organization_id: int
    zone: str


@dataclass(frozen=True)
class Away:
    """Days on which a role (or the whole branch, if empty) does not receive."""

    organization_id: int
    role_id: int | None
    first: dt.date
    last: dt.date
    reason: str


@dataclass(frozen=True)
class Quota:
    """A district's web slots a day for its doctor, from when to when."""

    role_id: int
    starts_on: dt.date
    ends_on: dt.date | None
    slots: int


@dataclass
class Facts:
    """What planning must know of the database.

    ``busy``: intervals a practitioner has, sorted, with nothing overlapping. ``open``: keys of open
    sittings. ``on_web``: web slots a role has already, by date.
    """

    roles: Mapping[int, RoleFacts]
    away: Sequence[Away] = ()
    quotas: Sequence[Quota] = ()
    busy: dict[int, list[Interval]] = field(default_factory=dict)
    open: frozenset[tuple[int, dt.date, dt.time]] = frozenset()
    on_web: Mapping[tuple[int, dt.date], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Planned:
    """``sittings`` by role and day; ``left_out`` by day."""

    sittings: tuple[Sitting, ...]
    left_out: tuple[Remark, ...]


def planned(plan: Plan, facts: Facts, *, not_before: dt.datetime) -> Planned:
    """Every sitting of the plan that nothing stands against. What has begun by ``not_before`` is left out."""
    left: list[Remark] = []
    found: list[Sitting] = []
    busy = {key: list(intervals) for key, intervals in facts.busy.items()}
    for date, patterns in _days(plan, facts, left):
        for role_id, lines in patterns:
            made = _day(facts, busy, left, role_id, date, lines, not_before)
            found += _capped(made, facts, date)
    found.sort(key=lambda sitting: sitting.key)
    return Planned(tuple(found), tuple(left))


def _days(
    plan: Plan, facts: Facts, left: list[Remark]
) -> Iterator[tuple[dt.date, list[tuple[int, tuple[Line, ...]]]]]:
    """Each date on which anybody works, with who and by which lines."""
    for date in plan.dates.days():
        wanted = [(role_id, lines_on(plan, role_id, date)) for role_id in plan.role_ids]
        wanted = [(role_id, lines) for role_id, lines in wanted if lines and role_id in facts.roles]
        if not wanted:
            continue
        off = holidays.free_by_decree(date)
        if off is not None:
            left.append(Remark(off.code, off.text, off.params, date))
            continue
        yield date, [each for each in wanted if not _is_away(facts, each[0], date, left)]


def lines_on(plan: Plan, role_id: int, date: dt.date) -> tuple[Line, ...]:
    """The lines of the date; a Saturday worked instead of another day has that day's lines."""
    own = plan.lines_for(role_id, date.isoweekday())
    instead = holidays.worked_for(date)
    if own or instead is None:
        return own
    return plan.lines_for(role_id, instead.isoweekday())


def _is_away(facts: Facts, role_id: int, date: dt.date, left: list[Remark]) -> bool:
    role = facts.roles[role_id]
    for each in facts.away:
        if not each.first <= date <= each.last or each.organization_id != role.organization_id:
            continue
        if each.role_id is None:
            remark = Remark("closed", N_("closed: %(reason)s"), {"reason": each.reason}, date)
            if remark not in left:
                left.append(remark)
            return True
        if each.role_id == role_id:
            text = N_("absent: %(reason)s")
            left.append(Remark("absent", text, {"reason": each.reason}, date, role_id))
            return True
    return False


def _day(
    facts: Facts,
    busy: dict[int, list[Interval]],
    left: list[Remark],
    role_id: int,
    date: dt.date,
    lines: Sequence[Line],
    not_before: dt.datetime,
) -> list[Sitting]:
    role = facts.roles[role_id]
    made = []
    for line in lines:
        about: dict[str, Any] = {"date": date, "role_id": role_id}
        gone = skipped(line, date, role.zone)
        if gone:
            text = N_("the clocks are put forward, there are no such times: %(times)s")
            left.append(Remark("no_such_hour", text, {"times": gone}, **about))
        slots = line_slots(line, date, role.zone)
        if not slots:
            continue
        sitting = Sitting(role_id, role.organization_id, date, line, slots)
        against = _against(sitting, facts, busy.setdefault(role.practitioner_id, []), not_before)
        if against is not None:
            left.append(replace(against, **about))
            continue
        bisect.insort(busy[role.practitioner_id], (sitting.starts_at, sitting.ends_at))
        made.append(sitting)
    return made


def still_stands(sittings: Sequence[Sitting], facts: Facts) -> bool:
    """Whether nothing has come to stand against any of these since they were planned."""
    return not any(
        each.key in facts.open
        or _is_away(facts, each.role_id, each.date, [])
        or _meets(
            facts.busy.get(facts.roles[each.role_id].practitioner_id, ()),
            each.starts_at,
            each.ends_at,
        )
        for each in sittings
    )


def _against(
    sitting: Sitting, facts: Facts, busy: Sequence[Interval], not_before: dt.datetime
) -> Remark | None:
    hours = {"start": sitting.line.start, "end": sitting.line.end}
    if sitting.starts_at <= not_before:
        text = N_("%(start)s–%(end)s: has begun by then, or is over")
        return Remark("past", text, hours)
    if sitting.key in facts.open:
        return Remark("open_already", N_("%(start)s–%(end)s: published already"), hours)
    if _meets(busy, sitting.starts_at, sitting.ends_at):
        text = N_("%(start)s–%(end)s: overlaps with slots this practitioner has already")
        return Remark("overlap", text, hours)
    return None


def _meets(busy: Sequence[Interval], start: dt.datetime, end: dt.datetime) -> bool:
    """Whether any of the sorted intervals, which do not overlap each other, meets start–end."""
    place = bisect.bisect_left(busy, (start, start))
    if place < len(busy) and busy[place][0] < end:
        return True
    return place > 0 and busy[place - 1][1] > start


def _capped(sittings: list[Sitting], facts: Facts, date: dt.date) -> list[Sitting]:
    """At most the district's number of the day's slots on the web, the earliest (row C13)."""
    if not sittings:
        return []
    role_id = sittings[0].role_id
    quotas = [
        quota.slots
        for quota in facts.quotas
        if quota.role_id == role_id
        and quota.starts_on <= date
        and (quota.ends_on is None or date <= quota.ends_on)
    ]
    if not quotas:
        return sittings
    rest = max(0, sum(quotas) - facts.on_web.get((role_id, date), 0))
    capped = []
    for sitting in sittings:
        slots: list[PlannedSlot] = []
        for slot in sitting.slots:
            if slot.channel is Channel.WEB:
                slots.append(slot if rest > 0 else slot._replace(channel=Channel.DESK))
                rest -= 1
            else:
                slots.append(slot)
        capped.append(replace(sitting, slots=tuple(slots)))
    return capped


def by_week(sittings: Sequence[Sitting]) -> dict[int, dict[dt.date, tuple[int, int]]]:
    """Role → Monday of the week → slots, and how many of them on the web."""
    found: dict[int, dict[dt.date, tuple[int, int]]] = defaultdict(dict)
    for sitting in sittings:
        monday = sitting.date - dt.timedelta(days=sitting.date.weekday())
        slots, web = found[sitting.role_id].get(monday, (0, 0))
        found[sitting.role_id][monday] = (slots + len(sitting.slots), web + sitting.on_web)
    return found
