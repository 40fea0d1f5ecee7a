"""The cabinet's tabs about tickets, booking and the card (E48–E54), and rating a visit (E51, E14)."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable

import pytest
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AccountEvent, AccountPerson, Message, ProfileConfirmation, Review
from app.models.cabinet_choices import AccountEventKind, ConfirmationStatus, QuestionKind
from app.models.enums import AppointmentStatus as A
from app.models.enums import ConsentPurpose, DonationKind, MessageChannel, Relation, Role
from app.models.policy_choices import PhoneRule
from app.rules import approval, surveys
from tests import make
from tests.client import Visitor, headings, words
from tests.public import clinic as clinics

NOW = make.NOW
Account = Callable[..., Visitor]


@pytest.fixture
def tenant(store: Session) -> make.Tenant:
    made = make.make_tenant(store)
    make.make_consent_text(
        store,
        made.root,
        purpose=ConsentPurpose.DOCUMENTS,
        text_ru="Согласие на копии\nПрошу присылать мне копии.",
        text_en="Consent to copies\nPlease send me copies.",
    )
    return made


@pytest.fixture
def donor(store: Session, tenant: make.Tenant) -> make.KnownDonor:
    return make.make_donor(store, tenant)


def past_visit(store: Session, person, status: A = A.FULFILLED, days: int = -2):
    clinic = make.make_polyclinic(store)
    role = make.make_role(store, clinic)
    sitting = make.make_sitting(store, role, days=days)
    return make.make_appointment(store, clinic, person, sitting, status=status)


# --- tickets


def test_the_past_is_hidden_and_shown_again(
    store: Session, donor: make.KnownDonor, as_account: Account
) -> None:
    past_visit(store, donor.person)
    past_visit(store, donor.person, A.CANCELLED, days=-40)
    visitor = as_account(donor)
    page = visitor.page("/visits")
    assert headings(page)[0] == "Талоны на приём"
    assert [h for h in headings(page) if "2026" in h] == ["Ноябрь 2026", "Октябрь 2026"]
    assert "Приём отменён" in words(page) or "отменен" in words(page).lower()
    (link,) = page.xpath("//a[contains(., 'Скрыть прошлые посещения')]")
    hidden = visitor.page(link.get("href").partition("#")[0])
    assert not [h for h in headings(hidden) if "2026" in h]
    assert hidden.xpath("//a[contains(., 'Показать прошлые посещения')]")


def test_a_ticket_ahead_says_what_the_source_says(
    store: Session, donor: make.KnownDonor, as_account: Account
) -> None:
    row = past_visit(store, donor.person, A.BOOKED, days=2)
    store.add(
        AccountPerson(
            account_id=donor.account.id,
            person_id=make.make_person(store, make.make_tenant(store, name="Другой")).id,
            tenant_id=donor.person.tenant_id,
            relation=Relation.CHILD,
            agreed_at=NOW,
        )
    )
    page = as_account(donor).page("/visits")
    terms = [dt.text for dt in page.xpath("//li[contains(@class,'ticket')]//dt")]
    assert terms == ["Услуга", "Медицинская организация", "Врач", "Вас примут", "Время приёма",
                     "Для кого", "Статус"] or terms[3:5] == ["Вас примут", "Время приёма"]  # fmt: skip
    assert f"№ {row.number}" in words(page)
    assert donor.person.full_name in words(page)
    assert page.xpath("//a[contains(., 'Отменить эту запись')]")
    assert page.xpath("//a[contains(., 'Печать талона')]")


def test_somebody_else_s_visits_are_not_there(
    store: Session, tenant: make.Tenant, donor: make.KnownDonor, as_account: Account
) -> None:
    row = past_visit(store, make.make_donor(store, tenant).person)
    visitor = as_account(donor)
    assert f"№ {row.number}" not in words(visitor.page("/visits"))
    assert visitor.get(f"/cabinet/visits/{row.uid}/review").status_code == 404


@pytest.mark.parametrize(
    "before", ["x", "2026-11-01_5", "_", "2026-11-01T00:00:00+00:00_" + "9" * 30]
)
def test_a_wrong_edge_is_as_none(donor: make.KnownDonor, as_account: Account, before: str) -> None:
    assert as_account(donor).get("/visits", query_string={"before": before}).status_code == 200


# --- booking


def test_the_booking_tab_shows_the_account_s_institutions(
    store: Session, as_account: Account
) -> None:
    clinic = make.make_polyclinic(store)
    doctor = make.make_practitioner(store, clinic, family_name="Берёзкина")
    make.make_sitting(store, make.make_role(store, clinic, practitioner=doctor), days=1)
    account = make.make_account(store)
    store.add(
        AccountPerson(
            account_id=account.id,
            person_id=make.make_person(store, clinic).id,
            tenant_id=clinic.id,
            relation=Relation.SELF,
        )
    )
    foreign = make.make_polyclinic(store, name="Чужая поликлиника")
    visitor = as_account(account)
    page = visitor.page(f"/cabinet/booking?place={clinic.branch.uid}")
    assert {"Отделения", "Специальности врачей", "График приёма"} <= set(headings(page))
    assert "Берёзкина" in words(page)
    assert "Чужая" not in words(page)
    other = visitor.page(f"/cabinet/booking?place={foreign.branch.uid}")
    assert "Чужая" not in words(other)


def test_an_account_without_a_card_is_told_where_to_go(store: Session, as_account: Account) -> None:
    visitor = as_account(make.make_account(store))
    for path in ("/cabinet/booking", "/cabinet/card", "/visits"):
        assert words(visitor.page(path))
    assert visitor.page("/cabinet/booking").xpath("//main//a[@href='/institutions']")


# --- the card


def test_the_card_shows_masked_numbers_and_what_is_left_to_the_badge(
    store: Session, tenant: make.Tenant, donor: make.KnownDonor, as_account: Account
) -> None:
    document = make.make_document(store, donor.person)
    for number in range(24):
        make.make_donation(
            store, tenant, donor, on_date=NOW.date() - dt.timedelta(days=70 * (number + 1))
        )
    make.make_donation(
        store, tenant, donor, kind=DonationKind.PLASMA, on_date=NOW.date() - dt.timedelta(days=20)
    )
    said = words(as_account(donor).page("/cabinet/card"))
    assert document.number not in said
    assert f"{document.number[:3]}*****{document.number[-3:]}" in said
    assert (
        "15 донаций крови" in said
    )  # 25 and 15 of plasma would do too; 40 in all with 25 of blood
    assert "35 донаций плазмы" in said


def test_whose_card_is_switched_within_the_family_only(
    store: Session, tenant: make.Tenant, donor: make.KnownDonor, as_account: Account
) -> None:
    child = make.make_person(store, tenant, given_name="Маша")
    store.add(
        AccountPerson(
            account_id=donor.account.id,
            person_id=child.id,
            tenant_id=tenant.id,
            relation=Relation.CHILD,
            agreed_at=NOW,
        )
    )
    stranger = make.make_donor(store, tenant)
    visitor = as_account(donor)
    assert child.full_name in words(visitor.page(f"/cabinet/card?of={child.uid}"))
    assert visitor.get(f"/cabinet/card?of={stranger.person.uid}").status_code == 404


def test_a_profile_is_asked_to_be_confirmed_and_taken_back(
    store: Session, donor: make.KnownDonor, as_account: Account
) -> None:
    visitor = as_account(donor)
    url = f"/cabinet/card/{donor.person.uid}/confirmation"
    answer = visitor.submit(url, form=url)
    assert answer.status_code == 303
    row = store.scalars(select(ProfileConfirmation)).one()
    assert row.status is ConfirmationStatus.WAITING
    assert "Ответ придёт не позже" in words(visitor.page("/cabinet/card"))
    row.due_on = NOW.date() - dt.timedelta(days=1)
    assert "ответ задерживается" in words(visitor.page("/cabinet/card"))
    assert visitor.send(url).status_code == 409
    visitor.send(f"{url}/withdraw")
    store.refresh(row)
    assert row.status is ConfirmationStatus.WITHDRAWN


def test_the_paper_to_be_signed_has_the_text_and_the_name(
    donor: make.KnownDonor, as_account: Account
) -> None:
    answer = as_account(donor).get(f"/cabinet/card/{donor.person.uid}/consent.pdf")
    assert answer.content_type == "application/pdf"
    text = PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()
    assert "Согласие на копии" in text and "Прошу присылать" in text
    assert donor.person.family_name in text and donor.account.email in text


def test_a_copy_is_read_by_its_own_confirmed_account_alone(
    store: Session, tenant: make.Tenant, donor: make.KnownDonor, as_account: Account
) -> None:
    staff = make.make_staff(store, Role.REGISTRAR, tenant.root)
    row = make.make_copy(store, donor.person, staff, title="Анализ-канарейка")
    url = f"/cabinet/documents/{row.uid}"
    visitor = as_account(donor)
    assert visitor.get(url).status_code == 404  # nobody has seen who keeps the account
    assert "канарейка" not in words(visitor.page("/cabinet/card"))
    make.make_confirmation(store, donor)
    answer = visitor.get(url)
    assert answer.data == make.PDF
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "канарейка" in words(visitor.page("/cabinet/card"))
    other = make.make_donor(store, tenant)
    make.make_confirmation(store, other)
    assert as_account(other).get(url).status_code == 404


# --- rating


def test_a_visit_is_rated_in_the_cabinet_once(
    store: Session, donor: make.KnownDonor, as_account: Account
) -> None:
    row = past_visit(store, donor.person)
    visitor = as_account(donor)
    url = f"/cabinet/visits/{row.uid}/review"
    pages = ("/visits", f"/visits/{row.uid}")
    for page in pages:
        assert visitor.page(page).xpath(f"//a[@href='{url}']"), page
    refused = visitor.send(url, {"comment": "Хорошо"})
    assert refused.status_code == 409
    assert "Хорошо" in refused.get_data(as_text=True)  # nothing typed is lost
    assert visitor.send(url, {"stars": "5", "comment": "Хорошо"}).status_code == 303
    assert store.scalars(select(Review)).one().stars == 5
    log = store.scalars(select(AccountEvent)).all()
    assert AccountEventKind.REVIEW in {line.kind for line in log}
    assert "5 из 5" in words(visitor.page("/visits"))
    for page in pages:
        assert not visitor.page(page).xpath(f"//a[@href='{url}']"), page
    assert visitor.send(url, {"stars": "1"}).status_code == 409


def test_the_link_of_a_letter_rates_without_an_account(
    store: Session, tenant: make.Tenant, client: Visitor
) -> None:
    person = make.make_person(store, tenant)
    row = past_visit(store, person)
    question = make.make_question(
        store, make.Tenant(row.organization, row.organization, row.policy, {}, [], None),
        tenant_id=row.tenant_id, kind=QuestionKind.STARS,
    )  # fmt: skip
    url = f"/review/{surveys.token(make.make_survey_address(store, row))}"
    page = client.page(url)
    assert page.xpath(f"//input[@name='q-{question.uid}']")
    assert person.family_name not in words(page)  # whoever has the link learns no name
    done = client.send(url, {"stars": "4", f"q-{question.uid}": "5"})
    assert "Спасибо" in words(done)
    review = store.scalars(select(Review)).one()
    assert (review.stars, [each.value for each in review.answers]) == (4, ["5"])
    assert client.get(url).status_code == 410
    assert client.send(url, {"stars": "4"}).status_code == 410


# --- from the cabinet no SMS is sent (E53)


@pytest.mark.parametrize(("account_sms", "status"), [(False, A.BOOKED), (True, A.PROPOSED)])
def test_an_account_is_asked_for_no_code_unless_its_policy_sends_sms(
    store: Session, as_account: Account, account_sms: bool, status: A
) -> None:
    given = clinics.make_clinic(
        store, "registry_code", phone=PhoneRule.NONE, account_sms=account_sms
    )
    given.patient.phone = "+79001234567"
    reader = as_account(clinics.make_account(store, given))
    url = reader.send("/visits", {"slot": str(given.slots[0].uid)}).location
    reader.send(f"{url}/confirm")
    assert clinics.booking(store).status is status
    sent = store.scalars(select(Message).where(Message.channel == MessageChannel.SMS)).all()
    assert bool(sent) is account_sms


@pytest.mark.parametrize(("account_sms", "status"), [(False, A.BOOKED), (True, A.PROPOSED)])
def test_after_the_approval_no_code_follows_for_an_account(
    store: Session, as_account: Account, account_sms: bool, status: A
) -> None:
    given = clinics.make_clinic(
        store, "registry_approval", phone=PhoneRule.NONE, account_sms=account_sms
    )
    given.patient.phone = "+79001234567"
    reader = as_account(clinics.make_account(store, given))
    url = reader.send("/visits", {"slot": str(given.slots[0].uid)}).location
    reader.send(f"{url}/confirm")
    row = clinics.booking(store)
    assert row.status is A.PENDING
    by = make.make_staff(store, Role.REGISTRAR, given.tenant.root)
    approval.approve(store, appointment_id=row.id, by=by, now=NOW)
    store.refresh(row)
    assert row.status is status
