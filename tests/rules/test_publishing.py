"""Publishing: drafts, previews, what is made, set hours, undoing."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import AuditEvent, Publication, Schedule, Slot
from app.models.blood import EVERY_TYPE, BloodType
from app.models.enums import (
    AppointmentStatus,
    PublicationStatus,
    Role,
    ScheduleStatus,
    Sign,
    SlotStatus,
)
from app.models.scope import OutOfScope, set_scope
from app.rules import drafts, publishing
from app.rules.access import staff_scope
from app.rules.actor import actor_of
from app.rules.errors import NotFound, RuleError
from app.rules.matrix import Dates, Line, Matrix, Override
from app.rules.previews import preview
from tests import make

WEDNESDAY = dt.date(2026, 11, 25)
SEED_A = {"AB-": 300, "AB+": 6, "B+": 4, "B-": 7, "A+": 6, "A-": 10, "O+": 9, "O-": 10}


@pytest.fixture
def tenant(session):
    return make.make_tenant(session)


@pytest.fixture
def scheduler(session, tenant):
    return actor_of(make.make_staff(session, Role.SCHEDULER, tenant.root))


def cells(tenant, **totals: int) -> tuple[Line, ...]:
    """``cells(tenant, **{"B-": 7})``: platelets."""
    return tuple(
        Line(tenant.platelets.id, total, frozenset({BloodType.parse(blood)}))
        for blood, total in totals.items()
    )


def matrix(tenant, *lines: Line, **changes) -> Matrix:
    facts = {
        "dates": Dates.of(WEDNESDAY),
        "organization_ids": (tenant.branch.id,),
        "lines": lines or cells(tenant, **{"B-": 7}),
    }
    return Matrix(**(facts | changes))


def draft(session, tenant, scheduler, now, wanted=None) -> Publication:
    return drafts.save(
        session,
        tenant_id=tenant.id,
        matrix=wanted or matrix(tenant),
        title="",
        actor=scheduler,
        now=now,
    )


def days(session: Session) -> list[Schedule]:
    return list(session.scalars(select(Schedule).order_by(Schedule.id)))


def test_seed_a_table_is_one_matrix(session, tenant, scheduler, now):
    wanted = matrix(
        tenant,
        *cells(tenant, **SEED_A),
        overrides=(Override(25, blood_type=BloodType.parse("AB-")),),
    )
    published = publishing.publish_matrix(session, matrix=wanted, actor=scheduler, now=now)

    assert published.status is PublicationStatus.PUBLISHED
    assert published.report == {"days": 8, "places": 352, "left_out": [], "more": 0}
    made = {str(next(iter(day.blood_types))): day for day in days(session)}
    assert {blood: day.total for blood, day in made.items()} == SEED_A
    for day in made.values():
        slots = make.slots_of(session, day)
        assert len(slots) == day.total
        assert {slot.status for slot in slots} == {SlotStatus.FREE}
        assert {slot.organization_id for slot in slots} == {tenant.branch.id}
        assert day.status is ScheduleStatus.PUBLISHED
        assert len({slot.uid for slot in slots}) == len(slots)
    seven = [
        (slot.starts_at.hour, slot.starts_at.minute, slot.place)
        for slot in make.slots_of(session, made["B-"])
    ]
    assert seven == [(5, 0, 1), (5, 0, 2), (5, 0, 3), (5, 30, 1), (5, 30, 2), (5, 30, 3), (6, 0, 1)]


def test_an_open_set_keeps_its_groups_kell_and_sex(session, tenant, scheduler, now):
    both = frozenset({BloodType.parse("O-"), BloodType.parse("A-")})
    line = Line(tenant.platelets.id, 4, both, kell=Sign.NEGATIVE)
    publishing.publish_matrix(session, matrix=matrix(tenant, line), actor=scheduler, now=now)
    (day,) = days(session)
    assert (day.blood_types, day.kell, day.sex) == (both, Sign.NEGATIVE, None)


def test_a_draft_may_be_incomplete_and_makes_nothing(session, tenant, scheduler, now):
    empty = draft(session, tenant, scheduler, now, Matrix(places_per_time=5))
    assert Matrix.from_json(empty.matrix).places_per_time == 5
    assert empty.status is PublicationStatus.DRAFT
    with pytest.raises(publishing.CannotPublish) as refused:
        publishing.publish(session, publication_id=empty.id, actor=scheduler, now=now)
    assert [problem.code for problem in refused.value.problems] == [
        "no_dates",
        "no_branches",
        "no_totals",
    ]
    assert days(session) == []


def test_a_total_that_does_not_fit_is_never_published(session, tenant, scheduler, now):
    with pytest.raises(publishing.CannotPublish, match="cannot_publish"):
        publishing.publish_matrix(
            session, matrix=matrix(tenant, *cells(tenant, **{"AB-": 300})), actor=scheduler, now=now
        )
    assert days(session) == []


def test_days_open_already_are_left_out_and_reported(session, tenant, scheduler, now):
    publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    days(session)[0].status = ScheduleStatus.PAUSED
    session.flush()
    wider = matrix(tenant, *cells(tenant, **{"B-": 3, "B+": 2}))
    second = publishing.publish_matrix(session, matrix=wider, actor=scheduler, now=now)
    assert [day.total for day in days(session)] == [7, 2]
    assert second.report["days"] == 1
    (left_out,) = second.report["left_out"]
    assert left_out["text"] == "Open already."
    assert left_out["date"] == "2026-11-25"
    assert left_out["line"]["blood"] == ["B-"]


def test_publishing_the_same_again_makes_nothing(session, tenant, scheduler, now):
    publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    with pytest.raises(publishing.NothingNew):
        publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    assert len(days(session)) == 1


def test_a_closed_day_may_be_published_anew(session, tenant, scheduler, now):
    publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    days(session)[0].status = ScheduleStatus.CLOSED
    session.flush()
    publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    assert [day.status for day in days(session)] == [
        ScheduleStatus.CLOSED,
        ScheduleStatus.PUBLISHED,
    ]


def test_the_preview_names_what_is_made_what_collides_and_what_other_drafts_plan(
    session, tenant, scheduler, now
):
    publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    other = draft(
        session, tenant, scheduler, now, matrix(tenant, *cells(tenant, **{"B+": 1, "O+": 2}))
    )
    own = draft(
        session, tenant, scheduler, now, matrix(tenant, *cells(tenant, **{"B-": 7, "B+": 4}))
    )
    found = preview(
        session,
        tenant_id=tenant.id,
        matrix=Matrix.from_json(own.matrix),
        not_before=now,
        publication_id=own.id,
    )
    assert (found.days, found.places) == (1, 4)
    assert [str(*m.day.line.blood_types) for m in found.collisions.same] == ["B-"]
    assert [(m.publication.id, m.days) for m in found.drafts] == [(other.id, 1)]
    assert found.problems == []


def test_overlapping_hours_of_the_same_set_are_pointed_out(session, tenant, scheduler, now):
    publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    later = matrix(tenant, start=dt.time(9), end=dt.time(15))
    found = preview(session, tenant_id=tenant.id, matrix=later, not_before=now)
    assert (found.days, len(found.collisions.overlapping)) == (1, 1)
    after = matrix(tenant, start=dt.time(14), end=dt.time(18))
    found = preview(session, tenant_id=tenant.id, matrix=after, not_before=now)
    assert found.collisions.overlapping == ()


def test_what_was_looked_at_is_what_is_published(session, tenant, scheduler, now):
    seen = draft(session, tenant, scheduler, now)
    looked_at = drafts.seal(seen.matrix)
    drafts.save(
        session,
        tenant_id=tenant.id,
        matrix=matrix(tenant, step_minutes=15),
        title="",
        actor=scheduler,
        now=now,
        publication_id=seen.id,
        seen=looked_at,
    )
    with pytest.raises(drafts.ChangedMeanwhile):
        publishing.publish(
            session, publication_id=seen.id, actor=scheduler, now=now, seen=looked_at
        )
    assert days(session) == []


def test_a_publication_is_published_once(session, tenant, scheduler, now):
    once = draft(session, tenant, scheduler, now)
    publishing.publish(session, publication_id=once.id, actor=scheduler, now=now)
    with pytest.raises(drafts.AlreadyPublished):
        publishing.publish(session, publication_id=once.id, actor=scheduler, now=now)
    with pytest.raises(drafts.AlreadyPublished):
        drafts.discard(session, publication_id=once.id, actor=scheduler, now=now)
    assert len(days(session)) == 1


def test_at_a_set_hour_it_is_published_once_whoever_runs_it(session, tenant, scheduler, now):
    hour = now + dt.timedelta(hours=3)
    later = draft(session, tenant, scheduler, now)
    publishing.schedule(session, publication_id=later.id, publish_at=hour, actor=scheduler, now=now)
    assert publishing.publish_due(session, now=hour - dt.timedelta(seconds=1)) == []
    assert days(session) == []
    assert publishing.publish_due(session, now=hour) == [later]
    assert publishing.publish_due(session, now=hour) == []
    assert len(days(session)) == 1
    assert (later.status, later.published_at) == (PublicationStatus.PUBLISHED, hour)


def test_a_set_hour_must_lie_ahead_and_before_the_days(session, tenant, scheduler, now):
    later = draft(session, tenant, scheduler, now)
    with pytest.raises(publishing.HourPassed):
        publishing.schedule(
            session, publication_id=later.id, publish_at=now, actor=scheduler, now=now
        )
    with pytest.raises(publishing.CannotPublish):
        publishing.schedule(
            session,
            publication_id=later.id,
            publish_at=dt.datetime(2026, 11, 25, 5, tzinfo=dt.UTC),
            actor=scheduler,
            now=now,
        )


def test_what_no_longer_fits_at_the_hour_is_reported(session, tenant, scheduler, now):
    two_days = matrix(tenant, dates=Dates.of(WEDNESDAY, WEDNESDAY + dt.timedelta(days=1)))
    later = draft(session, tenant, scheduler, now, two_days)
    publishing.schedule(
        session,
        publication_id=later.id,
        publish_at=now + dt.timedelta(hours=3),
        actor=scheduler,
        now=now,
    )
    late = dt.datetime(2026, 11, 25, 6, tzinfo=dt.UTC)  # the worker was down for two days
    publishing.publish_due(session, now=late)
    assert [day.date for day in days(session)] == [WEDNESDAY + dt.timedelta(days=1)]
    assert later.status is PublicationStatus.PUBLISHED
    assert [item["date"] for item in later.report["left_out"]] == ["2026-11-25"]


def test_when_nothing_fits_at_the_hour_it_is_a_draft_again_with_the_reasons(
    session, tenant, scheduler, now
):
    later = draft(session, tenant, scheduler, now)
    hour = now + dt.timedelta(hours=3)
    publishing.schedule(session, publication_id=later.id, publish_at=hour, actor=scheduler, now=now)
    publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    publishing.publish_due(session, now=hour)
    assert (later.status, later.publish_at) == (PublicationStatus.DRAFT, None)
    assert [item["text"] for item in later.report["left_out"]] == ["Open already."]
    assert publishing.publish_due(session, now=hour) == []


def test_editing_a_scheduled_publication_makes_it_a_draft(session, tenant, scheduler, now):
    later = draft(session, tenant, scheduler, now)
    hour = now + dt.timedelta(hours=3)
    publishing.schedule(session, publication_id=later.id, publish_at=hour, actor=scheduler, now=now)
    drafts.save(
        session,
        tenant_id=tenant.id,
        matrix=matrix(tenant),
        title="Ноябрь",
        actor=scheduler,
        now=now,
        publication_id=later.id,
    )
    assert (later.status, later.publish_at) == (PublicationStatus.DRAFT, None)


def test_undoing_closes_the_days_and_gives_the_draft_back(session, tenant, scheduler, now):
    published = publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    publishing.undo(session, publication_id=published.id, actor=scheduler, now=now)
    (day,) = days(session)
    session.refresh(day)
    assert day.status is ScheduleStatus.CLOSED
    assert {slot.status for slot in make.slots_of(session, day)} == {SlotStatus.CLOSED}
    assert published.status is PublicationStatus.DRAFT
    publishing.publish(session, publication_id=published.id, actor=scheduler, now=now)
    assert len(days(session)) == 2


@pytest.mark.parametrize(
    "status", [AppointmentStatus.HELD, AppointmentStatus.PENDING, AppointmentStatus.BOOKED]
)
def test_undoing_is_refused_while_a_place_is_in_use(session, tenant, scheduler, now, status):
    published = publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    donor = make.make_donor(session, tenant)
    make.make_appointment(session, tenant, donor, days(session)[0], status=status)
    with pytest.raises(publishing.PlacesInUse) as refused:
        publishing.undo(session, publication_id=published.id, actor=scheduler, now=now)
    assert refused.value.params == {"places": 1}


def test_a_copy_stands_on_the_same_weekdays_after_the_original(session, tenant, scheduler, now):
    ten_days = Dates(WEDNESDAY, WEDNESDAY + dt.timedelta(days=9), frozenset({2, 3, 4}))
    original = draft(session, tenant, scheduler, now, matrix(tenant, dates=ten_days))
    copied = drafts.copy(session, publication_id=original.id, actor=scheduler, now=now)
    dates = Matrix.from_json(copied.matrix).dates.days()
    assert dates == tuple(date + dt.timedelta(days=14) for date in ten_days.days())
    assert copied.status is PublicationStatus.DRAFT
    much_later = now + dt.timedelta(days=100)
    again = drafts.copy(session, publication_id=original.id, actor=scheduler, now=much_later)
    first = Matrix.from_json(again.matrix).dates.days()[0]
    assert much_later.date() < first <= much_later.date() + dt.timedelta(days=7)
    assert first.weekday() == WEDNESDAY.weekday()


def test_a_foreign_branch_or_type_is_never_published(session, tenant, scheduler, now):
    foreign = make.make_tenant(session, name="Чужой центр")
    elsewhere = matrix(tenant, organization_ids=(tenant.branch.id, foreign.branch.id))
    stranger = matrix(tenant, *cells(foreign, **{"B-": 1}))
    for wanted, code in ((elsewhere, "branch_gone"), (stranger, "type_gone")):
        with pytest.raises(publishing.CannotPublish) as refused:
            publishing.publish_matrix(session, matrix=wanted, actor=scheduler, now=now)
        assert refused.value.problems[0].code == code


def test_staff_publish_only_where_their_role_is_held(session, tenant, now):
    user = make.make_staff(session, Role.SCHEDULER, tenant.branch)
    root_user = make.make_staff(session, Role.SCHEDULER, tenant.root)
    foreign = make.make_tenant(session, name="Чужой центр")
    foreign_draft = draft(session, foreign, actor_of(root_user), now)
    session.flush()
    set_scope(session, staff_scope(session, user, "schedules.publish"))
    own = publishing.publish_matrix(session, matrix=matrix(tenant), actor=actor_of(user), now=now)
    assert own.report["days"] == 1
    at_root = matrix(tenant, organization_ids=(tenant.root.id,))
    with pytest.raises(publishing.CannotPublish):
        publishing.publish_matrix(session, matrix=at_root, actor=actor_of(user), now=now)
    session.expunge_all()
    with pytest.raises(NotFound):
        publishing.publish(session, publication_id=foreign_draft.id, actor=actor_of(user), now=now)
    with pytest.raises(OutOfScope):
        draft(session, foreign, actor_of(user), now)


def test_publishing_leaves_one_line_in_the_audit(session, tenant, scheduler, now):
    published = publishing.publish_matrix(session, matrix=matrix(tenant), actor=scheduler, now=now)
    verbs = session.scalars(select(AuditEvent).where(AuditEvent.subject == "publication"))
    found = [(row.verb, row.subject_id, row.actor_id, row.tenant_id) for row in verbs]
    assert found[-1] == ("publication.publish", published.id, scheduler.id, tenant.id)


def test_two_publications_of_the_same_day_make_one_set_of_places(
    store, new_session, now, monkeypatch
):
    """The second one looked before the first one committed: the index decides."""
    tenant = make.make_tenant(store)
    scheduler = actor_of(make.make_staff(store, Role.SCHEDULER, tenant.root))
    store.commit()
    second = new_session()
    stale = preview(second, tenant_id=tenant.id, matrix=matrix(tenant), not_before=now)
    second.rollback()
    wider = matrix(tenant, *cells(tenant, **{"B-": 7, "B+": 4}))
    first = new_session()
    publishing.publish_matrix(first, matrix=wider, actor=scheduler, now=now)
    first.commit()

    monkeypatch.setattr(publishing, "preview", lambda *args, **kwargs: stale)
    lost = draft(second, tenant, scheduler, now)
    publishing.publish(second, publication_id=lost.id, actor=scheduler, now=now)
    second.commit()
    assert lost.report["days"] == 0
    assert lost.status is PublicationStatus.DRAFT
    assert store.scalar(select(func.count()).select_from(Slot)) == 11


def test_ten_thousand_places_take_seconds(session, tenant, scheduler, now):
    month = Dates(WEDNESDAY, WEDNESDAY + dt.timedelta(days=51))
    every = {str(blood): 12 for blood in EVERY_TYPE}
    wanted = matrix(
        tenant,
        *cells(tenant, **every),
        dates=month,
        organization_ids=(tenant.root.id, tenant.branch.id),
    )
    published = publishing.publish_matrix(session, matrix=wanted, actor=scheduler, now=now)
    assert published.report["places"] == 52 * 2 * 8 * 12 == 9984
    assert session.scalar(select(func.count()).select_from(Slot)) == 9984


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
def test_racing_publishers_make_one_set_of_places(store, new_session, now, round_):
    """Two runs of the job, two presses of the button, and another publication of the same days."""
    tenant = make.make_tenant(store)
    scheduler = actor_of(make.make_staff(store, Role.SCHEDULER, tenant.root))
    week = matrix(
        tenant,
        *cells(tenant, **SEED_A),
        overrides=(Override(25, blood_type=BloodType.parse("AB-")),),
        dates=Dates(WEDNESDAY, WEDNESDAY + dt.timedelta(days=4)),
    )
    once = draft(store, tenant, scheduler, now, week)
    twin = draft(store, tenant, scheduler, now, week)
    due = draft(store, tenant, scheduler, now, week)
    hour = now + dt.timedelta(hours=1)
    publishing.schedule(store, publication_id=due.id, publish_at=hour, actor=scheduler, now=now)
    store.commit()

    def press(publication):
        return lambda session: publishing.publish(
            session, publication_id=publication.id, actor=scheduler, now=hour
        )

    def job(session):
        return publishing.publish_due(session, now=hour)

    results = at_once(new_session, [press(once), press(once), press(twin), job, job])
    refused = [result for result in results if isinstance(result, RuleError)]
    assert {type(each) for each in refused} <= {drafts.AlreadyPublished, publishing.NothingNew}
    store.expire_all()
    assert len(days(store)) == 5 * 8
    assert store.scalar(select(func.count()).select_from(Slot)) == 5 * 352
    made = store.scalars(select(Publication)).all()
    assert sum(each.report.get("days", 0) for each in made) == 5 * 8
