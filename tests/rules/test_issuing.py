"""A sign-in issued by the call centre, second factors and one-time passwords, as rules on both engines."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import select

from app.models import Account, AccountPerson, AuditEvent, Message
from app.models.cabinet_choices import SecondFactor
from app.models.enums import Relation
from app.models.scope import PUBLIC, set_scope
from app.rules import account_factor, card_keepers, delivery, issuing, sign_ins
from app.rules.access import staff_scope
from app.rules.actor import actor_of
from app.rules.codes import NoTriesLeft, WrongCode
from app.rules.delivery import Verdict
from tests import make
from tests.make import NOW
from tests.public.clinic import POLICY, SNILS, make_patient

LOGIN = "11223344595"


@pytest.fixture
def clinic(session):
    return make.make_polyclinic(session)


@pytest.fixture
def patient(session, clinic):
    return make_patient(session, clinic)


@pytest.fixture
def operator(session, clinic):
    return make.make_staff(session, over=clinic.root)


def issue(session, person, operator, **changes):
    fields = {"snils": SNILS, "oms": POLICY} | changes
    return issuing.issue(
        session,
        person=person,
        password_hash=make.cheap_hash(),
        by=actor_of(operator),
        now=NOW,
        **fields,
    )


def test_in_the_operator_s_own_scope_an_account_is_made_and_linked(
    session, clinic, patient, operator
):
    set_scope(session, staff_scope(session, operator))
    account, is_new = issue(session, patient, operator)
    assert is_new and account.login == LOGIN and account.email is None
    [keeper] = card_keepers.keepers(session, person=patient, now=NOW)
    assert keeper.account is account and keeper.name == "112*****595"
    link = session.scalars(select(AccountPerson)).one()
    assert (link.relation, link.proved_by_id) == (Relation.SELF, operator.id)
    audited = session.scalars(select(AuditEvent).where(AuditEvent.verb == "account.issue")).one()
    assert LOGIN not in str(audited.changes)


def test_a_card_of_two_numbers_that_are_not_both_its_own(session, clinic, patient, operator):
    other = make.make_person(session, clinic)
    make.make_document(session, other)
    with pytest.raises(issuing.NotOnCard):
        issue(session, other, operator)
    assert not session.scalars(select(Account)).all()


def test_a_snils_on_two_cards_of_one_organization_signs_in_to_one(
    session, clinic, patient, operator
):
    twin = make_patient(session, clinic)
    issue(session, patient, operator)
    with pytest.raises(issuing.OtherCard):
        issue(session, twin, operator)


def test_a_closed_card_can_be_opened_again_by_issuing(session, clinic, patient, operator):
    account, _ = issue(session, patient, operator)
    by = actor_of(operator)
    issuing.close_card(session, person=patient, account=account, by=by, now=NOW)
    later = NOW + dt.timedelta(minutes=1)
    assert not card_keepers.keepers(session, person=patient, now=later)
    again, is_new = issue(session, patient, operator)
    assert again is account and not is_new
    assert card_keepers.keepers(session, person=patient, now=later)


def test_names_are_read_as_people_type_them():
    assert sign_ins.named(" 112-233-445 95") == LOGIN
    assert sign_ins.named("снилс 11223344595") == LOGIN
    assert sign_ins.named("112-233-445 96") == "112-233-445 96"
    assert sign_ins.named(" Anna@Example.RU ") == "anna@example.ru"
    assert sign_ins.is_snils(LOGIN) and not sign_ins.is_snils("anna@example.ru")


def test_a_one_time_password_is_easy_to_read_out_and_never_the_same():
    given = {sign_ins.one_time_password() for _ in range(50)}
    assert len(given) == 50
    assert not set("0o1il") & set("".join(given))


def test_a_code_by_sms_is_derived_counted_and_used_once(session):
    account = make.make_account(session, uid=uuid.uuid4(), second_factor=SecondFactor.SMS)
    account.phone = "+79001234567"
    session.flush()
    set_scope(session, PUBLIC)
    proof = account_factor.send_code(session, account=account, now=NOW)
    right = account_factor.code_of(proof)
    wrong = f"{(int(right) + 1) % 10**6:06}"

    def check(code, at=NOW):
        return account_factor.check(
            session, account=account, factor=SecondFactor.SMS, code=code, now=at
        )

    for left in (4, 3, 2, 1):
        with pytest.raises(WrongCode) as refused:
            check(wrong)
        assert refused.value.params == {"left": left}
    assert check(right).used_at == NOW
    with pytest.raises(account_factor.CodeOver):
        check(right)
    account_factor.send_code(session, account=account, now=NOW)
    for _ in range(5):
        with pytest.raises((WrongCode, NoTriesLeft)):
            check("000")
    with pytest.raises(NoTriesLeft):
        check(account_factor.code_of(account_factor.waiting(session, account=account, now=NOW)))
    account_factor.send_code(session, account=account, now=NOW)
    with pytest.raises(account_factor.CodeOver):
        check(right, NOW + account_factor.CODE_LASTS)


def test_an_sms_that_was_replaced_or_is_late_is_not_sent(session):
    account = make.make_account(session, uid=uuid.uuid4())
    account.phone = "+79001234567"
    session.flush()
    account_factor.send_code(session, account=account, now=NOW)
    [first] = session.scalars(select(Message)).all()
    assert delivery.verdict(session, first, now=NOW) is Verdict.SEND
    late = NOW + account_factor.CODE_LASTS
    assert delivery.verdict(session, first, now=late) is Verdict.DROP
    account_factor.send_code(session, account=account, now=NOW)
    assert delivery.verdict(session, first, now=NOW) is Verdict.DROP


def test_nobody_gets_a_code_without_a_mobile_number(session):
    account = make.make_account(session, uid=uuid.uuid4())
    with pytest.raises(account_factor.NoMobile):
        account_factor.send_code(session, account=account, now=NOW)
    with pytest.raises(account_factor.NoMobile):
        account_factor.send_code(session, account=account, now=NOW, number="+74951112233")
