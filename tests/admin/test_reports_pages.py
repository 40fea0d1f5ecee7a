"""The pages of reports: the numbers as they are read, what may be asked, who may ask, and the files."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin import charts
from admin.charts import Series
from admin.report_lines import percent
from admin.reports import REPORTS
from app.models import AuditEvent, RoleAssignment
from app.models.enums import AppointmentStatus as A
from app.models.enums import Channel, Role
from app.rules import transitions
from tests import make
from tests.client import Visitor, words
from tests.statements import statements

LOAD, DECISIONS, LOSSES, CHANNELS = (
    f"/staff/reports/{name}/" for name in ("load", "decisions", "losses", "channels")
)
WEEKS = "from=2026-11-02&to=2026-11-15"


def cells(page: Any, number: int = 0) -> list[list[str]]:
    """The rows of a table, heading and total included, with plain spaces."""
    rows = page.xpath("//main//table")[number].xpath(".//tr")
    return [
        [" ".join(cell.text_content().split()) for cell in row.xpath("./th | ./td")] for row in rows
    ]


@pytest.fixture
def tenant(store: Session) -> make.Tenant:
    return make.make_tenant(store, name="Лесной центр")


@pytest.fixture
def analyst(tenant: make.Tenant, as_staff: Callable[..., Visitor]) -> Visitor:
    return as_staff(Role.ANALYST, over=tenant.root)


@pytest.fixture
def busy(store: Session, tenant: make.Tenant) -> make.Tenant:
    """Two weeks: six places with five bookings, then four without any."""
    known = make.make_donor(store, tenant)
    first = make.make_schedule(store, tenant, date=dt.date(2026, 11, 3), per_time=6, total=9)
    make.make_schedule(store, tenant, date=dt.date(2026, 11, 10), total=4)
    statuses = (A.BOOKED, A.FULFILLED, A.NOSHOW, A.PENDING, A.REJECTED, A.CANCELLED)
    rows = [make.make_appointment(store, tenant, known, first, status=each) for each in statuses]
    rows[0].decided_at = rows[0].created_at + dt.timedelta(minutes=75)
    rows[1].decided_at = rows[1].created_at + dt.timedelta(minutes=5)
    rows[2].channel = Channel.DESK
    free = [slot.id for slot in make.slots_of(store, first) if slot.status.value == "free"]
    transitions.close_free_slots(store, free[-3:])
    store.flush()
    return tenant


def test_load_says_how_many_places_are_taken_and_free(busy: make.Tenant, analyst: Visitor) -> None:
    page = analyst.page(f"{LOAD}?{WEEKS}")
    assert cells(page) == [
        ["Неделя", "Места", "Занято", "Удержано", "Свободно", "Занято и удержано, %"],
        ["2–8 нояб.", "6", "3", "1", "2", "66,7"],
        ["9–15 нояб.", "4", "0", "0", "4", "0,0"],
        ["Итого", "10", "3", "1", "6", "40,0"],
    ]
    assert "Мест: 10. Занято и удержано: 4 (40,0 %), свободно: 6." in words(page)


def test_decisions_say_by_result_and_by_reason(busy: make.Tenant, analyst: Visitor) -> None:
    page = analyst.page(f"{DECISIONS}?{WEEKS}&by=month")
    assert cells(page)[1:] == [
        ["2–15 нояб.", "6", "3", "0", "1", "0", "1", "1", "16,7", "0:03"],
        ["Итого", "6", "3", "0", "1", "0", "1", "1", "16,7", "0:03"],
    ]  # decided after 75, 5, 0 and 0 minutes: the middle ones are 0 and 5
    assert cells(page, 1) == [
        ["Причина", "Заявки", "Доля отклонённых, %"],
        [busy.reasons[0].text_ru, "1", "100,0"],
    ]


def test_losses_say_what_came_to_nothing_and_why(busy: make.Tenant, analyst: Visitor) -> None:
    page = analyst.page(f"{LOSSES}?{WEEKS}&by=type")
    assert cells(page)[1] == ["Тромбоцитаферез", "5", "0", "1", "0", "1", "0", "1", "2", "40,0"]
    assert cells(page, 1)[1:] == [
        ["Отменил записанный", "0", "0,0"],
        ["Отменили сотрудники", "1", "20,0"],
        ["Аннулированы без кода", "0", "0,0"],
        ["Неявки", "1", "20,0"],
        ["Пришли, не допущены", "0", "0,0"],
    ]


def test_the_site_s_share_is_of_the_places_taken(busy: make.Tenant, analyst: Visitor) -> None:
    page = analyst.page(f"{CHANNELS}?{WEEKS}&by=day")
    assert cells(page)[2] == ["вт, 3 ноября", "4", "3", "1", "75,0"]
    assert len(cells(page)) == 1 + 14 + 1


def test_the_chart_says_in_words_what_it_shows(busy: make.Tenant, analyst: Visitor) -> None:
    page = analyst.page(f"{LOAD}?{WEEKS}")
    (chart,) = page.xpath("//main//*[@role='img']")
    title, described = chart.xpath(".//title")[0], chart.xpath(".//desc")[0]
    assert chart.get("aria-labelledby") == title.get("id")
    assert chart.get("aria-describedby") == described.get("id")
    assert title.text == "Загрузка и свободные места, по неделям"
    assert "Больше всего: 2–8 нояб., 66,7 % из 6" in " ".join(described.text.split())
    pieces = chart.xpath(".//rect[contains(@class, 'piece')]")
    assert [piece.get("width") for piece in pieces] == ["50.0%", "16.667%", "33.333%", "66.667%"]
    assert len({piece.get("fill") for piece in pieces[:3]}) == 3


def test_without_a_wish_it_is_this_month_of_one_s_own_organization(
    busy: make.Tenant, analyst: Visitor
) -> None:
    page = analyst.page("/staff/reports/")
    assert page.xpath("//h1")[0].text_content().strip() == "Загрузка и свободные места"
    fields = page.xpath("//form[@method='get']")[0].fields
    assert (fields["from"], fields["to"], fields["by"]) == ("2026-11-01", "2026-11-30", "week")
    assert "Лесной центр, 1–30 нояб." in words(page)
    other = analyst.page(DECISIONS)
    fields = other.xpath("//form[@method='get']")[0].fields
    assert (fields["from"], fields["to"]) == ("2026-10-27", "2026-11-23")
    assert other.xpath("//a[@aria-current='true']")[0].text == "последние четыре недели"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("from=2026-11-08&to=2026-11-02", "Последняя дата раньше первой."),
        ("from=2026-01-01&to=2027-01-02", "не больше 366 дней"),
        ("from=2026-01-01&to=2026-06-01&by=day", "не больше 92 дней"),
        ("from=2026-02-30", "Введите дату так: 25.11.2026."),
        ("to=9999-12-31", "Введите дату так: 25.11.2026."),
    ],
)
def test_what_cannot_be_counted_is_refused_in_a_sentence_and_stays_in_the_form(
    analyst: Visitor, asked: str, sentence: str
) -> None:
    page = analyst.page(f"{LOAD}?{asked}", status=422)
    assert sentence in words(page)
    (where,) = page.xpath("//div[@role='alert']//a/@href")
    field = page.get_element_by_id(where[1:])
    assert field.get("aria-invalid") == "true"
    assert field.get("aria-describedby") == f"{where[1:]}-error"
    assert not page.xpath("//main//table")


def test_a_year_and_one_end_of_a_period_are_enough(analyst: Visitor) -> None:
    assert "1 янв. – 31 дек. 2028" in words(analyst.page(f"{LOAD}?from=2028-01-01&to=2028-12-31"))
    assert "2–29 нояб." in words(analyst.page(f"{LOAD}?from=02.11.2026"))
    assert "2–29 нояб." in words(analyst.page(f"{LOAD}?to=2026-11-29"))


def test_an_empty_period_says_why_and_what_next(tenant: make.Tenant, analyst: Visitor) -> None:
    for path, sentence in (
        (LOAD, "На эти дни места не опубликованы."),
        (DECISIONS, "На эти дни не было заявок"),
        (LOSSES, "На эти дни никто не был записан."),
        (CHANNELS, "На эти дни никто не занял места."),
    ):
        page = analyst.page(path)
        assert sentence in words(page) and "Выберите другие дни" in words(page)
        assert not page.xpath(
            "//main//table | //main//*[@role='img'] | //form[@method='post']//main"
        )


def test_a_report_that_is_none_is_not_found(analyst: Visitor) -> None:
    analyst.page("/staff/reports/secrets/", status=404)
    answer = analyst.send(f"{LOAD}file/", {"format": "exe"})
    assert answer.status_code == 400


# --- whose -----------------------------------------------------------------------------------


def test_doctors_and_donation_types_are_offered_where_they_are(
    store: Session, busy: make.Tenant, analyst: Visitor
) -> None:
    def offered() -> list[str]:
        return list(analyst.page(LOAD).xpath("//select[@name='by']/option/@value"))

    for place in (busy.root, busy.branch):
        place.takes_patients = False
    assert offered() == ["day", "week", "month", "branch", "type"]
    assert not analyst.page(LOAD).xpath("//select[@name='whose']")
    busy.branch.takes_patients = True
    assert offered()[4:] == ["type", "specialty", "practitioner"]
    specialty = make.make_specialty(store, name_ru="Врач-хирург")
    twin = {"family_name": "Соснов", "given_name": "Лев", "patronymic": ""}
    for code, times in (("7", ("09:00", "09:15")), ("8", ("11:00",))):
        doctor = make.make_practitioner(store, busy, code=code, **twin)
        role = make.make_role(store, busy, practitioner=doctor, specialty=specialty)
        make.make_sitting(store, role, date=dt.date(2026, 11, 12), times=times)
    by_doctor = cells(analyst.page(f"{LOAD}?{WEEKS}&by=practitioner"))
    assert [row[:2] for row in by_doctor[1:]] == [
        ["Соснов Лев (7)", "2"],
        ["Соснов Лев (8)", "1"],
        ["Итого", "3"],
    ]
    assert cells(analyst.page(f"{LOAD}?{WEEKS}&by=specialty"))[1][:2] == ["Врач-хирург", "3"]
    for whose, places in (("all", "13"), ("donors", "10"), ("patients", "3")):
        assert cells(analyst.page(f"{LOAD}?{WEEKS}&whose={whose}"))[-1][1] == places


def test_a_branch_is_counted_alone_and_others_are_not_there(
    store: Session, busy: make.Tenant, as_staff: Callable[..., Visitor], analyst: Visitor
) -> None:
    foreign = make.make_tenant(store, name="Речной центр")
    make.make_schedule(store, foreign, date=dt.date(2026, 11, 3))
    make.make_schedule(store, busy, organization=busy.root, date=dt.date(2026, 11, 3), total=3)
    by_branch = [row[:2] for row in cells(analyst.page(f"{LOAD}?{WEEKS}&by=branch"))[1:]]
    assert by_branch == [["Сосны", "10"], ["Лесной центр", "3"], ["Итого", "13"]]
    one = analyst.page(f"{LOAD}?{WEEKS}&branch={busy.branch.uid}")
    assert cells(one)[-1][1] == "10" and "Сосны, 2–15 нояб." in words(one)
    for uid in (foreign.root.uid, foreign.branch.uid):
        analyst.page(f"{LOAD}?branch={uid}", status=404)
        analyst.page(f"{LOAD}?organization={uid}", status=404)
    local = as_staff(Role.MANAGER, over=busy.branch)
    page = local.page(f"{LOAD}?{WEEKS}")
    assert cells(page)[-1][1] == "10" and not page.xpath("//select[@name='branch']")
    assert "Сосны, 2–15 нояб." in words(page)
    everywhere = as_staff(Role.ADMINISTRATOR)
    page = everywhere.page(f"{LOAD}?{WEEKS}&organization={foreign.root.uid}")
    assert cells(page)[-1][1] == "4" and "Речной центр" in words(page)
    assert len(page.xpath("//select[@name='organization']/option")) == 2
    left_over = f"{LOAD}?{WEEKS}&organization={foreign.root.uid}&branch={busy.branch.uid}"
    assert cells(everywhere.page(left_over))[-1][1] == "4"


def test_who_is_over_some_branches_only_reads_that_these_are_not_the_whole(
    store: Session, busy: make.Tenant, as_staff: Callable[..., Visitor]
) -> None:
    other = make.make_organization(store, part_of_id=busy.id, root_id=busy.id, short_name="Ели")
    user = make.make_staff(store, Role.ANALYST, busy.branch)
    user.roles.append(RoleAssignment(role=Role.ANALYST, organization_id=other.id))
    page = as_staff(user).page(f"{LOAD}?{WEEKS}")
    assert "Лесной центр (подразделения вашей роли), 2–15 нояб." in words(page)
    assert page.xpath("//select[@name='branch']/option/text()") == ["все вместе", "Ели", "Сосны"]


def test_an_installation_without_organizations_says_so(
    store: Session, as_staff: Callable[..., Visitor]
) -> None:
    page = as_staff(Role.ADMINISTRATOR).page(LOAD)
    assert "Ваши роли пока не действуют ни на одну организацию" in words(page)


@pytest.mark.one_engine("postgresql", why="SQLite has no time limit")
def test_what_takes_the_database_too_long_is_asked_for_in_smaller_pieces(
    busy: make.Tenant, analyst: Visitor, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no time limit")

    def slow(session: Session, _asked: object) -> None:
        session.execute(sa.text("SET statement_timeout = 20"))
        try:
            session.execute(sa.select(sa.func.pg_sleep(5)))
        finally:
            session.connection().invalidate()  # the limit is not the next one's

    report = dataclasses.replace(REPORTS["load"], count=slow)
    monkeypatch.setitem(REPORTS, "load", report)
    page = analyst.page(f"{LOAD}?{WEEKS}", status=422)
    assert "За отведённое время столько не сосчитать." in words(page)
    assert page.xpath("//form[@method='get']")[0].fields["from"] == "2026-11-02"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SECURITY])
def test_who_needs_no_numbers_has_no_such_entry(
    tenant: make.Tenant, as_staff: Callable[..., Visitor], role: Role
) -> None:
    visitor = as_staff(role, over=tenant.root)
    assert "Отчёты" not in words(visitor.page("/staff/"))
    visitor.page(LOAD, status=403)


# --- files -----------------------------------------------------------------------------------


def test_a_csv_holds_the_numbers_of_the_page_and_is_written_down(
    store: Session, busy: make.Tenant, analyst: Visitor
) -> None:
    answer = analyst.submit(f"{LOAD}?{WEEKS}", {}, form=f"{LOAD}file/")
    assert answer.status_code == 400  # neither button was pressed
    form = {"from": "2026-11-02", "to": "2026-11-15", "format": "csv"}
    answer = analyst.send(f"{LOAD}file/", form)
    assert answer.headers["Content-Disposition"].endswith('"load_2026-11-02_2026-11-15.csv"')
    text = answer.get_data().decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text), delimiter=";")) == [
        ["Первая дата", "Последняя дата", "Места", "Занято", "Удержано", "Свободно", "Занято и удержано, %"],
        ["2026-11-02", "2026-11-08", "6", "3", "1", "2", "66,7"],
        ["2026-11-09", "2026-11-15", "4", "0", "0", "4", "0,0"],
        ["Итого", "", "10", "3", "1", "6", "40,0"],
    ]  # fmt: skip
    line = store.scalars(select(AuditEvent).where(AuditEvent.verb == "report.load")).one()
    assert (line.subject, line.subject_id) == ("organization", busy.id)
    assert line.changes == {"first_day": [None, "2026-11-02"], "last_day": [None, "2026-11-15"]}


def test_a_workbook_has_a_page_for_each_table_and_text_stays_text(
    store: Session, busy: make.Tenant, analyst: Visitor
) -> None:
    busy.reasons[0].text_ru = "=1+1"
    busy.branch.short_name = "@Сосны"
    form = {"from": "2026-11-02", "to": "2026-11-15", "by": "branch", "format": "xlsx"}
    answer = analyst.send(f"{DECISIONS}file/", form)
    book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
    main, why = book.worksheets
    assert (main.title, why.title) == ("Решения по заявкам", "Почему заявки отклонены")
    assert [cell.value for cell in main[2]] == ["@Сосны", 6, 3, 0, 1, 0, 1, 1, 16.7, 3]
    assert main["J1"].value == "Половина решена за, мин"
    assert (why["A2"].value, why["A2"].data_type) == ("=1+1", "s")
    answer = analyst.send(f"{DECISIONS}file/", form | {"format": "csv"})
    assert "'@Сосны" in answer.get_data(as_text=True) and "'=1+1" in answer.get_data(as_text=True)


def test_a_file_of_nothing_or_of_too_much_is_the_page_with_its_sentence(
    tenant: make.Tenant, analyst: Visitor
) -> None:
    answer = analyst.send(f"{LOAD}file/", {"format": "csv"})
    assert answer.status_code == 200 and "места не опубликованы" in words(answer)
    wide = {"from": "2020-01-01", "to": "2026-01-01", "format": "csv"}
    answer = analyst.send(f"{LOAD}file/", wide)
    assert answer.status_code == 422 and "не больше 366 дней" in words(answer)


# --- how it is made ----------------------------------------------------------------------------


def test_more_lines_and_bookings_are_no_more_statements(
    store: Session, busy: make.Tenant, analyst: Visitor, app: Any
) -> None:
    def count(path: str) -> int:
        analyst.page(path)
        with statements(app) as asked:
            analyst.page(path)
        return len([each for each in asked if not each.startswith("BEGIN")])

    paths = [f"{path}?{WEEKS}&by=type" for path in (LOAD, DECISIONS, LOSSES, CHANNELS)]
    few = [count(path) for path in paths]
    known = make.make_donor(store, busy)
    for kind in busy.types:
        day = make.make_schedule(store, busy, kind=kind, date=dt.date(2026, 11, 5), per_time=6)
        for status in (A.BOOKED, A.REJECTED, A.CANCELLED):
            make.make_appointment(store, busy, known, day, status=status)
    assert [count(path) for path in paths] == few


@pytest.mark.parametrize(
    ("part", "of", "share"), [(1, 16, 6.3), (1, 3, 33.3), (2, 3, 66.7), (3, 3, 100.0), (0, 9, 0.0)]
)
def test_shares_have_one_decimal_place(part: int, of: int, share: float) -> None:
    assert percent(part, of) == share
    assert percent(0, 0) is None


def test_bars_are_as_long_as_their_numbers_and_no_more_than_can_be_read() -> None:
    series = (Series("Занято", "solid"), Series("Свободно", "blank"))
    lines = [("1", "", (1, 3)), ("2", "", (0, 0)), *[(str(n), "", (0, 2)) for n in range(80)]]
    chart = charts.draw("x", title="", description="", series=series, lines=lines)
    first, second, third = chart.bars[:3]
    assert [(piece.start, piece.length) for piece in first.pieces] == [(0, 25), (25, 75)]
    assert second.pieces == ()
    assert [(piece.series.shade, piece.length) for piece in third.pieces] == [("blank", 50)]
    assert (len(chart.bars), chart.hidden, chart.height) == (60, 22, 180)
