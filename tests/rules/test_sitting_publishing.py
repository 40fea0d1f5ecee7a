"""Publishing sittings: once, with everything left out reported, and undone only while nobody is booked."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from app.models import DistrictDoctor, Schedule, ScheduleException, Slot
from app.models.district import District
from app.models.enums import (
    AppointmentStatus,
    Channel,
    DistrictKind,
    PublicationStatus,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from app.models.scope import set_scope
from app.rules import (
    absences,
    access,
    drafts,
    grid,
    publishing,
    sitting_opening,
    sitting_previews,
    sitting_weeks,
    slot_acts,
    templates,
)
from app.rules.actor import actor_of
from app.rules.errors import NotAllowed, NotFound, RuleError
from app.rules.invariants import check_invariants
from app.rules.matrix import Dates
from app.rules.sittings import Line, Plan
from app.rules.template_lines import LinesWrong
from tests import make
from tests.statements import statements

MONDAY = dt.date(2026, 11, 30)
WEEK = Dates(MONDAY, MONDAY + dt.timedelta(days=6))
DAY = dt.timedelta(days=1)


def shift(weekday, start=9, end=12, step=20, **changes):
    return Line(weekday, dt.time(start), dt.time(end), step, **changes)


WORKDAYS = tuple(shift(weekday) for weekday in range(1, 6))


@pytest.fixture
def tenant(session):
    return make.make_polyclinic(session)


@pytest.fixture
def user(session, tenant):
    return make.make_staff(session, Role.SCHEDULER, tenant.root)


@pytest.fixture
def scheduler(user):
    return actor_of(user)


@pytest.fixture
def role(session, tenant):
    return make.make_role(session, tenant)


def make_template(session, tenant, actor, now, lines=WORKDAYS, title="Первая смена"):
    return templates.create(
        session,
        organization_id=tenant.branch.id,
        title=title,
        lines=lines,
        actor=actor,
        now=now,
    )


def draft(session, tenant, actor, now, roles, lines=WORKDAYS, dates=WEEK):
    plan = Plan(None, tuple(role.id for role in roles), dates, lines)
    return drafts.save(session, tenant_id=tenant.id, matrix=plan, title="", actor=actor, now=now)


def published(session, tenant, actor, now, roles, **changes):
    made = draft(session, tenant, actor, now, roles, **changes)
    return publishing.publish(session, publication_id=made.id, actor=actor, now=now)


def slots(session, *conditions):
    query = select(Slot).where(Slot.role_id.is_not(None), *conditions)
    query = query.order_by(Slot.role_id, Slot.starts_at).execution_options(populate_existing=True)
    return session.scalars(query).all()


# --- templates


def test_a_template_keeps_its_lines_by_day_and_hour(session, tenant, scheduler, now):
    times = (dt.time(9), dt.time(9, 25))
    lines = (shift(2), Line(1, dt.time(9), dt.time(10), 20, times, channel=Channel.DESK))
    made = make_template(session, tenant, scheduler, now, lines)
    session.expire_all()
    assert templates.lines_of(templates.named(session, made.uid)) == (lines[1], lines[0])


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((shift(1), shift(1, 11, 13)), "Overlaps with line"),
        ((shift(1, step=25),), "would be left over"),
        ((shift(1, 9, 10, 70),), "no room for one slot"),
        ((shift(1, 12, 9),), "must come after the beginning"),
        ((shift(1, step=0),), "The step is from 1"),
        ((shift(8),), "Choose the weekday"),
        ((shift(1, times=(dt.time(8, 50),)),), "lie outside"),
        ((shift(1, times=(dt.time(11, 50),)),), "goes beyond"),
        ((shift(1, web_share=0),), "is 1 or more"),
        ((shift(1, web_share=2, channel=Channel.DESK),), "has no share"),
        ((shift(1, service_id=999_999),), "not offered any more"),
    ],
)
def test_lines_that_cannot_be_are_refused_in_a_sentence(
    session, tenant, scheduler, now, lines, words
):
    with pytest.raises(LinesWrong) as refusal:
        make_template(session, tenant, scheduler, now, lines)
    assert words in refusal.value.text
    assert refusal.value.faults[0].number == len(lines) - 1


def test_a_template_needs_a_name_and_a_line(session, tenant, scheduler, now):
    with pytest.raises(templates.NoTitle):
        make_template(session, tenant, scheduler, now, title="  ")
    with pytest.raises(templates.NoLines):
        make_template(session, tenant, scheduler, now, ())


def test_changing_a_template_moves_no_slot(session, tenant, scheduler, now, role):
    made = make_template(session, tenant, scheduler, now)
    published(session, tenant, scheduler, now, [role])
    before = [(slot.id, slot.starts_at, slot.status) for slot in slots(session)]
    templates.change(
        session,
        template_id=made.id,
        title="Вторая смена",
        lines=[shift(1, 14, 18)],
        actor=scheduler,
        now=now,
    )
    assert [(slot.id, slot.starts_at, slot.status) for slot in slots(session)] == before


def test_a_template_of_another_branch_is_not_changed(session, tenant, now):
    sister = make.make_organization(session, part_of_id=tenant.id, root_id=tenant.id)
    owner = actor_of(make.make_staff(session, Role.SCHEDULER, tenant.root))
    made = make_template(session, tenant, owner, now)
    stranger = make.make_staff(session, Role.SCHEDULER, sister)
    set_scope(session, access.staff_scope(session, stranger))
    with pytest.raises(NotFound):
        templates.switch(
            session, template_id=made.id, is_active=False, actor=actor_of(stranger), now=now
        )


# --- publishing


def test_it_makes_sittings_with_their_slots(session, tenant, scheduler, now, role):
    lines = (
        *WORKDAYS,
        shift(1, 14, 15, 30, channel=Channel.DESK),
        shift(2, 14, 15, 15, web_share=1),
    )
    made = published(session, tenant, scheduler, now, [role], lines=lines)
    assert made.status is PublicationStatus.PUBLISHED
    assert made.report["days"] == 7 and made.report["places"] == 45 + 2 + 4
    found = slots(session)
    assert {slot.minutes for slot in found} == {20, 30, 15}
    web = [slot for slot in found if slot.channel is Channel.WEB]
    assert len(web) == 45 + 1
    assert {slot.schedule.total for slot in found} == {9, 2, 4}
    assert check_invariants(session, now=now) == []


def test_a_second_time_everything_is_left_out_with_its_reason(
    session, tenant, scheduler, now, role
):
    published(session, tenant, scheduler, now, [role])
    again = draft(session, tenant, scheduler, now, [role])
    with pytest.raises(sitting_opening.NothingToOpen):
        publishing.publish(session, publication_id=again.id, actor=scheduler, now=now)
    preview = sitting_previews.preview_of(session, again, not_before=now)
    assert {remark.code for remark in preview.left_out} == {"open_already"}
    assert len(slots(session)) == 45


def test_what_was_looked_at_is_what_is_published(session, tenant, scheduler, now, role):
    made = draft(session, tenant, scheduler, now, [role])
    with pytest.raises(drafts.ChangedMeanwhile):
        publishing.publish(
            session, publication_id=made.id, actor=scheduler, now=now, seen="not this"
        )


def test_a_set_hour_publishes_once_and_reports_what_it_left_out(
    session, tenant, scheduler, now, role
):
    made = draft(session, tenant, scheduler, now, [role])
    hour = now + dt.timedelta(hours=3)
    publishing.schedule(session, publication_id=made.id, publish_at=hour, actor=scheduler, now=now)
    assert publishing.publish_due(session, now=now) == []
    absences.add(
        session,
        organization_id=tenant.branch.id,
        role_id=None,
        first=MONDAY,
        last=MONDAY,
        reason="ремонт",
        actor=scheduler,
        now=now,
    )
    assert publishing.publish_due(session, now=hour) == [made]
    assert publishing.publish_due(session, now=hour) == []
    assert made.report["days"] == 4
    (remark,) = sitting_opening.left_out(made)
    assert remark.date == MONDAY and remark.params == {"reason": "ремонт"}


def test_a_holiday_s_name_is_kept_in_the_report_in_both_languages(
    session, tenant, scheduler, now, role
):
    made = published(
        session,
        tenant,
        scheduler,
        now,
        [role],
        dates=Dates(dt.date(2026, 12, 30), dt.date(2027, 1, 12)),
    )
    names = {r.params["name"].en for r in sitting_opening.left_out(made) if "name" in r.params}
    assert names == {"New Year holidays", "Christmas"}
    assert {slot.schedule.date.day for slot in slots(session)} == {30, 11, 12}


def test_a_practitioner_s_hours_in_an_unseen_branch_are_respected(session, tenant, user, now):
    sister = make.make_organization(session, part_of_id=tenant.id, root_id=tenant.id)
    person = make.make_practitioner(session, tenant)
    here = make.make_role(session, tenant, practitioner=person)
    there = make.make_role(session, tenant, practitioner=person, organization=sister)
    make.make_sitting(session, there, date=MONDAY, times=("11:00",), minutes=30)
    local = make.make_staff(session, Role.SCHEDULER, tenant.branch)
    set_scope(session, access.staff_scope(session, local))
    made = published(session, tenant, actor_of(local), now, [here])
    assert made.report["days"] == 4
    assert [remark["text"] for remark in made.report["left_out"]] == [
        "%(start)s–%(end)s: overlaps with slots this practitioner has already"
    ]


def test_a_role_one_does_not_see_forbids_publishing(session, tenant, now, role):
    sister = make.make_organization(session, part_of_id=tenant.id, root_id=tenant.id)
    local = make.make_staff(session, Role.SCHEDULER, sister)
    set_scope(session, access.staff_scope(session, local))
    made = draft(session, tenant, actor_of(local), now, [role])
    with pytest.raises(publishing.CannotPublish):
        publishing.publish(session, publication_id=made.id, actor=actor_of(local), now=now)


def test_nobody_undoes_what_stands_in_a_branch_one_does_not_see(
    session, tenant, scheduler, now, role
):
    made = published(session, tenant, scheduler, now, [role])
    sister = make.make_organization(session, part_of_id=tenant.id, root_id=tenant.id)
    local = make.make_staff(session, Role.SCHEDULER, sister)
    set_scope(session, access.staff_scope(session, local))
    with pytest.raises(NotAllowed):
        publishing.undo(session, publication_id=made.id, actor=actor_of(local), now=now)


@pytest.mark.parametrize(
    ("kind", "own", "wanted"),
    [
        (DistrictKind.THERAPY, None, 2),
        (DistrictKind.PAEDIATRIC, None, 5),
        (DistrictKind.THERAPY, 3, 3),
        (DistrictKind.THERAPY, 0, 0),
    ],
)
def test_a_district_s_number_caps_the_web(session, tenant, scheduler, now, role, kind, own, wanted):
    district = District(
        tenant_id=tenant.id, organization_id=tenant.branch.id, kind=kind, number="1", web_quota=own
    )
    session.add(district)
    session.flush()
    session.add(
        DistrictDoctor(
            tenant_id=tenant.id,
            organization_id=tenant.branch.id,
            district_id=district.id,
            role_id=role.id,
            starts_on=MONDAY - 90 * DAY,
        )
    )
    published(session, tenant, scheduler, now, [role])
    monday = [slot for slot in slots(session) if slot.schedule.date == MONDAY]
    assert [slot.channel for slot in monday] == [Channel.WEB] * wanted + [Channel.DESK] * (
        9 - wanted
    )
    published(session, tenant, scheduler, now, [role], lines=(shift(1, 13, 14),))
    more = slots(session, Slot.channel == Channel.WEB)
    assert len([slot for slot in more if slot.schedule.date == MONDAY]) == wanted


# --- undoing


def test_it_is_undone_while_nobody_is_booked(session, tenant, scheduler, now, role):
    made = published(session, tenant, scheduler, now, [role])
    publishing.undo(session, publication_id=made.id, actor=scheduler, now=now)
    assert {slot.status for slot in slots(session)} == {SlotStatus.CLOSED}
    publishing.publish(session, publication_id=made.id, actor=scheduler, now=now)
    assert len(slots(session, Slot.status == SlotStatus.FREE)) == 45


@pytest.mark.parametrize("status", [AppointmentStatus.HELD, AppointmentStatus.BOOKED])
def test_with_somebody_on_it_it_is_not_undone(session, tenant, scheduler, now, role, status):
    made = published(session, tenant, scheduler, now, [role])
    day = session.scalars(select(Schedule).where(Schedule.role_id.is_not(None))).first()
    known = make.make_donor(session, tenant)
    make.make_appointment(session, tenant, known, day, status=status)
    with pytest.raises(publishing.PlacesInUse), session.begin_nested():
        publishing.undo(session, publication_id=made.id, actor=scheduler, now=now)
    assert len(slots(session, Slot.status == SlotStatus.FREE)) == 44


# --- copying


def test_a_copied_week_is_the_week_as_it_is_open(session, tenant, scheduler, now, role):
    times = tuple(map(dt.time.fromisoformat, ("09:00", "09:25", "09:30", "09:45")))
    lines = (
        Line(1, dt.time(9), dt.time(10), 15, times, web_share=2),
        shift(3, 14, 16, 20),
        shift(4, 8, 9, 30, channel=Channel.DESK),
    )
    published(session, tenant, scheduler, now, [role], lines=lines)
    closed = [s for s in slots(session) if s.schedule.date == MONDAY + 2 * DAY][2]
    slot_acts.close(session, slot_uids=[closed.uid], role_id=role.id, actor=scheduler, now=now)
    plan = sitting_weeks.plan_of_week(
        session, roles=[role], week=MONDAY + 3 * DAY, to=MONDAY + 9 * DAY, weeks=2
    )
    saved = drafts.save(
        session, tenant_id=tenant.id, matrix=plan, title="", actor=scheduler, now=now
    )
    publishing.publish(session, publication_id=saved.id, actor=scheduler, now=now)

    def open_of(week):
        return [
            (slot.starts_at - 7 * week * DAY, slot.minutes, slot.channel)
            for slot in slots(session, Slot.status == SlotStatus.FREE)
            if 0 <= (slot.schedule.date - MONDAY).days - 7 * week < 7
        ]

    assert open_of(0) == open_of(1) == open_of(2)
    assert len(open_of(0)) == 4 + 5 + 2


# --- exceptions


def absence(session, tenant, scheduler, now, role, first=MONDAY, last=MONDAY + DAY):
    return absences.add(
        session,
        organization_id=tenant.branch.id,
        role_id=role.id if role else None,
        first=first,
        last=last,
        reason="отпуск",
        actor=scheduler,
        now=now,
    )


def test_an_absence_closes_the_free_and_keeps_the_booked(session, tenant, scheduler, now, role):
    other = make.make_role(session, tenant)
    published(session, tenant, scheduler, now, [role, other])
    day = session.scalars(
        select(Schedule).where(Schedule.role_id == role.id, Schedule.date == MONDAY)
    ).one()
    known = make.make_donor(session, tenant)
    booked = make.make_appointment(session, tenant, known, day, status=AppointmentStatus.BOOKED)
    row, closed = absence(session, tenant, scheduler, now, role)
    assert (closed.slots, closed.kept) == (17, 1)
    assert day.status is ScheduleStatus.PAUSED
    assert absences.people_in(session, row, now=now) == [booked]
    assert len(slots(session, Slot.status == SlotStatus.FREE)) == 90 - 18
    assert check_invariants(session, now=now) == []
    absences.remove(session, exception_id=row.id, actor=scheduler, now=now)
    assert day.status is ScheduleStatus.PUBLISHED
    made = draft(session, tenant, scheduler, now, [role])
    preview = sitting_previews.preview_of(session, made, not_before=now)
    assert [sitting.date for sitting in preview.new] == [MONDAY + DAY]


def test_a_closed_day_is_every_practitioner_s(session, tenant, scheduler, now, role):
    other = make.make_role(session, tenant)
    published(session, tenant, scheduler, now, [role, other])
    _row, closed = absence(session, tenant, scheduler, now, None, MONDAY, MONDAY)
    assert (closed.slots, closed.kept) == (18, 0)
    assert session.scalar(select(func.count()).where(Schedule.status == ScheduleStatus.CLOSED)) == 2


@pytest.mark.parametrize(
    ("first", "last", "reason", "error"),
    [
        (MONDAY, MONDAY - DAY, "отпуск", absences.DaysTurned),
        (MONDAY, MONDAY + 400 * DAY, "отпуск", absences.TooLong),
        (MONDAY, MONDAY, "  ", absences.NoCause),
    ],
)
def test_a_strange_absence_is_refused(
    session, tenant, scheduler, now, role, first, last, reason, error
):
    with pytest.raises(error):
        absences.add(
            session,
            organization_id=tenant.branch.id,
            role_id=role.id,
            first=first,
            last=last,
            reason=reason,
            actor=scheduler,
            now=now,
        )
    assert session.scalar(select(func.count()).select_from(ScheduleException)) == 0


def test_the_same_absence_is_entered_once(session, tenant, scheduler, now, role):
    absence(session, tenant, scheduler, now, role)
    with pytest.raises(absences.AlreadyThere):
        absence(session, tenant, scheduler, now, role)


# --- the grid and its acts


def test_the_grid_is_read_by_three_queries(session, tenant, scheduler, now):
    for _ in range(4):
        published(session, tenant, scheduler, now, [make.make_role(session, tenant)])
    place = tenant.branch
    session.flush()
    with statements(session) as asked:
        found = grid.load(session, organization=place, first=MONDAY, now=now)
        names = [row.role.practitioner.full_name for row in found.rows]
        assert [row.role.specialty.name_ru for row in found.rows]
    assert len(asked) <= 3 and len(names) == 4
    assert [square.open for square in found.rows[0].squares] == [9] * 5 + [0] * 2


def test_a_slot_is_not_given_back_beside_another_one(session, tenant, scheduler, now, role):
    first = make.make_sitting(session, role, times=("09:00", "09:30"), minutes=30)
    slot = make.slots_of(session, first)[1]
    common = {"role_id": role.id, "actor": scheduler, "now": now}
    slot_acts.close(session, slot_uids=[slot.uid], **common)
    other = make.make_role(session, tenant, practitioner=role.practitioner)
    make.make_sitting(session, other, times=("09:45",), minutes=30)
    with pytest.raises(slot_acts.TimeTaken):
        slot_acts.reopen(session, slot_uids=[slot.uid], **common)


def test_a_booked_slot_stays_whatever_is_pressed(session, tenant, scheduler, now, role):
    sitting = make.make_sitting(session, role)
    make.make_appointment(session, tenant, make.make_donor(session, tenant), sitting)
    slot = make.slots_of(session, sitting)[0]
    common = {"slot_uids": [slot.uid], "role_id": role.id, "actor": scheduler, "now": now}
    assert slot_acts.close(session, **common) == 0
    assert slot_acts.reopen(session, **common) == 0
    assert slot_acts.offer(session, channel=Channel.DESK, **common) == 0
    assert make.slots_of(session, sitting)[0].status is SlotStatus.HELD


def test_slots_of_another_role_are_not_touched(session, tenant, scheduler, now, role):
    sitting = make.make_sitting(session, make.make_role(session, tenant))
    uids = [slot.uid for slot in make.slots_of(session, sitting)]
    with pytest.raises(slot_acts.NothingChosen):
        slot_acts.close(session, slot_uids=uids, role_id=role.id, actor=scheduler, now=now)


# --- two at once, and many


def at_once(new_session, actions):
    """Each action in its own thread and transaction, begun together; results or refusals in order."""
    barrier = threading.Barrier(len(actions))

    def run(action):
        session = new_session()
        barrier.wait()
        try:
            result = action(session)
            session.commit()
        except RuleError as refusal:
            session.rollback()
            return refusal
        return result

    with ThreadPoolExecutor(len(actions)) as pool:
        return [future.result() for future in [pool.submit(run, each) for each in actions]]


@pytest.mark.parametrize("round_", range(3))
def test_two_that_publish_at_once_make_one_set(store, new_session, now, round_):
    """The same button twice, the job, another publication of the same days, and one that overlaps."""
    tenant = make.make_polyclinic(store)
    actor = actor_of(make.make_staff(store, Role.SCHEDULER, tenant.root))
    roles = [make.make_role(store, tenant) for _ in range(3)]
    once = draft(store, tenant, actor, now, roles)
    twin = draft(store, tenant, actor, now, list(reversed(roles)))
    late = draft(
        store, tenant, actor, now, roles,
        lines=tuple(Line(day, dt.time(9, 10), dt.time(12, 10), 20) for day in range(1, 6)),
    )  # fmt: skip
    store.commit()

    def press(publication):
        key = publication.id
        return lambda session: publishing.publish(session, publication_id=key, actor=actor, now=now)

    results = at_once(new_session, [press(once), press(once), press(twin), press(late)])
    refused = [result for result in results if isinstance(result, RuleError)]
    assert len(refused) == 3
    assert {type(each) for each in refused} <= {
        drafts.AlreadyPublished,
        sitting_opening.NothingToOpen,
    }
    store.expire_all()
    assert len(slots(store)) == 3 * 45


def test_very_many_slots_are_made_and_undone(session, tenant, scheduler, now, scale):
    """100,000 at full scale; how long that takes is measured by ./talon bench."""
    wanted = scale(100_000)
    line = tuple(Line(day, dt.time(8), dt.time(16), 10) for day in range(1, 8))
    dates = Dates(dt.date(2027, 6, 15), dt.date(2027, 6, 15) + 27 * DAY)
    roles = [make.make_role(session, tenant) for _ in range(-(-wanted // (48 * 28)))]
    made = draft(session, tenant, scheduler, now, roles, lines=line, dates=dates)
    publishing.publish(session, publication_id=made.id, actor=scheduler, now=now)
    assert made.report["places"] >= wanted
    publishing.undo(session, publication_id=made.id, actor=scheduler, now=now)
    assert session.scalar(select(func.count()).where(Slot.status != SlotStatus.CLOSED)) == 0
