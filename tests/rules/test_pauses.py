"""Pausing a donation type with a public notice."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.models import AuditEvent
from app.models.enums import DonationKind, Role
from app.models.scope import set_scope
from app.rules import donor_day, facts, pauses
from app.rules.access import staff_scope
from app.rules.actor import actor_of
from app.rules.errors import NotAllowed, NotFound
from tests import make

WEEK = dt.timedelta(days=7)


@pytest.fixture
def tenant(session):
    return make.make_tenant(session)


@pytest.fixture
def scheduler(session, tenant):
    return make.make_staff(session, Role.SCHEDULER, tenant.root)


def begin(session, tenant, user, now, **changes):
    given = {
        "donation_type_id": tenant.platelets.id,
        "organization_id": None,
        "starts_at": None,
        "ends_at": None,
        "notice_ru": "Запас достаточен.",
        "notice_en": "",
    }
    return pauses.begin(session, **given | changes, actor=actor_of(user), now=now)


def in_force(session, day, now) -> bool:
    listed = facts.pauses(session, now=now).of(day)
    alone = donor_day.day_of(session, schedule_id=day.id, now=now).pause
    assert alone is listed  # the list and the booking never disagree
    return listed is not None


def test_a_pause_holds_from_its_beginning_to_its_end(session, tenant, scheduler, now):
    day = make.make_schedule(session, tenant)
    begin(session, tenant, scheduler, now, starts_at=now + WEEK, ends_at=now + 2 * WEEK)
    held = [in_force(session, day, now + n * WEEK) for n in range(3)]
    assert held == [False, True, False]


def test_a_pause_without_dates_holds_from_now_until_it_is_ended(session, tenant, scheduler, now):
    day = make.make_schedule(session, tenant)
    plasma = make.make_schedule(session, tenant, kind=DonationKind.PLASMA)
    pause = begin(session, tenant, scheduler, now)
    assert (in_force(session, day, now), in_force(session, plasma, now)) == (True, False)
    later = now + WEEK
    pauses.end(session, pause_id=pause.id, actor=actor_of(scheduler), now=later)
    assert not in_force(session, day, later)
    pauses.end(session, pause_id=pause.id, actor=actor_of(scheduler), now=later + WEEK)
    assert pause.ends_at == later


def test_a_pause_that_has_not_begun_never_will_once_ended(session, tenant, scheduler, now):
    day = make.make_schedule(session, tenant)
    pause = begin(session, tenant, scheduler, now, starts_at=now + WEEK)
    pauses.end(session, pause_id=pause.id, actor=actor_of(scheduler), now=now)
    assert not in_force(session, day, now + 2 * WEEK)


def test_a_pause_at_one_branch_leaves_the_others(session, tenant, scheduler, now):
    here = make.make_schedule(session, tenant)
    there = make.make_schedule(session, tenant, organization=tenant.root)
    begin(session, tenant, scheduler, now, organization_id=tenant.branch.id)
    assert (in_force(session, here, now), in_force(session, there, now)) == (True, False)


def test_the_same_type_is_not_paused_twice_at_one_place(session, tenant, scheduler, now):
    begin(session, tenant, scheduler, now, ends_at=now + WEEK)
    for organization_id in (None, tenant.branch.id):
        with pytest.raises(pauses.PausedAlready):
            begin(session, tenant, scheduler, now, organization_id=organization_id)
    begin(session, tenant, scheduler, now, starts_at=now + WEEK)
    begin(session, tenant, scheduler, now, donation_type_id=tenant.types[DonationKind.PLASMA].id)


def test_a_pause_needs_a_notice_and_a_sensible_end(session, tenant, scheduler, now):
    with pytest.raises(pauses.NoticeNeeded):
        begin(session, tenant, scheduler, now, notice_ru="  ")
    for starts_at, ends_at in ((None, now), (now + WEEK, now + WEEK), (now - WEEK, now)):
        with pytest.raises(pauses.EndsTooEarly):
            begin(session, tenant, scheduler, now, starts_at=starts_at, ends_at=ends_at)


def test_a_right_over_a_branch_does_not_pause_everywhere(session, tenant, now):
    user = make.make_staff(session, Role.SCHEDULER, tenant.branch)
    set_scope(session, staff_scope(session, user))
    with pytest.raises(NotAllowed):
        begin(session, tenant, user, now)
    assert begin(session, tenant, user, now, organization_id=tenant.branch.id).id


def test_foreign_types_branches_and_pauses_are_not_there(session, tenant, scheduler, now):
    foreign = make.make_tenant(session, name="Чужой центр")
    pause = make.make_pause(session, foreign)
    session.expunge(pause)
    with pytest.raises(NotFound):
        begin(session, tenant, scheduler, now, organization_id=foreign.branch.id)
    set_scope(session, staff_scope(session, scheduler))
    with pytest.raises(NotFound):
        begin(session, tenant, scheduler, now, donation_type_id=foreign.platelets.id)
    with pytest.raises(NotFound):
        pauses.end(session, pause_id=pause.id, actor=actor_of(scheduler), now=now)
    assert pauses.listed(session, now=now) == []


def test_the_list_has_what_holds_and_what_comes_first(session, tenant, scheduler, now):
    over = begin(session, tenant, scheduler, now - 3 * WEEK, ends_at=now - WEEK)
    to_come = begin(session, tenant, scheduler, now, starts_at=now + WEEK)
    holds = begin(session, tenant, scheduler, now, ends_at=now + dt.timedelta(days=1))
    assert pauses.listed(session, now=now) == [holds, to_come, over]


def test_beginning_and_ending_are_audited(session, tenant, scheduler, now):
    pause = begin(session, tenant, scheduler, now)
    pauses.end(session, pause_id=pause.id, actor=actor_of(scheduler), now=now)
    verbs = session.scalars(select(AuditEvent.verb).where(AuditEvent.subject == "donation_pause"))
    assert verbs.all() == ["pause.begin", "pause.end"]
