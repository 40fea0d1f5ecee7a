"""«Прикрепление» and «Направление»: by address, decided by staff with a letter; a referral's life at the desk."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Attachment, Message, Referral
from app.models.cabinet_choices import AttachmentStatus
from app.models.enums import DistrictKind, MessageKind, Relation, Role, Sex
from app.rules import attachments, referrals
from app.rules.actor import actor_of
from app.rules.houses import HouseUnclear
from tests import make
from tests.make import NOW

K, S = DistrictKind, AttachmentStatus


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    tenant = make.make_polyclinic(session)
    account = make.make_account(session)
    person = make.make_person(session, tenant, birth_date=dt.date(1980, 1, 1), sex=Sex.MALE)
    make.make_kept(session, account, person, Relation.SELF)
    districts = {
        kind: make.make_district(session, tenant, kind=kind, number="1")
        for kind in (K.THERAPY, K.PAEDIATRIC, K.GYNAECOLOGY)
    }
    for district in districts.values():
        make.make_range(session, district, street="Ленина")
    registrar = make.make_staff(session, Role.REGISTRAR, tenant.root)
    return SimpleNamespace(
        session=session, tenant=tenant, person=person, districts=districts, account=account,
        staff=actor_of(registrar), registrar=registrar,
    )  # fmt: skip


def ask(world: SimpleNamespace, street: str = "ул. Ленина", house: str = "5") -> list[Attachment]:
    return attachments.ask(
        world.session,
        person=world.person,
        organization=world.tenant.branch,
        street=street,
        house=house,
        actor=actor_of(world.account),
        now=NOW,
    )


def letters(world: SimpleNamespace) -> list[tuple[MessageKind, int | None]]:
    rows = world.session.scalars(select(Message).order_by(Message.id))
    return [(row.kind, row.account_id) for row in rows]


def test_the_address_leads_to_the_districts_for_age_and_sex(world):
    assert [row.kind for row in ask(world)] == [K.THERAPY]
    world.person.birth_date = dt.date(2020, 1, 1)
    assert [row.kind for row in ask(world)] == [K.PAEDIATRIC]
    world.person.birth_date, world.person.sex = dt.date(1990, 1, 1), Sex.FEMALE
    assert {row.kind for row in ask(world)} == {K.THERAPY, K.GYNAECOLOGY}


def test_a_new_request_replaces_the_one_before(world):
    (first,) = ask(world)
    (second,) = ask(world, house="7")
    world.session.refresh(first)
    assert (first.status, second.status) == (S.ENDED, S.REQUESTED)
    assert second.address == "Ленина, 7"


def test_nobody_serves_that_house(world):
    with pytest.raises(attachments.NobodyServes):
        ask(world, street="ул. Неведомая")
    with pytest.raises(HouseUnclear):
        ask(world, house="у реки")


def test_staff_accept_it_and_what_was_before_ends_with_a_letter(world):
    former = make.make_attachment(
        world.session, world.person, make.make_district(world.session, world.tenant, number="2")
    )
    (row,) = ask(world)
    attachments.accept(world.session, row=row, actor=world.staff, now=NOW)
    world.session.refresh(former)
    assert (row.status, former.status) == (S.ACTIVE, S.ENDED)
    assert letters(world) == [(MessageKind.ATTACHMENT_DECIDED, world.account.id)]
    with pytest.raises(attachments.DecidedMeanwhile):
        attachments.refuse(world.session, row=row, reason="нет", actor=world.staff, now=NOW)
    with pytest.raises(attachments.AlreadyAttached):
        ask(world)


def test_a_refusal_needs_a_word_of_why(world):
    (row,) = ask(world)
    with pytest.raises(attachments.ReasonNeeded):
        attachments.refuse(world.session, row=row, reason=" ", actor=world.staff, now=NOW)
    attachments.refuse(world.session, row=row, reason="Нет прописки", actor=world.staff, now=NOW)
    assert (row.status, row.note) == (S.REFUSED, "Нет прописки")


def test_a_district_of_another_organization_is_refused(world):
    stranger = make.make_district(world.session, make.make_polyclinic(world.session))
    with pytest.raises(attachments.DistrictOfAnother):
        attachments.attach(
            world.session, person=world.person, district=stranger, actor=world.staff, now=NOW
        )


def issue(world: SimpleNamespace, days: int = 10, **more: object) -> Referral:
    role = more.pop("role", None) or make.make_role(world.session, world.tenant)
    return referrals.issue(
        world.session,
        person=world.person,
        specialty=role.specialty,
        valid_until=NOW.date() + dt.timedelta(days=days),
        actor=world.staff,
        now=NOW,
        **more,
    )


def test_a_referral_is_written_told_and_withdrawn(world):
    row = issue(world)
    assert letters(world) == [(MessageKind.REFERRAL_ISSUED, world.account.id)]
    shown = referrals.of_people(world.session, [world.person.id], now=NOW)
    assert shown[world.person.id] == [row]
    referrals.withdraw(world.session, row=row, actor=world.staff, now=NOW)
    assert row.withdrawn_at == NOW
    assert referrals.of_people(world.session, [world.person.id], now=NOW) == {}


@pytest.mark.parametrize("days", [-1, 400])
def test_a_referral_holds_from_today_to_a_year(world, days):
    with pytest.raises(referrals.Over):
        issue(world, days)


def test_a_used_referral_is_not_withdrawn_under_its_booking(world):
    row = issue(world)
    role = make.make_role(world.session, world.tenant)
    day = make.make_sitting(world.session, role)
    booking = make.make_appointment(world.session, world.tenant, world.person, day)
    row.appointment_id = booking.id
    world.session.flush()
    with pytest.raises(referrals.InUse) as refusal:
        referrals.withdraw(world.session, row=row, actor=world.staff, now=NOW)
    assert refusal.value.params == {"number": booking.number}


def test_services_and_doctors_of_another_organization_are_refused(world):
    stranger = make.make_polyclinic(world.session)
    with pytest.raises(referrals.OfAnother):
        issue(world, service=make.make_service(world.session, stranger))
