"""No link to the institution (E33): the site books no doctor, it is written down, staff say when it is back."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.i18n import say
from app.models import AuditEvent
from app.models.enums import AppointmentStatus, Confirmation, Role
from app.models.scope import PUBLIC, SYSTEM, set_scope
from app.rules import booking, hospital_link, patients
from app.rules.actor import SYSTEM as NOBODY
from app.rules.actor import actor_of
from app.rules.hospital_link import LinkLost
from tests import make
from tests.make import NOW

SEED = (
    "Выбранное время недоступно для записи. К сожалению, временно нет связи с ЛПУ. "
    "Попробуйте обратиться позже."
)
"""Row E33, word for word."""


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    tenant = make.make_polyclinic(session)
    tenant.policy.confirmation = Confirmation.NONE
    day = make.make_sitting(session, make.make_role(session, tenant))
    patient = make.make_person(session, tenant)
    registrar = actor_of(make.make_staff(session, Role.REGISTRAR, tenant.root))
    return SimpleNamespace(
        session=session, tenant=tenant, day=day, patient=patient, registrar=registrar
    )


def hold(world: SimpleNamespace):
    slot = make.slots_of(world.session, world.day)[0]
    set_scope(world.session, PUBLIC)
    try:
        return patients.hold(
            world.session, slot_uid=slot.uid, token="browser", actor=NOBODY, now=NOW
        )
    finally:
        set_scope(world.session, SYSTEM)


def lose(world: SimpleNamespace, of=None, now: dt.datetime = NOW) -> bool:
    return hospital_link.say_lost(
        world.session, organization=of or world.tenant.root, actor=world.registrar, now=now
    )


def restore(world: SimpleNamespace) -> bool:
    return hospital_link.say_restored(
        world.session, organization=world.tenant.root, actor=world.registrar, now=NOW
    )


def verbs(world: SimpleNamespace) -> list[str]:
    world.session.flush()
    return list(world.session.scalars(select(AuditEvent.verb).order_by(AuditEvent.id)))


def test_without_a_link_no_time_is_held_and_somebody_was_refused(world, app):
    assert lose(world)
    with pytest.raises(LinkLost) as refused:
        hold(world)
    with app.test_request_context(headers={"Accept-Language": "ru"}):
        assert say(refused.value) == SEED
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert "no link to the institution" in say(refused.value)
    assert refused.value.is_noted
    assert verbs(world)[-1] == "booking.link_lost"
    assert world.session.scalars(
        select(AuditEvent).order_by(AuditEvent.id.desc())
    ).first().subject_id == (world.day.id)


def test_lost_while_somebody_confirms_nothing_is_booked(world):
    held = hold(world)
    held.person_id = world.patient.id
    world.session.flush()
    lose(world)
    with pytest.raises(LinkLost):
        booking.confirm(world.session, appointment_id=held.id, actor=NOBODY, now=NOW)
    world.session.refresh(held)
    assert held.status is AppointmentStatus.HELD
    restore(world)
    done = booking.confirm(world.session, appointment_id=held.id, actor=NOBODY, now=NOW)
    assert done.status is AppointmentStatus.BOOKED


def test_it_is_said_for_everything_under_an_organization_once(world):
    assert lose(world) and not lose(world, now=NOW + dt.timedelta(hours=1))
    world.session.flush()
    assert world.tenant.branch.link_lost_at == world.tenant.root.link_lost_at == NOW
    assert hospital_link.lost(world.session) == [world.tenant.root]
    assert restore(world) and not restore(world)
    assert hospital_link.lost(world.session) == []
    assert verbs(world) == ["organization.link_lost"] * 2 + ["organization.link_restored"] * 2


def test_a_branch_alone_may_be_without_a_link(world):
    lose(world, of=world.tenant.branch)
    assert hospital_link.lost(world.session) == [world.tenant.branch]
    assert world.tenant.root.link_lost_at is None


def test_donors_book_all_the_same(session):
    centre = make.make_tenant(session)
    donor = make.make_donor(session, centre)
    lose(SimpleNamespace(session=session, tenant=centre, registrar=NOBODY))
    day = make.make_schedule(session, centre)
    from app.rules import holding

    held = holding.hold(
        session, person_id=donor.person.id, schedule_id=day.id, actor=NOBODY, now=NOW,
        starts_at=make.slots_of(session, day)[0].starts_at,
    )  # fmt: skip
    assert held.status is AppointmentStatus.HELD
