"""Medical intervals and yearly limits as the administrator sees and changes them: in versions, with sources.

Which numbers hold on a date is app.rules.policies.medical_numbers. A row is never edited, only followed
by the next one; its mark «to check» is taken off when somebody has held it against the official text.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.donation_type import DonationInterval, DonationLimit
from app.models.enums import DonationKind, Sex
from app.rules import audit
from app.rules.actor import Actor
from app.rules.errors import N_, RuleError
from app.rules.organizations import demand_over

Pair = tuple[DonationKind, DonationKind]
Whom = tuple[DonationKind, Sex | None]
MOST_DAYS = 3650
MOST_TIMES = 365


class NothingChanged(RuleError):
    code = "nothing_changed"
    text = N_("Nothing was changed: the numbers are the same as before.")


class SourceNeeded(RuleError):
    code = "source_needed"
    text = N_("Name the source, please: the order and its paragraph, or who decided.")


class NumberMissing(RuleError):
    code = "number_missing"
    text = N_("A number that has held so far cannot be left empty.")


class VersionExists(RuleError):
    code = "medical_version_exists"
    text = N_("Numbers from this very day are there already. Choose a later day.")


@dataclass(frozen=True)
class Numbers:
    """What holds on a date, with the rows behind it (source, mark, date)."""

    intervals: dict[Pair, DonationInterval]
    limits: dict[Whom, DonationLimit]


def numbers(session: Session, *, tenant_id: int, on: dt.date | None) -> Numbers:
    """The newest row of each number whose day has come; without ``on``, the newest of all."""
    intervals = select(DonationInterval).where(DonationInterval.tenant_id == tenant_id)
    limits = select(DonationLimit).where(DonationLimit.tenant_id == tenant_id)
    if on is not None:
        intervals = intervals.where(DonationInterval.valid_from <= on)
        limits = limits.where(DonationLimit.valid_from <= on)
    return Numbers(
        {
            (row.from_kind, row.to_kind): row
            for row in session.scalars(intervals.order_by(DonationInterval.valid_from))
        },
        {
            (row.kind, row.sex): row
            for row in session.scalars(limits.order_by(DonationLimit.valid_from))
        },
    )


def ahead(session: Session, *, tenant_id: int, on: dt.date) -> list[Any]:
    """Rows whose day is still to come, soonest first."""
    found: list[Any] = []
    models: tuple[Any, ...] = (DonationInterval, DonationLimit)
    for model in models:
        found += session.scalars(
            select(model).where(model.tenant_id == tenant_id, model.valid_from > on)
        )
    return sorted(found, key=lambda row: (row.valid_from, row.id))


def new_numbers(
    session: Session,
    *,
    tenant_id: int,
    valid_from: dt.date,
    days: dict[Pair, int | None],
    times: dict[Whom, int | None],
    source: str,
    checked: bool,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Write the numbers that differ from those before as rows valid from a day; how many.

    Raises NothingChanged, SourceNeeded, NumberMissing, VersionExists, NotAllowed.
    """
    demand_over(session, tenant_id)
    present = numbers(session, tenant_id=tenant_id, on=valid_from)
    new_days = _changed(days, {key: row.days for key, row in present.intervals.items()})
    new_times = _changed(times, {key: row.times for key, row in present.limits.items()})
    if not new_days and not new_times:
        raise NothingChanged()
    if not source:
        raise SourceNeeded()
    _demand_new_day(present, new_days, new_times, valid_from)
    common = {
        "tenant_id": tenant_id,
        "valid_from": valid_from,
        "source": source,
        "to_check": not checked,
    }
    for (before, after), number in new_days.items():
        row = DonationInterval(from_kind=before, to_kind=after, days=number, **common)
        was = present.intervals.get((before, after))
        _add(session, row, "days", was.days if was else None, actor, now)
    for (kind, sex), number in new_times.items():
        limit = DonationLimit(kind=kind, sex=sex, times=number, **common)
        was_limit = present.limits.get((kind, sex))
        _add(session, limit, "times", was_limit.times if was_limit else None, actor, now)
    return len(new_days) + len(new_times)


def _changed(given: dict[Any, int | None], present: dict[Any, int]) -> dict[Any, int]:
    found = {}
    for key, number in given.items():
        if number is None and key in present:
            raise NumberMissing()
        if number is not None and number != present.get(key):
            found[key] = number
    return found


def _demand_new_day(
    present: Numbers, days: dict[Pair, int], times: dict[Whom, int], valid_from: dt.date
) -> None:
    rows: list[Any] = [present.intervals[key] for key in days if key in present.intervals]
    rows += [present.limits[key] for key in times if key in present.limits]
    if any(row.valid_from == valid_from for row in rows):
        raise VersionExists()


def _add(
    session: Session, row: Any, name: str, before: int | None, actor: Actor, now: dt.datetime
) -> None:
    session.add(row)
    session.flush()  # the audit line needs the id
    audit.record(
        session,
        verb="medical.version",
        subject=row,
        actor=actor,
        now=now,
        changes={
            name: [before, getattr(row, name)],
            "valid_from": [None, row.valid_from.isoformat()],
        },
    )


def confirm(
    session: Session, *, tenant_id: int, source: str, actor: Actor, now: dt.datetime
) -> int:
    """Take the mark «to check» off every row with this source: somebody has read the text. How many.

    Raises NotAllowed.
    """
    demand_over(session, tenant_id)
    marked = 0
    models: tuple[Any, ...] = (DonationInterval, DonationLimit)
    for model in models:
        rows = session.scalars(
            select(model).where(
                model.tenant_id == tenant_id, model.source == source, model.to_check
            )
        )
        for row in rows:
            row.to_check = False
            audit.record(session, verb="medical.checked", subject=row, actor=actor, now=now)
            marked += 1
    return marked
