"""Who sits at one browser: found by its token alone, forgotten in time, wiped when he leaves."""

from __future__ import annotations

import datetime as dt
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Consent, Guest, Slot
from app.models.enums import AppointmentStatus, Confirmation, IdentifyBy, SlotStatus
from app.models.policy_choices import ConsentStep, Entry, PhoneRule
from app.models.scope import PUBLIC, SYSTEM, set_scope
from app.rules import guests, patient_visits, patients, starters
from app.rules.actor import SYSTEM as NOBODY
from app.rules.consent_texts import TextChanged
from app.rules.errors import NotFound, Refused, TooManyTries
from app.rules.guests import NoSuchTicket
from app.rules.hospital_link import LinkLost
from app.rules.patient_visits import NotPossible, Reader, Step, next_step
from tests import make
from tests.make import NOW
from tests.public.clinic import make_clinic

MINUTE = dt.timedelta(minutes=1)
A = AppointmentStatus


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    clinic = make_clinic(session)
    session.flush()
    set_scope(session, PUBLIC)
    return SimpleNamespace(session=session, clinic=clinic)


def sit_down(world, token: str = "browser", now: dt.datetime = NOW, place=None) -> Guest:
    where = place or world.clinic.tenant.branch
    return guests.at(world.session, token=token, organization=where, locale="ru", now=now)


def known(world, token: str = "browser") -> Guest:
    guest = sit_down(world, token)
    guests.identified(
        world.session, guest, person_id=world.clinic.patient.id, method=IdentifyBy.OMS, now=NOW
    )
    return guest


def reader(world, token: str = "browser", now: dt.datetime = NOW) -> Reader:
    return Reader(token, guests.of(world.session, token=token, now=now))


def hold(world, number: int = 0, token: str = "browser"):
    return patients.hold(
        world.session, slot_uid=world.clinic.slots[number].uid, token=token, actor=NOBODY, now=NOW
    )


def book(world, row, token: str = "browser"):
    return patient_visits.book(
        world.session,
        row=row,
        reader=reader(world, token),
        person_id=world.clinic.patient.id,
        actor=NOBODY,
        now=NOW,
    )


def test_one_browser_has_one_row_that_only_its_token_finds(world):
    guest = sit_down(world)
    assert sit_down(world).id == guest.id
    assert guests.of(world.session, token="browser", now=NOW).id == guest.id
    assert guests.of(world.session, token="another", now=NOW) is None
    assert guests.of(world.session, token="", now=NOW) is None
    assert world.session.scalars(select(Guest)).all() == []  # nobody reads it past the rules


def test_it_is_forgotten_after_half_an_hour_and_swept(world):
    sit_down(world)
    over = NOW + guests.STAYS
    assert guests.of(world.session, token="browser", now=over - MINUTE) is not None
    assert guests.of(world.session, token="browser", now=over) is None
    set_scope(world.session, SYSTEM)
    assert guests.sweep(world.session, now=over - MINUTE) == 0
    assert guests.sweep(world.session, now=over) == 1


def test_another_legal_body_begins_anew(world):
    known(world)
    set_scope(world.session, SYSTEM)
    other = make.make_polyclinic(world.session, name="Дальняя поликлиника")
    set_scope(world.session, PUBLIC)
    assert sit_down(world, place=other.branch).person_id is None


def test_who_comes_after_a_forgotten_row_sees_nothing_of_what_it_booked(world):
    """The browser's cookie may be there for days: on a screen in a hall the next one is somebody else."""
    known(world)
    row = book(world, hold(world))
    assert patient_visits.tickets(world.session, reader=reader(world), now=NOW) == [row]
    sit_down(world, place=world.clinic.tenant.branch, now=NOW + MINUTE)
    assert patient_visits.tickets(world.session, reader=reader(world), now=NOW) == [row]
    later = NOW + guests.STAYS + 2 * MINUTE
    sit_down(world, now=later)
    after = reader(world, now=later)
    assert patient_visits.tickets(world.session, reader=after, now=later) == []
    with pytest.raises(NotFound):
        patient_visits.own(world.session, uid=row.uid, reader=after)


def test_a_copied_cookie_opens_nothing_by_sitting_down_again(world):
    known(world)
    row = book(world, hold(world))
    guests.leave(world.session, token="browser", actor=NOBODY, now=NOW)
    sit_down(world)
    with pytest.raises(NotFound):
        patient_visits.own(world.session, uid=row.uid, reader=reader(world))


def test_for_another_person_one_agrees_anew(world):
    guest = known(world)
    text_id = world.clinic.tenant.consent_text.id
    guests.agree(world.session, guest, text_id=text_id, now=NOW)
    known(world)
    assert guest.agreed_at == NOW
    set_scope(world.session, SYSTEM)
    child = make.make_person(world.session, world.clinic.tenant)
    set_scope(world.session, PUBLIC)
    guests.identified(
        world.session, guest, person_id=child.id, method=IdentifyBy.OMS, now=NOW + MINUTE
    )
    assert (guest.agreed_at, guest.consent_text_id) == (None, None)


def test_who_somebody_is_counts_where_the_policy_takes_the_way_he_has_said_it(world):
    """Branches of one legal body share the cards, and may ask for more or for less."""
    known(world)
    who, tenant_id = reader(world), world.clinic.tenant.id
    for settings, person_id in (
        ({"entry": Entry.BEFORE, "methods": (IdentifyBy.OMS,)}, world.clinic.patient.id),
        ({"entry": Entry.AFTER, "methods": (IdentifyBy.SNILS, IdentifyBy.PASSPORT)}, None),
        ({"entry": Entry.ACCOUNT, "methods": ()}, None),
    ):
        policy = SimpleNamespace(**settings)
        assert who.known(tenant_id, None, policy) == person_id
        assert who.known(tenant_id, 77, policy) == 77, "the account's own card"
    assert who.known(tenant_id + 1, None) is None


def test_what_was_said_to_one_legal_body_is_not_written_down_at_another(world):
    row = hold(world)
    set_scope(world.session, SYSTEM)
    other = make.make_polyclinic(world.session, name="Дальняя поликлиника")
    set_scope(world.session, PUBLIC)
    guest = sit_down(world, place=other.branch)
    guests.agree(world.session, guest, text_id=other.consent_text.id, now=NOW)
    guests.settle_phone(world.session, guest, phone="+79001234567")
    patient_id = world.clinic.patient.id
    who = Reader("browser", guest, cards=(patient_id,), account_id=1)
    assert who.guest_in(row.tenant_id) is None
    done = patient_visits.book(
        world.session, row=row, reader=who, person_id=patient_id, actor=NOBODY, now=NOW
    )
    assert (done.status, done.phone) == (A.BOOKED, None)
    set_scope(world.session, SYSTEM)
    assert world.session.scalars(select(Consent)).all() == []


def test_a_refusal_for_want_of_a_link_writes_nothing_of_the_booking(world):
    """It is committed with its line in the journal."""
    known(world)
    row = hold(world)
    world.clinic.tenant.branch.link_lost_at = NOW
    with pytest.raises(LinkLost):
        book(world, row)
    world.session.refresh(row)
    assert (row.status, row.person_id, row.phone) == (A.HELD, None, None)


def test_agreeing_to_another_text_than_the_one_that_holds_is_refused(world):
    guest = sit_down(world)
    with pytest.raises(TextChanged):
        guests.agree(world.session, guest, text_id=None, now=NOW)
    with pytest.raises(TextChanged):
        guests.agree(
            world.session, guest, text_id=world.clinic.tenant.consent_text.id + 99, now=NOW
        )
    guests.agree(world.session, guest, text_id=world.clinic.tenant.consent_text.id, now=NOW)
    assert guest.agreed_at == NOW


def test_leaving_frees_what_was_being_chosen_and_keeps_what_is_booked(world):
    known(world)
    booked = book(world, hold(world))
    held = hold(world, 1)
    guests.leave(world.session, token="browser", actor=NOBODY, now=NOW)
    set_scope(world.session, SYSTEM)
    world.session.expire_all()
    assert (booked.status, held.status) == (A.BOOKED, A.RELEASED)
    assert world.session.get_one(Slot, world.clinic.slots[1].id).status is SlotStatus.FREE
    assert guests.of(world.session, token="browser", now=NOW) is None


def test_whoever_copied_the_cookie_has_nothing_after_that(world):
    known(world)
    row = book(world, hold(world))
    assert patient_visits.own(world.session, uid=row.uid, reader=reader(world)).id == row.id
    guests.leave(world.session, token="browser", actor=NOBODY, now=NOW)
    with pytest.raises(NotFound):
        patient_visits.own(world.session, uid=row.uid, reader=reader(world))
    assert patient_visits.tickets(world.session, reader=reader(world), now=NOW) == []


def test_a_refusal_that_would_tell_of_the_record_is_said_otherwise_to_a_guest(world):
    known(world)
    book(world, hold(world))
    known(world, "second")
    with pytest.raises(NotPossible):
        book(world, hold(world, 1, "second"), "second")


@pytest.mark.parametrize("own", [False, True])
def test_an_account_is_told_of_its_own_card_alone(world, own):
    """Whoever has signed in may have said that he is somebody else: his account has no card there."""
    known(world)
    book(world, hold(world))
    known(world, "second")
    cards = (world.clinic.patient.id,) if own else ()
    who = Reader("second", reader(world, "second").guest, cards=cards, account_id=1)
    with pytest.raises(Refused if own else NotPossible):
        patient_visits.book(
            world.session,
            row=hold(world, 1, "second"),
            reader=who,
            person_id=world.clinic.patient.id,
            actor=NOBODY,
            now=NOW,
        )


def test_the_consent_is_written_down_with_the_booking(world):
    guest = known(world)
    guests.agree(world.session, guest, text_id=world.clinic.tenant.consent_text.id, now=NOW)
    row = book(world, hold(world))
    assert book(world, row).id == row.id
    set_scope(world.session, SYSTEM)
    given = world.session.scalars(select(Consent)).all()
    assert [(c.person_id, c.text_id, c.given_at) for c in given] == [
        (world.clinic.patient.id, world.clinic.tenant.consent_text.id, NOW)
    ]


def find(world, number: int, born: dt.date, address: str = "192.0.2.1"):
    return guests.find_ticket(
        world.session,
        token="later",
        number=number,
        birth_date=born,
        address=address,
        locale="ru",
        now=NOW,
    )


def test_a_ticket_by_its_number_and_the_birth_date_for_a_while(world):
    known(world)
    row = book(world, hold(world))
    assert find(world, row.number, dt.date(1985, 2, 14)).id == row.id
    later = reader(world, "later")
    assert patient_visits.own(world.session, uid=row.uid, reader=later).id == row.id
    assert later.guest.expires_at == NOW + guests.FOUND_FOR
    with pytest.raises(NoSuchTicket):
        find(world, row.number, dt.date(1985, 2, 15))
    with pytest.raises(NoSuchTicket):
        find(world, row.number + 1, dt.date(1985, 2, 14))


def test_guessing_birth_dates_of_one_ticket_ends_wherever_one_tries_from(world):
    known(world)
    row = book(world, hold(world))
    most = next(
        each["tries"]
        for each in starters.starter("identification")["limits"]
        if each["kind"] == "ticket_number"
    )
    for day in range(most):
        with pytest.raises(NoSuchTicket):
            find(world, row.number, dt.date(1990, 1, 1 + day), f"192.0.2.{day}")
    with pytest.raises(TooManyTries):
        find(world, row.number, dt.date(1985, 2, 14), "198.51.100.7")


@pytest.mark.parametrize(
    ("changes", "person_id", "facts", "step"),
    [
        ({"entry": Entry.ACCOUNT}, None, {}, Step.SIGN_IN),
        ({"entry": Entry.ACCOUNT}, 1, {}, Step.CONFIRM),
        ({"entry": Entry.AFTER, "consent": ConsentStep.SCREEN}, None, {}, Step.CONSENT),
        (
            {"entry": Entry.AFTER, "consent": ConsentStep.SCREEN},
            None,
            {"agreed_at": NOW},
            Step.IDENTIFY,
        ),
        ({"entry": Entry.BEFORE, "consent": ConsentStep.BOX}, None, {}, Step.IDENTIFY),
        ({"entry": Entry.BEFORE, "consent": ConsentStep.BOX}, 1, {}, Step.CONFIRM),
        ({"entry": Entry.BEFORE, "consent": ConsentStep.BOX}, 1, {"person_id": 1}, Step.CONSENT),
        (
            {"entry": Entry.BEFORE, "consent": ConsentStep.BOX},
            1,
            {"person_id": 1, "agreed_at": NOW},
            Step.CONFIRM,
        ),
        ({"entry": Entry.ACCOUNT, "phone": PhoneRule.CHOICE}, 1, {}, Step.PHONE),
        (
            {"entry": Entry.ACCOUNT, "phone": PhoneRule.CHOICE},
            1,
            {"phone_settled": True},
            Step.CONFIRM,
        ),
        (
            {"entry": Entry.ACCOUNT, "phone": PhoneRule.REQUIRED},
            1,
            {"phone_settled": True},
            Step.PHONE,
        ),
        (
            {"entry": Entry.ACCOUNT, "phone": PhoneRule.REQUIRED},
            1,
            {"phone_ciphertext": b"x", "phone_settled": True},
            Step.CONFIRM,
        ),
    ],
)
def test_what_comes_next(changes, person_id, facts, step):
    settings = {
        "entry": Entry.BEFORE,
        "consent": ConsentStep.REGISTRATION,
        "phone": PhoneRule.NONE,
        "confirmation": Confirmation.NONE,
    } | changes
    nothing = {
        "person_id": None,
        "agreed_at": None,
        "phone_settled": False,
        "phone_ciphertext": None,
    }
    guest = SimpleNamespace(**nothing | facts)
    assert next_step(SimpleNamespace(**settings), person_id=person_id, guest=guest) is step


def test_pressed_twice_at_once_is_one_booking_and_one_consent(store, new_session):
    """Both requests have read the held time before either has booked it."""
    clinic = make_clinic(store)
    guest = guests.at(
        store, token="browser", organization=clinic.tenant.branch, locale="ru", now=NOW
    )
    guests.identified(
        store,
        guest,
        person_id=clinic.patient.id,
        method=IdentifyBy.OMS,
        email="anna@example.org",
        now=NOW,
    )
    guests.agree(store, guest, text_id=clinic.tenant.consent_text.id, now=NOW)
    held = patients.hold(
        store, slot_uid=clinic.slots[0].uid, token="browser", actor=NOBODY, now=NOW
    )
    store.commit()
    uid, patient_id = held.uid, clinic.patient.id
    booked, failed = [], []

    def press() -> None:
        session = new_session()
        try:
            if session.get_bind().dialect.name == "sqlite":
                session.connection()  # begins as a request does
            who = Reader("browser", guests.of(session, token="browser", now=NOW))
            row = patient_visits.own(session, uid=uid, reader=who)
            if session.get_bind().dialect.name == "postgresql":
                ready.wait()
            done = patient_visits.book(
                session, row=row, reader=who, person_id=patient_id, actor=NOBODY, now=NOW
            )
            session.commit()
            booked.append(done.status)
        except Exception as error:  # of any kind: there must be none
            session.rollback()
            failed.append(error)

    ready = threading.Barrier(2)
    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert booked == [A.BOOKED, A.BOOKED]
    store.expire_all()
    assert len(store.scalars(select(Consent)).all()) == 2  # to the booking, to the questionnaire
