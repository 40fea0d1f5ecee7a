"""Three hundred invented donors: accounts, cards, the blood service's records, deferrals, donations."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.consent import Consent, ConsentText
from app.models.donor import Deferral, Donation, Donor, DonorRecord
from app.models.enums import ConsentPurpose, DeferralKind, DonationKind, FactSource, Sign
from app.models.person import Person
from app.rules.donors import link_record
from app.seeds.centre import Centre, password_hash
from app.seeds.names import Invented, invent

COUNT = 300
LINKED = 200
"""The first so many have been accepted by a registrar before."""
KINDS = (DonationKind.BLOOD, DonationKind.PLASMA, DonationKind.PLATELETS)


@dataclass
class DemoDonor:
    """A donor of the demo with all the rows there are of him."""

    number: int
    invented: Invented
    account: Account
    person: Person
    donor: Donor
    record: DonorRecord


def make(session: Session, centre: Centre, *, now: dt.datetime) -> list[DemoDonor]:
    """All donors, in order; number 1 is the demo's sign-in, «III (B) −» as in seed A."""
    rng = random.Random(20261121)
    text = session.scalars(
        select(ConsentText).where(
            ConsentText.tenant_id == centre.root.id, ConsentText.purpose == ConsentPurpose.BOOKING
        )
    ).one()
    made = []
    for number, each in enumerate(invent(COUNT, today=now.date(), rng=rng), start=1):
        made.append(_donor(session, centre, number, each, text, now, rng))
    session.flush()
    for one in made[:LINKED]:
        link_record(session, person=one.person, record=one.record)
    return made


def _donor(
    session: Session,
    centre: Centre,
    number: int,
    each: Invented,
    text: ConsentText,
    now: dt.datetime,
    rng: random.Random,
) -> DemoDonor:
    tenant_id = centre.root.id
    registered = now - dt.timedelta(days=rng.randrange(30, 300))
    account = Account(
        email=each.email,
        email_confirmed_at=registered,
        password_hash=password_hash(),
        password_changed_at=registered,
        created_at=registered,
    )
    person = Person(tenant_id=tenant_id, created_at=registered)
    record = DonorRecord(
        tenant_id=tenant_id,
        code=each.code,
        family_name=each.family_name,
        given_name=each.given_name,
        patronymic=each.patronymic,
        birth_date=each.birth_date,
        sex=each.sex,
        blood_group=each.blood_type.group,
        rh=each.blood_type.rh,
        kell=each.kell if number % 9 else None,
        updated_at=registered,
    )
    session.add_all([account, person, record])
    session.flush()
    donor = Donor(
        tenant_id=tenant_id,
        person_id=person.id,
        donor_code=each.code,
        blood_group=each.blood_type.group,
        rh=each.blood_type.rh,
        kell=each.kell,
    )
    session.add_all(
        [
            donor,
            AccountPerson(account_id=account.id, person_id=person.id, tenant_id=tenant_id),
            Consent(
                tenant_id=tenant_id,
                person_id=person.id,
                account_id=account.id,
                text_id=text.id,
                sha256=text.sha256,
                given_at=registered,
            ),
        ]
    )
    _past(session, record, number, now.date(), rng)
    return DemoDonor(number, each, account, person, donor, record)


def _past(
    session: Session, record: DonorRecord, number: int, today: dt.date, rng: random.Random
) -> None:
    """Donations long enough ago not to stand in the way; every tenth donor has none, the first one few."""
    if number % 10:
        day = today - dt.timedelta(days=rng.randrange(75, 120))
        for _ in range(rng.randrange(1, 9) if number > 1 else 2):
            session.add(
                Donation(
                    tenant_id=record.tenant_id,
                    record_id=record.id,
                    kind=rng.choice(KINDS),
                    on_date=day,
                    source=FactSource.IMPORT,
                )
            )
            day -= dt.timedelta(days=rng.randrange(65, 130))


def spoil(session: Session, donors: list[DemoDonor], *, today: dt.date) -> dict[str, DemoDonor]:
    """Donors of whom each check says something else; they are not linked yet, so they could book.

    Their records are changed here, after the fact, as a new donor file would.
    """
    free = donors[LINKED:]
    unknown, other_group, other_kell, deferred, forever, recent, yearly, taken, young = free[:9]
    unknown.donor.donor_code = "999001"
    wrong = "A" if other_group.donor.blood_group != "A" else "B"
    other_group.record.blood_group = type(other_group.donor.blood_group)(wrong)
    other_kell.record.kell = Sign.NEGATIVE if other_kell.donor.kell == "+" else Sign.POSITIVE
    _defer(session, deferred, today, today + dt.timedelta(days=40), "Прививка")
    _defer(session, forever, today - dt.timedelta(days=200), None, "По заключению врача")
    _give(session, recent, DonationKind.BLOOD, today - dt.timedelta(days=3))
    for days in (70, 135, 200, 265, 330):
        _give(session, yearly, DonationKind.BLOOD, today - dt.timedelta(days=days))
    taken.donor.donor_code = donors[0].record.code
    young.record.birth_date = today - dt.timedelta(days=17 * 365 + 200)
    return {
        "code_unknown": unknown,
        "blood": other_group,
        "kell": other_kell,
        "deferred": deferred,
        "forever": forever,
        "interval": recent,
        "yearly": yearly,
        "code_taken": taken,
        "young": young,
    }


def _defer(
    session: Session, one: DemoDonor, start: dt.date, end: dt.date | None, reason: str
) -> None:
    session.add(
        Deferral(
            tenant_id=one.record.tenant_id,
            record_id=one.record.id,
            kind=DeferralKind.PERMANENT if end is None else DeferralKind.TEMPORARY,
            starts_on=start,
            ends_on=end,
            reason=reason,
            source=FactSource.IMPORT,
        )
    )


def _give(session: Session, one: DemoDonor, kind: DonationKind, day: dt.date) -> None:
    session.add(
        Donation(
            tenant_id=one.record.tenant_id,
            record_id=one.record.id,
            kind=kind,
            on_date=day,
            source=FactSource.IMPORT,
        )
    )
