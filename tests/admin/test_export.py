"""Files: nothing in them runs, everything asked for is in them, and taking one away is written down."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest
from sqlalchemy import select

from admin import export, listing
from admin.export import safe_cell
from admin.views.audit import AuditView
from app.models import AuditEvent
from app.models.enums import ActorKind, Role
from tests import make

HOSTILE = [
    '=HYPERLINK("http://evil.example")',
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "\u00a0=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "=cmd|' /C calc'!A0",
    "\n=1",
    "'=1",
    '"=1',
    ";=1",
    "=1;2",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_begins_a_formula(text):
    assert (
        safe_cell(text).lstrip(" \u00a0\n\"';")[:1] not in "=+-@\t\r＝＋－＠"
        or safe_cell(text)[0] in "'\";"
    )
    line = io.StringIO()
    csv.writer(line, delimiter=";").writerow([safe_cell(text)])
    (cell,) = next(csv.reader(io.StringIO(line.getvalue()), delimiter=";"))
    assert cell[:1] not in "=+-@\t\r＝＋－＠"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+7 900 123-45-67", "'+7 900 123-45-67"),
        (-5, -5),
        ("обычный", "обычный"),
        (None, None),
        ("a\x00b", "ab"),
    ],
)
def test_what_is_harmless_stays_readable(value, shown):
    assert safe_cell(value) == shown


def event(tenant, verb):
    return AuditEvent(
        at=make.NOW,
        tenant_id=tenant.id,
        actor_kind=ActorKind.SYSTEM,
        verb=verb,
        subject="organization",
        changes={},
    )


@pytest.fixture
def journal(store, as_staff):
    tenant = make.make_tenant(store)
    for text in HOSTILE:
        store.add(event(tenant, text[:40]))
    return tenant, as_staff(Role.ADMINISTRATOR, over=tenant.root)


def test_a_csv_opens_in_excel_with_its_letters(journal):
    _, client = journal
    response = client.send("/staff/audit/export/", {"format": "csv"})
    assert response.data.startswith(b"\xef\xbb\xbf")
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(response.data.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:2] == ["Когда", "Что сделано"]
    assert len(rows) == len(HOSTILE) + 2  # the heading, and the line about this very file
    assert not [cell for row in rows for cell in row if cell[:1] and cell[0] in "=+-@\t\r"]


def test_an_xlsx_holds_texts_and_no_formula(journal):
    _, client = journal
    response = client.send("/staff/audit/export/", {"format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(response.data)).active
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert any(cell.value == "=1+1" for cell in cells)  # as typed: text cannot run


def test_a_file_is_written_down_before_it_leaves(journal, store):
    tenant, client = journal
    client.send("/staff/audit/export/", {"format": "csv", "by": "system"})
    (line,) = store.scalars(select(AuditEvent).where(AuditEvent.verb == "audit.export")).all()
    assert (line.tenant_id, line.changes) == (tenant.id, {"by": [None, "system"]})


def test_a_file_is_a_post_with_a_right_of_its_own(journal, monkeypatch):
    _, client = journal
    assert client.get("/staff/audit/export/").status_code == 405
    assert client.post("/staff/audit/export/", data={"format": "csv"}).status_code == 400
    assert client.send("/staff/audit/export/", {"format": "exe"}).status_code == 400
    monkeypatch.setattr(AuditView, "export_permission", "access.export")
    assert client.send("/staff/audit/export/", {"format": "csv"}).status_code == 403
    assert "CSV" not in client.get("/staff/audit/").get_data(as_text=True)


def test_a_file_has_a_cap_and_is_fetched_by_key(journal, monkeypatch):
    _, client = journal
    monkeypatch.setattr(export, "MOST_ROWS", 7)
    monkeypatch.setattr(export, "BATCH", 3)
    fetched = []
    whole = listing.walk

    def watched(view, asked, batch):
        for row in whole(view, asked, batch):
            fetched.append(row)
            yield row

    monkeypatch.setattr(listing, "walk", watched)
    response = client.send("/staff/audit/export/", {"format": "csv"})
    assert response.data.decode().count("\r\n") == 7 + 1
    assert len(fetched) <= 7


def test_a_file_holds_what_the_filter_shows_of_one_s_own(journal, store):
    _, client = journal
    other = make.make_tenant(store, name="Дальний центр")
    store.add(event(other, "чужое"))
    text = client.send("/staff/audit/export/", {"format": "csv"}).data.decode()
    assert "чужое" not in text
    nothing = client.send(
        "/staff/audit/export/", {"format": "csv", "at_from": "2030-01-01"}
    ).data.decode()
    assert nothing.count("\r\n") == 1


def test_a_long_file_keeps_nobody_from_writing(journal, monkeypatch, new_session):
    """SQLite has one writer: while rows are read out, another one commits."""
    tenant, client = journal
    whole = listing.walk

    def walk(view, asked, batch):
        for number, row in enumerate(whole(view, asked, batch)):
            if number == 3:
                beside = new_session()
                beside.add(event(tenant, "рядом"))
                beside.commit()
            yield row

    monkeypatch.setattr(listing, "walk", walk)
    assert client.send("/staff/audit/export/", {"format": "csv"}).status_code == 200
