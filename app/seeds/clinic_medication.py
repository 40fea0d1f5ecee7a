"""Invented prescriptions, and patients who wish to be reminded of them (row E56)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.models.cabinet_choices import NoticeEvent
from app.models.enums import MessageChannel
from app.rules import medication, notices
from app.rules.actor import actor_of
from app.seeds.clinic_patients import Patient
from app.seeds.clinics import Clinic

DAY = dt.timedelta(days=1)
PRESCRIBED = (
    ("Витамин D3, капли", "2 капли", "09:00", -10, 60),
    ("Примерин 5 мг", "1 таблетка после еды", "08:00 20:00", -3, 11),
    ("Пробиол", "1 капсула", "08:00 14:00 20:00", -40, -26),
)
"""No such medicines exist but the first; days are counted from today."""
MANY = 3
"""So many of the first patients with an account."""


def make(
    session: Session, clinic: Clinic, people: Sequence[Patient], *, now: dt.datetime, today: dt.date
) -> None:
    """The first adults take something; the very first is reminded by letter."""
    adults = [each for each in people if each.account is not None and not each.child][:MANY]
    for each, (medicine, dose, hours, first, last) in zip(adults, PRESCRIBED, strict=False):
        medication.prescribe(
            session,
            person=each.person,
            medicine=medicine,
            dose=dose,
            hours=hours,
            first_day=today + first * DAY,
            last_day=today + last * DAY,
            actor=actor_of(clinic.registrar),
            now=now,
        )
    for each in adults[:1]:
        assert each.account is not None
        medication.agree(
            session,
            account=each.account,
            person_ids=[each.person.id],
            now=now,
            ip="192.0.2.20",
            user_agent="",
        )
        notices.choose(
            session,
            account_id=each.account.id,
            event=NoticeEvent.MEDICATION,
            channel=MessageChannel.EMAIL,
            on=True,
            now=now,
        )
