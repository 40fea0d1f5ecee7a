"""Booking for a caller: the site's rules and engine, the desk's own times, no code, the consent, races."""

from __future__ import annotations

import datetime as dt
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Appointment, AuditEvent, Consent, Slot
from app.models.enums import (
    AppointmentStatus,
    Channel,
    Confirmation,
    ConsentChannel,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from app.models.policy_choices import ConsentStep
from app.models.scope import SYSTEM, set_scope
from app.rules import access, consents, desk, hospital_link, patients
from app.rules.actor import SYSTEM as NOBODY
from app.rules.actor import actor_of
from app.rules.consents import NotSaid
from app.rules.desk import ServiceNeeded
from app.rules.errors import NotFound, Refused, RuleError, Taken
from app.rules.invariants import check_invariants
from tests import make
from tests.make import NOW

A = AppointmentStatus


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """A polyclinic that asks the site for a code, a doctor with four times, a patient, a registrar's scope."""
    tenant = make.make_polyclinic(session)
    tenant.policy.confirmation = Confirmation.CODE
    tenant.policy.live_limit = 3
    role = make.make_role(session, tenant)
    day = make.make_sitting(session, role)
    patient = make.make_person(session, tenant)
    registrar = make.make_staff(session, Role.REGISTRAR, tenant.branch)
    session.flush()
    slots = make.slots_of(session, day)
    set_scope(session, access.staff_scope(session, registrar))
    return SimpleNamespace(
        session=session, tenant=tenant, role=role, day=day, slots=slots, patient=patient,
        registrar=registrar, actor=actor_of(registrar),
    )  # fmt: skip


def book(world: SimpleNamespace, number: int = 0, who=None, **more) -> Appointment:
    return desk.book(
        world.session,
        slot_uid=world.slots[number].uid,
        person=who or world.patient,
        actor=world.actor,
        now=NOW,
        **more,
    )


def slot(world: SimpleNamespace, number: int) -> SlotStatus:
    return world.session.scalar(select(Slot.status).where(Slot.id == world.slots[number].id))


def offer(world: SimpleNamespace, number: int = 0, who=None) -> desk.Offer:
    choice = desk.choice_of(world.session, slot_uid=world.slots[number].uid, now=NOW)
    return desk.offer(world.session, choice=choice, person=who or world.patient, now=NOW)


def set_up(world: SimpleNamespace, *rows, **policy) -> None:
    """Change the world as nobody at the desk could."""
    before = world.session.info["scope"]
    set_scope(world.session, SYSTEM)
    for name, value in policy.items():
        setattr(world.tenant.policy, name, value)
    world.session.flush()
    set_scope(world.session, before)


def sound(world: SimpleNamespace) -> bool:
    set_scope(world.session, SYSTEM)
    return check_invariants(world.session, now=NOW) == []


def test_a_caller_is_booked_at_once_without_a_code(world):
    row = book(world)
    assert (row.status, row.channel, row.person_id) == (A.BOOKED, Channel.DESK, world.patient.id)
    assert slot(world, 0) is SlotStatus.BUSY
    events = {event.event: event.actor_id for event in row.events}
    assert events == {"hold": world.registrar.id, "confirm_to_booked": world.registrar.id}
    assert sound(world)


def test_pressed_twice_it_is_the_same_booking(world):
    assert book(world).id == book(world).id


def test_the_desk_sells_its_own_times_which_the_site_does_not(world):
    world.slots[1].channel = Channel.DESK
    world.session.flush()
    with pytest.raises(NotFound):
        patients.choice_of(world.session, slot_uid=world.slots[1].uid, now=NOW)
    assert book(world, 1).status is A.BOOKED


def test_the_sites_rules_stand_against_a_caller_too_in_a_colleagues_words(world):
    book(world)
    (refusal,) = offer(world, 1).against
    assert (refusal.code, refusal.blocking) == ("same_doctor", True)
    assert refusal.text == "booked with this doctor already, on %(date)s"
    with pytest.raises(Refused):
        book(world, 1)
    set_up(world, book_days_ahead=0)
    with pytest.raises(Refused) as refused:
        book(world, 1, who=make.make_person(world.session, world.tenant))
    assert refused.value.code == "too_far"


def test_a_visit_in_another_branch_counts_though_the_desk_does_not_see_it(world):
    set_scope(world.session, SYSTEM)
    elsewhere = make.make_role(world.session, world.tenant, organization=world.tenant.root)
    other = make.make_sitting(world.session, elsewhere)
    make.make_appointment(world.session, world.tenant, world.patient, other, status=A.BOOKED)
    set_scope(world.session, access.staff_scope(world.session, world.registrar))
    with pytest.raises(Refused) as refused:
        book(world)
    assert refused.value.code == "same_time"


def test_without_a_link_the_desk_goes_on(world):
    set_scope(world.session, SYSTEM)
    hospital_link.say_lost(world.session, organization=world.tenant.root, actor=NOBODY, now=NOW)
    set_scope(world.session, access.staff_scope(world.session, world.registrar))
    assert book(world).status is A.BOOKED


def test_what_the_visit_is_for_is_asked_where_there_is_a_choice(world):
    set_scope(world.session, SYSTEM)
    services = [make.make_service(world.session, world.tenant) for _ in range(2)]
    doctor = make.make_practitioner(world.session, world.tenant, services=services)
    day = make.make_sitting(
        world.session, make.make_role(world.session, world.tenant, practitioner=doctor)
    )
    world.slots = make.slots_of(world.session, day)
    set_scope(world.session, access.staff_scope(world.session, world.registrar))
    assert list(offer(world).services) == services
    with pytest.raises(ServiceNeeded):
        book(world)
    assert book(world, service_uid=services[1].uid).service_id == services[1].id


def test_who_has_not_agreed_yet_is_asked_and_it_is_written_down(world):
    set_up(world, consent=ConsentStep.SCREEN)
    assert offer(world).consent == world.tenant.consent_text
    with pytest.raises(NotSaid):
        book(world)
    book(world, consent=ConsentChannel.ORAL)
    (consent,) = consents.of_person(world.session, person_id=world.patient.id)
    assert (consent.channel, consent.recorded_by_id) == (
        ConsentChannel.ORAL,
        world.registrar.id,
    )
    assert offer(world, 1).consent is None
    set_scope(world.session, SYSTEM)
    consent.withdrawn_at = NOW
    world.session.flush()
    assert not consents.stands(world.session, person_id=world.patient.id)
    verbs = world.session.scalars(select(AuditEvent.verb)).all()
    assert "consent.record" in verbs


def test_another_number_for_this_booking(world):
    assert book(world, phone="+79001112233").phone == "+79001112233"


def test_nobody_of_another_registry_and_no_time_of_another_branch(world):
    set_scope(world.session, SYSTEM)
    foreign = make.make_polyclinic(world.session, name="Речная поликлиника")
    stranger = make.make_person(world.session, foreign)
    theirs = make.make_sitting(world.session, make.make_role(world.session, foreign))
    own = world.slots
    world.slots = make.slots_of(world.session, theirs)
    set_scope(world.session, access.staff_scope(world.session, world.registrar))
    with pytest.raises(NotFound):
        book(world)
    world.slots = own
    with pytest.raises(NotFound):
        book(world, who=stranger)


def test_a_closed_day_and_a_taken_time_are_refused_and_others_are_named(world):
    rival = make.make_person(world.session, world.tenant)
    book(world, who=rival)
    with pytest.raises(Taken):
        book(world)
    choice = offer(world).choice
    others = desk.other_times(world.session, choice=choice, now=NOW)
    assert [slot.id for slot in others] == [slot.id for slot in world.slots[1:]]
    world.day.status = ScheduleStatus.CLOSED
    world.session.flush()
    with pytest.raises(Refused) as refused:
        book(world, 1)
    assert refused.value.code == "closed"


def test_two_desks_and_ten_browsers_want_one_time(engine, store, scale):
    """One of twelve wins, whoever it is; the others hear that it is taken."""
    tenant = make.make_polyclinic(store)
    day = make.make_sitting(store, make.make_role(store, tenant))
    registrar = make.make_staff(store, Role.REGISTRAR, tenant.branch)
    callers = [make.make_person(store, tenant) for _ in range(2)]
    store.commit()
    slot = make.slots_of(store, day)[0]
    scope = access.staff_scope(store, registrar)
    store.commit()
    gate, found = threading.Barrier(12), []

    def run(act) -> None:
        with Session(engine, expire_on_commit=False) as mine:
            set_scope(mine, scope)
            gate.wait()
            try:
                found.append(act(mine))
            except RuleError as error:
                found.append(error)
            mine.commit()

    def at_desk(who):
        return lambda mine: desk.book(
            mine, slot_uid=slot.uid, person=who, actor=actor_of(registrar), now=NOW
        )

    def on_site(number):
        return lambda mine: patients.hold(
            mine, slot_uid=slot.uid, token=f"browser {number}", actor=NOBODY, now=NOW
        )

    acts = [*map(at_desk, callers), *map(on_site, range(10))]
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in found if isinstance(one, Appointment)]) == 1
    assert len([one for one in found if isinstance(one, Taken)]) == 11
    store.expire_all()
    assert check_invariants(store, now=NOW) == []


def test_nothing_written_in_a_refused_booking_needs_a_consent_row(world):
    """The consent goes with the booking: the entry point rolls both back."""
    set_up(world, consent=ConsentStep.BOX)
    world.day.status = ScheduleStatus.CLOSED
    world.session.flush()
    saved = world.session.begin_nested()
    with pytest.raises(Refused):
        book(world, consent=ConsentChannel.PAPER)
    saved.rollback()
    assert world.session.scalars(select(Consent)).all() == []


def test_a_held_time_of_the_same_person_on_the_site_is_let_go(world):
    set_scope(world.session, SYSTEM)
    held = patients.hold(
        world.session, slot_uid=world.slots[2].uid, token="b", actor=NOBODY, now=NOW
    )
    patients.name(
        world.session, appointment_id=held.id, token="b", person_id=world.patient.id,
        actor=NOBODY, now=NOW + dt.timedelta(minutes=1),
    )  # fmt: skip
    set_scope(world.session, access.staff_scope(world.session, world.registrar))
    book(world)
    assert slot(world, 2) is SlotStatus.FREE
    assert sound(world)
