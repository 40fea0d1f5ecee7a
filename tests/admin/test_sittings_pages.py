"""The pages of templates, practitioners' schedules, exceptions and the grid."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from app.models import Publication, Schedule, ScheduleException, ScheduleTemplate, Slot
from app.models.enums import (
    AppointmentStatus,
    Channel,
    PublicationKind,
    PublicationStatus,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from tests import make
from tests.client import words
from tests.statements import statements

TEMPLATES, SITTINGS, ABSENCES, GRID = (
    f"/staff/{slug}/" for slug in ("templates", "sittings", "absences", "grid")
)


@pytest.fixture
def tenant(store):
    return make.make_polyclinic(store)


@pytest.fixture
def scheduler(as_staff, tenant):
    return as_staff(Role.SCHEDULER, tenant.root)


@pytest.fixture
def role(store, tenant):
    return make.make_role(store, tenant, department=make.make_department(store, tenant))


def make_template(scheduler, tenant, **changes):
    fields = {
        "title": "Терапевт, первая смена",
        "line-0-day": ["1", "2", "3", "4", "5"],
        "line-0-start": "09:00",
        "line-0-end": "12:00",
        "line-0-step": "20",
    } | changes
    url = f"{TEMPLATES}new/?organization={tenant.branch.uid}"
    page = scheduler.page(url)
    found = {}
    for name, value in page.forms[-1].form_values():
        found.setdefault(name, []).append(value)
    found.update({name: value for name, value in fields.items() if value is not None})
    return scheduler.post(url, data=found, follow_redirects=True)


def plan(scheduler, store, *roles, first="2026-11-30", last="2026-12-06", **changes):
    template = store.scalars(select(ScheduleTemplate)).one()
    url = f"{SITTINGS}new/?template={template.uid}"
    fields = {"first": first, "last": last, "role": [str(role.uid) for role in roles]} | changes
    token = scheduler.token(url)
    return scheduler.post(url, data={"csrf_token": token, **fields}, follow_redirects=True)


def address(store):
    row = store.scalars(select(Publication).order_by(Publication.id.desc()).limit(1)).one()
    return f"{SITTINGS}{row.uid}/"


def published(scheduler, store, tenant, *roles, **changes):
    make_template(scheduler, tenant)
    plan(scheduler, store, *roles, **changes)
    url = address(store)
    return scheduler.submit(url, form=f"{url}publish/", follow_redirects=True)


def count(store, model, *conditions):
    return store.scalar(select(func.count()).select_from(model).where(*conditions))


def test_a_template_is_made_previewed_published_and_undone(scheduler, store, tenant, role):
    done = make_template(scheduler, tenant)
    assert done.status_code == 200 and "Терапевт, первая смена" in words(done)
    preview = plan(scheduler, store, role)
    text = words(preview)
    assert "5 приёмов, 45 талонов" in text and "Еловая Марта Сергеевна" in text
    assert count(store, Schedule) == 0
    url = address(store)
    done = scheduler.submit(url, form=f"{url}publish/", follow_redirects=True)
    assert "Опубликовано: 5 приёмов, 45 талонов" in words(done)
    assert count(store, Slot) == 45
    assert store.scalars(select(Publication)).one().kind is PublicationKind.PATIENTS
    done = scheduler.submit(url, form=f"{url}undo/", follow_redirects=True)
    assert "снова черновик" in words(done)
    assert count(store, Slot, Slot.status != SlotStatus.CLOSED) == 0
    done = scheduler.submit(url, form=f"{url}publish/", follow_redirects=True)
    assert count(store, Slot, Slot.status == SlotStatus.FREE) == 45


def test_rows_of_the_editor_come_and_go_without_scripts(scheduler, store, tenant):
    more = make_template(scheduler, tenant, act="more")
    assert "line-1-start" in more.get_data(as_text=True) and count(store, ScheduleTemplate) == 0
    again = make_template(
        scheduler,
        tenant,
        rows="2",
        act="drop-0",
        **{
            "line-1-day": ["6"],
            "line-1-start": "10:00",
            "line-1-end": "11:00",
            "line-1-step": "30",
        },
    )
    text = again.get_data(as_text=True)
    assert "line-1-start" not in text and 'value="10:00"' in text


def test_a_fault_stands_at_its_field_and_what_was_typed_stays(scheduler, store, tenant):
    answer = make_template(scheduler, tenant, **{"line-0-end": "12:10"})
    assert answer.status_code == 422
    text = words(answer)
    assert "12:10" in answer.get_data(as_text=True) and "закончите строку в 12:00" in text.lower()
    assert 'id="line-0-end-error"' in answer.get_data(as_text=True)
    assert count(store, ScheduleTemplate) == 0


def test_a_second_row_that_overlaps_is_told_by_the_row(scheduler, store, tenant):
    answer = make_template(
        scheduler,
        tenant,
        rows="2",
        **{
            "line-1-day": ["3"],
            "line-1-start": "11:00",
            "line-1-end": "13:00",
            "line-1-step": "30",
        },
    )
    assert answer.status_code == 422 and "со строкой 1" in words(answer)


def test_the_same_page_in_english(scheduler, store, tenant, role):
    published(scheduler, store, tenant, role)
    for url, text in (
        (TEMPLATES, "Templates of schedules"),
        (f"{TEMPLATES}new/", "Add a line"),
        (SITTINGS, "Practitioners' schedules"),
        (address(store), "What was made"),
        (f"{SITTINGS}week/", "Copy a week"),
        (ABSENCES, "Absences and closed days"),
        (GRID, "Schedule grid"),
        (f"{GRID}day/?role={role.uid}&date=2026-11-30", "Open to the site"),
    ):
        assert text in words(scheduler.page(f"{url}{'&' if '?' in url else '?'}lang=en")), url


def test_without_a_practitioner_the_form_comes_back(scheduler, store, tenant, role):
    make_template(scheduler, tenant)
    answer = plan(scheduler, store)
    assert answer.status_code == 422 and "хотя бы одного врача" in words(answer)
    assert count(store, Publication) == 0


def test_it_is_published_at_a_set_hour(scheduler, store, tenant, role, clock):
    make_template(scheduler, tenant)
    plan(scheduler, store, role)
    url = address(store)
    data = {"date": "2026-11-24", "time": "08:00"}
    scheduler.submit(url, data, form=f"{url}schedule/")
    row = store.scalars(select(Publication)).one()
    assert row.status is PublicationStatus.SCHEDULED and count(store, Schedule) == 0


def test_a_week_is_copied_to_later_ones(scheduler, store, tenant, role):
    published(scheduler, store, tenant, role)
    url = f"{SITTINGS}week/?organization={tenant.branch.uid}"
    data = {
        "csrf_token": scheduler.token(url),
        "organization": str(tenant.branch.uid),
        "week": "2026-12-02",
        "to": "2026-12-09",
        "weeks": "2",
        "role": str(role.uid),
    }
    answer = scheduler.post(url, data=data, follow_redirects=True)
    assert "10 приёмов, 90 талонов" in words(answer)
    page = address(store)
    scheduler.submit(page, form=f"{page}publish/")
    assert count(store, Slot, Slot.status == SlotStatus.FREE) == 135
    empty = scheduler.post(url, data=data | {"week": "2027-03-01", "to": "2027-04-01"})
    assert empty.status_code == 409 and "ничего не опубликовано" in words(empty)


def test_an_absence_closes_what_is_free_and_lists_who_is_booked(scheduler, store, tenant, role):
    published(scheduler, store, tenant, role)
    day = store.scalars(
        select(Schedule).where(Schedule.date == dt.date(2026, 12, 1), Schedule.role_id == role.id)
    ).one()
    known = make.make_donor(store, tenant)
    make.make_appointment(store, tenant, known, day, status=AppointmentStatus.BOOKED)
    data = {"whom": str(role.uid), "first": "2026-12-01", "last": "2026-12-02", "reason": "учёба"}
    answer = scheduler.submit(ABSENCES, data, form="new", follow_redirects=True)
    text = words(answer)
    assert "17 свободных талонов закрыто" in text and "Соснова" in text
    row = store.scalars(select(ScheduleException)).one()
    assert count(store, Slot, Slot.status == SlotStatus.BUSY) == 1
    assert store.get(Schedule, day.id).status is ScheduleStatus.PAUSED
    grid = words(scheduler.page(f"{GRID}?week=2026-12-01"))
    assert "учёба" in grid
    url = f"{ABSENCES}{row.uid}/"
    scheduler.submit(url, form=f"{url}remove/")
    assert store.get(Schedule, day.id).status is ScheduleStatus.PUBLISHED
    assert count(store, ScheduleException) == 0


def test_undo_is_refused_while_somebody_is_booked(scheduler, store, tenant, role):
    published(scheduler, store, tenant, role)
    day = store.scalars(select(Schedule)).first()
    make.make_appointment(store, tenant, make.make_donor(store, tenant), day)
    url = address(store)
    answer = scheduler.submit(url, form=f"{url}undo/", follow_redirects=True)
    assert "нельзя" in words(answer)
    assert count(store, Slot, Slot.status == SlotStatus.CLOSED) == 0


def test_the_grid_says_each_state_in_words(scheduler, as_staff, store, tenant, role):
    sitting = make.make_sitting(store, role, times=("09:00", "09:15", "09:30", "09:45"))
    slots = make.slots_of(store, sitting)
    known = make.make_donor(store, tenant)
    make.make_appointment(
        store, tenant, known, sitting, slot=slots[0], status=AppointmentStatus.BOOKED
    )
    slots[1].channel = Channel.DESK
    page = words(as_staff(Role.REGISTRAR, tenant.branch).page(GRID))
    for text in (
        "свободно 3 из 4",
        "свободно: 9:30 9:45",
        "только регистратура: 9:15",
        "занято: 9:00",
    ):
        assert text in page, text


def test_the_grid_asks_as_much_for_many_as_for_one(scheduler, store, tenant, role, app):
    make.make_sitting(store, role)
    store.commit()

    def queries():
        with statements(app) as asked:
            scheduler.page(GRID)
        return len(asked)

    few = queries()
    for _ in range(8):
        make.make_sitting(store, make.make_role(store, tenant))
    store.commit()
    assert queries() == few


def test_free_times_are_closed_given_back_and_opened_to_the_site(scheduler, store, tenant, role):
    sitting = make.make_sitting(store, role)
    slots = make.slots_of(store, sitting)
    date = sitting.date.isoformat()

    def act(what, *picked):
        url = f"{GRID}day/?role={role.uid}&date={date}"
        data = {
            "csrf_token": scheduler.token(url),
            "role": str(role.uid),
            "date": date,
            "act": what,
            "pick": [str(slot.uid) for slot in picked],
        }
        answer = scheduler.post(f"{GRID}day/", data=data, follow_redirects=True)
        return words(answer)

    act("close", slots[0])
    assert make.slots_of(store, sitting)[0].status is SlotStatus.CLOSED
    act("reopen", slots[0])
    assert make.slots_of(store, sitting)[0].status is SlotStatus.FREE
    act("desk", slots[0], slots[1])
    assert [slot.channel for slot in make.slots_of(store, sitting)][:2] == [Channel.DESK] * 2
    act("web", slots[1])
    assert make.slots_of(store, sitting)[1].channel is Channel.WEB
    assert "хотя бы одно время" in act("close")


def test_a_registrar_reads_the_grid_and_changes_nothing(as_staff, store, tenant, role):
    sitting = make.make_sitting(store, role)
    registrar = as_staff(Role.REGISTRAR, tenant.root)
    url = f"{GRID}day/?role={role.uid}&date={sitting.date}"
    assert "Открыть для записи на сайте" not in words(registrar.page(url))
    data = {"role": str(role.uid), "date": str(sitting.date), "act": "close"}
    assert registrar.send(f"{GRID}day/", data).status_code == 403


@pytest.mark.parametrize(
    "url",
    [
        f"{GRID}?week=abc",
        f"{GRID}?week=0001-01-01",
        f"{GRID}?week=9999-12-31",
    ],
)
def test_a_strange_week_is_this_week(scheduler, tenant, role, url):
    assert "Еловая" in words(scheduler.page(url))


def test_strange_names_are_not_found(scheduler, tenant, role):
    for url in (
        f"{GRID}?branch={make.NOBODYS_UID}",
        f"{GRID}day/?role={make.NOBODYS_UID}",
        f"{GRID}day/",
        f"{SITTINGS}new/?template={make.NOBODYS_UID}",
        f"{SITTINGS}{make.NOBODYS_UID}/",
        f"{TEMPLATES}{make.NOBODYS_UID}/",
        f"{ABSENCES}{make.NOBODYS_UID}/",
    ):
        scheduler.page(url, status=404)


def test_no_donor_page_shows_or_breaks_on_a_practitioner_s_schedule(
    scheduler, client, as_staff, store, tenant, role
):
    """Donor days and sittings of one organization side by side."""
    tenant.branch.takes_donors = True
    make.make_schedule(store, tenant)
    published(scheduler, store, tenant, role)
    sitting = store.scalars(select(Schedule).where(Schedule.role_id.is_not(None))).first()
    row = store.scalars(select(Publication)).one()
    for url in ("/staff/days/", "/staff/publishing/", "/staff/", "/staff/pauses/", "/"):
        text = words((client if url == "/" else scheduler).page(url))
        assert "Еловая" not in text and "Терапевт" not in text, url
    for url in (
        f"/staff/days/{sitting.uid}/",
        f"/staff/publishing/{row.uid}/",
        f"/places/{sitting.uid}",
    ):
        answer = (client if url.startswith("/places") else scheduler).get(url)
        assert answer.status_code == 404, url
    scheduler.page("/staff/publishing/new/")


def test_a_large_publication_shows_how_far_it_is(scheduler, tenant, store, role, monkeypatch):
    """The request makes some of it, the page tells how much, the job makes the rest."""
    from admin import publications
    from app.rules import large_publishing, publishing

    monkeypatch.setattr(publishing, "LARGE", 20)
    monkeypatch.setattr(large_publishing, "PORTION", 10)
    monkeypatch.setattr(publications, "PATIENCE", 0.0)
    make_template(scheduler, tenant)
    template = store.scalars(select(ScheduleTemplate)).one()
    url = f"{SITTINGS}new/?template={template.uid}"
    fields = {"role": [str(role.uid)], "first": "2026-11-30", "last": "2026-12-04"}
    answer = scheduler.submit(url, fields, form="")
    page_url = answer.location
    scheduler.submit(page_url, form=f"{page_url}publish/")
    publication = store.scalars(select(Publication)).one()
    assert publication.status is PublicationStatus.PUBLISHING
    page = scheduler.page(page_url)
    assert page.xpath("//progress/@max") == ["45"]
    assert page.xpath("//script[contains(@src,'progress')]")
    assert "Готово: 0 из 45." in words(page)
    assert "Публикуется" in words(scheduler.page(SITTINGS))
    assert scheduler.get(f"{page_url}edit/").status_code == 303
    run = large_publishing.Run(publication.id)
    for _ in range(3):
        run.step(store, now=make.NOW)
    assert "Готово: 18 из 45." in words(scheduler.page(page_url))
    while run.step(store, now=make.NOW):
        pass
    assert "Что создано" in words(scheduler.page(page_url)) or publication.status is PublicationStatus.PUBLISHED  # fmt: skip


def test_a_large_publication_can_be_stopped(scheduler, tenant, store, role, monkeypatch):
    from admin import publications
    from app.rules import publishing

    monkeypatch.setattr(publishing, "LARGE", 20)
    monkeypatch.setattr(publications, "PATIENCE", 0.0)
    make_template(scheduler, tenant)
    template = store.scalars(select(ScheduleTemplate)).one()
    fields = {"role": [str(role.uid)], "first": "2026-11-30", "last": "2026-12-04"}
    page_url = scheduler.submit(f"{SITTINGS}new/?template={template.uid}", fields).location
    scheduler.submit(page_url, form=f"{page_url}publish/")
    told = words(scheduler.submit(page_url, form=f"{page_url}stop/", follow_redirects=True))
    assert "публикация снова стала черновиком" in told or "черновик" in told.lower()
    assert store.scalars(select(Publication.status)).one() is PublicationStatus.DRAFT
