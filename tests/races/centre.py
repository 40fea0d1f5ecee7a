"""A blood centre on a live site, with donors and staff who are already signed in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Flask
from sqlalchemy import select

from app.models import Account, Appointment, AppointmentEvent, Message, Schedule, StaffUser
from app.models.enums import AppointmentStatus, MessageKind, MessageStatus, Role
from app.rules.invariants import check_invariants
from tests import make
from tests.client import Pass, pass_for
from tests.live import SECRET, Live
from tests.races.clients import Client

FREELY = {"holds_per_address": 10_000, "live_limit": 1}
"""All clients of a race come from one address."""


class Centre:
    """One tenant in today's time. Every change is committed at once."""

    def __init__(self, site: Live, **policy: Any) -> None:
        self.site = site
        self.now = dt.datetime.now(dt.UTC)
        self.days = 0
        self.signer = Flask("signer")  # only what signs is needed of the application
        self.signer.config.update(SECRET_KEY=SECRET, SECRET_KEY_FALLBACKS=[])
        with site.session() as session:
            self.tenant = make.make_tenant(session, now=self.now, **FREELY | policy)

    def day(self, **fields: Any) -> Schedule:
        """A published day in a week's time, the next one a day later; 8:00 and 9:00 by default."""
        self.days += 1
        with self.site.session() as session:
            date = (self.now + dt.timedelta(days=6 + self.days)).date()
            return make.make_schedule(session, self.tenant, **{"date": date, **fields})

    def donors(self, count: int) -> list[make.KnownDonor]:
        """Registered donors whose records in the file agree with what they say."""
        with self.site.session() as session:
            made = [make.make_donor(session, self.tenant, now=self.now) for _ in range(count)]
            for known in made:
                make.make_record(session, self.tenant, known, updated_at=self.now)
            return made

    def staff(self, role: Role = Role.REGISTRAR) -> StaffUser:
        with self.site.session() as session:
            return make.make_staff(session, role, self.tenant.root, now=self.now)

    def passes(self, users: list[Account] | list[StaffUser]) -> list[Pass]:
        """Sign each in, without a form."""
        with self.site.session() as session:
            now = dt.datetime.now(dt.UTC)
            return [pass_for(session, user, now=now, app=self.signer) for user in users]

    def clients(self, users: list[Account] | list[StaffUser]) -> list[Client]:
        return [Client(self.site.url, given) for given in self.passes(users)]

    def requests(self, day: Schedule, donors: list[make.KnownDonor]) -> list[Appointment]:
        """A pending request of each donor on that day."""
        with self.site.session() as session:
            return [
                make.make_appointment(session, self.tenant, known, day, now=self.now)
                for known in donors
            ]

    # What the database says afterwards

    def statuses(self) -> list[AppointmentStatus]:
        """Of every appointment, by age."""
        with self.site.session() as session:
            return list(session.scalars(select(Appointment.status).order_by(Appointment.id)))

    def count(self, status: AppointmentStatus) -> int:
        return self.statuses().count(status)

    def history(self, appointment_id: int) -> list[str]:
        """The events of one booking, in order."""
        with self.site.session() as session:
            query = select(AppointmentEvent.event).where(
                AppointmentEvent.appointment_id == appointment_id
            )
            return list(session.scalars(query.order_by(AppointmentEvent.id)))

    def letters(self, appointment_id: int) -> list[MessageKind]:
        """What the donor of one booking will be told, or has been: obsolete letters are not counted."""
        with self.site.session() as session:
            query = select(Message.kind).where(
                Message.appointment_id == appointment_id,
                Message.status.in_((MessageStatus.DUE, MessageStatus.SENT)),
            )
            return sorted(session.scalars(query))

    def broken(self) -> list[str]:
        """Invariants that do not hold."""
        with self.site.session() as session:
            return check_invariants(session, now=dt.datetime.now(dt.UTC))
