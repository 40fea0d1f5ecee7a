"""Two decide about the same request in the same instant: one of them wins, and the letters say so."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import partial

import pytest
from sqlalchemy import select, update

from app.models import Appointment
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind as M
from app.rules import holding
from tests import make, stores
from tests.races.centre import Centre
from tests.races.clients import at_once

ANSWERS = {303, 409}


class Desk:
    """Some requests, their donors, and two registrars."""

    def __init__(self, centre: Centre, count: int) -> None:
        self.centre = centre
        known = centre.donors(count)
        day = centre.day(per_time=(count + 1) // 2)
        self.requests = centre.requests(day, known)
        self.donors = centre.clients([one.account for one in known])
        self.registrars = centre.clients([centre.staff(), centre.staff()])
        self.reason = str(centre.tenant.reasons[0].uid)

    def approve(self, place: int, who: int = 0) -> None:
        self.registrars[who].post(f"/staff/queue/{self.requests[place].uid}/approve")

    def reject(self, place: int) -> None:
        path = f"/staff/queue/{self.requests[place].uid}/reject"
        self.registrars[1].post(path, reason=self.reason)

    def cancel(self, place: int) -> None:
        self.donors[place].post(f"/bookings/{self.requests[place].uid}/cancel")

    def answers(self) -> Counter[int]:
        return Counter(s for c in (*self.donors, *self.registrars) for s in c.statuses)


def test_of_approval_and_rejection_one_wins(centre, scale):
    count = scale(200)
    desk = Desk(centre, count)
    for place in range(count):
        at_once([partial(desk.approve, place), partial(desk.reject, place)])
    assert set(desk.answers()) <= ANSWERS
    ends = dict(zip((r.id for r in desk.requests), centre.statuses(), strict=True))
    for request_id, status in ends.items():
        decisions = centre.history(request_id)[2:]
        if status is A.BOOKED:
            assert decisions == ["approve"]
            assert centre.letters(request_id) == [M.APPROVED, M.REMINDER]
        else:
            assert (status, decisions) == (A.REJECTED, ["reject"])
            assert centre.letters(request_id) == [M.REJECTED]
    assert centre.broken() == []


def test_of_approval_and_cancelling_the_last_word_is_told(centre, scale):
    """A booking that has just been approved may still be cancelled; then only that is told."""
    count = scale(200)
    desk = Desk(centre, count)
    for place in range(count):
        at_once([partial(desk.approve, place), partial(desk.cancel, place)])
    assert set(desk.answers()) <= ANSWERS
    ends = dict(zip((r.id for r in desk.requests), centre.statuses(), strict=True))
    for request_id, status in ends.items():
        decisions = centre.history(request_id)[2:]
        if status is A.BOOKED:
            assert decisions == ["approve"]
            assert centre.letters(request_id) == [M.APPROVED, M.REMINDER]
        else:
            assert status is A.CANCELLED
            assert decisions in (["cancel"], ["approve", "cancel"])
            assert centre.letters(request_id) == [M.CANCELLED_BY_DONOR]
    assert centre.broken() == []


def test_two_registrars_never_decide_the_same_request_twice(centre, scale):
    """The same approval from both; the second is told who was first."""
    count = scale(100)
    desk = Desk(centre, count)
    for place in range(count):
        at_once([partial(desk.approve, place, 0), partial(desk.approve, place, 1)])
    assert set(desk.answers()) == {303}
    assert set(centre.statuses()) == {A.BOOKED}
    for request in desk.requests:
        assert centre.history(request.id)[2:] == ["approve"]
        assert centre.letters(request.id) == [M.APPROVED, M.REMINDER]
    assert centre.broken() == []


@pytest.mark.takes_turns
def test_without_the_guard_of_a_status_both_win(centre_without):
    centre = centre_without("status")
    count = 10
    desk = Desk(centre, count)
    for place in range(count):
        at_once([partial(desk.approve, place), partial(desk.reject, place)])
    histories = [centre.history(request.id)[2:] for request in desk.requests]
    assert [sorted(h) for h in histories].count(["approve", "reject"]) > 0
    assert any(line.startswith("I6") or line.startswith("I4") for line in centre.broken()) or any(
        len(set(centre.letters(r.id)) & {M.APPROVED, M.REJECTED}) == 2 for r in desk.requests
    )


def test_a_hold_that_ends_is_either_confirmed_or_freed(centre, scale):
    """Sixteen windows confirm while the sweeper runs, around the instant at which the hold ends."""
    count = scale(100)
    day = centre.day(per_time=(count + 1) // 2)
    known = centre.donors(count)
    with centre.site.session() as session:
        holds = [
            make.make_appointment(session, centre.tenant, one, day, status=A.HELD, now=centre.now)
            for one in known
        ]
    clients = centre.clients([one.account for one in known])

    def sweep() -> None:
        with stores.system_session(centre.site.engine) as session:
            holding.release_stale(session, now=dt.datetime.now(dt.UTC))
            session.commit()

    for start in range(0, count, 10):
        batch = range(start, min(start + 10, count))
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(milliseconds=60)
        with centre.site.session() as session:
            session.execute(
                update(Appointment)
                .where(Appointment.id.in_([holds[n].id for n in batch]))
                .values(hold_until=ends)
            )
        confirm = [partial(clients[n].post, f"/bookings/{holds[n].uid}/confirm") for n in batch]
        at_once([*confirm, sweep, sweep])
    sweep()
    assert {status for client in clients for status in client.statuses} <= ANSWERS
    with centre.site.session() as session:
        found = dict(session.execute(select(Appointment.id, Appointment.status)).all())
    for hold, client in zip(holds, clients, strict=True):
        won = client.statuses == [303]
        assert found[hold.id] is (A.PENDING if won else A.RELEASED)
        assert centre.letters(hold.id) == ([M.REQUEST_RECEIVED] if won else [])
    assert centre.broken() == []
