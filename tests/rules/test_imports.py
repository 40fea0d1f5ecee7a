"""Donor files: the dry run, what it shows, applying all or nothing, and what is kept of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import time

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import (
    AuditEvent,
    Deferral,
    Donation,
    DonorImport,
    DonorImportRow,
    DonorRecord,
    StaffUser,
)
from app.models.enums import (
    AppointmentStatus,
    BloodGroup,
    DeferralKind,
    FactSource,
    ImportStatus,
    Role,
    RowAction,
    Sex,
)
from app.models.scope import SYSTEM, set_scope
from app.rules import access, donors, import_apply, import_effects, import_pages, imports
from app.rules.donor_file import read_file
from app.rules.errors import NotFound
from app.rules.import_apply import RecordsMoved
from app.rules.imports import ImportEnded
from tests import make
from tests.make import NOW, Tenant

HEADING = (
    "код донора;фамилия;имя;отчество;дата рождения;пол;группа крови;резус-фактор;Келл;"
    "отвод;отвод с;отвод по;причина отвода;вид донации;дата донации"
)
TODAY = dt.date(2026, 11, 23)
LATER = NOW + dt.timedelta(minutes=5)


@pytest.fixture
def tenant(session: Session) -> Tenant:
    return make.make_tenant(session)


@pytest.fixture
def registrar(session: Session, tenant: Tenant) -> StaffUser:
    return make.make_staff(session, Role.REGISTRAR, tenant.root)


def row(code: str = "456545", **changes: str) -> str:
    cells = {
        "code": code,
        "family": "Соснова",
        "given": "Вера",
        "patronymic": "Ильинична",
        "born": "17.05.1990",
        "sex": "Ж",
        "group": "III (B)",
        "rh": "-",
        "kell": "-",
        "deferral": "",
        "from": "",
        "to": "",
        "reason": "",
        "kind": "",
        "on": "",
    }
    return ";".join((cells | changes).values())


def dry_run(
    session: Session, tenant: Tenant, by: StaffUser, *rows: str, now: dt.datetime = NOW
) -> DonorImport:
    data = "\n".join([HEADING, *rows]).encode()
    return imports.check(
        session,
        tenant_id=tenant.id,
        file=read_file(data, today=TODAY),
        file_name="доноры.csv",
        sha256=hashlib.sha256(data).hexdigest(),
        by=by,
        now=now,
    )


def apply(session: Session, imported: DonorImport, by: StaffUser, now: dt.datetime = LATER) -> None:
    import_apply.apply(session, imported=imported, by=by, now=now)
    session.flush()
    session.expire_all()


def record(session: Session, code: str = "456545") -> DonorRecord:
    return session.scalars(select(DonorRecord).where(DonorRecord.code == code)).one()


def counts(imported: DonorImport) -> tuple[int, ...]:
    return tuple(imported.summary[action.value] for action in RowAction)


def test_a_dry_run_counts_and_writes_no_record(session, tenant, registrar):
    make.make_record(session, tenant, code="1")
    imported = dry_run(session, tenant, registrar, row("1"), row("2"), row("3", group="Z"))
    assert counts(imported) == (1, 1, 0, 1)  # new, changed, same, bad
    assert imported.status is ImportStatus.CHECKED
    assert session.scalar(select(func.count()).select_from(DonorRecord)) == 1
    (bad,) = import_pages.rows(session, imported, action=RowAction.BAD)
    (problem,) = import_pages.problems_of(bad)
    assert (bad.line, problem.params) == (4, {"value": "Z"})
    assert "is not a blood group" in problem.text


def test_applying_writes_what_the_dry_run_showed(session, tenant, registrar):
    line = (
        row(
            deferral="временный", to="01.02.2027", reason="прививка", kind="плазма", on="01.10.2026"
        )
        + ""
    )
    imported = dry_run(
        session, tenant, registrar, line.replace(";временный;;", ";временный;20.11.2026;")
    )
    apply(session, imported, registrar)
    made = record(session)
    assert (made.full_name, made.sex, made.birth_date) == (
        "Соснова Вера Ильинична",
        Sex.FEMALE,
        dt.date(1990, 5, 17),
    )
    assert made.search_name == "соснова вера ильинична"
    assert made.blood_group is BloodGroup.B
    deferral = session.scalars(select(Deferral)).one()
    assert (deferral.record_id, deferral.person_id, deferral.source) == (
        made.id,
        None,
        FactSource.IMPORT,
    )
    assert (deferral.starts_on, deferral.ends_on) == (dt.date(2026, 11, 20), dt.date(2027, 2, 1))
    donation = session.scalars(select(Donation)).one()
    assert (donation.on_date, donation.kind.value) == (dt.date(2026, 10, 1), "plasma")
    again = dry_run(session, tenant, registrar, line, now=LATER)
    assert counts(again) == (0, 0, 1, 0), "the same file changes nothing any more"


def test_differences_are_shown_field_by_field(session, tenant, registrar):
    apply(session, dry_run(session, tenant, registrar, row()), registrar)
    imported = dry_run(
        session,
        tenant,
        registrar,
        row(group="I", family="Ёлкина", deferral="постоянный"),
        now=LATER,
    )
    (changed,) = import_pages.rows(session, imported, action=RowAction.CHANGED)
    assert changed.changes["blood_group"] == ["B", "O"]
    assert changed.changes["family_name"] == ["Соснова", "Ёлкина"]
    assert changed.changes["deferral"][0] is None
    assert set(changed.changes) == {"blood_group", "family_name", "deferral"}


def test_an_empty_cell_changes_nothing_and_no_deferral_must_be_said(session, tenant, registrar):
    first = row(deferral="постоянный", reason="решение врача")
    apply(session, dry_run(session, tenant, registrar, first), registrar)
    silent = row(family="", born="", kell="", deferral="")
    assert counts(dry_run(session, tenant, registrar, silent)) == (0, 0, 1, 0)
    lifted = dry_run(session, tenant, registrar, row(deferral="нет"), now=LATER)
    assert counts(lifted) == (0, 1, 0, 0)
    apply(session, lifted, registrar)
    deferral = session.scalars(select(Deferral)).one()
    assert deferral.withdrawn_at == LATER
    assert counts(dry_run(session, tenant, registrar, row(deferral="нет"))) == (0, 0, 1, 0)


def test_a_prolonged_deferral_replaces_the_old_and_a_past_one_stays_as_history(
    session, tenant, registrar
):
    first = row(deferral="временный", to="31.12.2026")
    apply(session, dry_run(session, tenant, registrar, first), registrar)
    longer = row(deferral="временный", to="31.01.2027")
    apply(session, dry_run(session, tenant, registrar, longer, now=LATER), registrar)
    old, new = session.scalars(select(Deferral).order_by(Deferral.id))
    assert old.withdrawn_at is not None
    assert (new.withdrawn_at, new.ends_on, new.starts_on) == (None, dt.date(2027, 1, 31), TODAY)

    past = row("2", deferral="временный", to="31.01.2020")
    apply(
        session,
        dry_run(
            session,
            tenant,
            registrar,
            past.replace("временный;", "временный;01.01.2020"),
            now=LATER,
        ),
        registrar,
    )
    next_one = row("2", deferral="временный", to="31.01.2027")
    apply(session, dry_run(session, tenant, registrar, next_one, now=LATER), registrar)
    both = session.scalars(
        select(Deferral).where(Deferral.record_id == record(session, "2").id)
    ).all()
    assert [one.withdrawn_at for one in both] == [None, None]


def test_staff_deferrals_are_not_touched_by_a_file(session, tenant, registrar):
    known = make.make_record(session, tenant, code="456545")
    own = make.make_deferral(session, tenant, known, source=FactSource.STAFF)
    apply(session, dry_run(session, tenant, registrar, row(deferral="нет")), registrar)
    session.refresh(own)
    assert own.withdrawn_at is None


def test_a_donation_already_known_from_a_visit_is_not_entered_twice(session, tenant, registrar):
    donor = make.make_donor(session, tenant, donor_code="456545")
    known = make.make_record(session, tenant, donor)
    donors.link_record(session, person=donor.person, record=known)
    make.make_donation(
        session, tenant, donor, on_date=dt.date(2026, 10, 1), source=FactSource.TALON
    )
    line = row(kind="тромбоциты", on="01.10.2026")
    apply(session, dry_run(session, tenant, registrar, line), registrar)
    assert session.scalar(select(func.count()).select_from(Donation)) == 1


def test_a_linked_donor_gets_the_new_deferral_donation_and_corrected_name(
    session, tenant, registrar
):
    donor = make.make_donor(
        session, tenant, donor_code="456545", family_name="", given_name="", patronymic="Своя"
    )
    known = make.make_record(session, tenant, donor, family_name="Сосново", given_name="Вера")
    donors.link_record(session, person=donor.person, record=known)
    assert donor.person.family_name == "Сосново"
    line = row(deferral="постоянный", kind="кровь", on="01.09.2026")
    apply(session, dry_run(session, tenant, registrar, line), registrar)
    session.refresh(donor.person)
    assert donor.person.full_name == "Соснова Вера Своя", "what the card said itself stays"
    assert donor.person.search_name == "соснова вера своя"
    assert donor.person.sex is Sex.FEMALE, "what the record did not know before, the card takes now"
    assert session.scalars(select(Deferral.person_id)).all() == [donor.person.id]
    assert session.scalars(select(Donation.person_id)).all() == [donor.person.id]
    donors.unlink_record(session, person=donor.person, record=record(session))
    assert (donor.person.full_name, donor.person.sex) == ("Своя", None)


def test_applied_twice_is_once(session, tenant, registrar):
    imported = dry_run(session, tenant, registrar, row(deferral="постоянный"))
    apply(session, imported, registrar)
    with pytest.raises(ImportEnded) as refusal:
        apply(session, imported, registrar)
    assert refusal.value.params["status"] is ImportStatus.APPLIED
    assert refusal.value.params["who"] == registrar.full_name
    assert session.scalar(select(func.count()).select_from(Deferral)) == 1


def test_discarded_is_not_applied(session, tenant, registrar):
    imported = dry_run(session, tenant, registrar, row())
    imports.discard(session, imported=imported, by=registrar, now=NOW)
    with pytest.raises(ImportEnded):
        apply(session, imported, registrar)
    assert session.scalars(select(DonorRecord)).all() == []


def test_nothing_is_applied_when_a_record_has_changed_since(session, tenant, registrar):
    known = make.make_record(session, tenant, code="2", family_name="Соснова", given_name="Вера")
    imported = dry_run(session, tenant, registrar, row("1"), row("2"))
    known.blood_group = BloodGroup.AB
    session.flush()
    with pytest.raises(RecordsMoved), session.begin_nested():
        apply(session, imported, registrar)
    session.expire_all()
    assert imported.status is ImportStatus.CHECKED
    assert session.scalars(select(DonorRecord.code)).all() == ["2"], "nothing half applied"

    assert imports.recheck(session, imported=imported, now=LATER) == 1
    (changed,) = import_pages.rows(session, imported, action=RowAction.CHANGED)
    assert changed.changes["blood_group"] == ["AB", "B"]
    apply(session, imported, registrar)
    assert record(session, "2").blood_group is BloodGroup.B


def test_a_line_that_did_nothing_and_would_do_something_now_is_a_change_too(
    session, tenant, registrar
):
    apply(session, dry_run(session, tenant, registrar, row()), registrar)
    imported = dry_run(session, tenant, registrar, row(), now=LATER)
    record(session).kell = None
    session.flush()
    with pytest.raises(RecordsMoved), session.begin_nested():
        apply(session, imported, registrar)
    imports.recheck(session, imported=imported, now=LATER)
    assert counts(imported) == (0, 1, 0, 0)


def test_contents_are_emptied_once_it_has_ended_and_counts_stay(session, tenant, registrar):
    imported = dry_run(session, tenant, registrar, row("1"), row("2", rh="?"))
    apply(session, imported, registrar)
    rows = session.scalars(select(DonorImportRow)).all()
    assert [(r.code, r.values, r.changes) for r in rows] == [("", {}, {})] * 2
    assert counts(imported) == (1, 0, 0, 1)
    (bad,) = import_pages.rows(session, imported, action=RowAction.BAD)
    assert import_pages.problems_of(bad) == [], "a sentence about a value goes with the value"


def test_a_dry_run_nobody_applies_is_discarded_after_two_weeks(session, tenant, registrar):
    imported = dry_run(session, tenant, registrar, row())
    assert imports.discard_old(session, now=NOW + dt.timedelta(days=13)) == 0
    assert imports.discard_old(session, now=NOW + dt.timedelta(days=15)) == 1
    session.expire_all()
    assert imported.status is ImportStatus.DISCARDED
    assert session.scalars(select(DonorImportRow.values)).all() == [{}]


def test_the_audit_names_the_changed_records_and_no_values(session, tenant, registrar):
    apply(session, dry_run(session, tenant, registrar, row()), registrar)
    apply(session, dry_run(session, tenant, registrar, row(group="I"), now=LATER), registrar)
    event = session.scalars(select(AuditEvent).where(AuditEvent.verb == "record.import")).one()
    assert (event.subject_id, event.actor_id) == (record(session).id, registrar.id)
    assert event.changes == {"blood_group": ["•••", "•••"]}


def test_another_organizations_records_are_not_compared_with(session, tenant, registrar):
    other = make.make_tenant(session, name="Другой центр")
    make.make_record(session, other, code="456545", blood_group=BloodGroup.O)
    imported = dry_run(session, tenant, registrar, row())
    assert counts(imported) == (1, 0, 0, 0)
    apply(session, imported, registrar)
    codes = session.execute(
        select(DonorRecord.tenant_id, DonorRecord.blood_group).order_by(DonorRecord.id)
    )
    assert [tuple(pair) for pair in codes] == [(other.id, BloodGroup.O), (tenant.id, BloodGroup.B)]


def test_everything_works_within_a_registrars_own_scope(session, tenant, registrar):
    other = make.make_tenant(session, name="Другой центр")
    stranger = make.make_staff(session, Role.REGISTRAR, other.root)
    set_scope(session, access.staff_scope(session, registrar, "donors.import"))
    apply(session, dry_run(session, tenant, registrar, row(deferral="постоянный")), registrar)
    imported = dry_run(session, tenant, registrar, row(group="I", deferral="нет"), now=LATER)
    record(session).kell = None
    imports.recheck(session, imported=imported, now=LATER)
    apply(session, imported, registrar)
    assert record(session).blood_group is BloodGroup.O

    set_scope(session, access.staff_scope(session, stranger, "donors.import"))
    session.expire_all()
    with pytest.raises(NotFound):
        import_pages.find(session, uid=imported.uid)
    set_scope(session, SYSTEM)


# whom it concerns


def booked(session: Session, tenant: Tenant, code: str = "456545", **changes: object):
    donor = make.make_donor(session, tenant, donor_code=code)
    linked = make.make_record(session, tenant, donor)
    day = make.make_schedule(session, tenant, days=2, blood_types=[make.B_NEGATIVE])
    booking = make.make_appointment(
        session, tenant, donor, day, status=AppointmentStatus.BOOKED, **changes
    )
    return donor, linked, booking


def newly(session: Session, imported: DonorImport) -> list[tuple[int, list[str]]]:
    found = import_effects.affected(session, imported, now=LATER)
    return [(one.appointment.id, [check.name for check in one.newly]) for one in found]


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "by code alone"])
@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"deferral": "постоянный"}, ["deferral"]),
        ({"deferral": "временный", "to": "25.11.2026"}, ["deferral"]),
        ({"deferral": "временный", "to": "24.11.2026"}, []),
        ({"group": "I"}, ["blood"]),
        ({"kell": "+"}, ["blood"]),
        ({"kind": "тромбоциты", "on": "20.11.2026"}, ["interval"]),
        ({"kind": "тромбоциты", "on": "01.06.2026"}, []),
        ({"family": "Другая"}, []),
    ],
)
def test_people_already_booked_whose_checks_newly_fail_are_named(
    session, tenant, registrar, linked, said, names
):
    donor, known, booking = booked(session, tenant)
    if linked:
        donors.link_record(session, person=donor.person, record=known)
    imported = dry_run(session, tenant, registrar, row(**said))
    assert newly(session, imported) == ([(booking.id, names)] if names else [])
    assert session.scalar(select(func.count()).select_from(Deferral)) == 0, "only supposed"


def test_a_check_that_failed_before_is_not_news(session, tenant, registrar):
    _, known, _ = booked(session, tenant)
    make.make_deferral(session, tenant, known, kind=DeferralKind.PERMANENT, ends_on=None)
    line = row(deferral="временный", to="01.12.2026")
    assert newly(session, dry_run(session, tenant, registrar, line)) == []


def test_past_and_ended_bookings_and_other_donors_are_not_concerned(session, tenant, registrar):
    booked(session, tenant, "1")
    donor = make.make_donor(session, tenant, donor_code="2")
    day = make.make_schedule(session, tenant, days=3)
    for status in (AppointmentStatus.CANCELLED, AppointmentStatus.HELD):
        make.make_appointment(session, tenant, donor, day, status=status)
    imported = dry_run(session, tenant, registrar, row("2", group="I"), row("3", group="I"))
    assert newly(session, imported) == []


def test_whom_it_concerned_is_remembered_by_id_after_applying(session, tenant, registrar):
    _, _, booking = booked(session, tenant)
    imported = dry_run(session, tenant, registrar, row(deferral="постоянный"))
    apply(session, imported, registrar)
    assert imported.affected == {"appointments": [[booking.id, ["deferral"]]]}


def test_a_branch_registrar_is_shown_only_the_branch_but_all_are_found(session, tenant):
    booked(session, tenant)
    other = make.make_organization(session, part_of_id=tenant.root.id, root_id=tenant.root.id)
    local = make.make_staff(session, Role.REGISTRAR, other)
    imported = dry_run(session, tenant, local, row(deferral="постоянный"))
    set_scope(session, access.staff_scope(session, local))
    session.expire_all()
    found = import_effects.affected(session, imported, now=LATER)
    assert len(found) == 1
    assert import_effects.visible(session, [one.appointment.id for one in found]) == {}
    set_scope(session, SYSTEM)


def test_twenty_thousand_lines_are_compared_and_applied_in_seconds(
    session, tenant, registrar, scale
):
    count = scale(20_000)
    lines = [row(f"{number:06}", deferral="нет") for number in range(count)]
    began = time.perf_counter()
    imported = dry_run(session, tenant, registrar, *lines)
    checked = time.perf_counter()
    apply(session, imported, registrar)
    applied = time.perf_counter()
    again = dry_run(session, tenant, registrar, *lines[: count // 2], row("999999"), now=LATER)
    compared = time.perf_counter()
    print(f"{count}: {checked - began:.1f} {applied - checked:.1f} {compared - applied:.1f}")
    assert counts(imported)[0] == count
    assert counts(again) == (1, 0, count // 2, 0)
    assert checked - began < 2 + 10 * count / 20_000
