"""New and changed rows: tokens, allow-lists, audit in the same transaction, refusals with what was typed."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from admin.base import StaffView
from admin.forms import NEVER_EDITED, BadView
from app.models import (
    AuditEvent,
    BookingPolicy,
    Organization,
    RejectionReason,
    StaffUser,
)
from app.models.enums import OrganizationKind, Role
from tests import make
from tests.client import headings, parsed, words


@pytest.fixture
def office(store, as_staff):
    tenant = make.make_tenant(store)
    return tenant, as_staff(Role.ADMINISTRATOR, over=tenant.root)


def audit_lines(store, verb):
    return store.scalars(select(AuditEvent).where(AuditEvent.verb == verb)).all()


def test_a_change_and_its_audit_line_are_one_transaction(office, store, monkeypatch):
    tenant, client = office
    reason = tenant.reasons[0]
    url = f"/staff/reasons/edit/?id={reason.uid}"
    response = client.submit(url, {"text_ru": "Новые слова"})
    assert response.status_code == 303
    (line,) = audit_lines(store, "reasons.edit")
    assert line.changes["text_ru"][1] == "Новые слова"
    assert line.tenant_id == tenant.id and line.subject_id == reason.id

    def broken(*_args, **_kwargs):
        raise RuntimeError("the audit cannot be written")

    monkeypatch.setattr("admin.writing.audit.record", broken)
    assert client.submit(url, {"text_ru": "Без следа"}).status_code == 500
    store.refresh(reason)
    assert reason.text_ru == "Новые слова"


def test_nothing_changed_is_nothing_to_write_down(office, store):
    tenant, client = office
    client.submit(f"/staff/reasons/edit/?id={tenant.reasons[0].uid}")
    assert audit_lines(store, "reasons.edit") == []


def test_what_was_typed_stays_when_it_is_refused(office):
    tenant, client = office
    response = client.submit(
        f"/staff/reasons/edit/?id={tenant.reasons[0].uid}",
        {"text_ru": "", "advice_ru": "Позвоните <b>нам</b>"},
    )
    assert response.status_code == 422
    page = parsed(response)
    summary = page.xpath("//div[@role='alert']//a")[0]
    field = page.get_element_by_id(summary.get("href")[1:])
    assert field.get("name") == "text_ru" and field.get("aria-invalid") == "true"
    assert page.get_element_by_id(field.get("aria-describedby")).text == "Заполните это поле."
    assert page.xpath("//textarea[@name='advice_ru']")[0].text.strip() == "Позвоните <b>нам</b>"


def test_a_refusal_of_the_rule_is_a_sentence_over_the_form(office, store):
    tenant, client = office
    make.make_schedule(store, tenant)
    response = client.submit(
        f"/staff/organizations/edit/?id={tenant.branch.uid}",
        {"time_zone": "Asia/Omsk", "short_name": "Ели"},
    )
    assert response.status_code == 422
    assert "Там уже опубликованы дни" in words(response)
    assert parsed(response).xpath("//input[@name='short_name']/@value") == ["Ели"]
    store.refresh(tenant.branch)
    assert tenant.branch.short_name == "Сосны" and tenant.branch.time_zone == "Europe/Moscow"


def test_two_people_never_overwrite_each_other(office, store, as_staff):
    tenant, first = office
    second = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    url = f"/staff/reasons/edit/?id={tenant.reasons[0].uid}"
    opened = {name: value for name, value in second.page(url).forms[-1].form_values()}
    first.submit(url, {"text_ru": "Первая правка"})
    response = second.post(url, data=opened | {"text_ru": "Вторая правка"})
    assert response.status_code == 422
    assert "изменил другой сотрудник" in words(response)
    store.refresh(tenant.reasons[0])
    assert tenant.reasons[0].text_ru == "Первая правка"


def test_every_form_of_the_office_needs_its_token(office, store):
    tenant, client = office
    urls = [
        "/staff/reasons/new/",
        f"/staff/reasons/edit/?id={tenant.reasons[0].uid}",
        f"/staff/reasons/do/delete/?id={tenant.reasons[0].uid}",
        "/staff/staff/new/",
        "/staff/policies/new/",
        "/staff/medical/new/",
        "/staff/letters/approved/ru/",
        "/staff/consents/new/",
        "/staff/audit/export/",
        "/staff/password/",
        "/staff/sign-out/",
    ]
    before = store.scalar(select(func.count()).select_from(AuditEvent))
    for url in urls:
        for token in ("", "nonsense", "IjEyMyI.aaaa.bbbb"):
            response = client.post(url, data={"csrf_token": token, "text_ru": "подмена"})
            assert response.status_code == 400, (url, token, response.status)
    assert store.scalar(select(func.count()).select_from(AuditEvent)) == before


def test_no_form_writes_a_column_it_does_not_show(app, office, store):
    """Every column of the model is sent to every form; only those it shows may change."""
    tenant, client = office
    rows = {
        "reasons": tenant.reasons[0],
        "donation-types": tenant.platelets,
        "organizations": tenant.branch,
        "staff": make.make_staff(store, Role.REGISTRAR, tenant.branch),
    }
    views = {
        view.slug: view for view in app.extensions["admin"][0]._views if isinstance(view, StaffView)
    }
    for slug, row in rows.items():
        view, model = views[slug], type(row)
        names = [column.key for column in model.__mapper__.column_attrs]
        before = {name: getattr(row, name) for name in names}
        url = f"/staff/{slug}/edit/?id={row.uid}"
        client.send(url, {name: "99" for name in names if name not in view.form_columns})
        form = client.page(url).xpath("//main//form[@method='post']")[0]
        fields = dict(form.form_values())
        client.post(url, data=fields | {name: "1" for name in names if name not in fields})
        store.refresh(row)
        changed = {name for name in names if getattr(row, name) != before[name]}
        assert changed <= set(view.form_columns), (slug, changed)
        assert not changed & NEVER_EDITED


@pytest.mark.parametrize(
    ("attributes", "words_"),
    [
        ({}, "column_list"),
        ({"column_list": ("text_ru",), "can_edit": True}, "form_columns"),
        ({"column_list": ("text_ru",), "can_view_details": True}, "column_details_list"),
        (
            {"column_list": ("text_ru",), "can_create": True, "form_columns": ("text_ru",)},
            "new_title",
        ),
        ({"column_list": ("text_ru",), "can_export": True}, "column_export_list"),
        (
            {"column_list": ("text_ru",), "can_edit": True, "form_columns": ("tenant_id",)},
            "never edited",
        ),
    ],
)
def test_a_careless_view_does_not_start(app, attributes, words_):
    view = type(
        "Careless",
        (StaffView,),
        {"slug": "careless", "title": "x", "permission": "x", **attributes},
    )
    with app.app_context(), pytest.raises(BadView, match=words_):
        view(RejectionReason)


@pytest.mark.parametrize("column", ["password_hash", "totp_seed_ciphertext", "totp_seed"])
def test_no_view_shows_a_secret(app, column):
    view = type(
        "Leaky",
        (StaffView,),
        {"slug": "leaky", "title": "x", "permission": "x", "column_list": (column,)},
    )
    with app.app_context(), pytest.raises(BadView, match="secret"):
        view(StaffUser)


@pytest.mark.parametrize(
    ("slug", "heading"),
    [
        ("organizations", "Новая организация"),
        ("staff", "Приглашение сотрудника"),
        ("policies", "Новая редакция правил записи"),
        ("donation-types", "Новый тип донации"),
        ("reasons", "Новая причина отклонения"),
    ],
)
def test_the_form_of_a_new_row_says_what_it_makes(store, as_staff, slug, heading):
    tenant = make.make_tenant(store)
    page = as_staff(Role.ADMINISTRATOR, over=tenant.root).page(f"/staff/{slug}/new/")
    assert headings(page)[0] == heading


def test_everything_is_off_until_a_view_opens_it():
    off = [
        StaffView.can_create,
        StaffView.can_edit,
        StaffView.can_delete,
        StaffView.can_export,
        StaffView.can_view_details,
    ]
    assert not any(off)


def test_what_a_view_does_not_open_is_not_there(office):
    tenant, client = office
    uid = tenant.policy.uid
    assert client.get(f"/staff/policies/edit/?id={uid}").status_code == 404
    assert client.get("/staff/messages/new/").status_code == 404
    assert client.get("/staff/audit/do/delete/?id=1").status_code == 404
    assert client.send("/staff/reasons/export/", {"format": "csv"}).status_code == 404


def test_hostile_text_stays_text_wherever_it_is_shown(office, store):
    _tenant, client = office
    canary = '"><img src=x onerror=alert(1)>'
    client.submit(
        "/staff/reasons/new/", {"text_ru": canary, "text_en": canary, "advice_ru": canary}
    )
    reason = store.scalars(select(RejectionReason).where(RejectionReason.text_ru == canary)).one()
    for url in ("", f"edit/?id={reason.uid}", f"do/delete/?id={reason.uid}"):
        response = client.get(f"/staff/reasons/{url}")
        assert not parsed(response).xpath("//img[@onerror]"), url
        assert "<img src=x" not in response.get_data(as_text=True), url


def test_invisible_characters_do_not_get_in(office, store):
    _tenant, client = office
    client.submit("/staff/reasons/new/", {"text_ru": " Код\u202e\u200b  не\tтот ", "text_en": "x"})
    assert (
        store.scalars(select(RejectionReason.text_ru).where(RejectionReason.text_en == "x")).one()
        == "Код не тот"
    )


def test_a_new_row_starts_with_the_usual_values(office, store):
    """What the table would put in by itself stands in the form: a new reason is offered at once."""
    _, client = office
    page = client.page("/staff/reasons/new/")
    assert page.xpath("//input[@name='is_active']/@checked") and page.xpath(
        "//input[@name='position']/@value"
    ) == ["0"]
    client.submit("/staff/reasons/new/", {"text_ru": "Новая", "text_en": "New"})
    row = store.scalars(select(RejectionReason).where(RejectionReason.text_en == "New")).one()
    assert row.is_active and row.position == 0


def test_a_number_that_is_needed_is_not_left_empty(office):
    tenant, client = office
    url = f"/staff/reasons/edit/?id={tenant.reasons[0].uid}"
    response = client.submit(url, {"position": ""})
    assert response.status_code == 422 and "Заполните это поле" in words(response)


def test_texts_are_as_long_as_their_column_and_no_longer(office, store):
    _tenant, client = office
    assert (
        client.submit("/staff/reasons/new/", {"text_ru": "я" * 200, "text_en": "y"}).status_code
        == 303
    )
    response = client.submit("/staff/reasons/new/", {"text_ru": "я" * 201, "text_en": "z"})
    assert response.status_code == 422


@pytest.mark.parametrize("typed", ["٣", "1_0", "1.5", "abc", "99999999999999", "--1", "1e3", " "])
def test_a_number_is_ascii_digits(office, store, typed):
    _tenant, client = office
    response = client.submit("/staff/policies/new/", {"hold_minutes": typed, "source": "проверка"})
    assert response.status_code == 422
    assert store.scalar(select(func.count()).select_from(BookingPolicy)) == 1


def test_one_who_is_over_a_branch_only_does_not_change_what_is_the_whole_body_s(store, as_staff):
    tenant = make.make_tenant(store)
    below = as_staff(Role.ADMINISTRATOR, over=tenant.branch)
    reason = tenant.reasons[0]
    response = below.submit(f"/staff/reasons/edit/?id={reason.uid}", {"text_ru": "захвачено"})
    assert response.status_code == 422
    assert "Ваша роль этого не позволяет" in words(response)
    response = below.submit(
        f"/staff/organizations/edit/?id={tenant.root.uid}", {"short_name": "захвачено"}
    )
    assert response.status_code == 422
    below.send(f"/staff/reasons/do/delete/?id={reason.uid}", {"id": str(reason.uid)})
    store.refresh(reason)
    store.refresh(tenant.root)
    assert reason.text_ru != "захвачено" and tenant.root.short_name != "захвачено"
    own = below.submit(f"/staff/organizations/edit/?id={tenant.branch.uid}", {"short_name": "Ели"})
    assert own.status_code == 303


def test_a_choice_of_somebody_else_s_row_is_refused(office, store):
    """A posted foreign key outside the reader's own list."""
    _tenant, client = office
    other = make.make_tenant(store, name="Дальний центр")
    page = client.page("/staff/policies/new/")
    fields = dict(page.xpath("//main//form[@method='post']")[0].form_values())
    response = client.post(
        "/staff/policies/new/",
        data=fields | {"organization": str(other.branch.uid), "source": "проверка"},
    )
    assert response.status_code == 422
    assert store.scalar(select(func.count()).select_from(BookingPolicy)) == 2  # one for each centre


def test_the_administrator_of_everything_chooses_whose_a_new_row_is(store, as_staff):
    here, there = make.make_tenant(store), make.make_tenant(store, name="Дальний центр")
    client = as_staff(Role.ADMINISTRATOR)
    client.submit(
        "/staff/reasons/new/",
        {"tenant": str(there.root.uid), "text_ru": "Для дальних", "text_en": "x"},
    )
    row = store.scalars(select(RejectionReason).where(RejectionReason.text_en == "x")).one()
    assert row.tenant_id == there.id != here.id
    assert "Дальний центр" in words(client.page("/staff/reasons/"))


def test_a_new_legal_body_starts_with_its_first_rows(store, as_staff):
    make.make_tenant(store)
    client = as_staff(Role.ADMINISTRATOR)
    client.submit(
        "/staff/organizations/new/",
        {
            "sort": "blood_centre",
            "name": "ГБУЗ «Новый центр»",
            "short_name": "Новый центр",
            "time_zone": "Asia/Omsk",
        },
    )
    root = store.scalars(select(Organization).where(Organization.short_name == "Новый центр")).one()
    assert root.kind is OrganizationKind.BLOOD_CENTRE and root.time_zone == "Asia/Omsk"
    assert (
        store.scalars(select(BookingPolicy).where(BookingPolicy.tenant_id == root.id))
        .one()
        .days_after_donation
        == 10
    )
    assert store.scalar(select(func.count()).where(RejectionReason.tenant_id == root.id)) > 0


def test_a_branch_is_made_under_one_s_own_body_only(office, store):
    tenant, client = office
    other = make.make_tenant(store, name="Дальний центр")
    page = client.page("/staff/organizations/new/")
    offered = page.xpath("//select[@name='parent']/option/@value")
    assert (
        str(tenant.root.uid) in offered and "" not in offered and str(other.root.uid) not in offered
    )
    assert not page.xpath("//select[@name='sort']")
    fields = {"parent": str(tenant.root.uid), "name": "Отделение «Ели»", "short_name": "Ели"}
    response = client.submit("/staff/organizations/new/", fields)
    assert response.status_code == 303
    branch = store.scalars(select(Organization).where(Organization.short_name == "Ели")).one()
    assert (branch.part_of_id, branch.root_id, branch.kind) == (
        tenant.id,
        tenant.id,
        OrganizationKind.BRANCH,
    )
    stolen = client.send(
        "/staff/organizations/new/",
        fields | {"parent": str(other.root.uid), "time_zone": "Europe/Moscow"},
    )
    assert stolen.status_code == 422


def test_pages_of_one_row_are_called_by_its_name(office):
    tenant, client = office
    page = client.page(f"/staff/organizations/details/?id={tenant.branch.uid}")
    assert headings(page)[0] == "Сосны"
    assert re.search(r"Часовой пояс\s*Москва, UTC\+3", words(page))
