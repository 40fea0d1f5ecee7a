"""Every kind of letter in both languages: whole, true at the time of sending, to one person."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from flask import Flask
from flask_babel import force_locale, gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.documents import letters
from app.documents.letters import NoRecipient, default_text, preview, render
from app.models import (
    ConsentText,
    ContactProof,
    DonationType,
    Message,
    MessageTemplate,
    Organization,
)
from app.models.blood import BloodType
from app.models.enums import ActorKind, DonationKind, LinkPurpose, MessageStatus, ScheduleStatus
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind as K
from app.rules import contacts, feedback, ledger, links, medication, outbox, sms, surveys
from app.rules.actor import actor_of
from app.rules.letters import FIELDS, EmptyText, LinkNeeded, StrayBrace, UnknownField, check_letter
from tests import make
from tests.public.clinic import make_account, make_clinic
from tests.waiting import make_offer

STATUS = {
    K.REQUEST_RECEIVED: A.PENDING,
    K.APPROVED: A.BOOKED,
    K.REMINDER: A.BOOKED,
    K.REJECTED: A.REJECTED,
    K.EXPIRED: A.EXPIRED,
    K.CANCELLED_BY_DONOR: A.CANCELLED,
    K.CANCELLED_BY_STAFF: A.CANCELLED,
    K.DAY_CLOSED: A.CANCELLED,
    K.MOVED: A.BOOKED,
    K.PLACE_OFFERED: A.HELD,
    K.OFFER_LAPSED: A.RELEASED,
    K.TURN_OVER: A.RELEASED,
}
PURPOSE = {
    K.CONFIRM_EMAIL: (LinkPurpose.CONFIRM_EMAIL, "/confirm-email/"),
    K.RESET_PASSWORD: (LinkPurpose.RESET_PASSWORD, "/reset-password/"),
    K.STAFF_INVITE: (LinkPurpose.STAFF_INVITE, "/staff/invitation/"),
    K.DATA_READY: (LinkPurpose.DATA_EXPORT, "/profile/data/"),
    K.FAMILY_ASKED: (LinkPurpose.JOIN_FAMILY, "/join-family/"),
}
OFFERS = (K.PLACE_OFFERED, K.OFFER_LAPSED, K.TURN_OVER)
"""About a place that is no booking yet, or never became one: they say less."""
CHANNELS = ("ru", "en")
LETTERS = [kind for kind in FIELDS if kind not in sms.KINDS]
"""SMS stand in test_sms."""


@pytest.fixture(autouse=True)
def _in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def message_of(
    session: Session, kind: K, locale: str = "ru", now: dt.datetime = make.NOW, **booking: object
) -> Message:
    """A due message of ``kind`` with everything it needs."""
    tenant = make.make_tenant(session)
    tenant.branch.phone = "+7 495 000-00-00"
    tenant.branch.address = "ул. Вымышленная, 1"
    tenant.platelets.memo_ru, tenant.platelets.memo_en = "Ешьте легко.", "Eat light."
    donor = make.make_donor(session, tenant, family_name="Секретова")
    donor.account.locale = locale
    staff = make.make_staff(session, locale=locale)
    owner: dict[str, int] = (
        {"staff_user_id": staff.id} if kind is K.STAFF_INVITE else {"account_id": donor.account.id}
    )
    facts = {}
    if kind in PURPOSE:
        link = links.issue(session, purpose=PURPOSE[kind][0], now=now, **owner)
        facts = {"link_id": link.id}
    if kind in feedback.LETTERS:
        facts = {"feedback_id": make.make_feedback(session, tenant).id}
    facts = facts or about_account(session, kind, tenant, donor)
    if kind in (K.PROFILE_CONFIRMED, K.PROFILE_REFUSED):
        row = make.make_confirmation(session, donor, reason="Паспорт другой.")
        facts = {"confirmation_id": row.id}
    if kind is K.DOCUMENT_COPY:
        make.make_confirmation(session, donor)
        facts = {"document_id": make.make_copy(session, donor.person, staff).id}
    if kind is K.MOVED:
        facts = {"was": (now + dt.timedelta(days=5)).isoformat()}
    if kind in STATUS or kind is K.SURVEY:
        day = make.make_schedule(session, tenant, date=dt.date(2026, 11, 25))
        status = STATUS.get(kind, A.FULFILLED)
        made = make.make_appointment(session, tenant, donor, day, status=status, **booking)
        owner["appointment_id"] = made.id
    if kind in OFFERS:
        make_offer(session, tenant, donor, made)
    if kind is K.SURVEY:
        address = make.make_survey_address(session, made)
        facts = {"survey_address_id": address.id, "locale": locale}
        del owner["account_id"]
    message = outbox.add(
        session,
        kind=kind,
        key=f"test:{uuid.uuid4()}",
        now=now,
        tenant_id=tenant.id,
        facts=facts,
        **owner,
    )
    session.flush()
    return message


def about_account(
    session: Session, kind: K, tenant: make.Tenant, donor: make.KnownDonor
) -> dict[str, object]:
    """What reminders and proofs of a contact tell of."""
    if kind in (K.MEDICATION, K.MEDICATION_SMS):
        row = medication.prescribe(
            session, person=donor.person, medicine="Пробин", dose="1 таблетка", hours="8:00",
            first_day=dt.date(2026, 11, 1), last_day=dt.date(2026, 12, 1),
            actor=actor_of(make.make_staff(session)), now=make.NOW,
        )  # fmt: skip
        return {"prescription_id": row.id, "hour": "08:00"}
    if kind is K.DONATION_DATE:
        make.make_donation(session, tenant, donor, on_date=dt.date(2026, 9, 1))
        return {"person_id": donor.person.id}
    if kind is K.EMAIL_CHANGE:
        contacts.ask_email(
            session, account=donor.account, email=f"x{donor.account.email}", now=make.NOW
        )
        proof = session.scalars(select(ContactProof)).one()
        proof.value = donor.account.email
        return {"proof_id": proof.id, "sent": proof.sent}
    if kind is K.PHONE_CODE:
        proof = contacts.ask_phone(
            session, account=donor.account, number="+79001234567", now=make.NOW
        )
        return {"proof_id": proof.id, "sent": proof.sent}
    return {"what": "phone"} if kind is K.CONTACT_CHANGED else {}


def tenant_of(session: Session, message: Message) -> make.Tenant:
    """The centre that ``message_of`` has made, to add days to."""
    booking = message.appointment
    root = session.get_one(Organization, message.tenant_id)
    kinds = session.scalars(select(DonationType).where(DonationType.tenant_id == root.id))
    types = {row.kind: row for row in kinds}
    text = session.scalars(select(ConsentText).where(ConsentText.tenant_id == root.id)).one()
    return make.Tenant(root, booking.organization, booking.policy, types, [], text)


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return "\n".join(str(body.get_content()).splitlines())


def html_of(letter: EmailMessage) -> str:
    body = letter.get_body(("html",))
    assert body is not None
    return "\n".join(str(body.get_content()).splitlines())


@pytest.mark.parametrize("locale", CHANNELS)
@pytest.mark.parametrize("kind", LETTERS)
def test_every_kind_is_whole_in_both_languages(session: Session, kind: K, locale: str) -> None:
    message = message_of(session, kind, locale)
    letter = render(message, now=make.NOW)
    again = message_from_bytes(letter.as_bytes(), EmailMessage, policy=default)
    subject, text, page = str(again["Subject"]), text_of(again), html_of(again)
    for part in (subject, text, page):
        assert "{" not in part.replace("{margin", "")
        assert "}" not in part
        assert "None" not in part
    russian = bool(re.search("[а-яё]", subject))
    assert russian == (locale == "ru")
    assert ("Здравствуйте!" in text) == (locale == "ru")
    assert again["Content-Language"] == locale
    reader = message.account or message.staff_user or surveys.of_message(session, message)
    assert [a.addr_spec for a in again["To"].addresses] == [reader.email]
    assert again["Message-ID"] == f"<{message.uid}@localhost>"
    assert again["Auto-Submitted"] == "auto-generated"
    assert "Секретова" not in text, "names do not stand beside what is about health"
    assert again.defects == []


@pytest.mark.parametrize("locale", CHANNELS)
@pytest.mark.parametrize("kind", [each for each in STATUS if each not in OFFERS])
def test_letters_about_a_visit_say_what_when_and_where(
    session: Session, kind: K, locale: str
) -> None:
    message = message_of(session, kind, locale)
    text = text_of(render(message, now=make.NOW))
    zone = "по московскому времени" if locale == "ru" else "Moscow time"
    date = "ср, 25 ноября 2026" if locale == "ru" else "Wed, 25 November 2026"
    kind_of = "Тромбоцитаферез" if locale == "ru" else "Thrombocytapheresis"
    for words in (date, f"8:00 {zone}", kind_of, "отделение «Сосны»", "ул. Вымышленная, 1"):
        assert words in text, words
    assert str(message.appointment.number) in text
    assert "+7 495 000-00-00" in text


@pytest.mark.parametrize("kind", list(PURPOSE))
def test_links_lead_to_the_configured_address_and_are_derived_now(
    session: Session, kind: K
) -> None:
    message = message_of(session, kind)
    text = text_of(render(message, now=make.NOW))
    purpose, path = PURPOSE[kind]
    found = re.search(r"http://localhost(/\S+/)(\S+)", text)
    assert found is not None
    assert found[1] == path
    link = links.find(session, purpose=purpose, text=found[2], now=make.NOW)
    assert link.id == message.facts["link_id"]
    assert found[2] not in str(message.facts), "the row holds no token"


def test_links_of_letters_are_addresses_of_this_site(app: Flask) -> None:
    addresses = app.url_map.bind("localhost")
    for path in ("/confirm-email/x", "/reset-password/x", "/staff/invitation/x", "/bookings"):
        assert addresses.match(path, method="GET")


def test_the_approval_brings_the_ticket_and_the_calendar_entry(session: Session) -> None:
    letter = render(message_of(session, K.APPROVED), now=make.NOW)
    ticket, entry = letter.iter_attachments()
    assert ticket.get_content_type() == "application/pdf"
    assert ticket.get_content().startswith(b"%PDF")
    assert re.fullmatch(r"talon-\d+\.pdf", ticket.get_filename())
    assert entry.get_content_type() == "text/calendar"
    assert entry.get_param("method") == "PUBLISH"
    assert "BEGIN:VEVENT" in entry.get_content()


@pytest.mark.parametrize("kind", [k for k in LETTERS if k not in (K.APPROVED, K.DOCUMENT_COPY)])
def test_other_letters_bring_nothing(session: Session, kind: K) -> None:
    assert list(render(message_of(session, kind), now=make.NOW).iter_attachments()) == []


@pytest.mark.parametrize(
    ("locale", "reason", "advice"),
    [
        ("ru", "Код донора не совпадает с данными", "Позвоните в центр, пожалуйста."),
        ("en", "The donor code does not match", "Phone the centre, please."),
    ],
)
def test_a_rejection_says_why_and_what_to_do(
    session: Session, locale: str, reason: str, advice: str
) -> None:
    message = message_of(session, K.REJECTED, locale, comment="Возьмите справку\nу терапевта.")
    text = text_of(render(message, now=make.NOW))
    for words in (reason, advice, "Возьмите справку\nу терапевта."):
        assert words in text
    without = text_of(render(message_of(session, K.REJECTED, locale), now=make.NOW))
    assert "Комментарий" not in without, "an empty comment leaves no label behind"
    assert "Comment" not in without


def test_a_closed_day_says_why(session: Session) -> None:
    message = message_of(session, K.DAY_CLOSED, comment="Ремонт аппарата")
    assert "Почему: Ремонт аппарата" in text_of(render(message, now=make.NOW))


@pytest.mark.parametrize("locale", CHANNELS)
def test_a_closed_day_offers_the_nearest_days_of_the_same_kind(
    session: Session, locale: str
) -> None:
    message = message_of(session, K.DAY_CLOSED, locale, ended_by=ActorKind.STAFF)
    tenant = tenant_of(session, message)
    days = [
        make.make_schedule(session, tenant, date=dt.date(2026, 11, number))
        for number in (30, 28, 29, 27)
    ]
    make.make_schedule(session, tenant, kind=DonationKind.PLASMA, date=dt.date(2026, 11, 26))
    ab_only = [BloodType.parse("AB-")]
    make.make_schedule(session, tenant, blood_types=ab_only, date=dt.date(2026, 11, 26))
    letter = render(message, now=make.NOW)
    text = text_of(letter)
    found = re.findall(r"^http://localhost/places/(\S+)$", text, re.M)
    assert found == [str(days[at].uid) for at in (3, 1, 2)]
    first = "пт, 27 ноября 2026, с 8:00, Сосны" if locale == "ru" else "Fri, 27 November 2026, from"
    assert first in text
    assert all(f'href="http://localhost/places/{uid}"' in html_of(letter) for uid in found)


@pytest.mark.parametrize("locale", CHANNELS)
def test_without_other_days_the_letter_offers_none(session: Session, locale: str) -> None:
    message = message_of(session, K.DAY_CLOSED, locale, ended_by=ActorKind.STAFF)
    taken = make.make_schedule(session, tenant_of(session, message), days=4, total=1)
    other = make.make_donor(session, tenant_of(session, message))
    make.make_appointment(session, tenant_of(session, message), other, taken)
    message.appointment.schedule.status = ScheduleStatus.CLOSED
    session.flush()
    text = text_of(render(message, now=make.NOW))
    assert "Ближайшие дни" not in text
    assert "Nearest days" not in text
    assert "/places/" not in text


def test_an_own_cancel_says_from_when_one_may_book_again(session: Session) -> None:
    message = message_of(session, K.CANCELLED_BY_DONOR)
    assert "с вт, 24 ноября 2026:" in text_of(render(message, now=make.NOW))


def test_a_retry_is_the_same_letter_to_mail_servers(session: Session) -> None:
    message = message_of(session, K.APPROVED)
    first, second = (
        render(message, now=make.NOW),
        render(message, now=make.NOW + dt.timedelta(hours=1)),
    )
    assert first["Message-ID"] == second["Message-ID"]


def test_the_letter_speaks_of_the_present_not_of_when_it_was_queued(session: Session) -> None:
    message = message_of(session, K.REMINDER)
    message.appointment.organization.address = "пер. Новый, 2"
    session.flush()
    assert "пер. Новый, 2" in text_of(render(message, now=make.NOW))


def test_letters_load_nothing_from_anywhere(session: Session) -> None:
    for kind in LETTERS:
        page = html_of(render(message_of(session, kind), now=make.NOW))
        assert not re.search(r"<(img|link|script|iframe|object|video|style)\b|url\(|@import", page)


PAYLOAD = '"><img src=x onerror=alert(1)> {link} {0.__class__} %(x)s'


def test_payloads_in_what_people_type_stay_words(session: Session) -> None:
    message = message_of(session, K.REJECTED, comment=PAYLOAD)
    message.appointment.organization.name = PAYLOAD
    session.flush()
    letter = render(message, now=make.NOW)
    assert text_of(letter).count(PAYLOAD) == 2
    assert "<img" not in html_of(letter)
    assert "&lt;img src=x onerror=alert(1)&gt;" in html_of(letter)


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85"])
def test_nobody_adds_a_header_through_a_subject(session: Session, break_: str) -> None:
    message = message_of(session, K.APPROVED)
    own = MessageTemplate(
        tenant_id=message.tenant_id,
        kind=K.APPROVED,
        locale="ru",
        subject=f"Запись{break_}Bcc: evil@example.org {{branch}}",
        body="Ждём вас: {date}\n",
        updated_at=make.NOW,
    )
    session.add(own)
    message.appointment.organization.name = f"Филиал{break_}Bcc: evil@example.org"
    session.flush()
    raw = render(message, now=make.NOW).as_bytes()
    letter = message_from_bytes(raw, EmailMessage, policy=default)
    assert letter["Bcc"] is None
    assert "Bcc: evil@example.org" in str(letter["Subject"])
    assert b"\nBcc" not in raw.split(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    "email", ["a@b\r\nBcc: c@d.ru", "no-at", "@host", "name@", "a b@host.ru", "x@host\x00.ru"]
)
def test_what_is_no_address_gets_no_letter(session: Session, email: str) -> None:
    message = message_of(session, K.PASSWORD_CHANGED)
    message.account.email = email.replace("\x00", "\x01")
    with pytest.raises(NoRecipient):
        render(message, now=make.NOW)


def test_a_cyrillic_domain_is_written_as_dns_knows_it(session: Session) -> None:
    message = message_of(session, K.PASSWORD_CHANGED)
    message.account.email = "ivan@почта.рф"
    assert render(message, now=make.NOW)["To"] == "ivan@xn--80a1acny.xn--p1ai"


def test_the_tenant_s_own_text_is_used_in_its_language(session: Session) -> None:
    message = message_of(session, K.REMINDER)
    session.add(
        MessageTemplate(
            tenant_id=message.tenant_id,
            kind=K.REMINDER,
            locale="ru",
            subject="Завтра донация, {time}",
            body="Ждём вас: {branch}.\n",
            updated_at=make.NOW,
        )
    )
    session.flush()
    letter = render(message, now=make.NOW)
    assert letter["Subject"] == "Завтра донация, 8:00"
    assert text_of(letter).strip().startswith("Ждём вас: Лесной центр крови, отделение «Сосны».\n")
    assert "/notices/stop/" in text_of(letter)
    message.account.locale = "en"
    assert str(render(message, now=make.NOW)["Subject"]).startswith("Reminder")


def test_an_own_text_with_a_field_that_is_no_more_gives_way(session: Session) -> None:
    message = message_of(session, K.REMINDER)
    session.add(
        MessageTemplate(
            tenant_id=message.tenant_id,
            kind=K.REMINDER,
            locale="ru",
            subject="Завтра",
            body="Кабинет {cabinet}\n",
            updated_at=make.NOW,
        )
    )
    session.flush()
    assert str(render(message, now=make.NOW)["Subject"]).startswith("Напоминаем: донация")


@pytest.mark.parametrize("locale", CHANNELS)
@pytest.mark.parametrize("kind", LETTERS)
def test_the_texts_that_come_with_talon_pass_their_own_check(kind: K, locale: str) -> None:
    subject, body = default_text(kind, locale)
    check_letter(kind, subject=subject, body=body)
    subject, body = preview(kind, locale, subject, body)
    assert "{" not in subject + body


OF_VISITS = sorted(path.stem for path in (letters.LETTERS / "ru" / "visits").glob("*.txt"))


@pytest.mark.parametrize("locale", ["ru", "en"])
@pytest.mark.parametrize("kind", OF_VISITS)
def test_letters_about_a_doctor_speak_of_no_donation(kind: str, locale: str) -> None:
    subject, body = default_text(K(kind), locale, visit=True)
    check_letter(K(kind), subject=subject, body=body)
    assert (subject, body) != default_text(K(kind), locale)
    words = ("донаци", "донор", "центр крови", "donation", "donor", "blood")
    assert not any(word in (subject + body).lower() for word in words)


def test_the_letter_about_a_visit_names_service_doctor_and_place(session: Session) -> None:
    clinic = make_clinic(session, "cabinet")
    account = make_account(session, clinic)
    row = make.make_appointment(
        session, clinic.tenant, clinic.patient, clinic.day, status=A.BOOKED,
        service_id=clinic.service.id,
    )  # fmt: skip
    message = outbox.add(
        session, kind=K.APPROVED, key="visit", now=make.NOW, tenant_id=clinic.tenant.id,
        account_id=account.id, appointment_id=row.id,
    )  # fmt: skip
    session.flush()
    letter = render(message, now=make.NOW)
    text = letter.get_body(("plain",)).get_content()
    assert str(letter["Subject"]).startswith("Запись подтверждена: ср, 25 ноября 2026, 9:00")
    for said in (
        "B01.064.001 Прием врача стоматолога первичный",
        "Захарова Софья Сергеевна, врач-стоматолог (прием по полису ОМС)",
        "Сосны",
        "Возьмите полис.",
        "/visits",
    ):
        assert said in text
    assert "донаци" not in text
    names = [part.get_filename() for part in letter.iter_attachments()]
    assert names[0] == f"talon-{row.number}.pdf"


@pytest.mark.parametrize(
    ("subject", "body", "refusal"),
    [
        ("Тема", "Текст {secret_key}", UnknownField),
        ("Тема {link}", "Текст", UnknownField),
        ("Тема", "Текст {date.__class__}", StrayBrace),
        ("Тема", "Текст {0}", StrayBrace),
        ("Тема", "Текст {date!r}", StrayBrace),
        ("Тема", "Текст {{date}}", StrayBrace),
        ("Тема", "Текст }", StrayBrace),
        ("", "Текст", EmptyText),
        ("Тема", " \n ", EmptyText),
        ("Две\nстроки", "Текст", EmptyText),
        ("х" * 201, "Текст", EmptyText),
    ],
)
def test_a_text_that_cannot_be_filled_is_refused(
    subject: str, body: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        preview(K.REMINDER, "ru", subject, body)


def test_a_letter_for_its_link_cannot_lose_it() -> None:
    with pytest.raises(LinkNeeded):
        check_letter(K.RESET_PASSWORD, subject="Пароль", body="Откройте ссылку.")


def test_fields_are_listed_for_every_kind_with_what_they_mean() -> None:
    assert set(FIELDS) == set(K) - set(ledger.TASKS)
    assert letters.FIELDS is FIELDS
    assert all(meaning for fields in FIELDS.values() for meaning in fields.values())


@pytest.mark.parametrize(("locale", "quotes"), [("ru", "«%s»"), ("en", "“%s”")])
@pytest.mark.parametrize("kind", [K.ALREADY_REGISTERED, K.PASSWORD_CHANGED])
def test_letters_name_the_link_of_the_sign_in_page_by_its_own_words(
    kind: K, locale: str, quotes: str
) -> None:
    with force_locale(locale):
        words = gettext("I have forgotten the password")
    assert quotes % words in default_text(kind, locale)[1]


def test_the_ledger_row_holds_no_personal_data(session: Session) -> None:
    message = message_of(session, K.REJECTED, comment="гепатит")
    render(message, now=make.NOW)
    assert message.status is MessageStatus.DUE
    assert "гепатит" not in str(message.facts) + message.key
