"""Joining and leaving a waiting list, and where one stands in it (N6)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AccountPerson, Consent
from app.models.cabinet_choices import WaitingStatus
from app.models.enums import AppointmentStatus as A
from app.models.enums import DonationKind, Relation
from app.rules import consents, joining, offers, waiting, wishes
from app.rules.actor import SYSTEM, actor_of
from app.rules.errors import Refused
from app.rules.joining import Wish
from tests import make
from tests.make import NOW
from tests.waiting import make_entry

TODAY = NOW.date()


def platelets(tenant: make.Tenant) -> Wish:
    return Wish(tenant.branch, donation_type=tenant.platelets)


def join(session: Session, wish: Wish, known: make.KnownDonor, **changes: Any) -> list:
    fields: dict[str, Any] = {
        "account_id": known.account.id,
        "person_ids": [known.person.id],
        "first_day": None,
        "last_day": None,
    }
    return joining.join(
        session, wish=wish, actor=actor_of(known.account), now=NOW, **fields | changes
    )


def test_one_joins_at_the_end_and_leaves(session: Session) -> None:
    tenant = make.make_tenant(session)
    people = [make.make_donor(session, tenant) for _ in range(3)]
    entries = [join(session, platelets(tenant), each)[0] for each in people]
    assert waiting.ahead(session, entries) == {entries[0].id: 0, entries[1].id: 1, entries[2].id: 2}
    waiting.leave(session, entry=entries[0], actor=SYSTEM, now=NOW)
    assert entries[0].status is WaitingStatus.LEFT
    assert waiting.ahead(session, entries)[entries[2].id] == 1
    with pytest.raises(waiting.NotInLine):
        waiting.leave(session, entry=entries[0], actor=SYSTEM, now=NOW)


def test_nobody_joins_twice_but_again_after_leaving(session: Session) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    (entry,) = join(session, platelets(tenant), donor)
    with pytest.raises(joining.AlreadyWaiting):
        join(session, platelets(tenant), donor)
    waiting.leave(session, entry=entry, actor=SYSTEM, now=NOW)
    assert join(session, platelets(tenant), donor)


def test_one_waits_for_so_much_at_once(session: Session) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    for kind in DonationKind:
        join(session, Wish(tenant.branch, donation_type=tenant.types[kind]), donor)
    join(session, Wish(tenant.root, donation_type=tenant.platelets), donor)
    with pytest.raises(joining.WaitsForMuch):
        join(session, Wish(tenant.root, donation_type=tenant.types[DonationKind.BLOOD]), donor)


def test_where_there_is_no_list_one_is_told(session: Session) -> None:
    tenant = make.make_tenant(session, offer_limit=0)
    with pytest.raises(joining.NoWaitingList):
        join(session, platelets(tenant), make.make_donor(session, tenant))


@pytest.mark.parametrize(
    ("first", "last", "refusal"),
    [(3, 2, joining.DatesWrong), (None, -1, joining.DatesWrong), (None, 400, joining.DatesFar)],
)
def test_dates_that_make_no_sense(
    session: Session, first: int | None, last: int, refusal: type[Exception]
) -> None:
    tenant = make.make_tenant(session)
    days = [None if each is None else TODAY + dt.timedelta(days=each) for each in (first, last)]
    with pytest.raises(refusal):
        join(
            session,
            platelets(tenant),
            make.make_donor(session, tenant),
            first_day=days[0],
            last_day=days[1],
        )


def test_whom_no_day_of_the_dates_would_take_is_told_why(session: Session) -> None:
    tenant = make.make_tenant(session)
    deferred = make.make_donor(session, tenant)
    make.make_deferral(session, tenant, deferred)  # for 30 days
    with pytest.raises(Refused) as refusal:
        join(session, platelets(tenant), deferred, last_day=TODAY + dt.timedelta(days=20))
    assert refusal.value.code == "deferred"
    assert join(session, platelets(tenant), deferred, last_day=TODAY + dt.timedelta(days=60))


def test_a_donors_place_wants_a_donors_card(session: Session) -> None:
    tenant = make.make_tenant(session)
    account = make.make_account(session)
    person = make.make_person(session, tenant)
    with pytest.raises(joining.NoDonorCard):
        joining.join(
            session,
            wish=platelets(tenant),
            account_id=account.id,
            person_ids=[person.id],
            first_day=None,
            last_day=None,
            actor=SYSTEM,
            now=NOW,
        )


def test_who_is_booked_with_the_doctor_need_not_wait_for_him(session: Session) -> None:
    tenant = make.make_polyclinic(session)
    role = make.make_role(session, tenant)
    patient = make.make_donor(session, tenant)
    sitting = make.make_sitting(session, role)
    make.make_appointment(session, tenant, patient, sitting, status=A.BOOKED)
    with pytest.raises(Refused) as refusal:
        join(session, Wish(tenant.branch, role=role), patient)
    assert refusal.value.code in ("same_doctor", "too_many")


def test_a_family_bears_one_mark_and_stands_as_one(session: Session) -> None:
    tenant = make.make_polyclinic(session, for_family=True, live_limit=5)
    role = make.make_role(session, tenant)
    parent = make.make_donor(session, tenant)
    child = make.make_person(session, tenant, given_name="Пётр")
    session.add(
        AccountPerson(
            account_id=parent.account.id,
            person_id=child.id,
            tenant_id=tenant.id,
            relation=Relation.CHILD,
            agreed_at=NOW - dt.timedelta(days=1),
        )
    )
    session.flush()
    people = wishes.people_of(session, account_id=parent.account.id, policy=tenant.policy, now=NOW)
    assert [person.id for person in people] == [parent.person.id, child.id]
    entries = join(
        session, Wish(tenant.branch, role=role), parent, person_ids=[child.id, parent.person.id]
    )
    assert len({entry.family for entry in entries}) == 1
    assert set(waiting.ahead(session, entries).values()) == {0}
    waiting.set_priority(session, entry=entries[0], priority=-3, actor=SYSTEM, now=NOW)
    assert [entry.priority for entry in entries] == [-3, -3]
    tenant.policy.for_family = False
    people = wishes.people_of(session, account_id=parent.account.id, policy=tenant.policy, now=NOW)
    assert [person.id for person in people] == [parent.person.id]


def test_leaving_lets_the_offered_place_go(session: Session) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    entry = make_entry(session, tenant, donor)
    day = make.make_schedule(session, tenant, total=1)
    (offer,) = offers.look(session, schedule_id=day.id, now=NOW).offers
    waiting.remove(session, entry=entry, reason="Просил по телефону", actor=SYSTEM, now=NOW)
    session.refresh(offer)
    assert offer.appointment.status is A.RELEASED
    assert entry.status is WaitingStatus.LEFT


def test_waiting_ends_with_its_last_date(session: Session) -> None:
    tenant = make.make_tenant(session)
    entry = make_entry(
        session, tenant, make.make_donor(session, tenant), last_day=TODAY - dt.timedelta(days=2)
    )
    assert waiting.end_old(session, now=NOW) == 1
    session.refresh(entry)
    assert entry.status is WaitingStatus.LAPSED


def test_without_consent_nobody_joins_or_is_offered_anything(session: Session) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    entry = make_entry(session, tenant, donor)
    for row in session.scalars(select(Consent).where(Consent.person_id == donor.person.id)):
        row.withdrawn_at = NOW
    session.flush()
    plasma = Wish(tenant.branch, donation_type=tenant.types[DonationKind.PLASMA])
    with pytest.raises(consents.ConsentGone):
        join(session, plasma, donor)
    day = make.make_schedule(session, tenant, total=1)
    looked = offers.look(session, schedule_id=day.id, now=NOW)
    assert (looked.offers, looked.skipped) == ([], {entry.id: "consent_gone"})
