"""Registration and passwords: rows A10–A15. Nothing tells whether an address is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Account, Consent, Donor, Message, OneTimeLink, Person
from app.models.enums import BloodGroup, LinkPurpose, MessageKind, Sign
from app.models.scope import PUBLIC, SYSTEM, set_scope
from app.rules import accounts, donor_codes, links, sign_ins
from app.rules.accounts import Registration
from app.rules.actor import actor_of
from app.rules.consent_texts import ConsentNeeded, TextChanged
from app.rules.donor_codes import LiveBookings
from app.rules.donors import link_record
from app.rules.links import LinkEnded
from tests import make
from tests.make import NOW

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """A centre, and a form filled in by somebody who is not signed in."""
    tenant = make.make_tenant(session)
    form = Registration(
        email=" Donor@Example.RU ",
        password_hash="hash-1",
        blood_group=BloodGroup.B,
        rh=Sign.NEGATIVE,
        kell=Sign.POSITIVE,
        donor_code="456545",
        tenant_id=tenant.id,
        consent_text_id=tenant.consent_text.id,
        ip="192.0.2.1",
    )
    session.flush()
    set_scope(session, PUBLIC)
    return SimpleNamespace(tenant=tenant, form=form, session=session)


def everything(world: SimpleNamespace) -> Session:
    set_scope(world.session, SYSTEM)
    return world.session


def token(world: SimpleNamespace, purpose: LinkPurpose = LinkPurpose.CONFIRM_EMAIL) -> str:
    session = everything(world)
    link = session.scalars(select(OneTimeLink).where(OneTimeLink.purpose == purpose)).one()
    set_scope(session, PUBLIC)
    return links.token(link)


def kinds(world: SimpleNamespace) -> list[MessageKind]:
    return list(everything(world).scalars(select(Message.kind).order_by(Message.id)))


def test_registration_keeps_the_six_fields_and_the_consent_and_sends_a_link(world):
    accounts.register(world.session, world.form, now=NOW)

    session = everything(world)
    account = session.scalars(select(Account)).one()
    donor = session.scalars(select(Donor)).one()
    consent = session.scalars(select(Consent)).one()
    assert (account.email, account.email_confirmed_at) == ("donor@example.ru", None)
    assert str(donor.blood_type) == "B-"
    assert (donor.kell, donor.donor_code) == (Sign.POSITIVE, "456545")
    assert consent.sha256 == world.tenant.consent_text.sha256
    assert (consent.ip, consent.given_at) == ("192.0.2.1", NOW)
    assert kinds(world) == [MessageKind.CONFIRM_EMAIL]


def test_without_the_box_there_is_no_account(world):
    with pytest.raises(ConsentNeeded):
        accounts.register(world.session, replace(world.form, consent_text_id=None), now=NOW)
    assert everything(world).scalar(select(func.count(Account.id))) == 0


def test_a_consent_to_a_former_text_does_not_count(world):
    session = everything(world)
    make.make_consent_text(session, world.tenant.root, version=2)
    session.flush()
    set_scope(session, PUBLIC)
    with pytest.raises(TextChanged):
        accounts.register(session, world.form, now=NOW)


def test_a_confirmed_address_gets_a_letter_and_nothing_changes(world):
    accounts.register(world.session, world.form, now=NOW)
    accounts.confirm_email(world.session, token=token(world), now=NOW)
    set_scope(world.session, PUBLIC)

    again = replace(world.form, password_hash="hash-2", donor_code="111111")
    accounts.register(world.session, again, now=NOW + HOUR)

    assert kinds(world) == [MessageKind.CONFIRM_EMAIL, MessageKind.ALREADY_REGISTERED]
    session = everything(world)
    assert session.scalars(select(Account.password_hash)).one() == "hash-1"
    assert session.scalars(select(Donor.donor_code)).one() == "456545"


def test_an_unconfirmed_address_starts_anew_and_the_old_link_dies(world):
    accounts.register(world.session, world.form, now=NOW)
    old = token(world)
    accounts.register(world.session, replace(world.form, password_hash="hash-2"), now=NOW + HOUR)
    set_scope(world.session, PUBLIC)
    with pytest.raises(LinkEnded):
        accounts.confirm_email(world.session, token=old, now=NOW + HOUR)
    account = accounts.confirm_email(world.session, token=token(world), now=NOW + HOUR)
    assert account.password_hash == "hash-2"
    assert everything(world).scalar(select(func.count(Person.id))) == 1


def test_a_link_works_once_and_for_a_day(world):
    accounts.register(world.session, world.form, now=NOW)
    text = token(world)
    with pytest.raises(LinkEnded):
        accounts.confirm_email(world.session, token=text, now=NOW + 24 * HOUR)
    account = accounts.confirm_email(world.session, token=text, now=NOW + 23 * HOUR)
    assert account.email_confirmed_at == NOW + 23 * HOUR
    with pytest.raises(LinkEnded):
        accounts.confirm_email(world.session, token=text, now=NOW + 23 * HOUR)


@pytest.mark.parametrize("text", ["", "1", "x.y", "٣.abc", "99999999999999999999.a", "1.é", "-1.a"])
def test_a_made_up_token_is_an_ended_link(world, text):
    with pytest.raises(LinkEnded):
        accounts.confirm_email(world.session, token=text, now=NOW)


def test_a_link_for_one_purpose_opens_nothing_else(world):
    accounts.register(world.session, world.form, now=NOW)
    with pytest.raises(LinkEnded):
        accounts.reset_password(world.session, token=token(world), password_hash="stolen", now=NOW)


def ask_for_reset(world, name):
    account = sign_ins.account_of(world.session, name=sign_ins.named(name))
    accounts.request_reset(world.session, account, now=NOW)


def test_asking_for_a_new_password_says_nothing_about_unknown_addresses(world):
    ask_for_reset(world, "nobody@example.ru")
    accounts.resend_confirmation(world.session, email="nobody@example.ru", now=NOW)
    assert kinds(world) == []


def test_a_new_password_by_link_also_proves_the_address_and_is_announced(world):
    accounts.register(world.session, world.form, now=NOW)
    ask_for_reset(world, "DONOR@example.ru")
    text = token(world, LinkPurpose.RESET_PASSWORD)
    account = accounts.reset_password(
        world.session, token=text, password_hash="hash-3", now=NOW + dt.timedelta(minutes=59)
    )
    assert account.password_hash == "hash-3"
    assert account.email_confirmed_at is not None
    assert kinds(world)[-1] is MessageKind.PASSWORD_CHANGED


def test_the_code_is_the_donors_to_change_but_not_under_a_booking(session):
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    actor = actor_of(donor.account)
    changed = donor_codes.change_donor_code(
        session, person_id=donor.person.id, code="777777", actor=actor, now=NOW
    )
    assert changed.donor_code == "777777"

    make.make_appointment(session, tenant, donor, make.make_schedule(session, tenant))
    with pytest.raises(LiveBookings):
        donor_codes.change_donor_code(
            session, person_id=donor.person.id, code="888888", actor=actor, now=NOW
        )


def test_another_code_lets_go_of_the_record_accepted_under_the_old_one(session):
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant, family_name="", given_name="", patronymic="")
    record = make.make_record(session, tenant, code=donor.donor.donor_code, family_name="Соснова")
    link_record(session, person=donor.person, record=record)
    session.refresh(donor.person)
    assert donor.person.family_name
    donor_codes.change_donor_code(
        session,
        person_id=donor.person.id,
        code="777777",
        actor=actor_of(donor.account),
        now=NOW,
    )
    session.refresh(record)
    session.refresh(donor.person)
    assert (record.person_id, donor.person.family_name) == (None, "")
