"""Districts in the database: whose is an address, writing a district and a street, files of streets."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.models import AuditEvent, District, DistrictDoctor, DistrictImport, DistrictRange
from app.models.enums import DistrictKind, Parity, Role
from app.models.scope import PUBLIC, SYSTEM, set_scope
from app.rules import (
    checked_files,
    csv_table,
    district_card,
    district_diff,
    district_file,
    district_imports,
    district_streets,
    districts,
)
from app.rules.access import staff_scope
from app.rules.actor import SYSTEM as NOBODY
from app.rules.csv_text import FileRefused
from app.rules.district_card import Term
from app.rules.district_streets import Wanted
from app.rules.errors import NotFound
from app.rules.house_ranges import overlaps, span
from app.rules.houses import HouseUnclear, listed, parse
from app.rules.streets import StreetUnclear
from tests import make
from tests.statements import statements

TODAY = make.NOW.date()
CHILDREN = DistrictKind.PAEDIATRIC
BY = {"actor": NOBODY, "now": make.NOW}


@pytest.fixture
def tenant(session):
    return make.make_polyclinic(session)


def whose(session, tenant, street, house, on=TODAY):
    found = districts.serving(
        session, organization=tenant.branch, street=street, house=house, on=on
    )
    return [(each.district.kind, each.district.number) for each in found]


def counted(session, what):
    """How many statements ``what()`` needs."""
    session.expire_all()
    with statements(session) as asked:
        what()
    return len(asked)


# --- an address


def test_an_address_has_one_district_of_each_kind(session, tenant):
    grown, children = (
        make.make_district(session, tenant),
        make.make_district(session, tenant, kind=CHILDREN, number="10"),
    )
    make.make_range(session, grown, first_house=1, last_house=15, parity=Parity.ODD)
    make.make_range(session, children)
    assert whose(session, tenant, "ул. Ленина", "7 корп. 2") == [
        (DistrictKind.THERAPY, "91"),
        (CHILDREN, "10"),
    ]
    assert whose(session, tenant, "ЛЕНИНА УЛИЦА", "8") == [(CHILDREN, "10")]
    assert whose(session, tenant, "Мира", "8") == []


def test_what_names_no_street_or_house_is_refused(session, tenant):
    with pytest.raises(HouseUnclear):
        whose(session, tenant, "Ленина", "дом")
    with pytest.raises(StreetUnclear):
        whose(session, tenant, "ул.", "5")


def test_a_street_of_another_settlement_is_another_street(session, tenant):
    here, there = (make.make_district(session, tenant, number=n) for n in "12")
    make.make_range(session, here)
    make.make_range(session, there, settlement="пос. Высокий")
    assert whose(session, tenant, "Ленина", "1") == [(DistrictKind.THERAPY, "1")]
    assert whose(session, tenant, "Ленина, Высокий", "1") == [(DistrictKind.THERAPY, "2")]
    assert [str(s) for s in districts.streets(session, organization_id=tenant.branch.id)] == [
        "Ленина",
        "Ленина, пос. Высокий",
    ]


def test_a_closed_district_and_another_organization_s_serve_nobody(session, tenant):
    row = make.make_range(session, make.make_district(session, tenant))
    foreign = make.make_polyclinic(session, name="Другая")
    assert whose(session, foreign, "Ленина", "1") == []
    row.district.is_active = False
    session.flush()
    assert whose(session, tenant, "Ленина", "1") == []


def test_the_doctor_is_the_one_of_the_day(session, tenant):
    district = make.make_district(session, tenant)
    make.make_range(session, district)
    first, second = (
        make.make_role(session, tenant, practitioner=make.make_practitioner(session, tenant))
        for _ in "12"
    )
    make.make_district_doctor(session, district, first, ends_on=TODAY)
    make.make_district_doctor(session, district, second, starts_on=TODAY + dt.timedelta(days=2))

    def doctor(days):
        on = TODAY + dt.timedelta(days=days)
        (found,) = districts.serving(
            session, organization=tenant.branch, street="Ленина", house="1", on=on
        )
        return found.doctor.role_id if found.doctor else None

    assert [doctor(days) for days in (0, 1, 2)] == [first.id, None, second.id]


def test_a_look_up_takes_two_queries_however_many_ranges_and_kinds(session, tenant):
    for number, kind in enumerate(DistrictKind):
        district = make.make_district(session, tenant, kind=kind, number=str(number))
        make.make_district_doctor(session, district, make.make_role(session, tenant))
        for street in ("Ленина", "Мира"):
            for first in range(1, 60, 10):
                make.make_range(
                    session, district, street=street, first_house=first, last_house=first + 9
                )
    branch = tenant.branch
    session.flush()

    def look():
        set_scope(session, PUBLIC)
        found = districts.serving(session, organization=branch, street="Мира", house="7", on=TODAY)
        assert len(found) == len(DistrictKind)
        assert all(each.doctor.role.practitioner.full_name for each in found)
        set_scope(session, SYSTEM)

    name = branch.settlement  # loaded
    assert name == "Лесной"
    assert counted(session, look) <= 3  # the organization once more after expire_all


# --- a district


def test_numbers_are_taken_once_a_kind(session, tenant):
    make.make_district(session, tenant, number="7")
    common = {"organization_id": tenant.branch.id, **BY}
    with pytest.raises(district_card.NumberTaken):
        district_card.create(session, kind=DistrictKind.THERAPY, number="№ 7", **common)
    with pytest.raises(district_card.NumberNeeded):
        district_card.create(session, kind=DistrictKind.THERAPY, number=" № ", **common)
    made = district_card.create(session, kind=CHILDREN, number="№7", web_quota=5, **common)
    assert (made.number, made.web_quota) == ("7", 5)


def test_one_doctor_at_a_time(session, tenant):
    one, two = (
        make.make_role(session, tenant, practitioner=make.make_practitioner(session, tenant))
        for _ in "12"
    )
    day = dt.date(2026, 3, 1)
    common = {"organization_id": tenant.branch.id, "kind": CHILDREN, "number": "1", **BY}
    with pytest.raises(district_card.DoctorsMeet):
        district_card.create(session, terms=[Term(one.id, day), Term(two.id, TODAY)], **common)
    with pytest.raises(district_card.DatesTurned):
        district_card.create(session, terms=[Term(one.id, TODAY, day)], **common)
    foreign = make.make_role(session, make.make_polyclinic(session, name="Другая"))
    with pytest.raises(NotFound):
        district_card.create(session, terms=[Term(foreign.id, TODAY)], **common)


def test_doctors_follow_one_another_and_the_journal_says_so(session, tenant):
    role = make.make_role(session, tenant)
    district = make.make_district(session, tenant)
    fields = {"district_id": district.id, "number": "91", "web_quota": None, "note": "", "is_active": True}  # fmt: skip
    term = Term(role.id, dt.date(2026, 3, 1), dt.date(2026, 5, 31))
    later = Term(role.id, dt.date(2026, 6, 1))
    district_card.edit(session, terms=[term, later], **fields, **BY)
    district_card.edit(session, terms=[later], **fields, **BY)
    district_card.edit(session, terms=[later], **fields, **BY)  # nothing changes
    rows = session.scalars(select(DistrictDoctor)).all()
    assert [row.starts_on for row in rows] == [later.starts_on]
    told = session.scalars(select(AuditEvent).where(AuditEvent.verb == "district.edit")).all()
    assert len(told) == 2
    assert told[1].changes["doctors"][1] == ["Еловая Марта Сергеевна: 01.06.2026 – …"]


# --- a street


def wanted(district, text="", **more):
    ends, _, single = text.partition(",")
    first, _, last = ends.strip().partition("–")
    fields = {"first": int(first or 0) or None, "last": int(last or 0) or None}
    made = span(
        kind=district.kind, district=district.number, houses=listed(single), **fields | more
    )
    return Wanted(district, made)


def save(session, tenant, rows, *, street="ул. Ленина", key=None, was="", settlement=""):
    return district_streets.replace(
        session, organization_id=tenant.branch.id, key=key, was=was, street=street,
        settlement=settlement, wanted=rows, **BY,
    )  # fmt: skip


def of_street(session, tenant, key="ленина"):
    return district_streets.rows_of(session, organization_id=tenant.branch.id, key=key)


def test_a_street_is_replaced_as_a_whole(session, tenant):
    one, two = (make.make_district(session, tenant, number=n) for n in "12")
    key = save(session, tenant, [wanted(one, "1–15"), wanted(two, "16–30, 12/3")])
    rows = of_street(session, tenant)
    kept = rows[0].uid
    was = district_streets.fingerprint(rows)
    save(session, tenant, [wanted(one, "1–15"), wanted(two, "17–30")], key=key, was=was)
    rows = of_street(session, tenant)
    assert [(r.district_id, r.first_house, r.houses) for r in rows] == [
        (one.id, 1, []),
        (two.id, 17, []),
    ]
    assert rows[0].uid == kept
    told = session.scalars(select(AuditEvent).where(AuditEvent.verb == "district.houses")).all()
    assert [event.subject_id for event in told] == [one.id, two.id, two.id]
    assert told[2].changes == {
        "street": [None, "ул. Ленина"],
        "houses": [["16–30 + 12/3"], ["17–30"]],
    }


def test_an_overlap_is_refused_and_nothing_is_written(session, tenant):
    one, two = (make.make_district(session, tenant, number=n) for n in "12")
    with pytest.raises(district_streets.Overlapping) as refusal:
        save(session, tenant, [wanted(one, "1–15"), wanted(two, "15–30")])
    (found,) = refusal.value.overlaps
    assert (found.districts, found.first, found.last) == (("1", "2"), 15, 15)
    assert of_street(session, tenant) == []


def test_a_colleague_s_change_is_not_overwritten(session, tenant):
    district = make.make_district(session, tenant)
    key = save(session, tenant, [wanted(district, "1–15")])
    was = district_streets.fingerprint(of_street(session, tenant))
    save(session, tenant, [wanted(district, "1–17")], key=key, was=was)
    with pytest.raises(district_streets.StreetMoved):
        save(session, tenant, [wanted(district, "1–19")], key=key, was=was)
    with pytest.raises(district_streets.StreetThere):
        save(session, tenant, [wanted(district, "1–19")], street="Ленина улица")


def test_a_street_is_renamed_with_all_its_rows(session, tenant):
    district = make.make_district(session, tenant)
    key = save(session, tenant, [wanted(district, "1–15")], settlement="г. Лесной")
    rows = of_street(session, tenant)
    assert rows[0].settlement == ""  # the organization's own
    was = district_streets.fingerprint(rows)
    new = save(session, tenant, [wanted(district, "1–15")], street="Мира", key=key, was=was)
    assert of_street(session, tenant) == []
    assert [row.street for row in of_street(session, tenant, new)] == ["Мира"]


def test_another_organization_s_district_is_not_there(session, tenant):
    foreign = make.make_district(session, make.make_polyclinic(session, name="Другая"))
    with pytest.raises(NotFound):
        save(session, tenant, [wanted(foreign, "1–15")])
    manager = make.make_staff(session, Role.MANAGER, tenant.branch)
    set_scope(session, staff_scope(session, manager))
    with pytest.raises(NotFound):
        district_streets.locked(session, foreign.organization_id)
    with pytest.raises(NotFound):
        districts.named(session, uid=foreign.uid)
    set_scope(session, SYSTEM)


NUMBERS = st.integers(1, 30)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 2), NUMBERS, NUMBERS, st.sampled_from(list(Parity))), max_size=6
    )
)
def test_whatever_is_saved_every_house_has_at_most_one_district_of_a_kind(session, tenant, rows):
    with session.begin_nested() as inner:
        some = [make.make_district(session, tenant, number=f"{n}") for n in range(3)]
        spans = []
        for place, one, two, parity in rows:
            try:
                spans.append(wanted(some[place], f"{min(one, two)}–{max(one, two)}", parity=parity))
            except Exception:
                continue
        refused = bool(overlaps([each.span for each in spans]))
        try:
            save(session, tenant, spans)
        except district_streets.Overlapping:
            assert refused
        else:
            assert not refused
            for number in range(1, 32):
                found = whose(session, tenant, "Ленина", f"{number}")
                claims = {s.district.id for s in spans if s.span.level(parse(f"{number}"))}
                assert len(found) == len(claims) <= 1
        inner.rollback()


# --- files

HEADING = "вид участка;номер участка;населённый пункт;улица;сторона;с;по;дома;кроме"


def read(*lines, heading=HEADING):
    return district_file.read_file("\n".join([heading, *lines]).encode(), home="Лесной")


def load(session, tenant, *lines):
    by = make.make_staff(session, Role.MANAGER, tenant.root)
    made = district_imports.check(
        session,
        organization_id=tenant.branch.id,
        rows=read(*lines),
        file_name="участки.csv",
        by=by,
        now=make.NOW,
    )
    return made, by


def difference(session, tenant, imported):
    rows = district_imports.rows_of(imported, home=tenant.branch.settlement)
    return district_diff.compare(session, organization=tenant.branch, rows=rows)


def apply(session, tenant, imported, by):
    seen = difference(session, tenant, imported).fingerprint
    return district_imports.apply(session, imported=imported, seen=seen, by=by, now=make.NOW)


def test_a_file_makes_districts_and_streets(session, tenant):
    imported, by = load(
        session,
        tenant,
        "Терапевтический;№91;;ул. Ленина;нечётные;1;15;;7",
        "терапевтический;92;;Ленина;чет;;;12/3, 14 а;",
        "Педиатрический;10;пос. Высокий;Мира;;;;;",
    )
    assert imported.report == {"new": 2, "changed": 0, "same": 0, "bad": 1}
    (bad,) = difference(session, tenant, imported).bad
    assert bad.line == 3 and "side of the street" in bad.problem.text
    with pytest.raises(checked_files.LinesBad):
        apply(session, tenant, imported, by)
    session.rollback()


def test_a_good_file_is_applied_once(session, tenant):
    imported, by = load(
        session,
        tenant,
        "Терапевтический;91;;ул. Ленина;нечётные;1;15;;7",
        "терапевтический;92;;Ленина;все;;;12/3, 14 а;",
        "Педиатрический;10;пос. Высокий;Мира;;;;;",
    )
    apply(session, tenant, imported, by)
    assert whose(session, tenant, "Ленина", "13") == [(DistrictKind.THERAPY, "91")]
    assert whose(session, tenant, "Ленина", "14А") == [(DistrictKind.THERAPY, "92")]
    assert whose(session, tenant, "Мира, Высокий", "5") == [(CHILDREN, "10")]
    session.refresh(imported)
    assert imported.applied_at == make.NOW
    with pytest.raises(checked_files.AppliedAlready):
        apply(session, tenant, imported, by)


def test_other_streets_and_other_kinds_stay(session, tenant):
    children = make.make_district(session, tenant, kind=CHILDREN, number="10")
    grown = make.make_district(session, tenant)
    make.make_range(session, children)
    make.make_range(session, grown, first_house=1, last_house=9)
    make.make_range(session, grown, street="Мира")
    imported, by = load(session, tenant, "терапевтический;91;;Ленина;все;1;11;;")
    (change,) = difference(session, tenant, imported).changes
    assert change.removed == (((DistrictKind.THERAPY, "91"), "1–9"),)
    assert change.added == (((DistrictKind.THERAPY, "91"), "1–11"),)
    apply(session, tenant, imported, by)
    assert whose(session, tenant, "Ленина", "11") == [
        (DistrictKind.THERAPY, "91"),
        (CHILDREN, "10"),
    ]
    assert whose(session, tenant, "Мира", "1") == [(DistrictKind.THERAPY, "91")]


def test_a_difference_that_is_no_longer_true_is_not_applied(session, tenant):
    district = make.make_district(session, tenant)
    imported, by = load(session, tenant, "терапевтический;91;;Ленина;все;1;11;;")
    seen = difference(session, tenant, imported).fingerprint
    make.make_range(session, district, first_house=3, last_house=5)
    with pytest.raises(district_imports.DistrictsMoved):
        district_imports.apply(session, imported=imported, seen=seen, by=by, now=make.NOW)


def test_bad_lines_are_named_with_their_reasons(session, tenant):
    imported, _by = load(
        session,
        tenant,
        "шаманский;1;;Ленина;;;;;",
        "терапевтический;1;;Ленина;;9;5;;",
        "терапевтический;1;;Ленина;;1;15;;",
        "терапевтический;2;;ул Ленина;;15;30;;",
        "терапевтический;2;;Мира;;;;7, кв;",
        'терапевтический;2;;"Мира;;;;;',
        ";;;;;;;;",
        ";2;;Мира;;;;;",
    )
    bad = difference(session, tenant, imported).bad
    assert [row.line for row in bad] == [2, 3, 5, 6, 7, 9]
    assert dict(bad[2].problem.params) == {"line": "4", "houses": "15"}
    assert imported.report["bad"] == 6


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n", HEADING.encode(), b"a;b\n1;2\n", b"PK\x03\x04", b"x" * (csv_table.MOST_BYTES + 1)],
    ids=["empty", "blank", "no rows", "other columns", "workbook", "large"],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(data):
    with pytest.raises(FileRefused):
        district_file.read_file(data, home="")


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data):
    text = HEADING.encode() + b"\n" + data
    try:
        rows = district_file.read_file(text, home="Лесной")
    except FileRefused:
        return
    assert all((row.span is None) is (row.problem is not None) for row in rows)


def test_a_cell_without_end_is_a_bad_line_whose_reason_is_kept(session, tenant):
    imported, _by = load(session, tenant, "терапевтический;1;;Ленина;;;;" + "7, " * 900 + ";")
    (bad,) = difference(session, tenant, imported).bad
    assert (bad.line, bad.problem.params) == (2, {"most": "2000"})


def test_what_is_exported_says_the_same_when_loaded(session, tenant):
    one = make.make_district(session, tenant, number="1")
    make.make_range(
        session, one, first_house=1, last_house=15, parity=Parity.ODD,
        houses=["12/3", "7к2"], except_houses=["5", "9А"],
    )  # fmt: skip
    make.make_range(session, one, street="пр-т Мира", settlement="пос. Высокий", first_house=20)
    text = district_imports.export(session, organization=tenant.branch)
    assert text.splitlines()[0] == ";".join(district_file.TITLES)
    rows = district_file.read_file(text.encode("utf-8-sig"), home="Лесной")
    found = district_diff.compare(session, organization=tenant.branch, rows=rows)
    assert (found.bad, found.changes, found.new_districts, found.same) == ([], [], [], 2)


def test_a_list_of_districts_takes_three_queries(session, tenant):
    def some(numbers):
        for number in numbers:
            district = make.make_district(session, tenant, number=str(number))
            make.make_range(session, district, street=f"Лесная {number}")
            make.make_district_doctor(session, district, make.make_role(session, tenant))
        session.flush()

    def look():
        rows = districts.cards(session, organization=tenant.branch, now=make.NOW)
        assert all(c.doctor.role.practitioner.full_name and c.ranges == 1 for c in rows)
        numbers[:] = [c.district.number for c in rows]

    numbers: list[str] = []
    some([10, 2])
    few = counted(session, look)
    some([1, 11, 3])
    assert counted(session, look) == few <= 4  # the organization once more after expire_all
    assert numbers == ["1", "2", "3", "10", "11"]


def test_nothing_is_left_of_the_imports_of_a_test(session):
    assert session.scalar(select(func.count()).select_from(DistrictImport)) == 0
    assert session.scalar(select(func.count()).select_from(District)) == 0
    assert session.scalar(select(func.count()).select_from(DistrictRange)) == 0
