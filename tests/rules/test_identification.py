"""Who somebody without an account is: found by documents, told nothing otherwise, and not guessed."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.models import Person, PersonDocument, Throttle
from app.models.crypto import CannotDecrypt
from app.models.enums import DocumentKind, IdentifyBy
from app.models.scope import PUBLIC, SYSTEM, set_scope
from app.rules import documents, throttle
from app.rules.documents import BadDocument
from app.rules.errors import NotFound, TooManyTries
from app.rules.identification import Given, NotIdentified, identify, networks
from tests import make
from tests.make import NOW
from tests.statements import statements

BORN = dt.date(1985, 3, 8)
ENP, SNILS, PASSPORT = "8451 9991 2289 9990", "112-233-445 95", "45 08 123456"
UNKNOWN = {
    IdentifyBy.OMS: f"770000000000123{documents.policy_check_digit('770000000000123')}",
    IdentifyBy.SNILS: "087-654-303 00",
    IdentifyBy.PASSPORT: "45 08 123457",
    IdentifyBy.DMS: "АВ 1234-6",
}
HOME = "198.51.100.7"


@pytest.fixture
def tenant(session):
    return make.make_polyclinic(session)


@pytest.fixture
def person(session, tenant):
    """Somebody with every kind of document."""
    person = make.make_person(session, tenant, birth_date=BORN)
    for kind, number in {
        DocumentKind.OMS: ENP,
        DocumentKind.SNILS: SNILS,
        DocumentKind.PASSPORT: PASSPORT,
        DocumentKind.DMS: "АВ 1234-5",
        DocumentKind.BIRTH_CERTIFICATE: "IV-МЮ 654321",
        DocumentKind.SOCIAL_CARD: "9643 9077 0001",
    }.items():
        make.make_document(session, person, kind, number)
    return person


@pytest.fixture
def ask(session, tenant) -> Callable[..., int]:
    """As a page does: on the public surface, in the tenant's branch."""

    def asking(
        method=IdentifyBy.OMS,
        number=ENP,
        born=BORN,
        *,
        second="",
        address=HOME,
        now=NOW,
        organization=None,
        **names,
    ) -> int:
        set_scope(session, PUBLIC)
        try:
            return identify(
                session,
                organization_id=(organization or tenant.branch).id,
                method=method,
                given=Given(born, number, second, **names),
                address=address,
                now=now,
            )
        finally:
            set_scope(session, SYSTEM)

    return asking


def statements_of(session: Session, act: Callable[[], object]) -> tuple[str, list[str]]:
    """What came out, and the statements without their values."""
    session.flush()
    with statements(session) as seen:
        try:
            out = str(act())
        except (NotIdentified, TooManyTries) as refusal:
            out = f"{refusal.code} {refusal.text} {refusal.params}"
    return out, seen


@pytest.mark.parametrize(
    ("method", "number"),
    [
        (IdentifyBy.OMS, ENP),
        (IdentifyBy.OMS, "8451999122899990"),
        (IdentifyBy.SNILS, SNILS),
        (IdentifyBy.PASSPORT, "4508 № 123456"),
        (IdentifyBy.DMS, "ab12345"),
    ],
)
def test_a_document_and_the_birth_date_find_the_card(ask, person, method, number):
    assert ask(method, number) == person.id


@pytest.mark.parametrize("method", UNKNOWN)
@pytest.mark.parametrize("born", [BORN, dt.date(1985, 3, 9), None])
def test_every_document_needs_its_number_and_the_birth_date(ask, person, method, born):
    with pytest.raises(NotIdentified):
        ask(method, UNKNOWN[method], born)
    if born != BORN:
        known = {IdentifyBy.OMS: ENP, IdentifyBy.SNILS: SNILS, IdentifyBy.PASSPORT: PASSPORT}
        with pytest.raises(NotIdentified):
            ask(method, known.get(method, "АВ12345"), born)


@pytest.mark.parametrize(
    "second",
    [PASSPORT, "123456", SNILS, "IV-МЮ 654321", "654321", "964390770001"],
)
def test_the_policy_with_any_of_four_documents_finds_the_card(ask, person, second):
    assert ask(IdentifyBy.TWO_DOCUMENTS, ENP, second=second) == person.id


def test_two_documents_of_different_people_find_nobody(ask, session, tenant, person):
    other = make.make_person(session, tenant, birth_date=BORN)
    make.make_document(session, other, DocumentKind.PASSPORT, "11 11 111111")
    with pytest.raises(NotIdentified):
        ask(IdentifyBy.TWO_DOCUMENTS, ENP, second="11 11 111111")
    with pytest.raises(NotIdentified):
        ask(IdentifyBy.TWO_DOCUMENTS, ENP, second=ENP)
    with pytest.raises(NotIdentified):
        ask(IdentifyBy.TWO_DOCUMENTS, ENP, dt.date(1985, 3, 9), second=PASSPORT)


def test_a_number_of_another_kind_is_not_the_number(ask, session, tenant):
    person = make.make_person(session, tenant, birth_date=BORN)
    make.make_document(session, person, DocumentKind.SOCIAL_CARD, "4508123456")
    with pytest.raises(NotIdentified):
        ask(IdentifyBy.PASSPORT, PASSPORT)


def test_a_card_without_a_birth_date_is_nobodys(ask, session, person):
    person.birth_date = None
    session.flush()
    for born in (None, BORN, dt.date.min):
        with pytest.raises(NotIdentified):
            ask(born=born)


def test_each_organization_has_a_registry_of_its_own(ask, session, person):
    elsewhere = make.make_polyclinic(session, name="Другая поликлиника")
    with pytest.raises(NotIdentified):
        ask(organization=elsewhere.branch)
    twin = make.make_person(session, elsewhere, birth_date=BORN)
    make.make_document(session, twin, DocumentKind.OMS, ENP)
    assert ask(organization=elsewhere.root) == twin.id
    elsewhere.root.is_active = False
    session.flush()
    with pytest.raises(NotFound):
        ask(organization=elsewhere.root)


def test_of_two_cards_of_one_person_the_older_is_found(ask, session, tenant, person):
    again = make.make_person(session, tenant, birth_date=BORN)
    make.make_document(session, again, DocumentKind.OMS, ENP)
    assert ask() == person.id
    child = make.make_person(session, tenant, birth_date=dt.date(2019, 9, 1))
    make.make_document(session, child, DocumentKind.OMS, ENP)
    assert ask(born=dt.date(2019, 9, 1)) == child.id


@pytest.mark.parametrize("method", [*UNKNOWN, IdentifyBy.TWO_DOCUMENTS])
def test_unknown_and_wrong_and_right_do_the_same(ask, session, person, method):
    """The same statements in the same order, and one refusal, to the letter."""
    number = {IdentifyBy.SNILS: SNILS, IdentifyBy.PASSPORT: PASSPORT, IdentifyBy.DMS: "АВ12345"}
    known, second = number.get(method, ENP), "123456"
    unknown = UNKNOWN.get(method, UNKNOWN[IdentifyBy.OMS])
    later = dt.date(1985, 3, 9)
    found, of_right = statements_of(session, lambda: ask(method, known, second=second))
    wrong, of_wrong = statements_of(session, lambda: ask(method, known, later, second=second))
    miss, of_miss = statements_of(session, lambda: ask(method, unknown, second=second))
    assert found == str(person.id)
    assert wrong == miss
    assert "not_identified" in miss and "registry desk" in miss
    assert of_right == of_wrong == of_miss
    # per limit: count, read, take back; the tenant, the look-up, the second document
    # the tries counted; the tenant with the look-up; the second document; the tries taken back
    assert len(of_miss) == (4 if method is IdentifyBy.TWO_DOCUMENTS else 3)


def test_the_refusal_reads_as_the_source_says(app):
    from app.i18n import say

    with app.test_request_context("/?lang=ru"):
        said = say(NotIdentified())
    assert said.startswith("Вход невозможен, проверьте, что данные введены верно.")
    assert "регистратуру" in said


def test_what_is_typed_stands_in_no_traceback():
    given = Given(None, ENP, SNILS, "Соснова", "Вера", "Ивановна", "+79001234567")
    assert repr(given) == "Given(birth_date=None)"


def test_a_number_that_cannot_be_is_refused_before_anything_is_counted(ask, session, person):
    with pytest.raises(BadDocument):
        ask(IdentifyBy.SNILS, "112-233-445 96")
    with pytest.raises(BadDocument):
        ask(IdentifyBy.TWO_DOCUMENTS, ENP, second="?")
    assert session.scalar(select(func.count()).select_from(Throttle)) == 0


# --- the ciphertext -------------------------------------------------------------------------------


def test_a_swapped_ciphertext_is_an_error_and_nobody_else(ask, session, tenant, person):
    thief = make.make_person(session, tenant, birth_date=BORN)
    own = make.make_document(session, thief)
    theirs = session.scalars(
        select(PersonDocument).where(
            PersonDocument.person_id == person.id, PersonDocument.kind == DocumentKind.OMS
        )
    ).one()
    swap(session, theirs, number_ciphertext=own.number_ciphertext)
    with pytest.raises(CannotDecrypt):
        ask()


def test_a_swapped_index_finds_nobody(ask, session, tenant, person):
    thief = make.make_person(session, tenant, birth_date=dt.date(1999, 1, 1))
    own = make.make_document(session, thief)
    theirs = documents_of(session, person, DocumentKind.OMS)
    swap(session, own, number_index=theirs.number_index)
    with pytest.raises(NotIdentified):
        ask(born=dt.date(1999, 1, 1))
    assert ask() == person.id


def documents_of(session, person, kind):
    return session.scalars(
        select(PersonDocument).where(
            PersonDocument.person_id == person.id, PersonDocument.kind == kind
        )
    ).one()


def swap(session, document, **values):
    session.execute(update(PersonDocument).where(PersonDocument.id == document.id).values(**values))
    session.expire_all()


# --- limits ---------------------------------------------------------------------------------------


def wrong(ask, times, **how):
    for _ in range(times):
        with pytest.raises(NotIdentified):
            ask(born=dt.date(1960, 1, 1), **how)


def test_five_wrong_tries_close_a_number_even_for_the_right_date(ask, person):
    wrong(ask, 5)
    with pytest.raises(TooManyTries) as refused:
        ask()
    assert refused.value.params == {"minutes": 60}
    with pytest.raises(TooManyTries):
        ask(address="203.0.113.9")
    assert ask(now=NOW + dt.timedelta(hours=1)) == person.id


def test_a_number_has_ten_wrong_tries_a_day(ask, person):
    for hour in range(2):
        wrong(ask, 5, now=NOW + dt.timedelta(hours=hour), address=f"203.0.113.{hour}")
    with pytest.raises(TooManyTries) as refused:
        ask(now=NOW + dt.timedelta(hours=2))
    assert refused.value.params["minutes"] > 60


def test_who_is_right_may_come_as_often_as_need_be(ask, person):
    for _ in range(30):
        assert ask() == person.id
    wrong(ask, 5)


def test_an_address_has_ten_wrong_tries_and_then_blocks_nobody_else(ask, session, tenant, person):
    for number in range(10):
        with pytest.raises(NotIdentified):
            ask(IdentifyBy.PASSPORT, f"11 11 {number:06}")
    for _ in range(7):
        with pytest.raises(TooManyTries):
            ask(IdentifyBy.PASSPORT, PASSPORT)
    assert ask(IdentifyBy.PASSPORT, PASSPORT, address="203.0.113.9") == person.id


def test_a_network_of_addresses_has_thirty_wrong_tries(ask, person):
    for number in range(30):
        with pytest.raises(NotIdentified):
            ask(IdentifyBy.PASSPORT, f"11 11 {number:06}", address=f"198.51.100.{number}")
    with pytest.raises(TooManyTries):
        ask(address="198.51.100.200")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("198.51.100.7", ("198.51.100.7/32", "198.51.100.0/24")),
        ("::ffff:198.51.100.7", ("198.51.100.7/32", "198.51.100.0/24")),
        ("2001:db8:1:2:3::4", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("fe80::1%eth0", ("fe80::/64", "fe80::/48")),
        ("", ("unknown", "unknown")),
        ("x", ("unknown", "unknown")),
    ],
)
def test_an_address_is_a_subscriber_and_a_network(address, expected):
    assert networks(address) == expected


def test_two_thousand_guesses_are_blocked(ask, session, tenant, person, scale):
    """A script on 50 addresses of many networks, in a day, at one person's three documents."""
    guesses, evaluated, bodies = scale(2000), 0, set()
    numbers = [(IdentifyBy.OMS, ENP), (IdentifyBy.SNILS, SNILS), (IdentifyBy.PASSPORT, PASSPORT)]
    for guess in range(guesses):
        method, number = numbers[guess % 3]
        try:
            ask(
                method,
                number,
                dt.date(1950, 1, 1) + dt.timedelta(days=guess),
                address=f"203.{guess % 50}.113.5",
                now=NOW.replace(hour=0) + dt.timedelta(seconds=86000 * guess // guesses),
            )
        except NotIdentified as refusal:
            evaluated += 1
            bodies.add((refusal.text, str(refusal.params)))
        except TooManyTries:
            pass
    assert 0 < evaluated <= 3 * 10
    assert len(bodies) == 1


def test_guesses_at_once_are_counted_exactly(store, new_session, scale):
    tenant = make.make_polyclinic(store)
    person = make.make_person(store, tenant, birth_date=BORN)
    make.make_document(store, person, DocumentKind.OMS, ENP)

    def guess(session: Session, number: int) -> None:
        identify(
            session,
            organization_id=tenant.id,
            method=IdentifyBy.OMS,
            given=Given(dt.date(1970, 1, 1), ENP),
            address=f"203.{number}.113.5",
            now=NOW,
        )

    out = at_once(store, new_session, [guess] * max(8, scale(50)))
    assert out.count("NotIdentified") == 5
    assert set(out) == {"NotIdentified", "TooManyTries"}


def at_once(store, new_session, acts: list[Callable[[Session, int], object]]) -> list[str]:
    """Each in its own thread and session; as the page does, a refusal is committed too."""
    store.commit()
    sessions = [new_session() for _ in acts]
    start = threading.Barrier(len(acts))
    out: list[str] = []

    def one(act: Callable[[Session, int], object], number: int) -> None:
        start.wait()
        try:
            made = act(sessions[number], number)
            sessions[number].commit()
            out.append(str(made))
        except (NotIdentified, TooManyTries) as refusal:
            sessions[number].commit()
            out.append(type(refusal).__name__)
        except Exception as error:
            sessions[number].rollback()
            out.append(repr(error))

    threads = [threading.Thread(target=one, args=(act, n)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.expire_all()
    return out


def test_a_refused_try_stays_counted_on_a_page(app, store):
    from app.extensions import db
    from app.public.guards import counted

    tenant = make.make_polyclinic(store)
    store.commit()
    with app.test_request_context("/"):
        app.preprocess_request()
        with pytest.raises(NotIdentified), counted() as session:
            identify(
                session,
                organization_id=tenant.id,
                method=IdentifyBy.OMS,
                given=Given(BORN, ENP),
                address=HOME,
                now=NOW,
            )
        db.session.rollback()
    assert set(store.scalars(select(Throttle.tries))) == {1}
    assert len(store.scalars(select(Throttle.id)).all()) == 4


# --- without a document ---------------------------------------------------------------------------

WHO = {
    "family_name": "Фёдорова",
    "given_name": "Алёна",
    "patronymic": "Ильинична",
    "phone": "+79001234567",
}


def test_without_a_document_a_card_is_made_once(ask, session, tenant):
    made = ask(IdentifyBy.NONE, "", **WHO)
    card = session.get_one(Person, made)
    assert card.full_name == "Фёдорова Алёна Ильинична"
    assert (card.birth_date, card.phone, card.tenant_id) == (BORN, "+79001234567", tenant.id)
    spelled = {"family_name": " ФЕДОРОВА", "given_name": "алена", "phone": "8 (900) 123-45-67"}
    assert ask(IdentifyBy.NONE, "", **WHO | spelled) == made


@pytest.mark.parametrize(
    "other",
    [
        {"phone": "+79001234568"},
        {"given_name": "Елена"},
        {"patronymic": ""},
        {"born": dt.date(1985, 3, 9)},
    ],
)
def test_anything_else_is_another_card(ask, other):
    made = ask(IdentifyBy.NONE, "", **WHO)
    assert ask(IdentifyBy.NONE, **{"number": "", **WHO, **other}) != made


@pytest.mark.parametrize("missing", ["family_name", "given_name", "phone", "born"])
def test_nobody_is_made_of_half_a_name(ask, session, missing):
    lacking = {"born": None} if missing == "born" else {missing: ""}
    with pytest.raises(NotIdentified):
        ask(IdentifyBy.NONE, **{"number": "", **WHO, **lacking})
    assert session.scalar(select(func.count()).select_from(Person)) == 0


def test_cards_are_not_made_by_the_hundred(ask):
    for number in range(10):
        ask(IdentifyBy.NONE, "", **WHO | {"patronymic": "И" * (number + 1)})
    with pytest.raises(TooManyTries):
        ask(IdentifyBy.NONE, "", **WHO)
    for number in range(49):
        ask(IdentifyBy.NONE, "", **WHO | {"phone": f"+7900{number:07}"})
    with pytest.raises(TooManyTries):
        ask(IdentifyBy.NONE, "", **WHO | {"phone": "+79009999999"})


def test_asked_twice_at_once_it_is_one_card(store, new_session, scale):
    tenant_id = make.make_polyclinic(store).id
    rounds = scale(100)
    for round_ in range(rounds):
        given = Given(BORN, **WHO | {"phone": f"+7900{round_:07}"})

        def act(session: Session, number: int, given: Given = given, round_: int = round_) -> int:
            return identify(
                session,
                organization_id=tenant_id,
                method=IdentifyBy.NONE,
                given=given,
                address=f"203.{number}.{round_}.5",
                # each on its own side of the hour: the counters are different rows
                now=NOW - dt.timedelta(seconds=number),
            )

        out = at_once(store, new_session, [act] * 4)
        assert len(set(out)) == 1, out
    assert store.scalar(select(func.count()).select_from(Person)) == rounds


def test_the_limits_say_where_they_come_from():
    from app.rules.starters import starter

    data = starter("identification")
    kinds = [each["kind"] for each in data["limits"]]
    assert len(set(kinds)) == len(kinds), "each limit is said once"
    assert all(each["source"] and throttle.LIMITS[each["kind"]].tries for each in data["limits"])
    for action in ("сбор", "систематизация", "накопление", "хранение", "использование",
                   "уточнение (обновление, изменение)", "уничтожение"):  # fmt: skip
        assert action in data["consent_ru"]
