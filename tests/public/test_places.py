"""The front page, for everybody and for a signed-in donor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from urllib.parse import quote

from sqlalchemy.orm import Session

from app.models.blood import BloodType
from app.models.enums import BloodGroup, DonationKind, ScheduleStatus, Sign
from tests import make
from tests.client import Visitor, headings, parsed, words

AB_MINUS = BloodType(BloodGroup.AB, Sign.NEGATIVE)
COLUMNS = (
    "Тип донации",
    "Группа крови",
    "Резус-фактор",
    "Дата записи",
    "Всего слотов",
    "Время работы",
    "Действие",
)


def test_the_list_has_the_seven_columns_of_the_source(client: Visitor, store: Session) -> None:
    tenant = make.make_tenant(store)
    make.make_schedule(store, tenant, blood_types=[AB_MINUS], end=dt.time(14), total=7)
    page = client.page("/")
    assert headings(page)[0] == "Список доступных слотов для записи"
    heads = [th.text_content().strip(" ↑↓↕\n") for th in page.xpath("//thead//th")]
    assert tuple(heads) == COLUMNS
    cells = [" ".join(td.text_content().split()) for td in page.xpath("//tbody/tr/td")]
    assert cells[0].startswith("Тромбоцитаферез IV (AB) −")
    assert cells[1:3] == ["IV (AB)", "−"]
    assert cells[4] == "свободно 7 из 7"
    assert cells[5] == "8:00–14:00"
    assert cells[6].startswith("Записаться")
    assert "Показано 1 до 1 из 1 записи" in words(page)


def test_an_anonymous_page_has_no_cookie_and_no_token_and_may_be_shared(
    client: Visitor, store: Session
) -> None:
    make.make_schedule(store, make.make_tenant(store))
    response = client.get("/")
    assert "Set-Cookie" not in response.headers
    assert "csrf_token" not in response.get_data(as_text=True)
    assert response.headers["Cache-Control"] == "public, max-age=1"


def test_a_signed_in_page_is_kept_by_nobody(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    assert as_account(donor).get("/").headers["Cache-Control"] == "no-store"


def test_the_empty_list_says_that_there_is_enough_blood(client: Visitor, store: Session) -> None:
    make.make_tenant(store)
    text = words(client.page("/"))
    assert "Сейчас мест для записи нет" in text
    assert "компонентов крови вашей группы в настоящий момент достаточно" in text


def test_nothing_found_is_not_the_same_as_no_need(client: Visitor, store: Session) -> None:
    make.make_schedule(store, make.make_tenant(store))
    text = words(client.page(f"/?q={quote('абракадабра')}"))
    assert "Ничего не найдено" in text
    assert "достаточно" not in text


def test_a_pause_is_announced_and_its_rows_say_so(client: Visitor, store: Session) -> None:
    tenant = make.make_tenant(store)
    make.make_schedule(store, tenant)
    make.make_pause(store, tenant)
    page = client.page("/")
    assert "Запас достаточен, ждем вас через неделю." in words(page)
    assert not page.xpath("//tbody//a")


def test_a_paused_day_is_not_taken_for_a_paused_kind(client: Visitor, store: Session) -> None:
    tenant = make.make_tenant(store)
    make.make_schedule(store, tenant, kind=DonationKind.PLASMA)
    make.make_schedule(store, tenant, days=3, status=ScheduleStatus.PAUSED)
    make.make_pause(store, tenant, donation_type_id=tenant.types[DonationKind.PLASMA].id)
    page = client.page("/")
    kind, day = (row.xpath("string(td[last()])").strip() for row in page.xpath("//tbody/tr"))
    assert kind == "Смотрите объявление наверху."
    assert day.startswith("Запись на этот день приостановлена.")
    assert "вид донации приостановлена" not in words(page)


def test_the_donor_sees_own_days_first_and_why_the_others_are_closed(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant = make.make_tenant(store)
    make.make_schedule(store, tenant, days=1, blood_types=[AB_MINUS])
    make.make_schedule(store, tenant, days=3, blood_types=[make.B_NEGATIVE])
    page = as_account(make.make_donor(store, tenant)).page("/")
    first, second = page.xpath("//tbody/tr")
    assert first.xpath(".//a")
    assert not second.xpath(".//td[last()]//a")
    assert "Этот день для группы" in second.text_content()
    assert "III (B) −" in page.xpath("//*[@class='own-group']")[0].text_content()


def test_an_interval_is_told_with_its_date(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant = make.make_tenant(store)
    make.make_schedule(store, tenant, days=3)
    make.make_schedule(store, tenant, days=20)
    donor = make.make_donor(store, tenant)
    last = make.NOW.date() - dt.timedelta(days=15)  # plasma 14, blood 30: possible from 8 December
    make.make_donation(store, tenant, donor, on_date=last, kind=DonationKind.BLOOD)
    page = as_account(donor).page("/")
    closed, open_row = page.xpath("//tbody/tr")
    assert "8 декабря" in closed.text_content()
    assert open_row.xpath(".//a[contains(., 'Записаться')]")


def test_only_a_date_of_another_year_carries_its_year(client: Visitor, store: Session) -> None:
    tenant = make.make_tenant(store)
    make.make_schedule(store, tenant, date=dt.date(2026, 12, 31))
    make.make_schedule(store, tenant, date=dt.date(2027, 1, 12))
    rows = [" ".join(time.text_content().split()) for time in client.page("/").xpath("//td/time")]
    assert rows == ["чт, 31 декабря", "вт, 12 января 2027"]
    rows = [time.text_content() for time in client.page("/?lang=en").xpath("//td/time")]
    assert rows == ["Thu, 31 December", "Tue, 12 January 2027"]


def test_the_state_of_the_list_is_in_the_links(client: Visitor, store: Session) -> None:
    tenant = make.make_tenant(store)
    for days in range(1, 13):
        make.make_schedule(store, tenant, days=days)
    page = client.page(f"/?group=B&rh=minus&sort=hours&dir=desc&q={quote('сосны')}")
    [following] = page.xpath("//a[@rel='next']/@href")
    for part in ("group=B", "rh=minus", "sort=hours", "dir=desc", "page=2"):
        assert part in following
    [head] = page.xpath("//th[@aria-sort]")
    assert head.get("aria-sort") == "descending"
    assert len(client.page("/?per=25").xpath("//tbody/tr")) == 12


def test_nonsense_in_the_query_is_as_if_it_had_not_been_asked(
    client: Visitor, store: Session
) -> None:
    make.make_schedule(store, make.make_tenant(store))
    page = client.page(
        "/?group=XY&rh=%2B&date=2026-99-99&branch=1&sort=id&page=-3&per=7&page=9999999999999&type=%"
    )
    assert len(page.xpath("//tbody/tr")) in (0, 1)


def test_english_is_remembered(client: Visitor, store: Session) -> None:
    make.make_schedule(store, make.make_tenant(store))
    assert parsed(client.get("/?lang=en")).get("lang") == "en"
    page = client.page("/")
    assert page.get("lang") == "en"
    assert headings(page)[0] == "Places open for booking"
