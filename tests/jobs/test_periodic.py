"""The schedule: each turn once, whoever asks; one that breaks does not stop the others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.periodic import PERIODIC, Periodic, Schedule, run
from app.models import Heartbeat, Message, Slot
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind, SlotStatus
from app.rules import condition
from tests import make
from tests.conftest import Clock

SECOND = dt.timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def beat(store: Session, name: str) -> Heartbeat:
    store.rollback()
    store.expire_all()
    return store.get_one(Heartbeat, name)


def test_a_job_runs_in_portions_until_nothing_is_left(store: Session, clock: Clock) -> None:
    left = [True, True, False]
    run(Periodic("x", 30 * SECOND, lambda _session, _now: left.pop(0)))
    assert left == []
    assert beat(store, "x").at == clock.now


def test_it_waits_for_its_turn_also_when_another_process_had_it(
    store: Session, clock: Clock
) -> None:
    ran: list[dt.datetime] = []
    job = Periodic("x", 30 * SECOND, lambda _session, now: bool(ran.append(now)))
    for seconds in (0, 10, 19, 1, 30):
        clock.forward(seconds=seconds)
        Schedule(jobs=(job,)).run_due()  # a new process: it has not asked yet
    assert len(ran) == 3


def test_one_process_does_not_ask_the_database_all_the_time(
    store: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("app.jobs.periodic.run", lambda job: asked.append(job.name))
    schedule = Schedule()
    for _ in range(100):
        schedule.run_due()
    assert sorted(asked) == sorted(job.name for job in PERIODIC)


def test_a_job_that_breaks_is_rolled_back_named_and_alone(
    store: Session, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    tenant = make.make_tenant(store)
    store.commit()

    def breaks(session: Session, _now: dt.datetime) -> bool:
        make.make_donor(session, tenant, family_name="Секретова")
        raise RuntimeError("Секретова")

    ran: list[int] = []
    jobs = (
        Periodic("breaks", 30 * SECOND, breaks),
        Periodic("works", 30 * SECOND, lambda _s, _n: bool(ran.append(1))),
    )
    Schedule(jobs=jobs).run_due()
    assert ran == [1]
    assert beat(store, "breaks").error == "RuntimeError"
    assert beat(store, "works").error == ""
    assert "Секретова" not in caplog.text
    assert condition.lacking(store, now=clock.now) == ["breaks"]
    store.rollback()
    clock.forward(seconds=31)
    Schedule(jobs=(Periodic("breaks", 30 * SECOND, lambda _s, _n: False),)).run_due()
    assert beat(store, "breaks").error == ""


def test_the_schedule_does_what_it_says(store: Session, clock: Clock) -> None:
    """Holds are released, undecided requests end with a letter, all jobs leave their mark."""
    tenant = make.make_tenant(store)
    held, asked = (make.make_donor(store, tenant) for _ in range(2))
    day = make.make_schedule(store, tenant, days=0, start=dt.time(12), end=dt.time(13))
    first = make.make_appointment(store, tenant, held, day, status=A.HELD)
    second = make.make_appointment(store, tenant, asked, day, status=A.PENDING)
    store.commit()
    clock.forward(hours=2)
    Schedule().run_due()
    store.rollback()
    store.expire_all()
    assert (first.status, second.status) == (A.RELEASED, A.EXPIRED)
    assert store.get_one(Slot, first.slot_id).status is SlotStatus.FREE
    assert [m.kind for m in store.scalars(select(Message))] == [MessageKind.EXPIRED]
    names = set(store.scalars(select(Heartbeat.name)).all())
    assert names == {job.name for job in PERIODIC}
    assert condition.lacking(store, now=clock.now) == []


def test_every_job_is_frequent_enough_for_readyz() -> None:
    assert all(2 * job.every <= condition.LATEST_BEAT for job in PERIODIC)
