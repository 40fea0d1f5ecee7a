"""Export is complete, erasing leaves no mark (N15): tested over every table, also over ones to come."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from app.documents import own_data as paper
from app.models import AccountEvent, AuditEvent, WebSession
from app.models.cabinet_choices import OfferStatus, WaitingStatus
from app.models.enums import AppointmentStatus as A
from app.models.enums import SlotStatus
from app.models.personal import PERSONAL
from app.rules import erasing, own_data
from app.rules.invariants import check_invariants
from tests import make
from tests.make import NOW
from tests.rules.own_rows import MARK, Filled, everything
from tests.waiting import make_offer

PERSONAL_COLUMNS = sorted(
    (table, column)
    for table, columns in PERSONAL.items()
    for column, kind in columns.items()
    if kind != "plain" and table not in own_data.NOT_HERE
)
KEPT = {
    ("person", "family_name"), ("person", "given_name"), ("person", "patronymic"),
    ("person", "search_name"), ("person_document", "number"), ("donor", "donor_code"),
    ("deferral", "reason"), ("donation", "note"), ("donor_record", "code"),
    ("donor_record", "family_name"), ("donor_record", "given_name"), ("donor_record", "patronymic"),
    ("donor_record", "search_name"), ("donor_record", "filled"), ("consent", "sha256"),
    ("donor_import_row", "code"), ("donor_import_row", "reason"), ("donor_import_row", "values"),
    ("donor_import_row", "changes"), ("donor_import", "file_name"), ("donor_import", "sha256"),
    ("donor_import", "summary"), ("donor_import", "affected"),
}  # fmt: skip
"""What the law makes an organization keep of a card with a medical history (app/data/retention.json)."""
OF_OTHERS = {
    ("survey_question", "text_ru"), ("survey_question", "text_en"),
    ("feedback", "question"), ("feedback", "answer"), ("feedback", "name"), ("feedback", "phone"),
    ("feedback", "email"), ("consent", "sha256"),
}  # fmt: skip
"""Staff's own words, and letters to the organization, which have a term of their own."""


def test_every_personal_column_is_in_the_export_or_named_as_not_ones_own(session: Session) -> None:
    models = own_data.models()
    missing = []
    for table, column in PERSONAL_COLUMNS:
        if table not in models or column not in own_data.fields(models[table]):
            missing.append(f"{table}.{column}")
    assert missing == []


def test_a_new_table_about_an_account_cannot_be_forgotten() -> None:
    tables = {table for table, _ in PERSONAL_COLUMNS}
    assert tables <= set(own_data.models())
    assert not set(own_data.NOT_HERE) & set(own_data.models())


def test_the_archive_names_everything_in_both_languages() -> None:
    words = paper.words()
    for name, cls in own_data.models().items():
        assert len(words["tables"][name]) == 2
        for column, field in own_data.fields(cls).items():
            said = own_data.ORGANIZATIONS.get(column, field)
            assert len(words["fields"][said]) == 2, f"{name}.{field}"


def test_the_archive_holds_every_mark_and_no_secret(session: Session, app: Any) -> None:
    filled = Filled(session, medical=True)
    with app.test_request_context():
        paper.write(
            body := io.BytesIO(),
            own_data.collect(session, account=filled.account),
            own_data.files(session, account=filled.account),
            now=NOW,
        )
    with zipfile.ZipFile(body) as packed:
        (copy,) = (
            row["content"]
            for row in json.loads(packed.read(paper.JSON_NAME))["tables"]["medical_document"]
        )
        assert MARK in packed.read(copy).decode()
        told = json.loads(packed.read(paper.JSON_NAME))
        page = packed.read(paper.PAGE_NAME).decode()
    for table, column in PERSONAL_COLUMNS:
        if table in ("guest",):
            continue
        rows = told["tables"][table]
        assert rows, table
        name = own_data.fields(own_data.models()[table])[column]
        if PERSONAL[table][column] == "secret" or column.endswith("_index"):
            assert all(row[name] in (own_data.SECRET, None) for row in rows), f"{table}.{name}"
        else:
            assert any(row[name] for row in rows), f"{table}.{name}"
    assert filled.account.phone in page and MARK in page


def test_nobody_elses_rows_are_in_it(session: Session) -> None:
    filled = Filled(session, medical=True)
    other = make.make_donor(session, filled.tenant, family_name="Чужая")
    told = json.dumps(
        [t.rows for t in own_data.collect(session, account=other.account)], ensure_ascii=False
    )
    assert MARK not in told and "Чужая" in told


def erased(session: Session, *, medical: bool) -> tuple[Filled, set[tuple[str, str]]]:
    filled = Filled(session, medical=medical)
    session.flush()
    before = {(t, c) for t, c, text in everything(session) if MARK in text}
    assert len(before) > 40
    erasing.erase(session, account=filled.account, now=NOW)
    session.flush()
    session.expire_all()
    return filled, {(t, c) for t, c, text in everything(session) if MARK in text}


def test_nothing_is_left_of_a_cabinet_whose_card_no_law_keeps(session: Session) -> None:
    filled, left = erased(session, medical=False)
    assert left - OF_OTHERS == set()
    assert filled.person.full_name == "" and filled.account.erased_at == NOW


def test_of_a_card_with_a_medical_history_only_what_the_law_keeps_is_left(
    session: Session,
) -> None:
    filled, left = erased(session, medical=True)
    assert left - OF_OTHERS - KEPT == set()
    assert ("person", "family_name") in left
    assert erasing.kept_by(session, account=filled.account) == [filled.tenant.root]


def test_bookings_ahead_are_cancelled_and_nobody_signs_in_any_more(session: Session) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    day = make.make_schedule(session, tenant)
    booked = make.make_appointment(session, tenant, donor, day, status=A.BOOKED)
    booked.undo_until = None
    session.flush()
    assert erasing.ahead(session, account=donor.account) == 1
    erasing.erase(session, account=donor.account, now=NOW)
    session.flush()
    session.refresh(booked)
    assert booked.status is A.CANCELLED
    assert donor.account.email is None and not donor.account.is_active
    for table in (WebSession, AccountEvent):
        assert session.scalars(select(table)).all() == []
    last = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
    assert (last.verb, last.subject_id, last.changes) == ("account.erase", donor.account.id, {})


def test_the_address_is_free_for_a_new_cabinet(session: Session) -> None:
    donor = make.make_donor(session, make.make_tenant(session), email="snova@example.org")
    erasing.erase(session, account=donor.account, now=NOW)
    session.flush()
    assert make.make_account(session, email="snova@example.org").id != donor.account.id


@pytest.mark.parametrize("cls", own_data.models().values(), ids=lambda c: c.__tablename__)
def test_columns_are_attributes_by_the_same_name(cls: type[Any]) -> None:
    assert {c.name for c in inspect(cls).columns} <= {a.key for a in inspect(cls).column_attrs}


def test_a_place_offered_to_a_deleted_account_is_free_at_once(session: Session) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    day = make.make_schedule(session, tenant)
    kept = make.make_appointment(session, tenant, donor, day, status=A.HELD)
    offer = make_offer(session, tenant, donor, kept)
    erasing.erase(session, account=donor.account, now=NOW)
    session.flush()
    session.expire_all()
    assert (kept.status, kept.slot.status) == (A.RELEASED, SlotStatus.FREE)
    assert (offer.status, offer.entry.status) == (OfferStatus.DECLINED, WaitingStatus.LEFT)
    assert check_invariants(session, now=NOW) == []
