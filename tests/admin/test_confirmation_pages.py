"""Staff's side of the cabinet: confirming profiles, copies of documents, reviews and the survey's questions."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AccessEvent, AuditEvent, MedicalDocument, Message, Review, SurveyQuestion
from app.models.cabinet_choices import ConfirmationStatus, ReviewStatus
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind, Role
from tests import make
from tests.client import Visitor, words
from tests.conftest import Clock

NOW = make.NOW
Staff = Callable[..., Visitor]


@pytest.fixture
def tenant(store: Session) -> make.Tenant:
    return make.make_tenant(store)


@pytest.fixture
def donor(store: Session, tenant: make.Tenant) -> make.KnownDonor:
    return make.make_donor(store, tenant, family_name="Ольховая")


@pytest.fixture
def registrar(as_staff: Staff, tenant: make.Tenant) -> Visitor:
    return as_staff(Role.REGISTRAR, tenant.root)


def send_copy(visitor: Visitor, url: str, body: bytes = make.PDF, **more: object):
    fields = {
        "kind": "test_results",
        "title": "Анализ крови",
        "file": (io.BytesIO(body), "scan.pdf"),
        "csrf_token": visitor.token("/staff/"),
        **more,
    }
    answer = visitor.post(url, data=fields, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()  # a temporary file of the client's, if it is large
    return answer


def test_the_list_says_how_many_working_days_are_left(
    store: Session, tenant: make.Tenant, donor: make.KnownDonor, registrar: Visitor
) -> None:
    late = make.make_donor(store, tenant, family_name="Поздняя")
    make.make_confirmation(store, donor, confirmed=False, due_on=dt.date(2026, 11, 26))
    make.make_confirmation(store, late, confirmed=False, due_on=dt.date(2026, 11, 19))
    rows = [words(row) for row in registrar.page("/staff/confirmations/").xpath("//tbody/tr")]
    assert "Поздняя" in rows[0] and "просрочено на 2 рабочих дня" in rows[0]
    assert "Ольховая" in rows[1] and "осталось 3 рабочих дня" in rows[1]
    today = words(registrar.page("/staff/"))
    assert "2 профиля ждут подтверждения, просрочено: 1" in today
    seen = store.scalars(select(AccessEvent).where(AccessEvent.action == "confirmations")).one()
    assert seen.tenant_id == tenant.id


def test_a_profile_is_confirmed_and_refused(
    store: Session, tenant: make.Tenant, donor: make.KnownDonor, registrar: Visitor
) -> None:
    make.make_consent(store, donor.person, make.ConsentPurpose.DOCUMENTS, withdrawn_at=NOW)
    row = make.make_confirmation(store, donor, confirmed=False)
    url = f"/staff/confirmations/{row.uid}/"
    assert "Ольховая" in words(registrar.page(url))
    registrar.send(f"{url}confirm/")
    store.refresh(row)
    assert row.status is ConfirmationStatus.WAITING  # the box was not ticked
    assert registrar.send(f"{url}refuse/", {"reason": " "}).status_code == 422
    registrar.send(f"{url}confirm/", {"seen": "1"})
    store.refresh(row)
    assert row.status is ConfirmationStatus.CONFIRMED
    registrar.send(f"{url}refuse/", {"reason": "Поздно"})
    store.refresh(row)
    assert row.status is ConfirmationStatus.CONFIRMED
    assert [m.kind for m in store.scalars(select(Message))] == [MessageKind.PROFILE_CONFIRMED]


def test_a_copy_is_uploaded_opened_sent_again_and_withdrawn(
    store: Session, donor: make.KnownDonor, registrar: Visitor, clock: Clock
) -> None:
    make.make_confirmation(store, donor)
    url = f"/staff/papers/{donor.person.uid}/"
    assert donor.account.email in words(registrar.page(url))
    assert send_copy(registrar, url).status_code == 303
    row = store.scalars(select(MedicalDocument)).one()
    assert registrar.get(f"{url}{row.uid}/file").data == make.PDF
    clock.forward(seconds=30)
    registrar.send(f"{url}{row.uid}/send/")
    assert len(store.scalars(select(Message)).all()) == 2
    registrar.page(f"{url}{row.uid}/withdraw/")
    registrar.send(f"{url}{row.uid}/withdraw/")
    assert registrar.get(f"{url}{row.uid}/file").status_code == 404
    verbs = list(store.scalars(select(AuditEvent.verb).order_by(AuditEvent.id)))
    assert verbs == ["copy.upload", "copy.send", "copy.withdraw"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"body": b"MZ a program"}, "Это не PDF, JPEG или PNG"),
        ({"body": b""}, "Файл пустой"),
        ({"body": b"%PDF-" + b"0" * 5242880}, "больше 5 МБ"),
        ({"title": " "}, "Назовите документ"),
        ({"kind": "virus"}, "Выберите"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_the_title_stays(
    store: Session, donor: make.KnownDonor, registrar: Visitor, fields: dict, sentence: str
) -> None:
    answer = send_copy(registrar, f"/staff/papers/{donor.person.uid}/", **fields)
    assert answer.status_code == 422
    assert sentence in words(answer)
    if "title" not in fields:
        assert 'value="Анализ крови"' in answer.get_data(as_text=True)
    assert not store.scalars(select(MedicalDocument)).all()


def test_another_organization_sees_none_of_it(
    store: Session, tenant: make.Tenant, donor: make.KnownDonor, as_staff: Staff
) -> None:
    author = make.make_staff(store, Role.REGISTRAR, tenant.root)
    copy = make.make_copy(store, donor.person, author)
    waiting = make.make_confirmation(store, donor, confirmed=False)
    foreign = make.make_tenant(store, name="Речной центр")
    stranger = as_staff(Role.REGISTRAR, foreign.root)
    own = make.make_donor(store, foreign)
    for path in (
        f"/staff/papers/{donor.person.uid}/",
        f"/staff/papers/{donor.person.uid}/{copy.uid}/file",
        f"/staff/papers/{own.person.uid}/{copy.uid}/file",
        f"/staff/confirmations/{waiting.uid}/",
    ):
        assert stranger.get(path).status_code == 404, path
    assert "Ольховая" not in words(stranger.page("/staff/confirmations/"))


def test_reviews_are_read_published_and_hidden(
    store: Session, tenant: make.Tenant, donor: make.KnownDonor, as_staff: Staff
) -> None:
    day = make.make_schedule(store, tenant, days=-2)
    visit = make.make_appointment(store, tenant, donor, day, status=A.FULFILLED)
    row = make.make_review(store, visit, comment="Очень хорошо")
    manager = as_staff(Role.MANAGER, tenant.root)
    page = manager.page("/staff/reviews/")
    assert "Очень хорошо" in words(page) and "4 из 5" in words(page)
    assert "Ольховая" not in words(page)
    manager.send(f"/staff/reviews/{row.uid}/", {"seen": "new", "to": "published"})
    assert store.scalars(select(Review)).one().status is ReviewStatus.PUBLISHED
    manager.send(f"/staff/reviews/{row.uid}/", {"seen": "new", "to": "hidden"})  # seen otherwise
    assert store.scalars(select(Review)).one().status is ReviewStatus.PUBLISHED
    assert manager.send(f"/staff/reviews/{row.uid}/", {"to": "new"}).status_code == 404


def test_questions_of_the_survey_are_edited(
    store: Session, tenant: make.Tenant, as_staff: Staff
) -> None:
    manager = as_staff(Role.MANAGER, tenant.root)
    fields = {"text_ru": "Всё ли понятно?", "text_en": "Clear?", "kind": "yes_no", "position": "1"}
    answer = manager.submit("/staff/survey/new/", {**fields, "is_active": "y"})
    assert answer.status_code in (302, 303), words(answer)
    row = store.scalars(select(SurveyQuestion)).one()
    assert (row.tenant_id, row.text_ru) == (tenant.id, "Всё ли понятно?")
    assert "Всё ли понятно?" in words(manager.page("/staff/survey/"))
