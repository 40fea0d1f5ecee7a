"""The demo: somebody who may book, somebody who may not, forty requests, and a past in the order of time."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from sqlalchemy import func, select

from app.models import Appointment, AuditEvent, Message
from app.models.enums import AppointmentStatus
from app.models.schedule import Schedule
from app.rules import holidays
from app.rules.invariants import check_invariants
from app.seeds.agenda import Agenda
from app.seeds.demo import ensure_demo
from app.seeds.names import OF_SEED_A, invent
from app.seeds.sign_ins import sign_ins
from tests.make import NOW


def test_names_are_written_as_in_a_passport() -> None:
    people = invent(300, today=NOW.date(), rng=random.Random(1))
    patronymics = {person.patronymic for person in people}
    assert {"Михайловна", "Михайлович", "Петровна", "Павлович", "Фёдоровна"} <= patronymics
    assert not {"Федоров", "Федорова"} & {person.family_name for person in people}
    assert people[0].blood_type == OF_SEED_A


def test_an_agenda_keeps_the_order_of_time_whatever_is_added_when() -> None:
    done: list[int] = []
    agenda = Agenda()

    def first(at: dt.datetime) -> None:
        done.append(1)
        agenda.at(at + dt.timedelta(hours=1), lambda _at: done.append(2))

    agenda.at(NOW + dt.timedelta(hours=2), lambda _at: done.append(3))
    agenda.at(NOW, first)
    agenda.run()
    assert done == [1, 2, 3]


def test_the_demo_can_be_walked_at_once(session: Any, app: Any) -> None:
    ensure_demo(session, now=NOW)
    session.flush()
    assert check_invariants(session, now=NOW) == []
    with app.test_request_context():
        told = sign_ins(session, now=NOW)
    assert "donor001@example.ru     Донор, III (B) −: может записаться сегодня" in told
    assert ": пока не может. " in told

    pending = Appointment.status == AppointmentStatus.PENDING
    assert session.scalar(select(func.count()).select_from(Appointment).where(pending)) == 40
    for column in (Message.created_at, AuditEvent.at, Appointment.created_at):
        times = list(session.scalars(select(column).order_by(column.class_.id)))
        assert times == sorted(times), f"{column} is out of order"
        assert times[-1] <= NOW

    donors_ahead = (Schedule.date > NOW.date(), Schedule.donation_type_id.is_not(None))
    ahead = session.scalars(select(Schedule.date).where(*donors_ahead).distinct())
    assert not holidays.days_off(ahead)
    later = NOW + dt.timedelta(days=40)
    assert "продлена" in ensure_demo(session, now=later)
    session.flush()
    assert check_invariants(session, now=later) == []
