"""Whom of the people already booked a donor file concerns: checks that newly fail once it is applied (N13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.donor import Donor, DonorRecord
from app.models.enums import DeferralKind, DonationKind, RowAction
from app.models.exchange import DonorImport, DonorImportRow
from app.models.scope import widened
from app.rules import checks, facts, policies
from app.rules.checks import Check
from app.rules.donor_diff import FIELDS, plain, typed
from app.rules.facts import COUNTED, StaffFacts
from app.rules.known import DeferralFact
from app.rules.queue import loaded

CHUNK = 500


@dataclass(frozen=True)
class Affected:
    """A booking to come, and the checks that fail because of the file."""

    appointment: Appointment
    newly: tuple[Check, ...]


def affected(session: Session, imported: DonorImport, *, now: dt.datetime) -> list[Affected]:
    """Bookings to come for which a check would newly fail, soonest first; of every branch.

    A file is the whole organization's, whichever branches its reader may see: the caller shows only
    what is in scope (``visible``) and counts the rest.
    """
    with widened(session, "a donor file concerns the bookings of every branch"):
        upcoming = _upcoming(session, imported.tenant_id, now)
        lines = _lines(session, imported, set(upcoming.values()))
        wanted = [key for key, code in upcoming.items() if code in lines]
        found: list[Affected] = []
        for start in range(0, len(wanted), CHUNK):
            part = wanted[start : start + CHUNK]
            bookings = session.scalars(loaded().where(Appointment.id.in_(part))).unique().all()
            supposed = {key: lines[upcoming[key]] for key in part}
            found += _newly(session, imported.tenant_id, bookings, supposed, now)
    return sorted(found, key=lambda one: (one.appointment.starts_at, one.appointment.id))


def visible(session: Session, appointment_ids: Sequence[int]) -> dict[int, Appointment]:
    """Those of the bookings that the reader's roles cover."""
    rows = session.scalars(loaded().where(Appointment.id.in_(appointment_ids))).unique()
    return {row.id: row for row in rows}


def _upcoming(session: Session, tenant_id: int, now: dt.datetime) -> dict[int, str]:
    """Booking → the code by which the file speaks of its donor: the linked record's, else the donor's."""
    rows = session.execute(
        select(Appointment.id, Donor.donor_code, DonorRecord.code)
        .outerjoin(Donor, Donor.person_id == Appointment.person_id)
        .outerjoin(DonorRecord, DonorRecord.person_id == Appointment.person_id)
        .where(
            Appointment.tenant_id == tenant_id,
            Appointment.status.in_(COUNTED),
            Appointment.starts_at > now,
        )
    )
    return {key: linked or own for key, own, linked in rows if linked or own}


def _lines(session: Session, imported: DonorImport, codes: set[str]) -> dict[str, Any]:
    """The lines that change something for these codes."""
    found: dict[str, Any] = {}
    ordered = sorted(codes)
    for start in range(0, len(ordered), CHUNK):
        rows = session.execute(
            select(
                DonorImportRow.code,
                DonorImportRow.action,
                DonorImportRow.values,
                DonorImportRow.changes,
            ).where(
                DonorImportRow.import_id == imported.id,
                DonorImportRow.code.in_(ordered[start : start + CHUNK]),
                DonorImportRow.action.in_((RowAction.NEW, RowAction.CHANGED)),
            )
        )
        found |= {row.code: row for row in rows}
    return found


def _newly(
    session: Session,
    tenant_id: int,
    bookings: Sequence[Appointment],
    supposed: Mapping[int, Any],
    now: dt.datetime,
) -> list[Affected]:
    people = facts.for_staff(session, [b.person_id for b in bookings])
    numbers: dict[dt.date, policies.MedicalNumbers] = {}
    found = []
    for booking in bookings:
        day = booking.schedule.date
        if day not in numbers:
            numbers[day] = policies.medical_numbers(session, tenant_id=tenant_id, on=day)
        before = people[booking.person_id]
        after = would_be(before, supposed[booking.id])
        failed = {
            check.name
            for check in checks.examine_one(booking, before, numbers=numbers[day], now=now).failing
        }
        now_failing = checks.examine_one(booking, after, numbers=numbers[day], now=now).failing
        newly = tuple(check for check in now_failing if check.name not in failed)
        if newly:
            found.append(Affected(booking, newly))
    return found


def would_be(who: StaffFacts, line: Any) -> StaffFacts:
    """What would be known of this donor with the line applied. Nothing is written."""
    values: Mapping[str, Any] = line.values
    old = who.record
    known = {} if old is None else {n: plain(v) for n in FIELDS if (v := getattr(old, n))}
    new = typed({**known, **values})
    record = DonorRecord(code=line.code, person_id=old.person_id if old else None, **new)
    person = who.facts
    return StaffFacts(
        replace(
            person,
            sex=who.person.sex or new["sex"],
            birth_date=who.person.birth_date or new["birth_date"],
            donations=_donations(person.donations, values.get("donation")),
            deferrals=_deferrals(person.deferrals, line),
            history_known=True,
        ),
        who.person,
        who.donor,
        record,
    )


def _donations(
    known: tuple[tuple[dt.date, DonationKind], ...], gift: Mapping[str, str] | None
) -> tuple[tuple[dt.date, DonationKind], ...]:
    if not gift:
        return known
    said = (dt.date.fromisoformat(gift["on_date"]), DonationKind(gift["kind"]))
    return tuple(sorted({*known, said}))


def _deferrals(known: tuple[DeferralFact, ...], line: Any) -> tuple[DeferralFact, ...]:
    if "deferral" not in line.values:
        return known
    before, said = line.changes.get("deferral", (None, line.values["deferral"]))
    kept = set(known)
    if before:
        kept.discard(_fact(before))
    if said:
        kept.add(_fact(said))
    return tuple(sorted(kept, key=lambda fact: fact.starts_on))


def _fact(said: Mapping[str, Any]) -> DeferralFact:
    end = said["ends_on"]
    return DeferralFact(
        DeferralKind(said["kind"]),
        dt.date.fromisoformat(said["starts_on"]) if said["starts_on"] else dt.date.min,
        dt.date.fromisoformat(end) if end else None,
        said["reason"],
    )
