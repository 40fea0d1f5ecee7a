"""The order, the filters and the pages of the queue, and one screen of it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models import Appointment, Organization
from app.models.enums import AppointmentStatus, DonationKind, OrganizationKind
from app.models.scope import set_scope
from app.rules import access, approval, queue, triage
from app.rules.errors import NotFound
from app.rules.queue import Position, QueueFilter
from app.rules.triage import Asked, Screen
from tests import make
from tests.make import NOW

EVERYTHING = QueueFilter()


@pytest.fixture
def tenant(session: Session) -> make.Tenant:
    return make.make_tenant(session)


def requests(
    session: Session, tenant: make.Tenant, count: int, *, days: int = 2, **day: Any
) -> list[Appointment]:
    """``count`` donors' requests for one day, two at each time, in the order of the queue."""
    schedule = make.make_schedule(
        session, tenant, days=days, end=dt.time(8 + (count + 1) // 2), **day
    )
    return [
        make.make_appointment(session, tenant, make.make_donor(session, tenant), schedule)
        for _ in range(count)
    ]


def numbers(rows: Sequence[Appointment]) -> list[int]:
    return [row.id for row in rows]


# --- what is in it ----------------------------------------------------------------------------


def test_the_soonest_visit_comes_first_whenever_it_was_asked_for(
    session: Session, tenant: make.Tenant
) -> None:
    late = requests(session, tenant, 2, days=9)
    soon = requests(session, tenant, 2, days=3)
    found = queue.page(session, EVERYTHING, now=NOW, size=10)
    assert numbers(found) == numbers(soon + late)


@pytest.mark.parametrize(
    "status", [s for s in make.PATHS if s is not AppointmentStatus.PENDING], ids=str
)
def test_only_what_waits_for_a_decision_is_in_it(
    session: Session, tenant: make.Tenant, status: AppointmentStatus
) -> None:
    day = make.make_schedule(session, tenant)
    make.make_appointment(session, tenant, make.make_donor(session, tenant), day, status=status)
    assert queue.page(session, EVERYTHING, now=NOW, size=10) == []
    assert queue.count(session, EVERYTHING, now=NOW) == 0


def test_a_visit_that_has_begun_is_not_in_it(session: Session, tenant: make.Tenant) -> None:
    (request,) = requests(session, tenant, 1)
    begun = request.starts_at
    assert queue.count(session, EVERYTHING, now=begun - dt.timedelta(seconds=1)) == 1
    assert queue.count(session, EVERYTHING, now=begun) == 0


def test_overdue_begins_with_the_deadline(session: Session, tenant: make.Tenant) -> None:
    (request,) = requests(session, tenant, 1)
    assert request.decide_by is not None
    before = request.decide_by - dt.timedelta(seconds=1)
    assert queue.overdue(session, EVERYTHING, now=before) == 0
    assert queue.overdue(session, EVERYTHING, now=request.decide_by) == 1
    assert queue.count(session, QueueFilter(overdue=True), now=before) == 0


def test_type_and_branch_narrow_it(session: Session, tenant: make.Tenant) -> None:
    other = make.make_organization(
        session, kind=OrganizationKind.BRANCH, part_of_id=tenant.id, root_id=tenant.id
    )
    here = requests(session, tenant, 1)
    there = requests(session, tenant, 1, organization=other)
    plasma = requests(session, tenant, 1, kind=DonationKind.PLASMA)

    def found(**chosen: Any) -> list[int]:
        return numbers(queue.page(session, QueueFilter(**chosen), now=NOW, size=9))

    assert found(organization_ids=(other.id,)) == numbers(there)
    assert found(donation_type_id=tenant.types[DonationKind.PLASMA].id) == numbers(plasma)
    assert found(organization_ids=(tenant.branch.id, other.id)) == numbers(here + there + plasma)


def test_dates_are_the_branchs_own(session: Session) -> None:
    """8:00 on the 26th in Kamchatka is still the 25th in UTC."""
    far = make.make_tenant(session, name="Дальний центр", time_zone="Asia/Kamchatka")
    (request,) = requests(session, far, 1, date=dt.date(2026, 11, 26))
    assert request.starts_at.date() == dt.date(2026, 11, 25)

    def found(first: dt.date | None, last: dt.date | None) -> int:
        return queue.count(session, QueueFilter(date_from=first, date_to=last), now=NOW)

    day = dt.date(2026, 11, 26)
    assert found(day, day) == 1
    assert found(None, day - dt.timedelta(days=1)) == 0
    assert found(day + dt.timedelta(days=1), None) == 0


def test_a_branch_stands_for_everything_below_it(session: Session, tenant: make.Tenant) -> None:
    below = make.make_organization(session, part_of_id=tenant.branch.id, root_id=tenant.id)
    every = [tenant.root, tenant.branch, below]
    assert queue.under(tenant.root, every) == tuple(sorted(o.id for o in every))
    assert queue.under(tenant.branch, every) == tuple(sorted((tenant.branch.id, below.id)))
    assert queue.under(below, every) == (below.id,)


def test_counting_stops_just_past_the_most_that_is_said(
    session: Session, tenant: make.Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests(session, tenant, 4)
    monkeypatch.setattr(queue, "MOST_COUNTED", 2)
    assert queue.count(session, EVERYTHING, now=NOW) == 3


# --- pages ------------------------------------------------------------------------------------


def test_pages_by_key_show_each_request_once_though_times_are_equal(
    session: Session, tenant: make.Tenant
) -> None:
    made = requests(session, tenant, 7)
    seen: list[int] = []
    after = None
    while rows := queue.page(session, EVERYTHING, now=NOW, size=2, after=after):
        seen += numbers(rows)
        after = Position.of(rows[-1])
    assert seen == numbers(made)


def test_a_page_before_a_request_ends_with_its_neighbour(
    session: Session, tenant: make.Tenant
) -> None:
    made = requests(session, tenant, 7)
    rows = queue.page(session, EVERYTHING, now=NOW, size=3, before=Position.of(made[5]))
    assert numbers(rows) == numbers(made[2:5])


def test_after_a_decision_one_goes_on_to_the_next_and_at_the_end_back(
    session: Session, tenant: make.Tenant
) -> None:
    made = requests(session, tenant, 3)
    registrar = make.make_staff(session, over=tenant.root)

    def decide(request: Appointment) -> uuid.UUID | None:
        at = Position.of(request)
        approval.reject(
            session,
            appointment_id=request.id,
            reason_id=tenant.reasons[0].id,
            comment="",
            by=registrar,
            now=NOW,
        )
        return queue.next_to(session, EVERYTHING, at, now=NOW)

    assert decide(made[1]) == made[2].uid
    assert decide(made[2]) == made[0].uid
    assert decide(made[0]) is None


# --- one screen -------------------------------------------------------------------------------


def screen(session: Session, size: int = 3, **asked: Any) -> Screen:
    return triage.screen(session, EVERYTHING, Asked(size, **asked), now=NOW)


def shown(found: Screen) -> list[int]:
    return [one.appointment.id for one in found.rows]


def test_the_first_request_is_open_when_none_is_asked_for(
    session: Session, tenant: make.Tenant
) -> None:
    made = requests(session, tenant, 5)
    found = screen(session)
    assert shown(found) == numbers(made[:3])
    assert found.opened is not None and found.opened.appointment.id == made[0].id
    assert (found.previous, found.next) == (None, made[1].uid)
    assert (found.page_before, found.page_after, found.total) == (False, True, 5)


def test_the_neighbours_lead_over_the_edges_of_a_page(
    session: Session, tenant: make.Tenant
) -> None:
    made = requests(session, tenant, 7)
    last = screen(session, open=made[2].uid)
    assert (last.previous, last.next) == (made[1].uid, made[3].uid)
    over = screen(session, open=made[3].uid)
    assert shown(over) == numbers(made[3:6])
    assert (over.previous, over.next) == (made[2].uid, made[4].uid)
    back = screen(session, open=made[2].uid, after=made[2].uid)
    assert back.opened is not None and back.opened.appointment.id == made[2].id


def test_walking_forward_by_next_meets_every_request_and_back_again(
    session: Session, tenant: make.Tenant
) -> None:
    made = requests(session, tenant, 8)
    uid: uuid.UUID | None = made[0].uid
    forward = []
    while uid is not None:
        forward.append(uid)
        uid = screen(session, open=uid).next
    assert forward == [row.uid for row in made]
    back = []
    uid = made[-1].uid
    while uid is not None:
        back.append(uid)
        uid = screen(session, open=uid).previous
    assert back == forward[::-1]


def test_a_request_decided_meanwhile_is_said_to_have_ended(
    session: Session, tenant: make.Tenant
) -> None:
    made = requests(session, tenant, 3)
    make_booked(session, tenant, made[1])
    found = screen(session, open=made[1].uid)
    assert found.opened is None
    assert found.ended is not None and found.ended.id == made[1].id
    assert found.next == made[2].uid


def make_booked(session: Session, tenant: make.Tenant, request: Appointment) -> None:
    registrar = make.make_staff(session, over=tenant.root)
    approval.approve(
        session, appointment_id=request.id, by=registrar, now=NOW, override_reason="для проверки"
    )


def test_the_rest_of_a_decided_page_is_not_an_empty_page(
    session: Session, tenant: make.Tenant
) -> None:
    made = requests(session, tenant, 4)
    make_booked(session, tenant, made[3])
    found = screen(session, after=made[2].uid)
    assert shown(found) == numbers(made[:3])


def test_the_page_before_the_second_row_is_the_whole_first_page(
    session: Session, tenant: make.Tenant
) -> None:
    made = requests(session, tenant, 5)
    assert shown(screen(session, before=made[1].uid)) == numbers(made[:3])


def test_an_empty_queue_is_a_screen_too(session: Session, tenant: make.Tenant) -> None:
    found = screen(session)
    assert (found.rows, found.opened, found.previous, found.next) == ((), None, None, None)
    assert (found.total, found.overdue) == (0, 0)


@pytest.mark.parametrize("word", ["open", "after", "before"])
def test_an_unknown_request_is_not_found(session: Session, tenant: make.Tenant, word: str) -> None:
    requests(session, tenant, 1)
    with pytest.raises(NotFound):
        screen(session, **{word: uuid.uuid4()})


def test_another_organizations_request_is_not_found(session: Session) -> None:
    own, other = make.make_tenant(session), make.make_tenant(session, name="Степной центр")
    (foreign,) = requests(session, other, 1)
    registrar = make.make_staff(session, over=own.root)
    session.flush()
    set_scope(session, access.staff_scope(session, registrar))
    assert queue.page(session, EVERYTHING, now=NOW, size=9) == []
    assert queue.ids_of(session, [foreign.uid]) == []
    with pytest.raises(NotFound):
        screen(session, open=foreign.uid)


# --- the last decision ------------------------------------------------------------------------


def test_the_last_decision_can_be_undone_for_its_minute_and_by_its_maker(
    session: Session, tenant: make.Tenant
) -> None:
    first, second = requests(session, tenant, 2)
    one, two = (make.make_staff(session, over=tenant.root) for _ in range(2))
    for request, later in ((second, 0), (first, 5)):
        approval.approve(
            session,
            appointment_id=request.id,
            by=one,
            now=NOW + dt.timedelta(seconds=later),
            override_reason="для проверки",
        )

    def last(by: Any, seconds: int) -> int | None:
        at = NOW + dt.timedelta(seconds=seconds)
        found = queue.last_decided(session, staff_user_id=by.id, now=at)
        return found.appointment.id if found else None

    assert last(one, 10) == first.id
    assert last(one, 64) == first.id
    assert last(one, 65) is None
    assert last(two, 10) is None


def test_organizations_come_roots_first(session: Session, tenant: make.Tenant) -> None:
    found: list[Organization] = queue.organizations(session)
    assert [o.id for o in found] == [tenant.id, tenant.branch.id]
