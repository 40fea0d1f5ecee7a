"""The demo's past weeks: donations, no-shows, rejections and cancels, to show in lists."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment, RejectionReason
from app.models.donor import Donation
from app.models.enums import DonationKind, FactSource, Role
from app.models.schedule import Schedule
from app.models.staff import StaffUser
from app.rules import approval, booking, holding, transitions
from app.rules.actor import actor_of
from app.rules.clock import midnight
from app.rules.errors import RuleError
from app.seeds import centre as centres
from app.seeds import requests
from app.seeds.agenda import Agenda
from app.seeds.centre import Centre
from app.seeds.donors import DemoDonor

DAYS = 12
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


@dataclass
class Past:
    """The registrar of those weeks, and what becomes of each request."""

    session: Session
    agenda: Agenda
    centre: Centre
    rng: random.Random
    today: dt.date

    @property
    def registrar(self) -> StaffUser:
        return self.centre.staff[Role.REGISTRAR]

    def plan(self, donors: list[DemoDonor]) -> None:
        """Days published in the morning, requests from nine o'clock on, and so forth."""
        first = self.today - dt.timedelta(days=DAYS + 6)
        days = [day for day in centres.weekdays(first, DAYS) if day < self.today]
        morning = midnight(days[0], self.centre.root.time_zone) - 3 * 24 * HOUR + 8 * HOUR
        self.agenda.at(
            morning, lambda at: centres.publish_weeks(self.session, self.centre, days, now=at)
        )
        for number, one in enumerate(donors):
            self.agenda.at(
                morning + HOUR + 6 * number * MINUTE,
                lambda at, number=number, one=one: self._ask(number, one, at),  # type: ignore[misc]
            )

    def _ask(self, number: int, one: DemoDonor, at: dt.datetime) -> None:
        query = select(Schedule).where(
            Schedule.date < self.today, Schedule.donation_type_id.is_not(None)
        )
        days = self.session.scalars(query.order_by(Schedule.id)).all()
        made = requests.make(self.session, one.person.id, one.account, days, at, self.rng)
        if made is None:
            return
        decided = at + 2 * HOUR + MINUTE
        if number % 8 == 5:
            self.agenda.at(decided, lambda at: self._cancel(made, one, at))
        elif number % 8 == 6:
            self.agenda.at(decided, lambda at: self._reject(made, number, at))
        else:
            self.agenda.at(decided, lambda at: self._approve(made, one, number, at))

    def _cancel(self, made: Appointment, one: DemoDonor, at: dt.datetime) -> None:
        booking.cancel(self.session, appointment_id=made.id, actor=actor_of(one.account), now=at)

    def _reject(self, made: Appointment, number: int, at: dt.datetime) -> None:
        reasons = self.session.scalars(
            select(RejectionReason)
            .where(RejectionReason.tenant_id == self.centre.root.id)
            .order_by(RejectionReason.id)
        ).all()
        approval.reject(
            self.session,
            appointment_id=made.id,
            reason_id=reasons[number % len(reasons)].id,
            comment="",
            by=self.registrar,
            now=at,
        )
        self.agenda.at(at + 2 * MINUTE, self._free)

    def _free(self, at: dt.datetime) -> None:
        holding.release_stale(self.session, now=at)

    def _approve(self, made: Appointment, one: DemoDonor, number: int, at: dt.datetime) -> None:
        try:
            approval.approve(self.session, appointment_id=made.id, by=self.registrar, now=at)
        except RuleError:
            return
        if number % 8 == 7:
            self.agenda.at(made.starts_at + 6 * HOUR, lambda at: self._move(made, "noshow", at))
            return
        self.agenda.at(made.starts_at, lambda at: self._move(made, "arrive", at))
        self.agenda.at(made.starts_at + HOUR, lambda at: self._fulfil(made, one, at))

    def _move(self, made: Appointment, event: str, at: dt.datetime) -> None:
        actor = actor_of(self.registrar)
        transitions.move(self.session, appointment_id=made.id, event=event, actor=actor, now=at)

    def _fulfil(self, made: Appointment, one: DemoDonor, at: dt.datetime) -> None:
        self._move(made, "fulfil", at)
        day = self.session.get_one(Schedule, made.schedule_id)
        self.session.add(
            Donation(
                tenant_id=made.tenant_id,
                person_id=one.person.id,
                kind=DonationKind(day.donation_type.kind),
                on_date=day.date,
                source=FactSource.TALON,
                appointment_id=made.id,
            )
        )
