"""Prescriptions that staff write down, and their reminders by SMS or letter for who has asked for them (E56)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.cabinet_choices import NoticeEvent
from app.models.consent import Consent, ConsentText
from app.models.enums import ConsentPurpose, MessageChannel, MessageKind, Relation
from app.models.medical_document import Prescription
from app.models.message import Message
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import widened
from app.rules import audit, clock, families, notices, outbox
from app.rules.actor import Actor
from app.rules.consent_texts import current_consent
from app.rules.errors import N_, NotFound, RuleError

DATA: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "medication.json").read_text(encoding="utf-8")
)
LATE = dt.timedelta(minutes=DATA["late_minutes"])
AHEAD = dt.timedelta(minutes=DATA["ahead_minutes"])
KINDS = {
    MessageChannel.EMAIL: MessageKind.MEDICATION,
    MessageChannel.SMS: MessageKind.MEDICATION_SMS,
}
LONGEST = dt.timedelta(days=366)
MOST_HOURS = 12
MOST = 100


class NoHours(RuleError):
    code = "no_hours"
    text = N_("Give at least one hour, like 08:00, and at most 12.")


class DaysTurned(RuleError):
    code = "prescription_days"
    text = N_("The last day is not before the first, and not more than a year after it.")


class StoppedAlready(RuleError):
    code = "prescription_stopped"
    text = N_("This prescription was stopped before.")


# --- what staff do


def hours_of(text: str) -> list[str]:
    """«8:00, 20.30» → ["08:00", "20:30"], each once, in order. Raises NoHours."""
    found = set()
    for word in text.replace(",", " ").replace(";", " ").split():
        hour, _, minute = word.replace(".", ":").partition(":")
        try:
            found.add(dt.time(int(hour), int(minute or 0)))
        except ValueError as error:
            raise NoHours() from error
    if not 1 <= len(found) <= MOST_HOURS:
        raise NoHours()
    return [f"{time:%H:%M}" for time in sorted(found)]


def prescribe(
    session: Session,
    *,
    person: Person,
    medicine: str,
    dose: str,
    hours: str,
    first_day: dt.date,
    last_day: dt.date,
    actor: Actor,
    now: dt.datetime,
) -> Prescription:
    """Write a prescription down. Raises NoHours, DaysTurned."""
    if not first_day <= last_day <= first_day + LONGEST:
        raise DaysTurned()
    row = Prescription(
        uid=uuid.uuid4(),
        tenant_id=person.tenant_id,
        person_id=person.id,
        medicine=medicine.strip()[:200],
        dose=dose.strip()[:200],
        hours=hours_of(hours),
        first_day=first_day,
        last_day=last_day,
        created_at=now,
        created_by_id=actor.id,
    )
    session.add(row)
    session.flush()  # the audit names it
    _note(session, "prescription.add", row, actor, now)
    return row


def stop(session: Session, *, row: Prescription, actor: Actor, now: dt.datetime) -> None:
    """No more reminders of it from now on. Raises StoppedAlready."""
    if row.stopped_at is not None:
        raise StoppedAlready()
    row.stopped_at = now
    _note(session, "prescription.stop", row, actor, now)


def _note(session: Session, verb: str, row: Prescription, actor: Actor, now: dt.datetime) -> None:
    audit.record(session, verb=verb, subject=row, actor=actor, now=now, changes={})


def of_person(session: Session, *, person_ids: Collection[int]) -> Sequence[Prescription]:
    """What was prescribed, the latest first."""
    return session.scalars(
        select(Prescription)
        .where(Prescription.person_id.in_(person_ids))
        .order_by(Prescription.id.desc())
        .limit(MOST)
    ).all()


def one(session: Session, *, person: Person, uid: uuid.UUID) -> Prescription:
    """Raises NotFound, also for one of another card."""
    row = session.scalars(
        select(Prescription).where(Prescription.uid == uid, Prescription.person_id == person.id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


# --- what its owner wishes


def text_of(session: Session, *, tenant_id: int, now: dt.datetime) -> ConsentText:
    """The organization's own text; the first time the one that comes with Talon."""
    purpose = ConsentPurpose.MEDICATION
    found = current_consent(session, tenant_id=tenant_id, purpose=purpose, now=now)
    if found is None:
        with widened(session, "the text that comes with Talon"):
            found = ConsentText(
                uid=uuid.uuid4(),
                tenant_id=tenant_id,
                purpose=purpose,
                version=1,
                text_ru=DATA["consent_ru"],
                text_en=DATA["consent_en"],
                sha256=hashlib.sha256(DATA["consent_ru"].encode()).hexdigest(),
                valid_from=now,
            )
            session.add(found)
            session.flush()
    return found


def agreed(session: Session, *, person_ids: Collection[int]) -> set[int]:
    """Of these cards those whose reminders somebody has agreed to."""
    return set(
        session.scalars(
            select(Consent.person_id)
            .join(Consent.text)
            .where(
                Consent.person_id.in_(person_ids),
                ConsentText.purpose == ConsentPurpose.MEDICATION,
                Consent.withdrawn_at.is_(None),
            )
        )
    )


def agree(
    session: Session,
    *,
    account: Account,
    person_ids: Collection[int],
    now: dt.datetime,
    ip: str,
    user_agent: str,
) -> int:
    """The consent for each of these cards that has none; for how many."""
    new = set(person_ids) - agreed(session, person_ids=person_ids)
    people = session.scalars(select(Person).where(Person.id.in_(new)).order_by(Person.id)).all()
    for person in people:
        text = text_of(session, tenant_id=person.tenant_id, now=now)
        session.add(
            Consent(
                tenant_id=person.tenant_id,
                person_id=person.id,
                account_id=account.id,
                text_id=text.id,
                sha256=text.sha256,
                given_at=now,
                ip=ip,
                user_agent=user_agent[:200],
            )
        )
    session.flush()
    return len(people)


# --- the messages


def make_due(session: Session, *, now: dt.datetime, after: int = 0, limit: int = 200) -> int | None:
    """Messages for the hours within the next half hour, each once; of prescriptions from ``after`` on.

    The last one looked at, or None when there are no more.
    """
    yesterday = now.date() - dt.timedelta(days=1)  # it may still be that day somewhere
    rows = session.execute(
        select(Prescription, Organization.time_zone)
        .join(Organization, Organization.id == Prescription.tenant_id)
        .where(
            Prescription.id > after,
            Prescription.last_day >= yesterday,
            Prescription.first_day <= now.date() + dt.timedelta(days=1),
            Prescription.stopped_at.is_(None),
        )
        .order_by(Prescription.id)
        .limit(limit)
    ).all()
    found = [(row, hour, at) for row, zone in rows for hour, at in _coming(row, zone, now)]
    keepers = _keepers(session, {row.person_id for row, _, _ in found}, now)
    wanted = {
        f"medication:{row.id}:{account_id}:{channel}:{at:%Y%m%d%H%M}": (row, hour, at, account_id, channel)
        for row, hour, at in found
        for account_id, channel in keepers.get(row.person_id, ())
    }  # fmt: skip
    there = set(session.scalars(select(Message.key).where(Message.key.in_(wanted))))
    for key, (row, hour, at, account_id, channel) in wanted.items():
        if key not in there:
            outbox.add(
                session,
                kind=KINDS[channel],
                channel=channel,
                key=key,
                now=now,
                run_at=at,
                useless_after=at + LATE,
                tenant_id=row.tenant_id,
                account_id=account_id,
                facts={"prescription_id": row.id, "hour": hour},
            )
    return rows[-1][0].id if len(rows) == limit else None


def _coming(row: Prescription, zone: str, now: dt.datetime) -> Iterator[tuple[str, dt.datetime]]:
    """Its hours from a little before now to half an hour ahead, as instants; skipped hours are left out."""
    for day in {clock.local_date(now, zone), clock.local_date(now + AHEAD, zone)}:
        if not row.first_day <= day <= row.last_day:
            continue
        for hour in row.hours:
            try:
                at = clock.instant(day, dt.time.fromisoformat(hour), zone)
            except ValueError:
                continue
            if now - LATE < at <= now + AHEAD and at >= row.created_at:
                yield hour, at


def _keepers(
    session: Session, person_ids: Collection[int], now: dt.datetime
) -> dict[int, list[tuple[int, MessageChannel]]]:
    """By card: the accounts that are to be reminded, and how."""
    rows = session.execute(
        select(AccountPerson.person_id, AccountPerson.account_id).where(
            AccountPerson.person_id.in_(set(person_ids) & agreed(session, person_ids=person_ids)),
            families.open_at(now),
        )
    ).all()
    found: dict[int, list[tuple[int, MessageChannel]]] = {}
    for person_id, account_id in rows:
        chosen = notices.choices(session, account_id=account_id)
        for channel in KINDS:
            if chosen[NoticeEvent.MEDICATION, channel]:
                found.setdefault(person_id, []).append((account_id, channel))
    return found


def of_message(session: Session, message: Message) -> Prescription | None:
    """What the reminder is about, if it is still there."""
    row = session.get(Prescription, message.facts.get("prescription_id", 0))
    return row if row is not None and row.tenant_id == message.tenant_id else None


def is_own(session: Session, *, account_id: int, person_id: int) -> bool:
    """Whether it is the account's own card and not a relative's."""
    relation = session.scalar(
        select(AccountPerson.relation).where(
            AccountPerson.account_id == account_id, AccountPerson.person_id == person_id
        )
    )
    return relation is Relation.SELF


def still_true(session: Session, message: Message, *, now: dt.datetime) -> bool:
    """The prescription runs, the card is open to the account, and the consent stands."""
    row = of_message(session, message)
    if row is None or row.stopped_at is not None or message.facts.get("hour") not in row.hours:
        return False
    kept = session.scalar(
        select(AccountPerson.id).where(
            AccountPerson.account_id == message.account_id,
            AccountPerson.person_id == row.person_id,
            families.open_at(now),
        )
    )
    return kept is not None and bool(agreed(session, person_ids=[row.person_id]))
