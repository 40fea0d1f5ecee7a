"""Each reason against a booking, on the page: its sentence with its date, and the same when a time is chosen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models import Schedule
from app.models.blood import BloodType
from app.models.enums import (
    ActorKind,
    AppointmentStatus,
    DonationKind,
    FirstTime,
    ScheduleStatus,
    Sex,
    Sign,
)
from tests import make
from tests.client import Visitor, words

TODAY = dt.date(2026, 11, 23)
A = AppointmentStatus


@dataclass
class Case:
    """The centre, its donor, and the day he wants to book: two days from now, for platelets."""

    store: Session
    tenant: make.Tenant
    donor: make.KnownDonor

    def day(self, **fields: Any) -> Schedule:
        return make.make_schedule(self.store, self.tenant, **fields)

    def gave(self, days_ago: int, kind: DonationKind = DonationKind.PLASMA) -> Case:
        date = TODAY - dt.timedelta(days=days_ago)
        make.make_donation(self.store, self.tenant, self.donor, on_date=date, kind=kind)
        return self

    def booked(self, status: AppointmentStatus, **fields: Any) -> Case:
        other = self.day(days=9, kind=DonationKind.PLASMA)
        make.make_appointment(self.store, self.tenant, self.donor, other, status=status, **fields)
        return self

    def deferred(self, ends_on: dt.date | None) -> Schedule:
        make.make_deferral(self.store, self.tenant, self.donor, ends_on=ends_on)
        return self.day()

    def born(self, year: int, month: int, day: int) -> Schedule:
        self.donor.person.birth_date = dt.date(year, month, day)
        return self.day()

    def much_blood(self) -> Schedule:
        for days in (360, 290, 220, 150):
            self.gave(days, DonationKind.BLOOD)
        return self.day(kind=DonationKind.BLOOD)

    def paused(self) -> Schedule:
        make.make_pause(self.store, self.tenant)
        return self.day()

    def for_men(self, sex: Sex | None) -> Schedule:
        self.donor.person.sex = sex
        return self.day(sex_key=Sex.MALE.value)


ARRANGED: dict[str, tuple[Callable[[Case], Schedule], str]] = {
    "past": (lambda c: c.day(days=-1), "Это время уже прошло."),
    "closed": (lambda c: c.day(status=ScheduleStatus.CLOSED), "Центр закрыл этот день."),
    "paused": (lambda c: c.paused(), "приостановлена. Запас достаточен, ждем вас через неделю."),
    "paused day": (
        lambda c: c.day(status=ScheduleStatus.PAUSED),
        "Запись на этот день приостановлена. Загляните позже",
    ),
    "too_far": (lambda c: c.day(days=65), "Запись на этот день откроется сб, 28 ноября."),
    "other_blood_type": (
        lambda c: c.day(blood_types=[BloodType.parse("AB-")]),
        "Этот день для группы IV (AB) −, а ваша — III (B) −.",
    ),
    "other_kell": (
        lambda c: c.day(kell_key=Sign.POSITIVE.value),
        "для доноров с Келл «Положительный», а у вас «Отрицательный».",
    ),
    "other_sex": (lambda c: c.for_men(Sex.FEMALE), "В этот день — только мужчины."),
    "first_time_only": (
        lambda c: c.gave(90).day(days=3, first_time=FirstTime.ONLY),
        "Этот день для тех, кто сдаёт впервые.",
    ),
    "deferred": (
        lambda c: c.deferred(dt.date(2026, 12, 1)),
        "Есть медицинский отвод: донация возможна с ср, 2 декабря.",
    ),
    "deferred for ever": (lambda c: c.deferred(None), "Есть медицинский отвод без срока."),
    "too_young": (
        lambda c: c.born(2008, 12, 1),
        "Наименьший возраст донора: 18. Запись возможна с вт, 1 декабря.",
    ),
    "interval": (
        lambda c: c.gave(11).day(),
        "Слишком рано после донации чт, 12 ноября: следующая возможна с чт, 26 ноября.",
    ),
    "yearly_limit": (
        lambda c: c.much_blood(),
        "Предел таких донаций за год: 4. Следующая возможна с сб, 28 ноября.",
    ),
    "other_booking": (
        lambda c: c.booked(A.PENDING).day(),
        "Вы уже записаны: Плазмаферез, ср, 2 декабря.",
    ),
    "own_cancel": (
        lambda c: c.booked(A.CANCELLED, ended_by=ActorKind.ACCOUNT).day(),
        "Сегодня вы отменили запись: записаться снова можно с вт, 24 ноября.",
    ),
    "after_donation": (
        lambda c: c.gave(4).day(days=20),
        "После донации чт, 19 ноября запись возможна с вс, 29 ноября.",
    ),
}  # fmt: skip
WARNED: dict[str, tuple[Callable[[Case], Schedule], str]] = {
    "sex_unknown": (lambda c: c.for_men(None), "регистратор это проверит"),
    "not_first_time": (lambda c: c.day(first_time=FirstTime.NO), "регистратор это проверит"),
}


@pytest.fixture
def case(store: Session) -> Case:
    tenant = make.make_tenant(store)
    return Case(store, tenant, make.make_donor(store, tenant))


@pytest.fixture
def visitor(case: Case, as_account: Callable[..., Visitor]) -> Visitor:
    return as_account(case.donor)


@pytest.mark.parametrize("name", ARRANGED)
def test_the_window_and_the_answer_say_why_and_from_when(
    case: Case, visitor: Visitor, name: str
) -> None:
    arrange, sentence = ARRANGED[name]
    day = arrange(case)
    slot = make.slots_of(case.store, day)[0]
    page = visitor.page(f"/places/{day.uid}")
    assert sentence in words(page)
    assert not page.xpath("//button[@name='slot']"), "nothing is offered that would be refused"
    answer = visitor.send(f"/places/{day.uid}", {"slot": str(slot.uid)})
    assert answer.status_code == 409
    assert sentence in words(answer)


@pytest.mark.parametrize("name", WARNED)
def test_what_only_the_registrar_can_check_hinders_nobody(
    case: Case, visitor: Visitor, name: str
) -> None:
    arrange, _ = WARNED[name]
    day = arrange(case)
    slot = make.slots_of(case.store, day)[0]
    assert visitor.send(f"/places/{day.uid}", {"slot": str(slot.uid)}).status_code == 303


def test_a_draft_is_not_there(case: Case, visitor: Visitor) -> None:
    day = case.day(status=ScheduleStatus.DRAFT)
    visitor.page(f"/places/{day.uid}", status=404)


@pytest.mark.parametrize("name", sorted(set(ARRANGED) - {"past", "closed", "too_far"}))
def test_the_list_says_why_a_cell_is_grey(case: Case, visitor: Visitor, name: str) -> None:
    arrange, sentence = ARRANGED[name]
    arrange(case)
    assert sentence in words(visitor.page("/"))


def test_in_english_the_names_that_staff_keep_are_english_too(
    store: Session, as_account: Callable[..., Visitor]
) -> None:
    tenant = make.make_tenant(store)
    case = Case(store, tenant, make.make_donor(store, tenant))
    day = case.booked(A.PENDING).day()
    store.commit()
    page = words(as_account(case.donor.account).get(f"/places/{day.uid}?lang=en"))
    assert "You are already booked: Plasmapheresis," in page
    assert "Плазмаферез" not in page
