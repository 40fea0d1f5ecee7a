"""What the desk does with the slots of the grid: closing free ones, giving them back, web or desk."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from app.models.directory import PractitionerRole
from app.models.enums import Channel, ScheduleStatus, SlotStatus
from app.models.organization import Organization
from app.models.schedule import Slot
from app.models.scope import widened
from app.rules import audit, freed, sitting_previews, transitions
from app.rules.actor import Actor
from app.rules.clock import local
from app.rules.errors import N_, RuleError


class NothingChosen(RuleError):
    code = "nothing_chosen"
    text = N_("Tick at least one time first.")


class ClosedSitting(RuleError):
    code = "closed_sitting"
    text = N_("This sitting is closed. Publish it anew if it is needed again.")


class TimeTaken(RuleError):
    code = "time_taken"
    text = N_("At this hour the practitioner has another slot already: %(times)s.")


def close(
    session: Session,
    *,
    slot_uids: Sequence[uuid.UUID],
    role_id: int,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Free → closed; how many still were free. Booked ones stay as they are. Raises NothingChosen."""
    slots = _chosen(session, slot_uids, role_id, now)
    done = transitions.close_free_slots(session, [slot.id for slot in slots])
    _note(session, slots, "sitting.close", done, actor, now)
    return done


def reopen(
    session: Session,
    *,
    slot_uids: Sequence[uuid.UUID],
    role_id: int,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Closed → free, where the sitting is open and the hour is not taken by another slot of the role.

    Raises NothingChosen, ClosedSitting, TimeTaken.
    """
    slots = [
        slot
        for slot in _chosen(session, slot_uids, role_id, now)
        if slot.status is SlotStatus.CLOSED
    ]
    if any(slot.schedule.status is ScheduleStatus.CLOSED for slot in slots):
        raise ClosedSitting()
    if not slots:
        return 0
    taken = _doubled(session, role_id, slots)
    if taken:
        zone = session.get_one(Organization, slots[0].organization_id).time_zone
        raise TimeTaken(times=[local(at, zone).time() for at in taken])
    done = transitions.reopen_slots(session, [slot.id for slot in slots])
    _tell_the_line(session, slots, now)
    _note(session, slots, "sitting.reopen", done, actor, now)
    return done


def offer(
    session: Session,
    *,
    slot_uids: Sequence[uuid.UUID],
    role_id: int,
    channel: Channel,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Open free slots to the web, or keep them for the desk; how many changed. Raises NothingChosen."""
    slots = _chosen(session, slot_uids, role_id, now)
    done = transitions.changed_rows(
        session,
        update(Slot)
        .where(
            Slot.id.in_([slot.id for slot in slots]),
            Slot.status == SlotStatus.FREE,
            Slot.channel != channel,
        )
        .values(channel=channel),
    )
    if channel is Channel.WEB:
        _tell_the_line(session, slots, now)
    _note(session, slots, "sitting.channel", done, actor, now)
    return done


def _chosen(
    session: Session, slot_uids: Sequence[uuid.UUID], role_id: int, now: dt.datetime
) -> Sequence[Slot]:
    """Those of the role that are still ahead; somebody else's are not found. Raises NothingChosen."""
    slots = session.scalars(
        select(Slot)
        .options(joinedload(Slot.schedule))
        .where(Slot.uid.in_(slot_uids), Slot.role_id == role_id, Slot.starts_at > now)
        .order_by(Slot.starts_at)
        .execution_options(populate_existing=True)
    ).all()
    if not slots:
        raise NothingChosen()
    return slots


def _doubled(session: Session, role_id: int, slots: Sequence[Slot]) -> list[dt.datetime]:
    """Starts of slots that another one of the practitioner, in any role, would meet."""
    role = session.get_one(PractitionerRole, role_id)
    sitting_previews.lock_practitioners(session, [role])
    mine = select(PractitionerRole.id).where(
        PractitionerRole.practitioner_id == role.practitioner_id
    )
    with widened(session, "a practitioner may receive in branches the reader does not see"):
        others = session.execute(
            select(Slot.starts_at, Slot.minutes).where(
                Slot.role_id.in_(mine),
                Slot.status != SlotStatus.CLOSED,
                Slot.starts_at > slots[0].starts_at - dt.timedelta(days=1),
                Slot.starts_at < slots[-1].starts_at + dt.timedelta(days=1),
            )
        ).all()
    busy = [(at, _end(at, minutes)) for at, minutes in others]
    found = []
    for slot in slots:
        end = _end(slot.starts_at, slot.minutes)
        if any(start < end and slot.starts_at < until for start, until in busy):
            found.append(slot.starts_at)
        busy.append((slot.starts_at, end))
    return found


def _end(at: dt.datetime, minutes: int | None) -> dt.datetime:
    return at + dt.timedelta(minutes=minutes or 1)


def _tell_the_line(session: Session, slots: Sequence[Slot], now: dt.datetime) -> None:
    for schedule_id in sorted({slot.schedule_id for slot in slots}):
        freed.note_day(session, schedule_id, now=now)


def _note(
    session: Session, slots: Sequence[Slot], verb: str, done: int, actor: Actor, now: dt.datetime
) -> None:
    if done:
        subject = slots[0].schedule
        changes = {"slots": [0, done]}
        audit.record(session, verb=verb, subject=subject, actor=actor, now=now, changes=changes)
