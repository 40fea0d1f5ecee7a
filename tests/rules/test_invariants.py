"""What must always be true is reported when it is not: one broken fixture for each invariant."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from app.models.appointment import Appointment, AppointmentEvent
from app.models.cabinet_choices import OfferStatus, WaitingStatus
from app.models.enums import AppointmentStatus as A
from app.models.enums import DonationKind, MessageKind, MessageStatus, Role, SlotStatus
from app.models.message import Message
from app.models.schedule import Slot
from app.rules import invariants, outbox
from app.rules.invariants import check_invariants
from tests import make
from tests.waiting import make_entry, make_offer

NOW = make.NOW


class Centre:
    """A blood centre in order: a booking in every status, and a message of every ending."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tenant = make.make_tenant(session)
        self.day = make.make_schedule(session, self.tenant, per_time=10)
        self.other_day = make.make_schedule(session, self.tenant, kind=DonationKind.PLASMA)
        self.of = {
            status: make.make_appointment(
                session, self.tenant, make.make_donor(session, self.tenant), self.day, status=status
            )
            for status in make.PATHS
        }
        self.sent = self._message("sent", MessageStatus.SENT)
        self.due = self._message("due", MessageStatus.DUE)

    def _message(self, key: str, status: MessageStatus) -> Message:
        message = outbox.add(self.session, kind=MessageKind.APPROVED, key=key, now=NOW)
        if status is not MessageStatus.DUE:
            outbox.finish(self.session, message, status, now=NOW)
        self.session.flush()
        return message

    def change(self, row: Any, **values: Any) -> None:
        """Behind the back of every rule."""
        model = type(row)
        self.session.execute(
            update(model).where(model.id == row.id).values(**values),
            execution_options={"synchronize_session": False},
        )

    def slot_of(self, status: A) -> Slot:
        return self.session.get_one(Slot, self.of[status].slot_id)

    def free_slot(self) -> Slot:
        return next(s for s in make.slots_of(self.session, self.day) if s.status is SlotStatus.FREE)


@pytest.fixture
def centre(session):
    return Centre(session)


def orphan(centre: Centre) -> int:
    slot = centre.free_slot()
    centre.change(slot, status=SlotStatus.BUSY)
    return slot.id


def freed_under_a_booking(centre: Centre) -> int:
    centre.change(centre.slot_of(A.BOOKED), status=SlotStatus.FREE)
    return centre.of[A.BOOKED].id


def busy_before_approval(centre: Centre) -> int:
    centre.change(centre.slot_of(A.PENDING), status=SlotStatus.BUSY)
    return centre.of[A.PENDING].id


def sold_twice(centre: Centre) -> int:
    centre.session.execute(text("DROP INDEX uq_appointment_slot_kept"))
    slot = centre.slot_of(A.BOOKED)
    centre.change(centre.of[A.RELEASED], slot_id=slot.id, keeps_slot=True)
    return slot.id


def live_without_a_place(centre: Centre) -> int:
    centre.change(centre.of[A.PENDING], keeps_slot=False)
    return centre.of[A.PENDING].id


def cancelled_that_keeps(centre: Centre) -> int:
    centre.change(centre.of[A.CANCELLED], keeps_slot=True, slot_id=centre.free_slot().id)
    return centre.of[A.CANCELLED].id


def booked_twice(centre: Centre) -> int:
    person_id = centre.of[A.PENDING].person_id
    centre.change(centre.of[A.BOOKED], person_id=person_id)
    return person_id


def holding_twice(centre: Centre) -> int:
    held = centre.of[A.HELD]
    known = make.make_donor(centre.session, centre.tenant)
    second = make.make_appointment(
        centre.session, centre.tenant, known, centre.other_day, status=A.HELD
    )
    centre.change(second, person_id=held.person_id)
    return held.person_id


def one_browser_holding_twice(centre: Centre) -> int:
    held = centre.of[A.HELD]
    known = make.make_donor(centre.session, centre.tenant)
    second = make.make_appointment(
        centre.session, centre.tenant, known, centre.other_day, status=A.HELD
    )
    for row in (held, second):
        centre.change(row, person_id=None, holder=b"one browser")
    return second.id


def leap(centre: Centre) -> int:
    event = centre.of[A.BOOKED].events[-1]
    centre.change(event, from_status=A.RELEASED)
    return event.id


def forgotten_change(centre: Centre) -> int:
    last = centre.of[A.BOOKED].events[-1]
    centre.session.execute(delete(AppointmentEvent).where(AppointmentEvent.id == last.id))
    return centre.of[A.BOOKED].id


def no_history_at_all(centre: Centre) -> int:
    appointment = centre.of[A.HELD]
    centre.session.execute(
        delete(AppointmentEvent).where(AppointmentEvent.appointment_id == appointment.id)
    )
    return appointment.id


def sent_without_an_end(centre: Centre) -> int:
    centre.change(centre.sent, ended_at=None)
    return centre.sent.id


def due_with_an_end(centre: Centre) -> int:
    centre.change(centre.due, ended_at=NOW)
    return centre.due.id


def waits_in_vain(centre: Centre) -> int:
    past = NOW - dt.timedelta(minutes=11)
    centre.change(centre.due, useless_after=past, run_at=past)
    return centre.due.id


def referral_of_a_cancelled_booking(centre: Centre) -> int:
    clinic = make.make_polyclinic(centre.session)
    cancelled = centre.of[A.CANCELLED]
    referral = make.make_referral(
        centre.session,
        cancelled.person,
        make.make_role(centre.session, clinic),
        make.make_staff(centre.session, Role.REGISTRAR, centre.tenant.root),
        appointment_id=cancelled.id,
    )
    return referral.id


def offered_nothing(centre: Centre) -> int:
    known = make.make_donor(centre.session, centre.tenant)
    entry = make_entry(centre.session, centre.tenant, known, status=WaitingStatus.OFFERED)
    return entry.id


def offered_twice(centre: Centre) -> int:
    known = make.make_donor(centre.session, centre.tenant)
    for status in (A.BOOKED, A.PENDING):
        make_offer(centre.session, centre.tenant, known, centre.of[status])
    return known.person.id


def accepted_in_vain(centre: Centre) -> int:
    known = make.make_donor(centre.session, centre.tenant)
    offer = make_offer(centre.session, centre.tenant, known, centre.of[A.HELD])
    centre.change(offer.entry, status=WaitingStatus.BOOKED)
    centre.change(offer, status=OfferStatus.ACCEPTED)
    return offer.id


BROKEN: dict[Callable[[Centre], int], list[str]] = {
    orphan: ["I1 held or busy places that nobody keeps"],
    freed_under_a_booking: ["I1 kept places in a wrong status, appointments"],
    busy_before_approval: ["I1 kept places in a wrong status, appointments"],
    sold_twice: ["I1 places kept twice", "I11 appointments that keep or free a place wrongly"],
    live_without_a_place: [
        "I1 held or busy places that nobody keeps",
        "I11 appointments that keep or free a place wrongly",
    ],
    cancelled_that_keeps: ["I11 appointments that keep or free a place wrongly"],
    booked_twice: ["I2 people with too many bookings"],
    holding_twice: ["I2 people with two held places"],
    one_browser_holding_twice: ["I2 browsers with two held places, appointments"],
    leap: ["I6 changes that the table does not know"],
    forgotten_change: ["I4 appointments whose history ends elsewhere"],
    no_history_at_all: ["I4 appointments whose history ends elsewhere"],
    sent_without_an_end: ["I5 messages with a wrong ending"],
    due_with_an_end: ["I5 messages with a wrong ending"],
    referral_of_a_cancelled_booking: ["C14 referrals used by no booking of their owner"],
    offered_nothing: ["I13 people who wait and their offers disagree, entries"],
    offered_twice: ["I13 people with two open offers"],
    accepted_in_vain: ["I13 accepted offers without a booking"],
    waits_in_vain: ["I5 messages that wait although they are of no use"],
}
"""What somebody breaks, and the headings under which it is reported."""


def test_a_centre_in_order_has_nothing_to_report(centre, session):
    assert check_invariants(session, now=NOW) == []


@pytest.mark.parametrize("fault", BROKEN, ids=lambda fault: fault.__name__)
def test_a_fault_is_reported_with_its_row(centre, session, fault):
    row_id = fault(centre)
    session.flush()
    found = [line.partition(": ") for line in check_invariants(session, now=NOW)]
    headings = BROKEN[fault]
    assert set(headings) <= {heading for heading, _, _ in found}
    extra = {
        "I1 kept places in a wrong status, appointments"
    }  # the same place, seen from its owner
    assert {heading for heading, _, _ in found} <= set(headings) | extra
    assert str(row_id) in " ".join(ids for heading, _, ids in found if heading == headings[0]) or (
        fault is live_without_a_place
    )


def test_many_rows_are_cut_short(centre, session):
    for appointment in centre.of.values():
        session.execute(
            delete(AppointmentEvent).where(AppointmentEvent.appointment_id == appointment.id)
        )
    (line,) = check_invariants(session, now=NOW)
    assert line.endswith(" …")
    assert line.count(",") == invariants.SHOWN - 1


def test_every_invariant_is_broken_above():
    """Each heading in the source has its fault here."""
    tree = ast.parse(Path(invariants.__file__).read_text())
    headings = {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "_listed"
    }
    assert headings == {heading for found in BROKEN.values() for heading in found}


def test_the_database_itself_refuses_a_place_sold_twice(centre, session):
    """The last guard, whatever the code does."""
    slot = centre.slot_of(A.BOOKED)
    with pytest.raises(Exception, match=r"(?i)unique"), session.begin_nested():
        centre.change(centre.of[A.RELEASED], slot_id=slot.id, keeps_slot=True)
    assert session.get_one(Appointment, centre.of[A.RELEASED].id).slot_id != slot.id
