"""One donor day with all that a decision about it needs, and the place chosen of it: one query each."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, Select, or_, select
from sqlalchemy.orm import Session

from app.models.donation_type import DonationPause, DonationType
from app.models.enums import Channel, ScheduleStatus, SlotStatus
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule, Slot
from app.rules.errors import NotFound
from app.rules.policies import NoPolicy
from app.rules.policy_query import policy_of


@dataclass(frozen=True)
class Day:
    """A donor day with what a decision about it needs."""

    schedule: Schedule
    organization: Organization
    donation_type: DonationType
    policy: BookingPolicy
    pause: DonationPause | None = None
    """The pause in force for this type at this branch, if any."""


@dataclass(frozen=True)
class Choice:
    """A place of a day: one by its number, or any at its time."""

    day: Day
    slot: Slot
    """The one chosen; when any will do, the first free one of its time, or the first if none is free."""
    any_place: bool
    service_id: int | None = None
    """What a visit at this time would be for, if anything says so."""


def day_of(
    session: Session,
    *,
    now: dt.datetime,
    schedule_id: int | None = None,
    schedule_uid: uuid.UUID | None = None,
) -> Day:
    """The day by its key or its outside name. Raises NotFound if it is not published or not yours."""
    row = session.execute(_named(_whole(now), schedule_id, schedule_uid)).one_or_none()
    if row is None:
        raise NotFound()
    return _day(row)


def choice_of(
    session: Session,
    *,
    now: dt.datetime,
    schedule_id: int | None = None,
    schedule_uid: uuid.UUID | None = None,
    slot_id: int | None = None,
    slot_uid: uuid.UUID | None = None,
    starts_at: dt.datetime | None = None,
) -> Choice:
    """A place of that day, or any place at ``starts_at``, free or not: who takes it decides that.

    Raises NotFound for what is not a place of that day on the site.
    """
    if slot_id is not None:
        chosen: Any = Slot.id == slot_id
    elif slot_uid is not None:
        chosen = Slot.uid == slot_uid
    else:
        chosen = Slot.id == (
            select(Slot.id)
            .where(
                Slot.schedule_id == Schedule.id,
                Slot.channel == Channel.WEB,
                Slot.starts_at == starts_at,
            )
            .order_by(Slot.status != SlotStatus.FREE, Slot.place)
            .limit(1)
            .correlate(Schedule)
            .scalar_subquery()
        )
    query = _named(_whole(now).add_columns(Slot), schedule_id, schedule_uid).where(
        chosen, Slot.schedule_id == Schedule.id, Slot.channel == Channel.WEB
    )
    row = session.execute(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound()
    return Choice(_day(row), row.Slot, any_place=slot_id is None and slot_uid is None)


def pause_of(now: dt.datetime) -> ScalarSelect[Any]:
    """The key of the pause that stands over a Schedule of the enclosing query: everywhere, or there."""
    return (
        select(DonationPause.id)
        .where(
            DonationPause.donation_type_id == Schedule.donation_type_id,
            or_(
                DonationPause.organization_id.is_(None),
                DonationPause.organization_id == Schedule.organization_id,
            ),
            DonationPause.starts_at <= now,
            or_(DonationPause.ends_at.is_(None), DonationPause.ends_at > now),
        )
        .order_by(DonationPause.organization_id.is_not(None), DonationPause.id.desc())
        .limit(1)
        .correlate(Schedule)
        .scalar_subquery()
    )


def _whole(now: dt.datetime) -> Select[Any]:
    everything: tuple[Any, ...] = (
        Schedule, Organization, DonationType, BookingPolicy, DonationPause,
    )  # fmt: skip
    return (
        select(*everything)
        .join(Organization, Organization.id == Schedule.organization_id)
        .join(DonationType, DonationType.id == Schedule.donation_type_id)
        .outerjoin(BookingPolicy, BookingPolicy.id == policy_of(now))
        .outerjoin(DonationPause, DonationPause.id == pause_of(now))
    )


def _named(
    query: Select[Any], schedule_id: int | None, schedule_uid: uuid.UUID | None
) -> Select[Any]:
    if schedule_id is not None:
        return query.where(Schedule.id == schedule_id)
    return query.where(Schedule.uid == schedule_uid, Schedule.status != ScheduleStatus.DRAFT)


def _day(row: Any) -> Day:
    if row.BookingPolicy is None:
        raise NoPolicy()
    return Day(
        row.Schedule, row.Organization, row.DonationType, row.BookingPolicy, row.DonationPause
    )
