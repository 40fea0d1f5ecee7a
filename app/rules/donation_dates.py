"""«Вы снова можете стать донором» (N23): one letter when a donation is medically possible again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.donor import Donation
from app.models.enums import DonationKind, MessageKind, Relation
from app.models.message import Message
from app.models.organization import Organization
from app.rules import clock, consents, eligibility, facts, families, outbox, policies, standing
from app.rules.known import PersonFacts

HOUR = dt.time(10)
"""On the organization's clock: nobody is written to at night."""
STALE = dt.timedelta(days=7)
"""Of a date longer past nobody is told any more: a new installation writes to no crowd."""


@dataclass(frozen=True)
class Found:
    """By kind the first date; ``today`` is the organization's."""

    dates: dict[DonationKind, dt.date]
    today: dt.date

    @property
    def first(self) -> dt.date | None:
        return min(self.dates.values(), default=None)


def dates(
    session: Session,
    person: PersonFacts,
    *,
    tenant: Organization,
    now: dt.datetime,
    since: dt.date | None = None,
) -> Found:
    """For each kind this donor has given the first date from ``since`` (or today) on with nothing medical
    against it; empty where the organization has no policy."""
    today = clock.local_date(now, tenant.time_zone)
    try:
        policy = policies.effective(session, tenant_id=tenant.id, now=now)
    except policies.NoPolicy:
        return Found({}, today)
    numbers = policies.medical_numbers(session, tenant_id=tenant.id, on=today)
    found = {}
    for kind in {kind for _, kind in person.donations}:
        slot = standing.visit(kind, today, tenant.time_zone)
        day = eligibility.first_allowed(
            person, slot, policy=policy, numbers=numbers, today=since or today
        )
        if day is not None:
            found[kind] = day
    return Found(found, today)


def portion(session: Session, *, after: int, now: dt.datetime, limit: int = 100) -> int | None:
    """Look at so many donors' accounts and write to whom the date has come. The last one looked at; None:
    there are no more."""
    gave = select(Donation.id).where(Donation.person_id == AccountPerson.person_id).exists()
    rows = session.execute(
        select(AccountPerson, Organization)
        .join(Account, Account.id == AccountPerson.account_id)
        .join(Organization, Organization.id == AccountPerson.tenant_id)
        .where(
            AccountPerson.id > after,
            AccountPerson.relation == Relation.SELF,
            families.open_at(now),
            Account.is_active,
            Account.email_confirmed_at.is_not(None),
            gave,
        )
        .order_by(AccountPerson.id)
        .limit(limit)
    ).all()
    known = facts.of_people(session, [kept.person_id for kept, _ in rows])
    for kept, tenant in rows:
        _write(session, kept, tenant, known[kept.person_id], now)
    return rows[-1][0].id if len(rows) == limit else None


def _write(
    session: Session,
    kept: AccountPerson,
    tenant: Organization,
    person: PersonFacts,
    now: dt.datetime,
) -> None:
    last = person.donations[-1][0]
    if person.live or last + 2 * eligibility.YEAR < now.date():
        return
    found = dates(session, person, tenant=tenant, now=now, since=last + dt.timedelta(days=1))
    if found.first is None or not found.today - STALE < found.first <= found.today:
        return
    key = f"{MessageKind.DONATION_DATE}:{person.person_id}:{last.isoformat()}"
    if session.scalar(select(Message.id).where(Message.key == key)) is not None:
        return
    at = max(now, clock.instant(found.today, HOUR, tenant.time_zone))
    outbox.add(
        session,
        kind=MessageKind.DONATION_DATE,
        key=key,
        now=now,
        run_at=at,
        useless_after=at + STALE,
        tenant_id=tenant.id,
        account_id=kept.account_id,
        facts={"person_id": person.person_id},
    )


def of_message(session: Session, message: Message, *, now: dt.datetime) -> Found:
    """The dates as the letter tells them."""
    tenant = session.get_one(Organization, message.tenant_id)
    person = facts.of_people(session, [message.facts["person_id"]])[message.facts["person_id"]]
    return dates(session, person, tenant=tenant, now=now)


def still_true(session: Session, message: Message, *, now: dt.datetime) -> bool:
    """It is possible today, nothing is booked meanwhile, the consent stands."""
    person_id = message.facts["person_id"]
    person = facts.of_people(session, [person_id]).get(person_id)
    if person is None or person.live or consents.withdrawn(session, person_id=person_id):
        return False
    found = of_message(session, message, now=now)
    return found.first is not None and found.first <= found.today
