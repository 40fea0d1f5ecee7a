"""The SMS of the second factor: to whom, in which language, with which code."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from app.documents import sms
from app.documents.letters import default_text
from app.models import Message
from app.rules import account_factor
from app.rules.sms import NeverSent, parts
from tests import make
from tests.make import NOW


@pytest.mark.parametrize(("locale", "said"), [("ru", "Код для входа"), ("en", "Code to sign in")])
def test_one_part_with_the_code_to_the_number_that_is_proved(session, app, locale, said):
    account = make.make_account(session, uid=uuid.uuid4(), locale=locale)
    account.phone = "+79001112233"
    proof = account_factor.send_code(session, account=account, now=NOW, number="+79001234567")
    message = session.scalars(select(Message)).one()
    with app.test_request_context():
        made = sms.render(message)
    assert made.number == "+79001234567"
    assert account_factor.code_of(proof) in made.text and said in made.text
    assert parts(made.text) <= 2
    with app.test_request_context():
        _, shown = sms.preview(message.kind, locale, "", default_text(message.kind, locale)[1])
    assert said in shown and parts(shown) <= 2
    assert made.text not in repr(made)


def test_a_code_that_was_replaced_reaches_nobody(session, app):
    account = make.make_account(session, uid=uuid.uuid4())
    account.phone = "+79001112233"
    account_factor.send_code(session, account=account, now=NOW)
    message = session.scalars(select(Message)).one()
    account_factor.send_code(session, account=account, now=NOW)
    with app.test_request_context(), pytest.raises(NeverSent):
        sms.render(message)
