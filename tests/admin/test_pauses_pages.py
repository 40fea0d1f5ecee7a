"""Pausing a donation type: the list, the form, the notice that donors read."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from app.models import DonationPause
from app.models.enums import Role
from tests import make
from tests.client import parsed, words

URL = "/staff/pauses/"
NOTICE = "Запас плазмы достаточен, ждём вас в декабре."


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


@pytest.fixture
def scheduler(as_staff, tenant):
    return as_staff(Role.SCHEDULER, tenant.root)


def pause(scheduler, tenant, **changes):
    fields = {"type": str(tenant.platelets.uid), "notice_ru": NOTICE} | changes
    return scheduler.submit(f"{URL}new/", fields, follow_redirects=True)


def test_a_type_is_paused_with_a_notice_that_donors_read(scheduler, tenant, store, client):
    make.make_schedule(store, tenant)
    told = words(pause(scheduler, tenant))
    assert "Пауза установлена" in told
    assert "действует" in told
    assert NOTICE in words(client.page("/"))


def test_a_pause_is_ended(scheduler, tenant, store):
    pause(scheduler, tenant)
    row = store.scalars(select(DonationPause)).one()
    told = words(scheduler.submit(URL, form=f"{URL}{row.uid}/end/", follow_redirects=True))
    assert "Пауза завершена" in told
    store.refresh(row)
    assert row.ends_at == make.NOW


def test_dates_are_the_organizations_own(scheduler, tenant, store):
    pause(
        scheduler,
        tenant,
        branch=str(tenant.branch.uid),
        from_date="2026-12-01",
        until_date="2026-12-15",
        until_time="08:00",
        notice_en="Enough plasma.",
    )
    row = store.scalars(select(DonationPause)).one()
    assert row.starts_at == dt.datetime(2026, 11, 30, 21, tzinfo=dt.UTC)
    assert row.ends_at == dt.datetime(2026, 12, 15, 5, tzinfo=dt.UTC)
    assert (row.organization_id, row.notice_en) == (tenant.branch.id, "Enough plasma.")
    assert "впереди" in words(scheduler.page(URL))


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"type": ""}, "type", "Выберите тип донации"),
        ({"notice_ru": " "}, "notice_ru", "Напишите объявление"),
        ({"until_date": "завтра"}, "until_date", "Введите дату"),
        ({"until_time": "08:00"}, "until_date", "Введите дату"),
        ({"from_date": "9999-12-31"}, "from_date", "Введите дату"),
        ({"notice_en": "x" * 2001}, "notice_en", "Не больше 2000"),
    ],
)
def test_what_is_missing_is_said_at_its_field(scheduler, tenant, store, changes, field, sentence):
    answer = pause(scheduler, tenant, **changes)
    assert answer.status_code == 422
    page = parsed(answer)
    assert sentence in words(page)
    page = parsed(answer)
    assert page.xpath("//*[@id=$id][@aria-invalid='true']", id=field)
    assert page.xpath("//div[@role='alert']//a/@href") == [f"#{field}"]
    assert store.scalar(select(func.count()).select_from(DonationPause)) == 0


def test_a_refusal_keeps_what_was_typed(scheduler, tenant):
    pause(scheduler, tenant)
    answer = pause(scheduler, tenant, notice_ru="Ещё раз")
    assert answer.status_code == 409
    assert "уже есть пауза" in words(answer)
    assert "Ещё раз" in words(answer)


def test_a_right_over_a_branch_offers_the_branch_alone(as_staff, tenant, store):
    visitor = as_staff(Role.SCHEDULER, tenant.branch)
    page = visitor.page(f"{URL}new/")
    options = [option.text for option in page.xpath("//select[@id='branch']/option")]
    assert options == ["—", "Сосны"]
    fields = {"type": str(tenant.platelets.uid), "notice_ru": NOTICE, "branch": ""}
    assert visitor.send(f"{URL}new/", fields).status_code == 422
    assert visitor.send(f"{URL}new/", fields | {"branch": str(tenant.root.uid)}).status_code == 422
    visitor.send(f"{URL}new/", fields | {"branch": str(tenant.branch.uid)})
    assert store.scalars(select(DonationPause.organization_id)).all() == [tenant.branch.id]


def test_another_organizations_pause_is_not_there(as_staff, tenant, store):
    row = make.make_pause(store, tenant)
    foreign = make.make_tenant(store, name="Чужой центр")
    stranger = as_staff(Role.SCHEDULER, foreign.root)
    assert stranger.send(f"{URL}{row.uid}/end/").status_code == 404
    assert row.notice_ru not in words(stranger.page(URL))
    fields = {"type": str(tenant.platelets.uid), "notice_ru": NOTICE}
    assert stranger.send(f"{URL}new/", fields).status_code == 422
    store.refresh(row)
    assert row.ends_at is None


@pytest.mark.parametrize("role", [Role.REGISTRAR, Role.ANALYST, Role.ADMINISTRATOR])
def test_only_schedulers_and_managers_pause(as_staff, tenant, role):
    visitor = as_staff(role, tenant.root)
    assert visitor.get(URL).status_code == 403
    assert visitor.send(f"{URL}new/").status_code == 403
