"""A large publication in portions: watched, seen by nobody before its end, whole whatever comes in between."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.jobs.periodic import _Large
from app.models import Publication, Schedule, Slot
from app.models.enums import PublicationStatus, Role, ScheduleStatus, SlotStatus
from app.models.scope import PUBLIC, SYSTEM, set_scope
from app.rules import absences, access, drafts, large_publishing, publishing, reception
from app.rules.actor import actor_of
from app.rules.directory import institution
from app.rules.drafts import AlreadyPublished
from app.rules.errors import NotAllowed, NotFound
from app.rules.invariants import check_invariants
from app.rules.matrix import Dates
from app.rules.sittings import Line, Plan
from tests import make
from tests.make import NOW

P = PublicationStatus
MONDAY = dt.date(2026, 11, 30)
LINES = tuple(Line(day, dt.time(9), dt.time(12), 20) for day in range(1, 6))
EACH = 45
"""Slots of one practitioner's week."""


@pytest.fixture
def world(session: Session, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Four practitioners; more than 50 slots are many, a portion has at most 30."""
    monkeypatch.setattr(publishing, "LARGE", 50)
    monkeypatch.setattr(large_publishing, "PORTION", 30)
    tenant = make.make_polyclinic(session)
    roles = [make.make_role(session, tenant) for _ in range(4)]
    user = make.make_staff(session, Role.SCHEDULER, tenant.root)
    return SimpleNamespace(
        session=session, tenant=tenant, roles=roles, user=user, actor=actor_of(user)
    )


def begun(world: SimpleNamespace, roles=None, **changes) -> Publication:
    made = draft(world, roles, **changes)
    return large_publishing.begin(world.session, publication_id=made.id, actor=world.actor, now=NOW)


def draft(world: SimpleNamespace, roles=None, lines=LINES) -> Publication:
    ids = tuple(role.id for role in roles or world.roles)
    plan = Plan(None, ids, Dates(MONDAY, MONDAY + dt.timedelta(days=6)), lines)
    return drafts.save(
        world.session, tenant_id=world.tenant.id, matrix=plan, title="", actor=world.actor, now=NOW
    )


def finish(world: SimpleNamespace, publication: Publication) -> int:
    """How many steps it took."""
    run, steps = large_publishing.Run(publication.id), 0
    while run.step(world.session, now=NOW):
        steps += 1
    return steps


def slots(world: SimpleNamespace, *conditions) -> int:
    return world.session.scalar(select(func.count()).select_from(Slot).where(*conditions))


def seen_by_patients(world: SimpleNamespace, role) -> int:
    set_scope(world.session, PUBLIC)
    here = institution(world.session, uid=world.tenant.branch.uid)
    shown = reception.reception(
        world.session, institution=here, role=role.uid, service=None, now=NOW
    )
    set_scope(world.session, SYSTEM)
    return sum(len(day.times) for day in shown.days)


def test_a_small_one_is_made_at_once(world):
    done = begun(world, world.roles[:1])
    assert (done.status, done.report["places"]) == (P.PUBLISHED, EACH)


def test_a_large_one_is_made_in_portions_and_opens_all_at_once(world):
    publication = begun(world)
    assert publication.status is P.PUBLISHING and slots(world) == 0
    run, seen = large_publishing.Run(publication.id), []
    while run.step(world.session, now=NOW):
        seen.append((publication.report["places"], slots(world)))
        assert seen_by_patients(world, world.roles[0]) == 0
    assert all(told == there for told, there in seen)
    assert [told for told, _ in seen] == sorted({told for told, _ in seen} | {0})
    assert max(b[0] - a[0] for a, b in pairwise(seen)) <= 30
    assert (publication.status, publication.report["places"]) == (P.PUBLISHED, 4 * EACH)
    assert publication.published_at == NOW and publication.report["left_out"] == []
    assert seen_by_patients(world, world.roles[0]) == EACH
    assert check_invariants(world.session, now=NOW) == []


def test_it_makes_the_same_as_one_transaction_would(world):
    finish(world, begun(world))
    rows = select(Slot.role_id, Slot.starts_at, Slot.minutes, Slot.channel, Slot.kind)
    made = {tuple(row) for row in world.session.execute(rows)}
    others = [make.make_role(world.session, world.tenant) for _ in range(4)]
    once = draft(world, others)
    publishing.publish(world.session, publication_id=once.id, actor=world.actor, now=NOW)
    names = {other.id: role.id for role, other in zip(world.roles, others, strict=True)}
    again = world.session.execute(rows.where(Slot.role_id.in_(names)))
    assert {(names[role], *rest) for role, *rest in again} == made


@pytest.mark.parametrize("steps", range(1, 9))
def test_whoever_comes_after_an_interruption_makes_what_is_missing(world, steps):
    publication = begun(world)
    first = large_publishing.Run(publication.id)
    for _ in range(steps):
        first.step(world.session, now=NOW)
    finish(world, publication)
    assert publication.status is P.PUBLISHED and publication.report["left_out"] == []
    assert publication.report["places"] == slots(world) == 4 * EACH
    assert first.step(world.session, now=NOW) is False, "the first one has nothing more to do"
    assert check_invariants(world.session, now=NOW) == []


def test_what_somebody_publishes_meanwhile_stays_and_is_left_out(world):
    publication = begun(world)
    run = large_publishing.Run(publication.id)
    run.step(world.session, now=NOW)  # the plan is made
    last = max(world.roles, key=lambda role: run.left.index(next(s for s in run.left if s.role_id == role.id)))  # fmt: skip
    own = draft(world, [last], tuple(Line(day, dt.time(9, 10), dt.time(9, 30), 20) for day in range(1, 6)))  # fmt: skip
    publishing.publish(world.session, publication_id=own.id, actor=world.actor, now=NOW)
    while run.step(world.session, now=NOW):
        pass
    assert publication.status is P.PUBLISHED
    assert publication.report["places"] == 3 * EACH
    assert len(publication.report["left_out"]) == 5
    assert slots(world) == 3 * EACH + 5
    assert check_invariants(world.session, now=NOW) == []


def test_two_that_make_it_at_once_make_one_set(world):
    publication = begun(world)
    one, two = (large_publishing.Run(publication.id) for _ in range(2))
    goes_on = True
    while goes_on:
        goes_on = one.step(world.session, now=NOW) and two.step(world.session, now=NOW)
    assert publication.status is P.PUBLISHED and slots(world) == 4 * EACH


def test_stopped_it_is_a_draft_again_and_nothing_is_left_open(world):
    publication = begun(world)
    run = large_publishing.Run(publication.id)
    for _ in range(4):
        run.step(world.session, now=NOW)
    assert 0 < slots(world) < 4 * EACH
    large_publishing.stop(world.session, publication_id=publication.id, actor=world.actor, now=NOW)
    world.session.flush()
    assert (publication.status, publication.report) == (P.DRAFT, {})
    assert slots(world, Slot.status != SlotStatus.CLOSED) == 0
    assert run.step(world.session, now=NOW) is False
    with pytest.raises(AlreadyPublished):
        large_publishing.stop(
            world.session, publication_id=publication.id, actor=world.actor, now=NOW
        )
    large_publishing.begin(world.session, publication_id=publication.id, actor=world.actor, now=NOW)
    finish(world, publication)
    assert slots(world, Slot.status == SlotStatus.FREE) == 4 * EACH
    assert check_invariants(world.session, now=NOW) == []


def test_nothing_else_is_done_to_it_while_it_is_being_made(world):
    publication = begun(world)
    common = {"publication_id": publication.id, "actor": world.actor, "now": NOW}
    for act in (large_publishing.begin, drafts.discard, publishing.undo, publishing.publish):
        with pytest.raises(AlreadyPublished):
            act(world.session, **common)


def test_whoever_sees_a_part_of_it_cannot_stop_it(world):
    elsewhere = make.make_organization(
        world.session, name="Отделение", short_name="Ели", part_of_id=world.tenant.id, root_id=world.tenant.id
    )  # fmt: skip
    elsewhere.takes_patients = True
    roles = [*world.roles[:2], make.make_role(world.session, world.tenant, organization=elsewhere)]
    publication = begun(world, roles)
    run = large_publishing.Run(publication.id)
    while run.left or run.found is None:
        run.step(world.session, now=NOW)
    by = make.make_staff(world.session, Role.SCHEDULER, elsewhere)
    set_scope(world.session, access.staff_scope(world.session, by))
    with pytest.raises((NotAllowed, NotFound)):
        large_publishing.stop(
            world.session, publication_id=publication.id, actor=actor_of(by), now=NOW
        )
    set_scope(world.session, SYSTEM)


def test_who_is_entered_as_absent_meanwhile_is_away(world):
    publication = begun(world)
    run = large_publishing.Run(publication.id)
    while run.left or run.found is None:
        run.step(world.session, now=NOW)
    away = world.roles[0]
    absences.add(
        world.session, organization_id=away.organization_id, role_id=away.id, first=MONDAY, last=MONDAY,
        reason="отпуск", actor=world.actor, now=NOW,
    )  # fmt: skip
    run.step(world.session, now=NOW)
    world.session.flush()
    day = world.session.scalars(
        select(Schedule).where(Schedule.role_id == away.id, Schedule.date == MONDAY)
    ).one()
    assert day.status is ScheduleStatus.CLOSED
    assert slots(world, Slot.status == SlotStatus.FREE) == 4 * EACH - 9


def made_of(session: Session) -> SimpleNamespace:
    """The same world, for those who meet in the database."""
    tenant = make.make_polyclinic(session)
    roles = [make.make_role(session, tenant) for _ in range(2)]
    user = make.make_staff(session, Role.SCHEDULER, tenant.root)
    return SimpleNamespace(
        session=session, tenant=tenant, roles=roles, user=user, actor=actor_of(user)
    )


@pytest.mark.parametrize("large", [True, False])
def test_an_absence_that_is_being_entered_is_waited_for(store, new_session, monkeypatch, large):
    """Neither would see the other's rows, and an absent doctor would be published."""
    if store.get_bind().dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    monkeypatch.setattr(publishing, "LARGE", 50 if large else 500)
    world = made_of(store)
    publication = draft(world)
    store.commit()
    run = large_publishing.Run(publication.id)

    def publish() -> None:
        if large:
            run.step(store, now=NOW)
        else:
            publishing.publish(store, publication_id=publication.id, actor=world.actor, now=NOW)

    if large:
        large_publishing.begin(store, publication_id=publication.id, actor=world.actor, now=NOW)
        while run.left or run.found is None:
            run.step(store, now=NOW)
        store.commit()
    away = world.roles[0]
    other = new_session()
    absences.add(
        other, organization_id=away.organization_id, role_id=None, first=MONDAY, last=MONDAY,
        reason="ремонт", actor=world.actor, now=NOW,
    )  # fmt: skip
    other.flush()
    store.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
    with pytest.raises(OperationalError):
        publish()
    store.rollback()
    other.commit()
    publish()
    store.flush()
    open_ = Schedule.status == ScheduleStatus.PUBLISHED
    assert not store.scalars(select(Schedule.id).where(Schedule.date == MONDAY, open_)).all()
    assert store.scalars(select(Schedule.id).where(Schedule.date > MONDAY, open_)).all()


def test_at_a_set_hour_it_is_begun_and_the_job_makes_it(world):
    made = draft(world)
    hour = NOW + dt.timedelta(hours=1)
    publishing.schedule(
        world.session, publication_id=made.id, publish_at=hour, actor=world.actor, now=NOW
    )
    assert publishing.publish_due(world.session, now=hour) == [made]
    assert made.status is P.PUBLISHING
    job, rounds = _Large(), 0
    while job(world.session, hour):
        rounds += 1
    assert made.status is P.PUBLISHED and rounds > 6
    assert slots(world) == 4 * EACH
    assert job(world.session, hour) is False
