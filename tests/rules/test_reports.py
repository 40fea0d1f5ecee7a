"""Reports, counted by hand first: places and bookings by date, branch and kind, on both engines."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from app.models import Appointment, Organization, Schedule, Slot
from app.models.enums import ActorKind, Channel, DonationKind, Role, ScheduleStatus, SlotStatus
from app.models.enums import AppointmentStatus as A
from app.models.scope import SYSTEM, set_scope
from app.rules import access, reports, reports_bookings, reports_load, reports_places, transitions
from app.rules.actor import SYSTEM as NOBODY
from app.rules.day_list import Load
from app.rules.errors import NotFound
from app.rules.reports import DAY, Asked, By, Whose
from app.rules.reports_bookings import Channels, Decisions, Losses
from tests import make
from tests.statements import plans, statements

MONDAY = dt.date(2026, 11, 2)
SUNDAY = dt.date(2026, 11, 8)
FOREIGN_DAY = dt.date(2026, 11, 4)


def asked(*places: Organization, by: By = By.WEEK, **changes: Any) -> Asked:
    fields: dict[str, Any] = {"first": MONDAY, "last": SUNDAY, "by": by}
    return Asked(tuple(place.id for place in places), **fields | changes)


@pytest.fixture
def tenant(session: Session) -> make.Tenant:
    return make.make_tenant(session)


@pytest.fixture
def known(session: Session, tenant: make.Tenant) -> make.KnownDonor:
    return make.make_donor(session, tenant)


def book(
    session: Session,
    tenant: make.Tenant,
    known: make.KnownDonor,
    day: Schedule,
    status: A,
    **changes: Any,
) -> Appointment:
    return make.make_appointment(session, tenant, known, day, status=status, **changes)


# --- the period ------------------------------------------------------------------------------


def stretches(first: str, last: str, by: By) -> list[tuple[str, str]]:
    found = Asked((1,), dt.date.fromisoformat(first), dt.date.fromisoformat(last), by).stretches
    return [(f"{start:%m-%d}", f"{end:%m-%d}") for start, end in found]


def test_a_period_is_cut_into_calendar_weeks_and_months() -> None:
    assert stretches("2026-10-31", "2026-11-10", By.WEEK) == [
        ("10-31", "11-01"),
        ("11-02", "11-08"),
        ("11-09", "11-10"),
    ]
    assert stretches("2028-01-15", "2028-03-01", By.MONTH) == [
        ("01-15", "01-31"),
        ("02-01", "02-29"),
        ("03-01", "03-01"),
    ]
    assert stretches("2026-12-31", "2027-01-01", By.DAY) == [("12-31", "12-31"), ("01-01", "01-01")]


@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2098, 1, 1)),
    st.integers(0, 365),
    st.sampled_from(reports.BY_TIME),
)
def test_every_day_is_in_exactly_one_stretch(first: dt.date, days: int, by: By) -> None:
    last = first + days * DAY
    found = Asked((1,), first, last, by).stretches
    every = [start + n * DAY for start, end in found for n in range((end - start).days + 1)]
    assert every == [first + n * DAY for n in range(days + 1)]


# --- places ----------------------------------------------------------------------------------


def test_places_are_counted_by_state_and_withdrawn_ones_are_not(
    session: Session, tenant: make.Tenant, known: make.KnownDonor
) -> None:
    day = make.make_schedule(session, tenant, date=MONDAY, per_time=4, total=7)
    book(session, tenant, known, day, A.BOOKED)
    book(session, tenant, known, day, A.NOSHOW)
    book(session, tenant, known, day, A.PENDING)
    book(session, tenant, known, day, A.CANCELLED)
    transitions.close_free_slots(session, [make.slots_of(session, day)[-1].id])
    found = reports_load.load(session, asked(tenant.branch))
    assert found.total == Load(free=3, held=1, busy=2)
    assert (found.total.taken, found.total.total) == (3, 6)
    assert found.lines == {MONDAY: found.total}


def test_a_place_of_a_rejected_request_is_free_although_the_rejection_can_be_undone(
    session: Session, tenant: make.Tenant, known: make.KnownDonor
) -> None:
    day = make.make_schedule(session, tenant, date=MONDAY, per_time=3, total=3)
    make.make_schedule(session, tenant, date=SUNDAY + DAY, total=1)
    book(session, tenant, known, day, A.PENDING)
    row = book(session, tenant, known, day, A.REJECTED)
    assert row.keeps_slot
    for by in (By.WEEK, By.BRANCH):
        found = reports_load.load(session, asked(tenant.branch, by=by, last=SUNDAY + 7 * DAY))
        assert found.total == Load(free=3, held=1, busy=0)
        assert sum(line.free for line in found.lines.values()) == 3


def test_weeks_without_a_place_stand_in_their_order_and_drafts_are_not_counted(
    session: Session, tenant: make.Tenant
) -> None:
    make.make_schedule(session, tenant, date=MONDAY - DAY, total=1)
    make.make_schedule(session, tenant, date=SUNDAY + 8 * DAY, total=3)
    make.make_schedule(session, tenant, date=MONDAY, status=ScheduleStatus.DRAFT)
    wide = asked(tenant.branch, first=MONDAY - DAY, last=SUNDAY + 14 * DAY)
    found = reports_load.load(session, wide)
    assert [(key, row.total) for key, row in found.lines.items()] == [
        (MONDAY - DAY, 1),
        (MONDAY, 0),
        (SUNDAY + DAY, 0),
        (SUNDAY + 8 * DAY, 3),
    ]
    assert found.total.free == 4


def test_nothing_published_is_no_lines(session: Session, tenant: make.Tenant) -> None:
    found = reports_load.load(session, asked(tenant.branch, tenant.root))
    assert (found.lines, found.total) == ({}, Load())


def test_a_place_counts_on_the_date_of_its_own_branch_wherever_midnight_is(
    session: Session, tenant: make.Tenant, known: make.KnownDonor
) -> None:
    """00:30 in Kamchatka is noon of the day before in UTC; 00:30 in Kaliningrad is still yesterday."""
    common = {"part_of_id": tenant.id, "root_id": tenant.id}
    east = make.make_organization(session, time_zone="Asia/Kamchatka", **common)
    west = make.make_organization(session, time_zone="Europe/Kaliningrad", **common)
    for place in (east, west):
        for date in (MONDAY - DAY, MONDAY, SUNDAY, SUNDAY + DAY):
            for start in (dt.time(0, 30), dt.time(23, 30)):
                end = dt.time(start.hour, 50)
                day = make.make_schedule(
                    session, tenant, organization=place, date=date, start=start, end=end, per_time=1
                )
                book(session, tenant, known, day, A.BOOKED)
    wish = asked(east, west, by=By.DAY)
    for found in (
        {key: row.busy for key, row in reports_load.load(session, wish).lines.items()},
        {key: row.rest for key, row in reports_bookings.losses(session, wish).lines.items()},
    ):
        assert {key: count for key, count in found.items() if count} == {MONDAY: 4, SUNDAY: 4}


def test_a_day_of_twenty_five_hours_is_one_day(session: Session, known: make.KnownDonor) -> None:
    abroad = make.make_tenant(session, name="Дальний центр", time_zone="Europe/Berlin")
    autumn = dt.date(2026, 10, 25)
    for start in (dt.time(0, 30), dt.time(23, 30)):
        end = dt.time(start.hour, 59)
        day = make.make_schedule(session, abroad, date=autumn, start=start, end=end, per_time=1)
        book(session, abroad, known, day, A.BOOKED)
    wish = asked(abroad.branch, by=By.DAY, first=autumn - DAY, last=autumn + DAY)
    counts = [row.total for row in reports_bookings.losses(session, wish).lines.values()]
    assert counts == [0, 2, 0]
    assert [row.busy for row in reports_load.load(session, wish).lines.values()] == [0, 2, 0]


# --- branches, donors and patients, strangers --------------------------------------------------


class World:
    """A blood centre that also takes patients, and a strange polyclinic, on one Wednesday.

    Ours: the head has 3 places of plasma; the branch 4 of platelets, 5 of a surgeon and 2 of the same
    person as a therapist, 1 of another surgeon. Theirs: 6.
    """

    def __init__(self, session: Session) -> None:
        self.ours = tenant = make.make_tenant(session, name="Наш центр")
        self.known = make.make_donor(session, tenant)
        common: dict[str, Any] = {"date": FOREIGN_DAY}
        make.make_schedule(
            session, tenant, organization=tenant.root, kind=DonationKind.PLASMA, total=3, **common
        )
        self.platelets = make.make_schedule(session, tenant, total=4, **common)
        self.surgery = make.make_specialty(session)
        self.therapy = make.make_specialty(session)
        self.both = make.make_practitioner(session, tenant)
        self.other = make.make_practitioner(session, tenant, given_name="Анна")
        for doctor, specialty, times in (
            (self.both, self.surgery, ("09:00", "09:15", "09:30", "09:45", "10:00")),
            (self.both, self.therapy, ("12:00", "12:15")),
            (self.other, self.surgery, ("15:00",)),
        ):
            role = make.make_role(session, tenant, practitioner=doctor, specialty=specialty)
            self.sitting = make.make_sitting(session, role, times=times, **common)
        self.theirs = make.make_polyclinic(session, name="Чужая поликлиника")
        role = make.make_role(session, self.theirs, specialty=self.surgery)
        hours = tuple(f"{hour}:00" for hour in range(10, 16))
        make.make_sitting(session, role, times=hours, **common)


@pytest.fixture
def world(session: Session) -> World:
    return World(session)


def totals(found: reports.Counted[Any]) -> list[tuple[Any, int]]:
    return [(line, row.total) for line, row in found.lines.items()]


def test_lines_are_branches_types_specialties_or_doctors_the_largest_first(
    session: Session, world: World
) -> None:
    ours = world.ours
    here = (ours.root, ours.branch)

    def load(by: By) -> list[tuple[Any, int]]:
        return totals(reports_load.load(session, asked(*here, by=by)))

    assert load(By.BRANCH) == [(ours.branch.id, 12), (ours.root.id, 3)]
    plasma = ours.types[DonationKind.PLASMA].id
    assert load(By.TYPE) == [(ours.platelets.id, 4), (plasma, 3)]
    assert load(By.SPECIALTY) == [(world.surgery.id, 6), (world.therapy.id, 2)]
    assert load(By.PRACTITIONER) == [(world.both.id, 7), (world.other.id, 1)]
    assert load(By.DAY)[2] == (FOREIGN_DAY, 15)
    assert load(By.MONTH) == [(MONDAY, 15)]


@pytest.mark.parametrize(
    ("whose", "places"), [(Whose.ALL, 15), (Whose.DONORS, 7), (Whose.PATIENTS, 8)]
)
def test_donors_and_patients_are_counted_together_or_apart(
    session: Session, world: World, whose: Whose, places: int
) -> None:
    wish = asked(world.ours.root, world.ours.branch, whose=whose)
    assert reports_load.load(session, wish).total.total == places


def test_names_are_read_by_one_statement(session: Session, world: World) -> None:
    keys = [world.both.id, world.other.id]
    found = reports.names(session, keys, By.PRACTITIONER)
    assert found == {world.both.id: world.both, world.other.id: world.other}
    assert reports.names(session, keys, By.BRANCH) == {}


def test_bookings_of_strangers_are_counted_by_nobody_else(session: Session, world: World) -> None:
    book(session, world.ours, world.known, world.platelets, A.BOOKED)
    book(session, world.ours, world.known, world.sitting, A.BOOKED)
    user = make.make_staff(session, Role.ANALYST, world.theirs.root)
    session.expunge_all()
    set_scope(session, access.staff_scope(session, user, "reports.view"))
    everything = asked(world.ours.root, world.ours.branch, world.theirs.root, world.theirs.branch)
    try:
        assert reports_load.load(session, everything).total.total == 6
        assert reports_bookings.losses(session, everything).total.total == 0
        assert reports_bookings.decisions(session, everything).total.total == 0
        assert reports.names(session, [world.both.id], By.PRACTITIONER) == {}
    finally:
        set_scope(session, SYSTEM)


# --- decisions -------------------------------------------------------------------------------


def after(row: Appointment, **step: float) -> dict[str, Any]:
    return {"requested_at": row.created_at, "decided_at": row.created_at + dt.timedelta(**step)}


def put(session: Session, row: Appointment, **values: Any) -> Appointment:
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    return row


def test_requests_are_counted_once_by_what_became_of_them(
    session: Session, tenant: make.Tenant, known: make.KnownDonor
) -> None:
    day = make.make_schedule(session, tenant, date=MONDAY, per_time=8)
    minutes = iter((10, 20, 90, 400, 1500))
    for status in (A.BOOKED, A.FULFILLED, A.NOSHOW, A.REJECTED, A.REJECTED):
        row = book(session, tenant, known, day, status)
        put(session, row, **after(row, minutes=next(minutes)))
    row.reason_id = tenant.reasons[1].id
    cancelled = book(session, tenant, known, day, A.BOOKED, override_reason="врач разрешил")
    put(session, cancelled, **after(cancelled, minutes=30))
    transitions.move(
        session, appointment_id=cancelled.id, event="cancel", actor=NOBODY, now=make.NOW,
        ended_by=ActorKind.ACCOUNT, ended_at=make.NOW,
    )  # fmt: skip
    for status in (A.PENDING, A.EXPIRED, A.CANCELLED, A.HELD, A.RELEASED):
        book(session, tenant, known, day, status)
    put(session, book(session, tenant, known, day, A.BOOKED), decide_by=None)  # needed no decision
    found = reports_bookings.decisions(session, asked(tenant.branch))
    assert found.total == Decisions(
        approved=4, rejected=2, expired=1, withdrawn=1, waiting=1, overridden=1, minutes=60
    )  # of 10, 20, 30, 90, 400 and 1500 minutes the middle ones are 30 and 90
    assert found.total.total == 9
    assert found.lines == {MONDAY: found.total}
    why = reports_bookings.reasons(session, asked(tenant.branch))
    assert why == [(tenant.reasons[0], 1), (tenant.reasons[1], 1)]


def test_a_decision_that_was_taken_back_waits_again(
    session: Session, tenant: make.Tenant, known: make.KnownDonor
) -> None:
    day = make.make_schedule(session, tenant, date=MONDAY)
    row = book(session, tenant, known, day, A.REJECTED)
    transitions.move(
        session, appointment_id=row.id, event="undo_reject", actor=NOBODY, now=make.NOW,
        decided_at=None, reason_id=None, undo_until=None,
    )  # fmt: skip
    found = reports_bookings.decisions(session, asked(tenant.branch)).total
    assert found == Decisions(waiting=1)
    assert reports_bookings.reasons(session, asked(tenant.branch)) == []


def test_each_line_has_the_median_of_its_own_decisions(
    session: Session, tenant: make.Tenant, known: make.KnownDonor
) -> None:
    for date, waits in ((MONDAY, (5, 7, 60)), (SUNDAY, (100, 201)), (FOREIGN_DAY, ())):
        day = make.make_schedule(session, tenant, date=date)
        for minutes in waits:
            row = book(session, tenant, known, day, A.BOOKED)
            put(session, row, **after(row, minutes=minutes, seconds=20))
        book(session, tenant, known, day, A.PENDING)
    found = reports_bookings.decisions(session, asked(tenant.branch, by=By.DAY))
    assert [row.minutes for row in found.lines.values()] == [7, None, None, None, None, None, 151]
    assert found.total.minutes == 60
    assert found.lines[FOREIGN_DAY] == Decisions(waiting=1)


@pytest.mark.parametrize("size", range(1, 9))
def test_the_middle_of_sorted_values_is_one_or_two(size: int) -> None:
    places = [place for place in range(1, size + 1) if reports_bookings._middle(place, size)]
    assert places == sorted({(size + 1) // 2, size // 2 + 1})


# --- cancellations and no-shows ----------------------------------------------------------------


def lapsed(session: Session, held: Appointment) -> None:
    make.make_proposed(session, held, code_until=make.NOW)
    transitions.move(
        session, appointment_id=held.id, event="lapse", actor=NOBODY, now=make.NOW,
        ended_at=make.NOW, ended_by=NOBODY.kind,
    )  # fmt: skip


def test_bookings_are_counted_once_by_how_they_ended(
    session: Session, tenant: make.Tenant, known: make.KnownDonor
) -> None:
    day = make.make_schedule(session, tenant, date=MONDAY, per_time=9)
    for who in (ActorKind.ACCOUNT, ActorKind.GUEST, ActorKind.STAFF, ActorKind.SYSTEM):
        book(session, tenant, known, day, A.CANCELLED, ended_by=who)
    for status in (
        A.NOSHOW, A.TURNED_AWAY, A.ARRIVED, A.FULFILLED, A.FULFILLED, A.PENDING, A.BOOKED,
        A.REJECTED, A.EXPIRED, A.HELD, A.RELEASED,
    ):  # fmt: skip
        book(session, tenant, known, day, status)
    lapsed(session, book(session, tenant, known, day, A.HELD))
    make.make_proposed(
        session, book(session, tenant, known, day, A.HELD), code_until=make.NOW + DAY
    )
    found = reports_bookings.losses(session, asked(tenant.branch)).total
    assert found == Losses(
        by_person=2, by_staff=2, lapsed=1, noshow=1, turned_away=1, came=3, rest=3
    )
    assert (found.lost, found.total) == (7, 13)


def test_the_two_reports_share_every_booking_between_them(
    session: Session, tenant: make.Tenant, known: make.KnownDonor
) -> None:
    """What is left out of the one, rejected and undecided requests, stands in the other."""
    day = make.make_schedule(session, tenant, date=MONDAY, per_time=9)
    for status in A:
        if status in make.PATHS:
            book(session, tenant, known, day, status)
    decided = reports_bookings.decisions(session, asked(tenant.branch)).total
    ended = reports_bookings.losses(session, asked(tenant.branch)).total
    assert decided.total == len(make.PATHS) - 2  # held and released are nobody's requests
    assert ended.total == decided.total - decided.rejected - decided.expired


# --- the site's share ---------------------------------------------------------------------------


def test_places_taken_are_counted_by_where_they_were_taken(
    session: Session, tenant: make.Tenant, known: make.KnownDonor
) -> None:
    """A place that is only being chosen, or was given back, is nobody's."""
    day = make.make_schedule(session, tenant, date=MONDAY, per_time=9)
    desk = (A.BOOKED, A.NOSHOW)
    for status in make.PATHS:
        book(session, tenant, known, day, status)
    for status in (*desk, A.CANCELLED, A.HELD):
        put(session, book(session, tenant, known, day, status), channel=Channel.DESK)
    found = reports_bookings.channels(session, asked(tenant.branch))
    assert found.total == Channels(web=6, desk=2)  # pending, booked, arrived, no-show, and two ends
    busy = reports_load.load(session, asked(tenant.branch)).total
    chosen = 2
    assert busy.taken == found.total.total + chosen


# --- where the reader may look -----------------------------------------------------------------


def reach_of(session: Session, user: Any, **wish: Any) -> reports_places.Reach | None:
    set_scope(session, access.staff_scope(session, user, "reports.view"))
    try:
        return reports_places.reach(session, **wish)
    finally:
        set_scope(session, SYSTEM)


def test_who_is_over_the_whole_counts_everything_or_a_branch_with_what_is_under_it(
    session: Session, world: World
) -> None:
    ours = world.ours
    room = make.make_organization(
        session, part_of_id=ours.branch.id, root_id=ours.id, short_name="Кабинет"
    )
    boss = make.make_staff(session, Role.MANAGER, ours.root)
    every = reach_of(session, boss)
    assert every is not None and set(every.counted) == {ours.root, ours.branch, room}
    assert set(every.branches) == {ours.branch, room} and every.tenants == [ours.root]
    one = reach_of(session, boss, branch=ours.branch.uid)
    assert one is not None and set(one.counted) == {ours.branch, room}
    own = make.make_staff(session, Role.MANAGER, room)
    alone = reach_of(session, own)
    assert alone is not None and alone.counted == [room] and alone.branches == []
    for wish in ({"branch": ours.branch.uid}, {"tenant": world.theirs.root.uid}):
        with pytest.raises(NotFound):
            reach_of(session, own, **wish)


def test_a_branch_left_over_from_another_organization_is_no_wish(
    session: Session, world: World
) -> None:
    everywhere = make.make_staff(session, Role.ADMINISTRATOR)
    found = reach_of(
        session, everywhere, tenant=world.theirs.root.uid, branch=world.ours.branch.uid
    )
    assert found is not None and found.tenant == world.theirs.root and found.branch is None
    home = reach_of(session, everywhere, own=world.theirs.branch)
    assert home is not None and home.tenant == world.theirs.root
    followed = reach_of(session, everywhere, branch=world.ours.branch.uid, own=world.theirs.root)
    assert followed is not None and followed.counted == [world.ours.branch]


def test_nowhere_is_none(session: Session) -> None:
    assert reach_of(session, make.make_staff(session, role=None)) is None


# --- how they are read -------------------------------------------------------------------------

Report = Callable[[Session, Asked], Any]
STATEMENTS: dict[Report, int] = {
    reports_load.load: 2,
    reports_bookings.decisions: 2,
    reports_bookings.reasons: 1,
    reports_bookings.losses: 1,
    reports_bookings.channels: 1,
}
LARGE = ("slot", "appointment", "schedule")


@pytest.fixture
def years(session: Session, world: World) -> World:
    """Two years of one branch, a donor day and a sitting on each date: a planner has something to choose."""
    ours = world.ours
    here = {"organization_id": ours.branch.id}
    owned = here | {"tenant_id": ours.id}
    hours = {"start_time": dt.time(6), "end_time": dt.time(7), "step_minutes": 15, "total": 4}
    common = owned | hours | {"places_per_time": 1, "status": ScheduleStatus.PUBLISHED}
    kinds = ({"donation_type_id": ours.platelets.id}, {"role_id": world.sitting.role_id})
    dates = [dt.date(2025, 1, 1) + n * DAY for n in range(730) for _ in kinds]
    days = many(
        session,
        Schedule,
        [
            common | {"date": date, "donation_type_id": None, "role_id": None} | kinds[n % 2]
            for n, date in enumerate(dates)
        ],
    )
    places = [
        {"schedule_id": key, "starts_at": dt.datetime.combine(date, dt.time(3, 15 * n), dt.UTC)}
        for key, date in zip(days, dates, strict=True)
        for n in range(4)
    ]
    busy = here | {"place": 1, "status": SlotStatus.BUSY}
    slots = many(session, Slot, [busy | place for place in places])
    booked = owned | {"person_id": world.known.person.id, "policy_id": ours.policy.id}
    booked |= {"keeps_slot": True, "decided_at": make.NOW}
    booked |= dict.fromkeys(("created_at", "requested_at", "decide_by"), make.NOW)
    ends = itertools.cycle(((A.BOOKED, None), (A.REJECTED, ours.reasons[0].id)))
    many(
        session,
        Appointment,
        [
            booked | place | {"slot_id": key, "status": status, "reason_id": reason_id}
            for key, place, (status, reason_id) in zip(slots, places, ends, strict=False)
        ],
    )
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("ANALYZE schedule, slot, appointment"))
        session.execute(text("SET LOCAL enable_seqscan = off"))  # they are small tables still
    return world


def many(session: Session, table: Any, rows: list[dict[str, Any]]) -> Sequence[int]:
    """Their keys, in the order of the rows: given here, for asking the database for each takes half a minute."""
    first = (session.scalar(select(func.max(table.id))) or 0) + 1
    keys = range(first, first + len(rows))
    session.execute(insert(table), [row | {"id": key} for key, row in zip(keys, rows, strict=True)])
    return keys


def test_no_statement_walks_through_a_whole_table(session: Session, years: World) -> None:
    """Each goes by an index that the period bounds, whatever the reader's scope adds to it."""
    user = make.make_staff(session, Role.MANAGER, years.ours.root)
    scope = access.staff_scope(session, user, "reports.view")

    def ask() -> None:
        for report, count in STATEMENTS.items():
            for by in By:
                with statements(session) as seen:
                    report(session, asked(years.ours.root, years.ours.branch, by=by))
                assert sum("schedule" in statement for statement in seen) == count

    found = plans(session, ask, naming="schedule", scope=scope)
    assert found
    for plan in found:
        walked = [f"{word} {table}" for table in LARGE for word in ("Seq Scan on", "SCAN")]
        assert not [line for line in plan for each in walked if each in f"{line} "], plan
        indexed = [line.replace(" ", "") for line in plan if re.search("Index Cond|SEARCH", line)]
        assert any(bound in line for line in indexed for bound in ("date>", "starts_at>")), plan
