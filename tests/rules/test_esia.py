"""Rules of signing in through ESIA on both engines: attempts, identities, cards."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Account, AccountPerson, AuditEvent, Person
from app.models.enums import DocumentKind, Relation
from app.models.sign_in import OidcAttempt
from app.rules import esia, esia_cards, identities
from app.rules.esia import Asserted, AttemptEnded
from app.rules.identities import BoundElsewhere, BoundToAnother, CabinetClosed, OnlyWay
from tests import make
from tests.public.clinic import POLICY, make_clinic

MINUTE = dt.timedelta(minutes=1)
ANNA = Asserted(
    issuer="https://esia.example.ru",
    subject="1000",
    trusted=True,
    family_name="Рябинина",
    given_name="Анна",
    patronymic="Петровна",
    birth_date=dt.date(1985, 2, 14),
    snils="11223344595",
)


def said(**changes: Any) -> Asserted:
    return Asserted(
        **{**{name: getattr(ANNA, name) for name in ANNA.__dataclass_fields__}, **changes}
    )


def begun(session: Session, now: dt.datetime, **changes: Any) -> OidcAttempt:
    given = {
        "state": "s", "holder": "h", "nonce": "n", "verifier": "v", "back": "/visits", "account_id": None,
    }  # fmt: skip
    return esia.begin(session, **(given | changes), now=now)


def opened(session: Session, now: dt.datetime) -> Account:
    return identities.open_account(session, ANNA, locale="ru", now=now)


# --- attempts ---------------------------------------------------------------------------------


def test_an_attempt_keeps_its_secrets_sealed_and_is_taken_once(
    session: Session, now: dt.datetime
) -> None:
    row = begun(session, now)
    assert row.nonce_ciphertext != b"n" and (row.nonce, row.verifier) == ("n", "v")
    for wrong in ({"state": "x"}, {"holder": "x"}, {"holder": ""}):
        with pytest.raises(AttemptEnded):
            esia.take(session, **({"state": "s", "holder": "h"} | wrong), now=now)
    taken = esia.take(session, state="s", holder="h", now=now + 9 * MINUTE)
    assert (taken.nonce, taken.verifier, taken.back) == ("n", "v", "/visits")
    with pytest.raises(AttemptEnded):
        esia.take(session, state="s", holder="h", now=now)


def test_an_attempt_ends_at_its_minute(session: Session, now: dt.datetime) -> None:
    begun(session, now)
    with pytest.raises(AttemptEnded):
        esia.take(session, state="s", holder="h", now=now + 10 * MINUTE)


def test_what_is_sealed_opens_once_for_its_attempt_alone(
    session: Session, now: dt.datetime
) -> None:
    begun(session, now)
    attempt = esia.take(session, state="s", holder="h", now=now)
    text = esia.sealed(attempt, ANNA)
    assert ANNA.snils not in text
    begun(session, now, state="t")
    other = esia.take(session, state="t", holder="h", now=now)
    right = {"uid": attempt.uid, "text": text, "holder": "h", "account_id": None, "now": now}
    for wrong in (
        {"uid": None}, {"uid": uuid.uuid4()}, {"uid": other.uid}, {"text": ""}, {"text": text[:-2] + "00"},
        {"text": "zz"}, {"holder": "x"}, {"account_id": 7}, {"now": now + 15 * MINUTE},
    ):  # fmt: skip
        with pytest.raises(AttemptEnded):
            esia.opened(session, **(right | wrong))
    assert esia.opened(session, **right)[1] == ANNA
    with pytest.raises(AttemptEnded):
        esia.opened(session, **right)


def test_old_attempts_are_forgotten(session: Session, now: dt.datetime) -> None:
    begun(session, now)
    assert esia.sweep(session, now=now + 9 * MINUTE) == 0
    assert esia.sweep(session, now=now + 10 * MINUTE) == 1


# --- identities -------------------------------------------------------------------------------


def test_a_subject_opens_one_account_and_an_account_has_one_subject(
    session: Session, now: dt.datetime
) -> None:
    assert identities.account_of(session, ANNA, now=now) is None
    account = opened(session, now)
    assert identities.account_of(session, ANNA, now=now) is account
    assert identities.account_of(session, said(issuer="https://other"), now=now) is None
    another = make.make_account(session)
    with pytest.raises(BoundElsewhere):
        identities.bind(session, another, ANNA, now=now)
    assert identities.bind(session, account, ANNA, now=now) is False
    with pytest.raises(BoundToAnother):
        identities.bind(session, account, said(subject="1001"), now=now)
    verbs = session.scalars(select(AuditEvent.verb)).all()
    assert verbs == ["account.register"]


@pytest.mark.parametrize("changes", [{"is_active": False}, {"erased_at": make.NOW}])
def test_a_closed_account_is_not_opened(
    session: Session, now: dt.datetime, changes: dict[str, Any]
) -> None:
    account = opened(session, now)
    for name, value in changes.items():
        setattr(account, name, value)
    with pytest.raises(CabinetClosed):
        identities.account_of(session, ANNA, now=now)


def test_the_only_way_in_stays(session: Session, now: dt.datetime) -> None:
    account = opened(session, now)
    with pytest.raises(OnlyWay):
        identities.unbind(session, account, issuer=ANNA.issuer, now=now)
    account.password_hash = "x"
    with pytest.raises(OnlyWay):  # nothing to sign in by
        identities.unbind(session, account, issuer=ANNA.issuer, now=now)
    account.email, account.email_confirmed_at = "anna@example.org", now
    assert identities.unbind(session, account, issuer=ANNA.issuer, now=now) is True
    assert identities.unbind(session, account, issuer=ANNA.issuer, now=now) is False


# --- cards ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "there"),
    [
        ({}, True),
        ({"family_name": "РЯБИНИНА"}, True),
        ({"snils": "90010000289", "oms": POLICY}, True),
        ({"snils": "90010000289"}, False),
        ({"birth_date": dt.date(1985, 2, 15)}, False),
        ({"birth_date": None}, False),
        ({"given_name": "Анны"}, False),
        ({"patronymic": ""}, False),
        ({"snils": "", "oms": POLICY}, False),
        ({"trusted": False}, False),
    ],
)
def test_a_card_is_found_by_a_number_the_name_and_the_birth_date(
    session: Session, changes: dict[str, Any], there: bool
) -> None:
    clinic = make_clinic(session, "esia")
    found = esia_cards.found(session, said(**changes))
    assert [card.id for card in found] == ([clinic.patient.id] if there else [])


def test_an_index_copied_to_another_card_finds_nobody(session: Session) -> None:
    from app.models.crypto import CannotDecrypt
    from app.models.identity import PersonDocument

    clinic = make_clinic(session, "esia")
    own = session.scalars(
        select(PersonDocument).where(PersonDocument.kind == DocumentKind.SNILS)
    ).one()
    twin = make.make_person(
        session, clinic.tenant, family_name="Рябинина", given_name="Анна", patronymic="Петровна",
        birth_date=dt.date(1985, 2, 14),
    )  # fmt: skip
    copied = make.make_document(session, twin, DocumentKind.SNILS, "90010000289")
    copied.number_index = own.number_index
    session.delete(own)
    session.flush()
    assert esia_cards.found(session, ANNA) == []
    copied.number_ciphertext = own.number_ciphertext
    with pytest.raises(CannotDecrypt):
        esia_cards.found(session, ANNA)


def test_a_card_is_linked_once_and_not_beside_another_own_one(
    session: Session, now: dt.datetime
) -> None:
    clinic = make_clinic(session, "esia")
    account = opened(session, now)
    assert esia_cards.link(session, account, [clinic.patient], now=now) == [clinic.patient]
    assert esia_cards.link(session, account, [clinic.patient], now=now) == []
    twin = make.make_person(session, clinic.tenant)
    assert esia_cards.link(session, account, [twin], now=now) == []
    rows = session.scalars(select(AccountPerson.relation)).all()
    assert rows == [Relation.SELF]


def test_a_card_is_made_once(session: Session, now: dt.datetime) -> None:
    tenant = make.make_polyclinic(session)
    account = opened(session, now)
    made = esia_cards.make(session, account, ANNA, tenant_id=tenant.id, now=now)
    assert made is not None and made.full_name == "Рябинина Анна Петровна"
    again = esia_cards.make(session, account, ANNA, tenant_id=tenant.id, now=now)
    assert again is made
    assert (
        esia_cards.make(session, account, said(trusted=False), tenant_id=tenant.id, now=now) is None
    )
    assert len(session.scalars(select(Person.id)).all()) == 1


def test_two_at_once_make_one_card(
    new_session: Callable[[], Session], store: Session, now: dt.datetime
) -> None:
    """The same person with two browsers."""
    import threading

    tenant = make.make_polyclinic(store)
    account = opened(store, now)
    store.commit()
    faults: list[BaseException] = []

    def one() -> None:
        mine = new_session()
        try:
            own = mine.get_one(Account, account.id)
            esia_cards.make(mine, own, ANNA, tenant_id=tenant.id, now=now)
            mine.commit()
        except BaseException as fault:
            faults.append(fault)
            mine.rollback()

    both = [threading.Thread(target=one) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert faults == []
    assert len(store.scalars(select(Person.id)).all()) == 1
    assert len(store.scalars(select(AccountPerson.id)).all()) == 1
