"""Reminders: of visits, of medicines, of the next possible donation: each once, true as it is sent, and quiet
if late (E53, E56, N23)."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Account, Consent, Message, Prescription
from app.models.cabinet_choices import NoticeEvent
from app.models.enums import AppointmentStatus as A
from app.models.enums import DonationKind, MessageChannel, MessageStatus
from app.models.enums import MessageKind as K
from app.rules import announcing, delivery, donation_dates, medication, notices
from app.rules.actor import actor_of
from app.rules.delivery import Verdict
from tests import make

NOW = make.NOW
HOUR = dt.timedelta(hours=1)


def messages(session: Session, *kinds: K) -> list[Message]:
    return list(
        session.scalars(select(Message).where(Message.kind.in_(kinds)).order_by(Message.run_at))
    )


# --- visits


@pytest.mark.parametrize("engine_of", ["donor", "patient"])
def test_a_visit_is_reminded_of_at_both_of_the_policys_times(
    session: Session, engine_of: str
) -> None:
    tenant = make.make_tenant(session, remind_hours_before=24, remind_again_hours=2)
    donor = make.make_donor(session, tenant)
    if engine_of == "donor":
        day, who = make.make_schedule(session, tenant, date=dt.date(2026, 11, 27)), donor
    else:
        role = make.make_role(session, tenant)
        day, who = make.make_sitting(session, role, date=dt.date(2026, 11, 27)), donor.person
    booked = make.make_appointment(session, tenant, who, day, status=A.BOOKED)
    announcing.remind(session, booked, now=NOW)
    session.flush()
    found = messages(session, K.REMINDER)
    assert [m.run_at for m in found] == [booked.starts_at - 24 * HOUR, booked.starts_at - 2 * HOUR]
    assert not messages(session, K.VISIT_REMINDER)  # E53


def test_a_reminder_by_sms_needs_the_policy_and_the_wish(session: Session) -> None:
    tenant = make.make_tenant(session, account_sms=True)
    donor = make.make_donor(session, tenant)
    day = make.make_schedule(session, tenant, date=dt.date(2026, 11, 27))
    booked = make.make_appointment(session, tenant, donor, day, status=A.BOOKED)
    announcing.remind(session, booked, now=NOW)
    session.flush()
    (sms,) = messages(session, K.VISIT_REMINDER)
    assert delivery.verdict(session, sms, now=NOW) is Verdict.DROP
    choose(session, donor.account, NoticeEvent.REMINDER, MessageChannel.SMS)
    assert delivery.verdict(session, sms, now=NOW) is Verdict.SEND
    booked.policy.account_sms = False
    assert delivery.verdict(session, sms, now=NOW) is Verdict.DROP


def choose(session: Session, account: Account, event: NoticeEvent, channel: MessageChannel) -> None:
    notices.choose(session, account_id=account.id, event=event, channel=channel, on=True, now=NOW)


# --- medicines


def prescribed(session: Session, hours: str = "10:15") -> tuple[make.KnownDonor, Prescription]:
    """Somebody who has agreed and wishes to be told by SMS."""
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    donor.account.phone, donor.account.phone_confirmed_at = "+79001234567", NOW
    medication.agree(
        session, account=donor.account, person_ids=[donor.person.id], now=NOW, ip="", user_agent=""
    )
    choose(session, donor.account, NoticeEvent.MEDICATION, MessageChannel.SMS)
    row = medication.prescribe(
        session,
        person=donor.person,
        medicine="Пробин",
        dose="1 таблетка",
        hours=hours,
        first_day=dt.date(2026, 11, 23),
        last_day=dt.date(2026, 11, 24),
        actor=actor_of(make.make_staff(session)),
        now=NOW,
    )
    return donor, row


def test_each_hour_is_reminded_of_once(session: Session) -> None:
    _, row = prescribed(session, "10:15, 20:00")
    for _ in range(3):
        medication.make_due(session, now=NOW)
        session.flush()
    (made,) = messages(session, K.MEDICATION_SMS)
    assert made.run_at == NOW + dt.timedelta(minutes=15)  # 10:15 in Moscow
    assert made.useless_after == made.run_at + medication.LATE
    assert delivery.verdict(session, made, now=made.run_at) is Verdict.SEND
    assert delivery.verdict(session, made, now=made.useless_after) is Verdict.DROP
    medication.make_due(session, now=NOW + 10 * HOUR)
    session.flush()
    assert len(messages(session, K.MEDICATION_SMS)) == 2
    medication.make_due(session, now=NOW + dt.timedelta(days=2))  # the last day is over
    session.flush()
    assert len(messages(session, K.MEDICATION_SMS)) == 2
    assert row.hours == ["10:15", "20:00"]


@pytest.mark.parametrize("what", ["consent", "wish", "stop"])
def test_the_next_one_does_not_leave_once_it_is_unwanted(session: Session, what: str) -> None:
    donor, row = prescribed(session)
    medication.make_due(session, now=NOW)
    session.flush()
    (made,) = messages(session, K.MEDICATION_SMS)
    if what == "consent":
        for consent in session.scalars(select(Consent)):
            consent.withdrawn_at = NOW
    elif what == "wish":
        notices.choose(
            session, account_id=donor.account.id, event=NoticeEvent.MEDICATION,
            channel=MessageChannel.SMS, on=False, now=NOW,
        )  # fmt: skip
    else:
        medication.stop(session, row=row, actor=actor_of(make.make_staff(session)), now=NOW)
    session.flush()
    assert delivery.verdict(session, made, now=NOW) is Verdict.DROP
    begun = delivery.begin(session, message_id=made.id, attempt=made.attempts, now=NOW)
    assert not begun and made.status is MessageStatus.OBSOLETE


def test_without_a_consent_or_a_wish_nothing_is_made(session: Session) -> None:
    prescribed(session)
    for consent in session.scalars(select(Consent)):
        consent.withdrawn_at = NOW
    session.flush()
    medication.make_due(session, now=NOW)
    session.flush()
    assert not messages(session, K.MEDICATION_SMS, K.MEDICATION)


@pytest.mark.parametrize(
    "bad", ["", "25:00", "abc", "8:61", ", ".join(f"{h}:00" for h in range(13))]
)
def test_hours_that_are_none_are_refused(bad: str) -> None:
    with pytest.raises(medication.NoHours):
        medication.hours_of(bad)


def test_hours_are_read_as_people_write_them() -> None:
    assert medication.hours_of("20.30; 8:00, 8") == ["08:00", "20:30"]


# --- the next donation


def gave(session: Session, days_ago: int) -> tuple[make.Tenant, make.KnownDonor]:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    on = dt.date(2026, 11, 23) - dt.timedelta(days=days_ago)
    make.make_donation(session, tenant, donor, on_date=on, kind=DonationKind.BLOOD)
    session.flush()
    return tenant, donor


@pytest.mark.parametrize(("days_ago", "letters"), [(59, 0), (60, 1), (66, 1), (67, 0), (200, 0)])
def test_one_letter_when_the_date_has_come(session: Session, days_ago: int, letters: int) -> None:
    gave(session, days_ago)
    for _ in range(2):
        assert donation_dates.portion(session, after=0, now=NOW) is None
        session.flush()
    found = messages(session, K.DONATION_DATE)
    assert len(found) == letters
    for message in found:
        assert delivery.verdict(session, message, now=message.run_at) is Verdict.SEND


def test_a_deferral_entered_meanwhile_holds_the_letter_back(session: Session) -> None:
    tenant, donor = gave(session, 60)
    donation_dates.portion(session, after=0, now=NOW)
    session.flush()
    (message,) = messages(session, K.DONATION_DATE)
    make.make_deferral(
        session, tenant, donor, starts_on=dt.date(2026, 11, 1), ends_on=dt.date(2026, 12, 31)
    )
    session.flush()
    assert delivery.verdict(session, message, now=NOW) is Verdict.DROP


def test_who_has_booked_already_is_not_written_to(session: Session) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    on = dt.date(2026, 9, 24)
    make.make_donation(session, tenant, donor, on_date=on, kind=DonationKind.BLOOD)
    make.make_appointment(session, tenant, donor, make.make_schedule(session, tenant))
    donation_dates.portion(session, after=0, now=NOW)
    session.flush()
    assert not messages(session, K.DONATION_DATE)
