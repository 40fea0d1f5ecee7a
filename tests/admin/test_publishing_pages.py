"""The scheduler's pages: the matrix, its preview, publications."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from app.models import Publication, Schedule, Slot
from app.models.blood import EVERY_TYPE, BloodType
from app.models.enums import AppointmentStatus, PublicationStatus, Role, ScheduleStatus, Sign
from app.rules import publishing
from app.rules.matrix import Matrix
from tests import make
from tests.client import form_of, headings, parsed, words

URL = "/staff/publishing/"


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


@pytest.fixture
def scheduler(as_staff, tenant):
    return as_staff(Role.SCHEDULER, tenant.root)


def cell(tenant, blood: str) -> str:
    return f"cell-{tenant.platelets.uid.hex}-{EVERY_TYPE.index(BloodType.parse(blood))}"


def fields_of(page, **changes):
    """The matrix form as a browser would send it, with ``changes``; None empties a field."""
    fields: dict[str, list[str]] = {}
    for name, value in form_of(page).form_values():
        fields.setdefault(name, []).append(value)
    for name, value in changes.items():
        fields.pop(name, None)
        if value is not None:
            fields[name] = value
    return fields


def filled_in(tenant, **changes):
    return {
        "first": "2026-11-25",
        "last": "2026-11-29",
        "branch": [str(tenant.branch.uid)],
        "places": "3; AB−: 25",
        cell(tenant, "B-"): "7",
        cell(tenant, "AB-"): "300",
        "act": "check",
    } | changes


def fill_in(scheduler, tenant, url=f"{URL}new/", **changes):
    """Open the form, fill it in, send it."""
    fields = fields_of(scheduler.page(url), **filled_in(tenant, **changes))
    return scheduler.post(url, data=fields, follow_redirects=True)


def value(page, name: str) -> str:
    return page.xpath("//*[@name=$name]/@value", name=name)[0]


def only(store) -> Publication:
    return store.scalars(select(Publication)).one()


def test_a_matrix_is_checked_then_published(scheduler, tenant, store):
    preview = fill_in(scheduler, tenant)
    assert preview.status_code == 200
    assert "6 дней, 921 место" in words(preview)
    assert store.scalar(select(func.count()).select_from(Schedule)) == 0

    address = f"{URL}{only(store).uid}/"
    done = scheduler.submit(address, form=f"{address}publish/", follow_redirects=True)
    assert "Опубликовано: 6 дней, 921 место" in words(done)
    assert store.scalar(select(func.count()).select_from(Slot)) == 921
    days = store.scalars(select(Schedule)).all()
    assert {day.date.isoformat() for day in days} == {"2026-11-25", "2026-11-26", "2026-11-27"}


def test_a_published_day_stands_on_the_public_page(scheduler, tenant, store, client):
    fill_in(scheduler, tenant)
    address = f"{URL}{only(store).uid}/"
    scheduler.submit(address, form=f"{address}publish/")
    assert "III (B) −" in words(client.page("/"))


def test_pressing_publish_twice_makes_one_set_of_places(scheduler, tenant, store):
    fill_in(scheduler, tenant)
    address = f"{URL}{only(store).uid}/"
    fields = {"seen": value(scheduler.page(address), "seen")}
    first = scheduler.send(f"{address}publish/", fields, follow_redirects=True)
    again = scheduler.send(f"{address}publish/", fields, follow_redirects=True)
    assert "Опубликовано: 6 дней" in words(first)
    assert "тем временем вышла" in words(again)
    assert store.scalar(select(func.count()).select_from(Slot)) == 921


def test_what_does_not_fit_is_refused_with_the_arithmetic(scheduler, tenant, store):
    preview = fill_in(scheduler, tenant, places="3")
    told = words(preview)
    assert "Времен 12, мест на время 3: помещается 36, а задано 300" in told
    assert "Задайте мест на время: 25" in told
    assert "Опубликовать сейчас" not in told
    address = f"{URL}{only(store).uid}/"
    scheduler.send(f"{address}publish/")
    assert store.scalar(select(func.count()).select_from(Schedule)) == 0


@pytest.mark.parametrize(
    ("missing", "field", "sentence"),
    [
        ({"B-": "", "AB-": ""}, "places-a-day", "Места не заданы: заполните хотя бы одну ячейку."),
        ({"branch": None}, "branch", "Не выбрано подразделение."),
        ({"first": "", "last": ""}, "first", "Даты не выбраны или все исключены."),
        ({"end": "08:10"}, "end", "не помещается ни одного времени"),
    ],
)
def test_an_unfinished_matrix_is_not_checked_and_leaves_no_draft(
    scheduler, tenant, store, missing, field, sentence
):
    changes = {cell(tenant, key) if "-" in key else key: text for key, text in missing.items()}
    answer = fill_in(scheduler, tenant, title="Неделя перед праздником", **changes)
    page = parsed(answer)
    assert answer.status_code == 422
    assert sentence in words(page)
    assert page.xpath("//*[@class='summary']//a/@href") == [f"#{field}"]
    assert page.xpath(f"//*[@id='{field}']"), "the summary leads there"
    assert value(page, "title") == "Неделя перед праздником"
    assert store.scalar(select(func.count()).select_from(Publication)) == 0


def test_an_unfinished_matrix_may_be_kept_as_a_draft(scheduler, tenant, store):
    fill_in(scheduler, tenant, act="draft", **{cell(tenant, "B-"): "", cell(tenant, "AB-"): ""})
    assert only(store).status is PublicationStatus.DRAFT


def test_nothing_typed_is_lost_on_an_error(scheduler, tenant, store):
    answer = fill_in(
        scheduler,
        tenant,
        **{
            "places": "три",
            "without": "когда-нибудь",
            cell(tenant, "O+"): "9,5",
            cell(tenant, "A+"): "12",
            "title": "Ноябрь",
        },
    )
    assert answer.status_code == 422
    page = parsed(answer)
    typed = {name: value(page, name) for name in ("places", "without", "title")}
    assert typed == {"places": "три", "without": "когда-нибудь", "title": "Ноябрь"}
    assert value(page, cell(tenant, "O+")) == "9,5"
    assert value(page, cell(tenant, "A+")) == "12"
    assert value(page, cell(tenant, "AB-")) == "300"
    assert str(tenant.branch.uid) in page.xpath("//input[@name='branch'][@checked]/@value")
    links = page.xpath("//div[@role='alert']//a/@href")
    assert links == ["#without", "#places", f"#{cell(tenant, 'O+')}"]
    for link in links:
        assert page.xpath("//*[@id=$id][@aria-invalid='true']", id=link[1:])
    assert store.scalars(select(Publication)).all() == []


def test_a_half_filled_matrix_is_kept_as_a_draft(scheduler, tenant, store):
    answer = fill_in(
        scheduler,
        tenant,
        act="draft",
        first=None,
        last=None,
        branch=None,
        **{cell(tenant, "AB-"): ""},
    )
    assert "Черновик сохранён" in words(answer)
    draft = only(store)
    assert draft.status is PublicationStatus.DRAFT
    edit = scheduler.page(f"{URL}{draft.uid}/edit/")
    assert value(edit, cell(tenant, "B-")) == "7"
    assert value(edit, "places") == "3; AB−: 25"
    preview = words(scheduler.page(f"{URL}{draft.uid}/"))
    assert "Даты не выбраны" in preview
    assert "Не выбрано подразделение" in preview


def test_every_field_comes_back_when_a_draft_is_edited(scheduler, tenant, store):
    url = f"{URL}new/"
    more = scheduler.post(url, data=fields_of(scheduler.page(url), **filled_in(tenant, act="more")))
    assert value(parsed(more), cell(tenant, "AB-")) == "300"
    fields = fields_of(
        parsed(more),
        **{
            "set-0-type": str(tenant.platelets.uid),
            "set-0-total": "4",
            "set-0-places": "2",
            "set-0-blood": ["O-", "A-"],
            "set-0-kell": "-",
            "set-0-sex": "male",
            "set-0-first": "no",
            "weekday": ["2", "4"],
            "without": "27.11",
            "also": "05.12",
            "act": "draft",
        },
    )
    scheduler.post(url, data=fields)
    draft = only(store)
    before = Matrix.from_json(draft.matrix)
    assert [day.isoformat() for day in before.dates.days()] == ["2026-11-25", "2026-12-05"]
    line = before.lines[-1]
    assert (line.total, line.places_per_time, line.kell) == (4, 2, Sign.NEGATIVE)

    edit = f"{URL}{draft.uid}/edit/"
    scheduler.post(edit, data=fields_of(scheduler.page(edit), act="draft"))
    store.refresh(draft)
    assert Matrix.from_json(draft.matrix) == before


def test_two_schedulers_in_one_draft_do_not_overwrite_each_other(scheduler, tenant, store):
    fill_in(scheduler, tenant, act="draft")
    edit = f"{URL}{only(store).uid}/edit/"
    early = fields_of(scheduler.page(edit), act="draft", **{cell(tenant, "B-"): "5"})
    late = fields_of(scheduler.page(edit), act="draft", **{cell(tenant, "B-"): "6"})
    scheduler.post(edit, data=early)
    answer = scheduler.post(edit, data=late)
    assert answer.status_code == 409
    assert "Коллега тем временем изменил" in words(answer)
    assert value(parsed(answer), cell(tenant, "B-")) == "6"
    assert "5" in [str(line["total"]) for line in only(store).matrix["lines"]]


def test_what_was_checked_is_what_is_published(scheduler, tenant, store):
    fill_in(scheduler, tenant)
    address = f"{URL}{only(store).uid}/"
    seen = value(scheduler.page(address), "seen")
    edit = f"{address}edit/"
    scheduler.post(
        edit, data=fields_of(scheduler.page(edit), act="draft", title="Иначе", step="15")
    )
    answer = scheduler.send(f"{address}publish/", {"seen": seen}, follow_redirects=True)
    assert "Коллега тем временем изменил" in words(answer)
    assert store.scalar(select(func.count()).select_from(Schedule)) == 0


def test_collisions_are_listed_with_links_and_left_out(scheduler, tenant, store):
    fill_in(scheduler, tenant, **{cell(tenant, "AB-"): ""})
    address = f"{URL}{only(store).uid}/"
    scheduler.submit(address, form=f"{address}publish/")
    page = parsed(fill_in(scheduler, tenant))
    assert "3 дня уже открыты" in words(page)
    assert "3 дня, 900 мест" in words(page)
    days = store.scalars(select(Schedule)).all()
    links = page.xpath("//section[@aria-labelledby='same']//a/@href")
    assert sorted(links) == sorted(f"/staff/days/{day.uid}/" for day in days)


def test_a_matrix_is_published_at_a_set_hour(scheduler, tenant, store, clock):
    fill_in(scheduler, tenant)
    publication = only(store)
    address = f"{URL}{publication.uid}/"
    answer = scheduler.submit(
        address,
        {"date": "2026-11-24", "time": "08:00"},
        form=f"{address}schedule/",
        follow_redirects=True,
    )
    assert "вт, 24 ноября, 8:00" in words(answer)
    store.refresh(publication)
    assert publication.publish_at == dt.datetime(2026, 11, 24, 5, tzinfo=dt.UTC)
    store.commit()
    publishing.publish_due(store, now=publication.publish_at)
    assert "6 дней, 921 место" in words(scheduler.page(address))


def test_a_scheduled_publication_can_be_taken_back(scheduler, tenant, store):
    fill_in(scheduler, tenant)
    publication = only(store)
    address = f"{URL}{publication.uid}/"
    scheduler.submit(address, form=f"{address}schedule/")
    scheduler.submit(address, form=f"{address}unschedule/")
    store.refresh(publication)
    assert publication.status is PublicationStatus.DRAFT


@pytest.mark.parametrize(
    ("day", "hour", "status", "sentence"),
    [
        ("", "08:00", 422, "Введите дату и час публикации"),
        ("2026-11-24", "25:00", 422, "Введите дату и час публикации"),
        ("2026-11-22", "08:00", 409, "Час публикации должен быть впереди"),
        ("2026-11-26", "08:00", 409, "К этому часу день уже начнётся"),
    ],
)
def test_an_hour_that_cannot_be_says_why_and_keeps_what_was_typed(
    scheduler, tenant, store, day, hour, status, sentence
):
    fill_in(scheduler, tenant)
    address = f"{URL}{only(store).uid}/"
    fields = {"date": day, "time": hour, "seen": value(scheduler.page(address), "seen")}
    answer = scheduler.send(f"{address}schedule/", fields)
    assert answer.status_code == status
    assert sentence in words(answer)
    assert value(parsed(answer), "time") == hour


def test_what_could_not_be_published_at_the_hour_stands_on_the_page(
    scheduler, tenant, store, clock, as_staff
):
    fill_in(scheduler, tenant)
    address = f"{URL}{only(store).uid}/"
    scheduler.submit(address, form=f"{address}schedule/")
    clock.forward(days=2)
    publishing.publish_due(store, now=clock.now)
    scheduler = as_staff(Role.SCHEDULER, tenant.root)  # the former sign-in has ended
    told = words(scheduler.page(address))
    assert "Не удалось опубликовать 1 день" in told
    assert "ср, 25 ноября, Сосны: К этому часу день уже начнётся или пройдёт" in told
    assert "1 замечание" in words(scheduler.page(URL))


def test_a_publication_is_undone_while_nothing_is_booked(scheduler, tenant, store):
    fill_in(scheduler, tenant)
    publication = only(store)
    address = f"{URL}{publication.uid}/"
    scheduler.submit(address, form=f"{address}publish/")
    day = store.scalars(select(Schedule)).first()
    booked = make.make_appointment(store, tenant, make.make_donor(store, tenant), day)
    answer = scheduler.submit(address, form=f"{address}undo/", follow_redirects=True)
    assert "Отменить уже нельзя" in words(answer)
    assert set(store.scalars(select(Schedule.status))) == {ScheduleStatus.PUBLISHED}

    from app.rules import transitions
    from app.rules.actor import SYSTEM

    transitions.move(store, appointment_id=booked.id, event="cancel", actor=SYSTEM, now=make.NOW)
    scheduler.submit(address, form=f"{address}undo/")
    assert set(store.scalars(select(Schedule.status))) == {ScheduleStatus.CLOSED}
    store.refresh(publication)
    assert publication.status is PublicationStatus.DRAFT
    assert booked.status is not AppointmentStatus.BOOKED


def test_the_preview_names_holidays_and_days_off_and_publishes_them_all_the_same(
    scheduler, tenant, store
):
    preview = fill_in(
        scheduler, tenant, first="2026-12-30", last="2027-01-11", weekday=[str(n) for n in range(7)]
    )
    told = words(preview)
    remarks = [words(each) for each in parsed(preview).xpath("//section[h2/@id='off']//li")]
    assert remarks[0] == "чт, 31 декабря: выходной день: перенос с вс, 4 января"
    assert remarks[1] == "пт, 1 января 2027: нерабочий праздничный день: Новогодние каникулы"
    assert remarks[7] == "чт, 7 января 2027: нерабочий праздничный день: Рождество Христово"
    assert remarks[9:] == ["сб, 9 января 2027: выходной", "вс, 10 января 2027: выходной"]
    assert "11 дат — нерабочие дни" in told
    assert "Опубликовать сейчас" in told and "Сначала нужно исправить" not in told


def test_working_days_need_no_remark(scheduler, tenant, store):
    assert "нерабочие дни" not in words(fill_in(scheduler, tenant))


def test_a_copy_onto_holidays_says_so(scheduler, tenant, store):
    fill_in(scheduler, tenant, first="2026-12-21", last="2026-12-25")
    address = f"{URL}{only(store).uid}/"
    scheduler.send(f"{address}copy/")
    later = store.scalars(select(Publication).order_by(Publication.id.desc())).first()
    told = words(scheduler.send(f"{URL}{later.uid}/copy/", follow_redirects=True))
    assert "пн, 4 января 2027 (нерабочий праздничный день: Новогодние каникулы)" in told


def test_a_copy_opens_for_editing_on_later_dates(scheduler, tenant, store):
    fill_in(scheduler, tenant)
    address = f"{URL}{only(store).uid}/"
    copied = scheduler.submit(address, form=f"{address}copy/", follow_redirects=True)
    page = parsed(copied)
    assert (value(page, "first"), value(page, "last")) == ("2026-12-02", "2026-12-06")
    assert value(page, cell(tenant, "B-")) == "7"


def test_a_discarded_draft_is_gone(scheduler, tenant, store):
    fill_in(scheduler, tenant)
    address = f"{URL}{only(store).uid}/"
    scheduler.submit(f"{address}discard/")
    assert scheduler.get(address).status_code == 404
    assert "Ещё ничего не опубликовано" in words(scheduler.page(URL))


def test_the_list_has_drafts_and_published_ones(scheduler, tenant, store):
    fill_in(scheduler, tenant, title="Срочный набор")
    address = f"{URL}{only(store).uid}/"
    page = scheduler.page(URL)
    assert headings(page) == ["Публикация дней донаций", "Черновики и запланированное"]
    assert "Срочный набор" in words(page)
    scheduler.submit(address, form=f"{address}publish/")
    assert headings(scheduler.page(URL)) == ["Публикация дней донаций", "Опубликовано"]


def test_older_publications_are_on_further_pages(scheduler, tenant, store, monkeypatch):
    from app.rules import publication_list

    monkeypatch.setattr(publication_list, "PAGE", 1)
    for first in ("2026-11-25", "2026-12-01"):
        fill_in(scheduler, tenant, first=first, last=first)
        newest = store.scalars(select(Publication).order_by(Publication.id.desc())).first()
        address = f"{URL}{newest.uid}/"
        scheduler.submit(address, form=f"{address}publish/")
    page = scheduler.page(URL)
    assert "1 декабря" in words(page) and "25 ноября" not in words(page)
    (older,) = page.xpath("//a[@rel='next']/@href")
    further = scheduler.page(older)
    assert "25 ноября" in words(further) and "1 декабря" not in words(further)


@pytest.mark.parametrize(
    "act", ["", "edit/", "publish/", "schedule/", "unschedule/", "undo/", "copy/", "discard/"]
)
def test_another_organizations_publication_is_not_there(scheduler, tenant, store, as_staff, act):
    fill_in(scheduler, tenant, act="draft")
    publication = only(store)
    foreign = make.make_tenant(store, name="Чужой центр")
    stranger = as_staff(Role.SCHEDULER, foreign.root)
    address = f"{URL}{publication.uid}/{act}"
    answer = stranger.get(address) if act in ("", "edit/") else stranger.send(address)
    assert answer.status_code == 404
    assert stranger.get(f"{URL}not-a-name/{act}").status_code == 404
    store.refresh(publication)
    assert publication.status is PublicationStatus.DRAFT
    assert store.scalar(select(func.count()).select_from(Publication)) == 1


def test_a_foreign_branch_cannot_be_ticked(scheduler, tenant, store):
    foreign = make.make_tenant(store, name="Чужой центр")
    preview = fill_in(scheduler, tenant, branch=[str(foreign.branch.uid)])
    assert "Не выбрано подразделение" in words(preview)
    fill_in(scheduler, tenant, branch=[str(foreign.branch.uid)], act="draft")
    assert Matrix.from_json(only(store).matrix).organization_ids == ()
    wrong = scheduler.get(f"{URL}new/", query_string={"organization": str(foreign.root.uid)})
    assert wrong.status_code == 404


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.REGISTRAR, Role.OPERATOR, Role.ANALYST])
def test_only_schedulers_and_managers_publish(as_staff, tenant, role):
    visitor = as_staff(role, tenant.root)
    assert visitor.get(URL).status_code == 403
    assert visitor.get(f"{URL}new/").status_code == 403
    assert visitor.send(f"{URL}new/").status_code == 403


def test_the_matrix_form_survives_anything(scheduler, tenant, store):
    """Not a single refusal of the form is a crash."""
    page = scheduler.page(f"{URL}new/")
    nasty = [
        "",
        "-1",
        "1e9",
        "٣",
        "9" * 50,
        "\u202eabc",
        "99:99",
        "0000-00-00",
        "9999-12-31",
        "; : ;",
        "a" * 5000,
    ]
    names = [
        "first",
        "last",
        "start",
        "end",
        "step",
        "places",
        "without",
        "also",
        "sets",
        "title",
        "weekday",
        "branch",
        "act",
        "organization",
        cell(tenant, "O+"),
        "set-0-type",
        "set-0-total",
        "set-19-blood",
    ]
    for name in names:
        for text in nasty:
            fields = fields_of(page, **filled_in(tenant, **{name: text}))
            answer = scheduler.post(f"{URL}new/", data=fields)
            assert answer.status_code < 500, (name, text)
    for publication in store.scalars(select(Publication)):
        assert scheduler.get(f"{URL}{publication.uid}/").status_code == 200
