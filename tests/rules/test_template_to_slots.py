"""From a template to rows of the database, whatever the pattern, the zone, the exceptions and the calendar."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter, defaultdict
from itertools import pairwise
from unittest import mock

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.models import PractitionerRole, ScheduleException, Slot
from app.models.enums import ExceptionKind, Role
from app.rules import drafts, holidays, publishing, sitting_opening
from app.rules.actor import actor_of
from app.rules.invariants import check_invariants
from app.rules.matrix import Dates
from app.rules.sitting_planning import Facts, RoleFacts, planned
from app.rules.sitting_previews import preview_of
from app.rules.sittings import Plan, line_slots
from tests import make
from tests.rules.test_sittings import CHANGES, ZONES, days, patterns

DAY = dt.timedelta(days=1)
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
MANY = max(20, round(200 * float(os.environ.get("TALON_SCALE", "0.1"))))
FEW = st.integers(1, 21)


@st.composite
def decrees(draw, first: dt.date) -> dict[dt.date, dt.date]:
    """Days off → the Saturdays or Sundays they were taken from, all within some weeks."""
    monday = first - first.weekday() * DAY
    weeks = st.integers(0, 4)
    moved = {}
    for _ in range(draw(st.integers(0, 4))):
        free = monday + (7 * draw(weeks) + draw(st.integers(0, 4))) * DAY
        worked = monday + (7 * draw(weeks) + draw(st.integers(5, 6))) * DAY
        if worked not in moved.values():
            moved[free] = worked
    return moved


@given(st.data(), patterns(), days, FEW, st.sampled_from(ZONES))
def test_moved_days_off_are_free_and_the_days_given_for_them_are_worked(
    data, lines, first, length, zone
):
    """Each date by its own lines, a moved day off by none, a worked Saturday without lines by that day's."""
    moved = data.draw(decrees(first))
    plan = Plan(1, (1,), Dates(first, first + (length - 1) * DAY), tuple(lines))
    facts = Facts({1: RoleFacts(1, 10, 100, zone)})
    with mock.patch.object(holidays, "_moved", lambda: moved):
        found = planned(plan, facts, not_before=LONG_AGO)
        off = {date for date in plan.dates.days() if holidays.free_by_decree(date)}
        holiday = {date for date in plan.dates.days() if holidays.holiday(date)}
    assert set(moved) & set(plan.dates.days()) <= off
    instead = {worked: free for free, worked in moved.items() if worked not in holiday}
    weekdays = {line.weekday for line in lines}
    expected = Counter()
    for date in set(plan.dates.days()) - off:
        own = date.isoweekday() in weekdays
        pattern = (date if own else instead.get(date, date)).isoweekday()
        mine = [line for line in lines if line.weekday == pattern]
        expected[date] = sum(len(line_slots(line, date, zone)) for line in mine)
    made = Counter()
    for sitting in found.sittings:
        made[sitting.date] += len(sitting.slots)
    assert made == +expected


@pytest.fixture
def clinic(session):
    """Three roles, of which the first two are one practitioner's; whoever publishes."""
    tenant = make.make_polyclinic(session)
    one = make.make_practitioner(session, tenant)
    roles = [make.make_role(session, tenant, practitioner=one) for _ in range(2)]
    roles.append(make.make_role(session, tenant))
    by = make.make_staff(session, Role.SCHEDULER, tenant.root)
    return tenant, roles, by


LONELY = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=MANY, suppress_health_check=LONELY)
@given(
    patterns(),
    patterns(),
    st.dates(dt.date(2026, 11, 24), dt.date(2028, 10, 1)) | st.sampled_from(CHANGES[2:5]),
    st.integers(1, 12),
    st.lists(st.tuples(st.sampled_from([None, 0, 2]), st.integers(0, 12), st.integers(0, 5))),
    st.sampled_from(ZONES),
)
def test_what_is_published_is_whole_apart_and_there_once(
    session, clinic, lines, others, first, length, away, zone
):
    """Two patterns for the same people one after the other, with absences and closed days in the database."""
    tenant, roles, by = clinic
    assume(first >= make.NOW.date() and (lines or others))
    with session.begin_nested() as inner:
        tenant.branch.time_zone = zone
        for number, at, more in away:
            since = first + at * DAY
            session.add(
                ScheduleException(
                    tenant_id=tenant.id,
                    organization_id=tenant.branch.id,
                    role_id=None if number is None else roles[number].id,
                    kind=ExceptionKind.CLOSED if number is None else ExceptionKind.ABSENCE,
                    first_day=since,
                    last_day=since + more * DAY,
                    reason="отпуск",
                    created_at=make.NOW,
                    created_by_id=by.id,
                )
            )
        session.flush()
        dates = Dates(first, first + (length - 1) * DAY)
        for pattern in (lines, others, lines):
            publish(
                session, tenant, by, Plan(None, tuple(r.id for r in roles), dates, tuple(pattern))
            )
        look(session, roles, zone)
        before = session.scalar(select(func.count()).select_from(Slot))
        plan = Plan(None, tuple(r.id for r in reversed(roles)), dates, tuple(lines))
        publish(session, tenant, by, plan)
        assert session.scalar(select(func.count()).select_from(Slot)) == before, "twice is once"
        inner.rollback()
    session.expire_all()


def publish(session, tenant, by, plan: Plan) -> None:
    """Everything the preview promises becomes rows; nothing to open is no fault here."""
    draft = drafts.save(
        session, tenant_id=tenant.id, matrix=plan, title="", actor=actor_of(by), now=make.NOW
    )
    promised = preview_of(session, draft, not_before=make.NOW)
    wanted = {
        (sitting.role_id, slot.starts_at, slot.minutes, slot.channel)
        for sitting in promised.new
        for slot in sitting.slots
    }
    before = rows(session)
    try:
        publishing.publish(session, publication_id=draft.id, actor=actor_of(by), now=make.NOW)
    except (sitting_opening.NothingToOpen, publishing.CannotPublish):
        assert not wanted
    assert rows(session) - before == wanted and before <= rows(session), "none lost, none besides"


def rows(session) -> set[tuple[object, ...]]:
    query = select(Slot.role_id, Slot.starts_at, Slot.minutes, Slot.channel)
    found = session.execute(query.where(Slot.role_id.is_not(None))).all()
    assert len(set(found)) == len(found)
    return {tuple(row) for row in found}


def look(session, roles, zone: str) -> None:
    """Nobody is in two places, and no slot is of length nothing."""
    by_person = defaultdict(list)
    owner = {
        role_id: practitioner
        for role_id, practitioner in session.execute(
            select(PractitionerRole.id, PractitionerRole.practitioner_id)
        )
    }
    for role_id, starts_at, minutes, _ in rows(session):
        by_person[owner[role_id]].append((starts_at, starts_at + dt.timedelta(minutes=minutes)))
    for slots in by_person.values():
        for (start, end), (following, _) in pairwise(sorted(slots)):
            assert start < end <= following
    assert check_invariants(session, now=make.NOW) == []
