"""Every verb and every column that can stand in the journal of changes has words, in Russian too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from admin.field_labels import UNTOLD
from admin.field_words import column_words
from admin.reports import REPORTS
from admin.words import SUBJECTS, VERBS, subject_words, verb_words
from admin.writing import Writes
from app.models import AuditEvent, Base, DonationType, Publication, StaffUser
from app.models.appointment import FIRST_NUMBER
from app.models.enums import ActorKind, PublicationStatus, Role
from app.rules import audit
from app.rules.actor import Actor
from tests import make
from tests.client import words
from tests.statements import statements

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("app/rules", "app/public", "app/jobs", "app/cli.py", "admin", "app/seeds")
CODE = re.compile(r"[a-z-]+\.[a-z_-]+")
SPELLED: dict[str, set[str]] = {
    "day.{}": {"day.paused", "day.published"},
    "{}.{}": set(),
    "profile.{}": {"profile.confirmed", "profile.refused"},
    "review.{}": {"review.published", "review.hidden"},
    "report.{}": {f"report.{name}" for name in REPORTS},
    "{}.create": {
        f"{topic}.create"
        for topic in ("department", "service", "practitioner", "reception", "specialty")
    },
    "{}.edit": {
        f"{topic}.edit"
        for topic in ("department", "service", "practitioner", "reception", "specialty")
    },
    "{}.export": set(),
    "{}.delete": set(),
}
"""Verbs put together from parts → what they come to; those of views are read from the views below."""
NEVER_A_SUBJECT = {
    "access_subject",
    "account_event",
    "account_person",
    "address_point",
    "appointment_event",
    "consent",
    "contact_proof",
    "data_archive",
    "data_archive_part",
    "district_doctor",
    "district_range",
    "donor_import_row",
    "guest",
    "heartbeat",
    "mailbox_letter",
    "notice_choice",
    "oidc_attempt",
    "one_time_link",
    "person_document",
    "practitioner_service",
    "review_answer",
    "role_assignment",
    "sign_in_refusal",
    "slot",
    "survey_address",
    "template_line",
    "throttle",
    "waiting_offer",
    "web_session",
}
"""Rows that no line of the journal is about: it is about what they belong to."""


def parsed() -> Iterator[ast.Module]:
    for name in SOURCES:
        path = ROOT / name
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            yield ast.parse(file.read_text(encoding="utf-8"))


def taking_a_verb(trees: list[ast.Module]) -> dict[str, int]:
    """Functions with a parameter ``verb`` → where it stands among what is given by place."""
    found = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [each.arg for each in node.args.args if each.arg != "self"]
                if "verb" in names:
                    found[node.name] = names.index("verb")
    return found


def said(trees: list[ast.Module]) -> Iterator[ast.expr]:
    """Everything that is given as a verb: by name, by place, or in a row to be inserted."""
    placed = taking_a_verb(trees)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from (each.value for each in node.keywords if each.arg == "verb")
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if len(node.args) > placed.get(name, 99):
                    yield node.args[placed[name]]
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "verb":
                        yield value


def verbs_of(trees: list[ast.Module]) -> tuple[set[str], set[str]]:
    """Verbs that stand in the sources as they are, and the forms of those put together."""
    whole, parts = set(), set()
    for value in said(trees):
        if isinstance(value, ast.Constant) and CODE.fullmatch(str(value.value)):
            whole.add(value.value)
        elif isinstance(value, ast.JoinedStr):
            parts.add(
                "".join(
                    str(each.value) if isinstance(each, ast.Constant) else "{}"
                    for each in value.values
                )
            )
    return whole, parts


def verbs_of_views(app) -> set[str]:
    """What the tables of the back office write by themselves."""
    found = set()
    for view in app.extensions["admin"][0]._views:
        kind = type(view)
        if not isinstance(view, Writes):
            continue
        if view.can_create and kind.create_row is Writes.create_row:
            found.add(f"{view.slug}.create")
        if view.can_edit and kind.change_row is Writes.change_row:
            found.add(f"{view.slug}.edit")
        if view.can_delete:
            found.add(f"{view.slug}.delete")
        if view.can_export:
            found.add(f"{view.slug}.export")
    return found


def test_the_search_for_verbs_finds_each_way_of_giving_one():
    source = """
def note(session, verb, row): ...
def f():
    audit.record(session, verb="a.named", subject=row)
    audit.record(session, verb=f"b.{state}", subject=row)
    note(session, "c.placed", row)
    insert({"verb": "d.inserted"})
"""
    assert verbs_of([ast.parse(source)]) == ({"a.named", "c.placed", "d.inserted"}, {"b.{}"})


def test_every_verb_has_words(app):
    whole, parts = verbs_of(list(parsed()))
    assert len(whole) > 40
    assert parts == set(SPELLED), "say in SPELLED what a new form comes to"
    every = whole | verbs_of_views(app) | set().union(*SPELLED.values())
    assert every - set(VERBS) == set()
    with app.test_request_context("/staff/?lang=ru"):
        assert [verb for verb in every if not russian(verb_words(verb))] == []


def russian(text: str) -> bool:
    return bool(re.search("[а-яё]", text, re.I)) and "_" not in text


def test_every_table_is_a_subject_with_words_or_never_one(app):
    tables = {mapper.class_.__tablename__ for mapper in Base.registry.mappers}
    assert tables - NEVER_A_SUBJECT == set(SUBJECTS)
    with app.test_request_context("/staff/?lang=ru"):
        assert [table for table in SUBJECTS if not russian(subject_words(table))] == []


def test_every_column_of_every_subject_has_words(app):
    columns = [
        (mapper.class_.__tablename__, column.key)
        for mapper in Base.registry.mappers
        for column in mapper.columns
        if mapper.class_.__tablename__ in SUBJECTS and column.key not in UNTOLD
    ]
    assert len(columns) > 150
    with app.test_request_context("/staff/?lang=ru"):
        assert [each for each in columns if not russian(column_words(*each))] == []
        assert column_words("person", "no_such_column") == "no_such_column"


# --- what a reader sees ----------------------------------------------------------------------


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


def told(store, tenant, verb, subject, changes, **more):
    row = AuditEvent(
        at=make.NOW,
        tenant_id=tenant.id,
        actor_kind=ActorKind.SYSTEM,
        verb=verb,
        subject=subject,
        changes=changes,
        **more,
    )
    store.add(row)
    store.flush()
    return row


@pytest.mark.parametrize(
    ("verb", "subject", "name", "pair", "field", "before", "after"),
    [
        (
            "policy.version",
            "booking_policy",
            "confirmation",
            ["none", "approval"],
            "Запись подтверждается",
            "сразу",
            "после утверждения",
        ),
        (
            "policy.version",
            "booking_policy",
            "valid_from",
            [None, "2026-11-30T05:00:00+00:00"],
            "Действует с",
            "—",
            "пн, 30 ноября, 8:00",
        ),
        (
            "day.places",
            "schedule",
            "date",
            ["2026-11-30", "2026-12-01"],
            "Дата",
            "пн, 30 ноября",
            "вт, 1 декабря",
        ),
        (
            "booking.approve",
            "appointment",
            "overridden",
            [None, ["interval", "code"]],
            "Утверждено вопреки проверкам",
            "—",
            "Интервал, Код донора",
        ),
        (
            "donor.phone",
            "person",
            "reason",
            [None, "doctor"],
            "Для чего",
            "—",
            "просит врач",
        ),
        (
            "staff.edit",
            "staff_user",
            "locale",
            ["ru", "en"],
            "Язык писем",
            "по-русски",
            "по-английски",
        ),
        (
            "organization.edit",
            "organization",
            "time_zone",
            ["Europe/Moscow", "Asia/Omsk"],
            "Часовой пояс",
            "Москва, UTC+3",
            "Омск, UTC+6",
        ),
        ("staff.edit", "staff_user", "full_name", ["•••", "•••"], "Имя", "•••", "•••"),
        (
            "audit.export",
            "audit_event",
            "by",
            [None, "staff"],
            "Кто",
            "—",
            "сотрудник",
        ),
        (
            "audit.export",
            "audit_event",
            "at_from",
            [None, "2026-11-20"],
            "Когда, с",
            "—",
            "пт, 20 ноября",
        ),
    ],
)
def test_values_are_said_as_people_say_them(
    store, as_staff, tenant, verb, subject, name, pair, field, before, after
):
    row = told(store, tenant, verb, subject, {name: pair})
    client = as_staff(Role.SECURITY, over=tenant.root)
    cells = client.page(f"/staff/audit/details/?id={row.id}").xpath("//table//tbody//td")
    assert [cell.text_content() for cell in cells] == [field, before, after]
    assert field in words(client.page("/staff/audit/"))


def test_keys_of_rows_become_names_and_those_of_bookings_numbers(store, as_staff, tenant):
    boss = make.make_staff(store, Role.ADMINISTRATOR, tenant.root, full_name="Тихонова Вера")
    changes = {
        "organization_id": [None, tenant.branch.id],
        "donation_type_id": [None, tenant.platelets.id],
        "reason_id": [None, tenant.reasons[0].id],
        "decided_by_id": [None, boss.id],
        "person_id": [None, 77],
        "id": [None, 5],
    }
    row = told(store, tenant, "booking.reject", "appointment", changes, subject_id=12)
    client = as_staff(Role.SECURITY, over=tenant.root)
    text = words(client.page(f"/staff/audit/details/?id={row.id}"))
    for name in ("Сосны", "Тромбоцитаферез", tenant.reasons[0].text_ru, "Тихонова Вера"):
        assert name in text
    assert "Карточка донора—№ 77" in text.replace("\u00a0", " ")
    assert f"Запись № {FIRST_NUMBER + 12}" in text.replace("\u00a0", " ")
    assert "_id" not in text


def test_rows_without_a_name_are_called_by_what_they_are_about(store, as_staff, tenant):
    day = make.make_schedule(store, tenant, days=2)
    boss = make.make_staff(store, Role.SCHEDULER, tenant.root)
    made = Publication(
        tenant_id=tenant.id,
        title="Неделя перед праздником",
        status=PublicationStatus.DRAFT,
        matrix={},
        created_at=make.NOW,
        created_by_id=boss.id,
    )
    store.add(made)
    store.flush()
    rows = {
        "schedule": (day.id, "День донации или приём: 25.11.2026, Сосны"),
        "booking_policy": (tenant.policy.id, f"Правила записи: {tenant.root.short_name}"),
        "publication": (made.id, "Публикация: Неделя перед праздником"),
        "deferral": (31, "Отвод № 31"),
    }
    for table, (key, _) in rows.items():
        told(store, tenant, "day.close", table, {}, subject_id=key)
    text = words(as_staff(Role.SECURITY, over=tenant.root).page("/staff/audit/"))
    for _, name in rows.values():
        assert name in text.replace("\u00a0", " ")


def test_many_fields_are_cut_short_in_the_list_and_whole_in_the_file(store, as_staff, tenant):
    changes = {name: [1, 2] for name in ("live_limit", "min_age", "cabinet_days", "undo_seconds")}
    changes["hold_minutes"] = [5, 6]
    told(store, tenant, "policy.version", "booking_policy", changes)
    client = as_staff(Role.SECURITY, over=tenant.root)
    text = words(client.page("/staff/audit/"))
    assert "Возраст от, лет" in text and "Выбранное место" not in text and " 2" in text
    file = client.send("/staff/audit/export/", {"format": "csv"}).get_data(as_text=True)
    assert "Выбранное место" in file


def test_a_new_row_s_line_names_no_keys_of_the_machine(store, as_staff, tenant):
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    fields = {
        "code": "gran",
        "name_ru": "Гранулоцитаферез",
        "name_en": "Granulocytes",
        "kind": "platelets",
    }
    assert client.submit("/staff/donation-types/new/", fields).status_code == 303
    made = store.scalars(select(DonationType).where(DonationType.code == "gran")).one()
    page = client.page("/staff/audit/")
    link = page.xpath("//tr[contains(., 'Добавлен тип донации')]//a/@href")[0]
    text = words(client.page(link))
    assert str(made.uid) not in text and "tenant" not in text and "Гранулоцитаферез" in text
    assert "Вид донации—Тромбоциты" in text


def test_a_field_that_says_nothing_is_left_out(store, as_staff, tenant):
    told(store, tenant, "booking.approve", "appointment", {"overridden": [None, []]})
    assert "вопреки" not in words(as_staff(Role.SECURITY, over=tenant.root).page("/staff/audit/"))


def test_a_list_of_many_lines_asks_no_more_of_the_database(store, engine, app, as_staff, tenant):
    client = as_staff(Role.SECURITY, over=tenant.root)

    def asked(url):
        with statements(app) as seen:
            client.page(url)
        return len(seen)

    def some(number):
        for at in range(number):
            changes = {
                "organization_id": [tenant.root.id, tenant.branch.id],
                "reason_id": [None, tenant.reasons[at % 2].id],
                "donation_type_id": [None, tenant.platelets.id],
            }
            told(store, tenant, "booking.reject", "appointment", changes, subject_id=at + 1)

    some(2)
    client.page("/staff/audit/")
    few = asked("/staff/audit/")
    some(40)
    assert asked("/staff/audit/") == few


def test_what_the_audit_writes_of_a_new_row_is_masked_before_it_is_shown(store, tenant):
    user = StaffUser(email="new@example.org", full_name="Новая Анна", created_at=make.NOW)
    store.add(user)
    store.flush()
    audit.record(
        store,
        verb="staff.invite",
        subject=user,
        actor=Actor(ActorKind.SYSTEM, None),
        now=make.NOW,
        tenant_id=tenant.id,
        changes=audit.changes_since({}, user),
    )
    store.flush()
    line = store.scalars(select(AuditEvent).where(AuditEvent.verb == "staff.invite")).one()
    assert line.changes["full_name"] == [None, "•••"]
