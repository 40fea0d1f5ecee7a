"""«Семья» (C8–C10): what proves a relative, who agrees, what is seen until then, and how it ends."""

from __future__ import annotations

import datetime as dt
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.models import (
    AccountEvent,
    AccountPerson,
    AuditEvent,
    Consent,
    Message,
    OneTimeLink,
    Person,
)
from app.models.account import AccountPerson as Kept
from app.models.enums import (
    ConsentChannel,
    ConsentPurpose,
    DocumentKind,
    LinkPurpose,
    MessageKind,
    Relation,
    Role,
)
from app.rules import (
    access,
    attachments,
    families,
    family,
    family_age,
    family_answers,
    reach,
    today,
)
from app.rules.actor import actor_of
from app.rules.errors import NotFound, RuleError, TooManyTries
from app.rules.identification import Given, NotIdentified
from tests import make
from tests.make import NOW
from tests.statements import analyze, plans

CERTIFICATE = "II-МЮ 123456"
BORN = dt.date(2015, 3, 8)
ADULT = dt.date(1950, 1, 2)
D, R = DocumentKind, Relation


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """A mother with her own card, her child and her father, all attached to one polyclinic."""
    tenant = make.make_polyclinic(session)
    tenant.root.time_zone = tenant.branch.time_zone = "Asia/Yekaterinburg"  # UTC+5
    district = make.make_district(session, tenant, organization=tenant.root)
    mother, father = make.make_account(session), make.make_account(session)
    people = {
        "mother": make.make_person(session, tenant, birth_date=dt.date(1985, 1, 1)),
        "child": make.make_person(session, tenant, birth_date=BORN),
        "father": make.make_person(session, tenant, birth_date=ADULT),
    }
    for person in people.values():
        make.make_attachment(session, person, district)
    make.make_document(session, people["child"], D.BIRTH_CERTIFICATE, CERTIFICATE)
    policy = make.make_document(session, people["father"])
    make.make_kept(session, mother, people["mother"], R.SELF)
    make.make_kept(session, father, people["father"], R.SELF)
    make.make_consent_text(session, tenant.root, purpose=ConsentPurpose.FAMILY)
    registrar = make.make_staff(session, Role.REGISTRAR, tenant.root)
    return SimpleNamespace(
        session=session, tenant=tenant, account=mother, fathers=father, policy=policy.number,
        district=district, staff=actor_of(registrar), **people,
        theirs=people["father"],
    )  # fmt: skip


def add(world: SimpleNamespace, relation: Relation = R.CHILD, **more: Any) -> AccountPerson:
    child = relation is R.CHILD
    kind = more.pop("kind", D.BIRTH_CERTIFICATE if child else D.OMS)
    number = more.pop("number", CERTIFICATE if child else world.policy)
    born = more.pop("born", BORN if child else ADULT)
    account = more.pop("account", world.account)
    return family.add(
        world.session,
        account=account,
        relation=relation,
        organization=world.tenant.root,
        kind=kind,
        given=Given(birth_date=born, number=number),
        address=more.pop("address", "192.0.2.1"),
        actor=actor_of(account),
        now=more.pop("now", NOW),
    )


def seen(world: SimpleNamespace, now: dt.datetime = NOW) -> set[int]:
    """Cards that the mother's account may see."""
    return set(access.account_scope(world.session, world.account, now=now).person_ids)


def told(world: SimpleNamespace, kind: MessageKind) -> list[int | None]:
    rows = world.session.scalars(select(Message).where(Message.kind == kind))
    return [row.account_id for row in rows]


def test_a_child_is_proved_by_certificate_and_birth_date_at_once(world):
    row = add(world)
    assert row.person_id == world.child.id and row.agreed_at == NOW
    assert world.child.id in seen(world)
    assert [event.verb for event in world.session.scalars(select(AuditEvent))] == ["family.add"]


@pytest.mark.parametrize(
    "wrong", [{"born": BORN + dt.timedelta(days=1)}, {"number": "II-МЮ 999999"}]
)
def test_a_miss_says_the_same_whatever_was_wrong(world, wrong):
    with pytest.raises(NotIdentified) as refusal:
        add(world, **wrong)
    assert refusal.value.params == {}
    assert world.session.scalars(select(Kept).where(Kept.person_id == world.child.id)).all() == []


def test_guessing_is_limited(world):
    for _ in range(5):
        with pytest.raises(NotIdentified):
            add(world, born=BORN + dt.timedelta(days=1))
    with pytest.raises(TooManyTries):
        add(world)


def test_a_childs_card_closes_at_the_second_of_the_eighteenth_birthday(world):
    add(world)
    there = dt.datetime(2033, 3, 7, 19, tzinfo=dt.UTC)  # midnight in Yekaterinburg
    assert world.child.id in seen(world, there - dt.timedelta(seconds=1))
    assert world.child.id not in seen(world, there)
    assert family_age.come_of_age(world.session, now=there - dt.timedelta(seconds=1)) == 0
    assert family_age.come_of_age(world.session, now=there) == 1
    assert family_age.come_of_age(world.session, now=there + dt.timedelta(minutes=1)) == 0
    assert told(world, MessageKind.FAMILY_ENDED) == [world.account.id]


def test_of_a_leap_day_the_letter_goes_too(world):
    world.child.birth_date = dt.date(2012, 2, 29)
    add(world, born=dt.date(2012, 2, 29))
    there = dt.datetime(2030, 2, 28, 19, tzinfo=dt.UTC)  # 1 March there
    assert world.child.id in seen(world, there - dt.timedelta(seconds=1))
    assert family_age.come_of_age(world.session, now=there) == 1


def test_who_was_taken_out_before_gets_no_letter_about_a_birthday(world):
    row = add(world)
    family_answers.withdraw(world.session, row=row, actor=actor_of(world.account), now=NOW)
    assert family_age.come_of_age(world.session, now=NOW + dt.timedelta(days=1)) == 0


def test_a_grown_child_and_a_small_parent_are_sent_the_other_way(world):
    world.child.birth_date = ADULT
    with pytest.raises(family.GrownUp):
        add(world, born=ADULT)
    world.theirs.birth_date = BORN
    with pytest.raises(family.StillChild):
        add(world, R.PARENT, born=BORN)


def test_only_who_is_attached_here(world):
    for row in attachments.of_people(world.session, [world.child.id])[world.child.id]:
        attachments.end(world.session, row=row, reason="Переезд", actor=world.staff, now=NOW)
    with pytest.raises(family.NotAttachedHere):
        add(world)


def test_an_adult_is_asked_by_a_link_and_not_seen_until_he_agrees(world):
    row = add(world, R.PARENT)
    assert row.agreed_at is None and world.theirs.id not in seen(world)
    link = world.session.scalars(select(OneTimeLink)).one()
    assert (link.purpose, link.account_id) == (LinkPurpose.JOIN_FAMILY, world.fathers.id)
    assert told(world, MessageKind.FAMILY_ASKED) == [world.fathers.id]
    family_answers.agree(
        world.session, row=row, actor=actor_of(world.fathers), now=NOW, ip="192.0.2.9"
    )
    assert world.theirs.id in seen(world)
    consent = world.session.get(Consent, row.consent_id)
    assert (consent.person_id, consent.account_id) == (world.theirs.id, world.fathers.id)
    assert told(world, MessageKind.FAMILY_DECIDED) == [world.account.id]


def test_the_adult_takes_his_consent_back_and_the_card_closes(world):
    row = add(world, R.PARENT)
    family_answers.agree(world.session, row=row, actor=actor_of(world.fathers), now=NOW)
    later = NOW + dt.timedelta(hours=1)
    family_answers.withdraw(world.session, row=row, actor=actor_of(world.fathers), now=later)
    assert world.theirs.id not in seen(world, later)
    assert world.session.get(Consent, row.consent_id).withdrawn_at == later
    assert told(world, MessageKind.FAMILY_ENDED) == [world.account.id]


def test_staff_close_an_open_card_once_with_a_reason_for_the_journal_alone(world):
    row = add(world, R.PARENT)
    family_answers.agree(world.session, row=row, actor=actor_of(world.fathers), now=NOW)
    later = NOW + dt.timedelta(hours=1)
    family_answers.end(
        world.session, row=row, reason=" Отец отозвал на бумаге ", actor=world.staff, now=later
    )
    assert world.theirs.id not in seen(world, later)
    assert world.session.get(Consent, row.consent_id).withdrawn_at == later
    event = world.session.scalars(select(AuditEvent).where(AuditEvent.verb == "family.close")).one()
    assert event.changes == {"reason": [None, "Отец отозвал на бумаге"]}
    line = world.session.scalars(select(AccountEvent)).one()
    assert (line.account_id, line.person_id) == (world.account.id, world.theirs.id)
    letter = world.session.scalars(
        select(Message).where(Message.kind == MessageKind.FAMILY_ENDED)
    ).one()
    assert (letter.account_id, letter.facts) == (
        world.account.id, {"person_id": world.theirs.id, "decision": "ended"},
    )  # fmt: skip
    with pytest.raises(family_answers.LinkOver):
        family_answers.end(world.session, row=row, reason="ещё раз", actor=world.staff, now=later)


def test_an_incapacitated_relative_waits_until_staff_have_seen_the_paper(world):
    row = add(world, R.WARD)
    with pytest.raises(NotFound):  # the link of an adult is not for this
        family_answers.agree(world.session, row=row, actor=actor_of(world.fathers), now=NOW)
    assert world.theirs.id not in seen(world)
    assert [one.id for one in families.requests(world.session)] == [row.id]
    family_answers.confirm(world.session, row=row, actor=world.staff, now=NOW)
    assert world.theirs.id in seen(world)
    assert row.proved_by_id == world.staff.id and row.consent_id is None
    assert families.requests(world.session) == []


def test_a_consent_signed_at_the_desk_is_written_down_on_paper(world):
    row = add(world, R.PARENT)
    family_answers.confirm(world.session, row=row, actor=world.staff, now=NOW)
    consent = world.session.get(Consent, row.consent_id)
    assert consent.channel is ConsentChannel.PAPER and consent.recorded_by_id == world.staff.id


def test_a_refusal_is_final_until_asked_again(world):
    row = add(world, R.PARENT)
    with pytest.raises(family.AlreadyFamily):
        add(world, R.PARENT)
    family_answers.refuse(world.session, row=row, actor=actor_of(world.fathers), now=NOW)
    for act in (family_answers.refuse, family_answers.confirm):
        with pytest.raises(NotFound):
            act(world.session, row=row, actor=world.staff, now=NOW)
    later = NOW + dt.timedelta(days=1)
    assert add(world, R.PARENT, now=later).id == row.id
    assert row.ends_at is None and row.agreed_at is None


def test_ones_own_card_is_no_relatives(world):
    with pytest.raises(family.OwnCard):
        add(world, R.PARENT, account=world.fathers)


def test_letters_about_a_child_go_to_who_keeps_the_card(world):
    add(world)
    found = world.session.execute(reach.keeper(world.child.id, now=NOW)).one()
    assert found == (world.account.id, True)


def test_another_document_than_the_relation_asks_for_is_not_taken(world):
    with pytest.raises(RuleError):
        add(world, R.CHILD, kind=D.OMS, number=world.policy)


def test_what_staff_are_asked_is_found_among_all_cards_by_an_index(world):
    session, tenant = world.session, world.tenant
    asked = make.make_kept(session, world.account, world.father, R.PARENT, agreed_at=None)
    people = [
        {"uid": uuid.UUID(int=number), "tenant_id": tenant.id, "family_name": "Соседова",
         "given_name": "Анна", "search_name": "соседова анна", "created_at": NOW}
        for number in range(1, 2001)
    ]  # fmt: skip
    ids = session.scalars(insert(Person).returning(Person.id), people).all()
    own = {"account_id": world.fathers.id, "tenant_id": tenant.id, "relation": R.SELF}
    session.execute(insert(AccountPerson), [own | {"person_id": key} for key in ids])
    analyze(session, "account_person")
    user = make.make_staff(session, Role.REGISTRAR, tenant.root)
    scope = access.staff_scope(session, user, "family.decide")

    def look() -> None:
        assert today.families_asked(session) == 1
        assert [row.id for row in families.requests(session)] == [asked.id]

    found = plans(session, look, naming="account_person.agreed_at IS NULL", scope=scope)
    assert len(found) == 2
    for plan in found:
        assert any("ix_account_person_asked" in line for line in plan), plan
