"""Addresses by the installation's own points: exact, near, unknown; files of them, whole or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.models import AddressImport, AddressPoint, AuditEvent
from app.models.enums import Role
from app.models.scope import PUBLIC, set_scope
from app.rules import address_file, address_imports, addresses, checked_files, houses
from app.rules.access import staff_scope
from app.rules.address_diff import compare
from app.rules.addresses import MIDDLE, StreetUnknown, locate, nearest
from app.rules.csv_table import HeadingsMissing, NoRows
from app.rules.distances import Point
from app.rules.errors import NotAllowed
from app.rules.houses import HouseUnclear
from app.rules.streets import StreetUnclear
from tests import make
from tests.statements import statements

TITLES = ";".join(address_file.TITLES)
HERE = Point(61.0, 69.0)


@pytest.fixture
def tenant(session):
    """In Лесной, whose institutions stand about where the addresses of these tests are."""
    made = make.make_polyclinic(session)
    made.branch.latitude, made.branch.longitude = 61.0, 69.0
    session.flush()
    return made


@pytest.fixture
def boss(session):
    """Works over the whole installation."""
    return make.make_staff(session, Role.ADMINISTRATOR)


def found(session, street, house="", settlement="Лесной"):
    spot = locate(session, settlement=settlement, street=street, house=house)
    return (spot.house, spot.exact, spot.point.latitude)


# --- an address


@pytest.fixture
def street(session):
    """ул. Ленина: its middle and four houses, each at its own latitude."""
    make.make_address(session, at=(61.0, 69.0))
    for at, house in enumerate(("3", "7", "7к2", "15"), 1):
        make.make_address(session, house=house, at=(61 + at / 1000, 69.0))


@pytest.mark.parametrize(
    ("house", "shown", "exact"),
    [
        ("7", "7", True),
        ("д. 7 корп. 2", "7к2", True),
        ("7 стр. 1", "7", False),
        ("9", "7", False),
        ("13", "15", False),
        ("200", "15", False),
        ("1", "3", False),
        ("", MIDDLE, False),
    ],
)
def test_the_house_or_the_nearest_by_number(session, street, house, shown, exact):
    told = found(session, "улица ленина", house)
    assert told[:2] == (shown, exact)


def test_a_street_without_known_houses_is_shown_by_its_middle(session):
    make.make_address(session, street="Мира", at=(61.5, 69.0))
    assert found(session, "Мира", "9") == (MIDDLE, False, 61.5)


def test_a_street_without_a_middle_is_shown_by_the_house_halfway(session):
    for house in ("2", "4", "40"):
        make.make_address(session, street="Мира", house=house)
    assert found(session, "Мира")[0] == "4"


def test_streets_are_told_apart_by_their_settlements(session, street):
    make.make_address(session, settlement="пос. Высокий", house="7", at=(62.0, 70.0))
    assert found(session, "Ленина", "7")[2] == 61.002
    assert found(session, "Ленина", "7", "Высокий")[2] == 62.0
    assert found(session, "ул. Ленина, Высокий", "7")[2] == 62.0
    assert found(session, "Высокий, Ленина", "7")[2] == 62.0


def test_an_unknown_street_is_said(session, street):
    for other, settlement in (("Ленина", "Степной"), ("проспект Ленина", "Лесной")):
        with pytest.raises(StreetUnknown) as refusal:
            found(session, other, "7", settlement)
        assert refusal.value.params == {"street": other, "settlement": settlement}


@pytest.mark.parametrize(
    ("given_street", "house", "refusal"),
    [("ул.", "", StreetUnclear), ("Ленина", "дом", HouseUnclear), ("я" * 400, "1", StreetUnclear)],
)
def test_what_is_no_address_is_refused(session, street, given_street, house, refusal):
    with pytest.raises(refusal):
        found(session, given_street, house)


def test_the_public_finds_an_address_by_one_query(session, street):
    set_scope(session, PUBLIC)
    with statements(session) as asked:
        assert found(session, "Ленина", "7")
    assert len(asked) == 1


HOUSES = st.builds(
    houses.House, st.integers(1, 60), st.sampled_from(["", "А"]), korpus=st.integers(0, 2)
)


@given(st.frozensets(HOUSES), st.none() | HOUSES, st.booleans())
def test_a_house_that_is_known_is_always_itself(known, wanted, middle):
    names = {*houses.spelled(known)} | ({MIDDLE} if middle else set())
    if not names:
        return
    shown = nearest(names, wanted)
    assert shown in names
    if wanted in known:
        assert shown == str(wanted)
    elif wanted is not None and known:
        gap = abs(houses.parse(shown).number - wanted.number)
        assert gap == min(abs(each.number - wanted.number) for each in known)


# --- writing


def test_a_street_is_written_as_a_whole(session, tenant):
    at = Point(61.1, 69.1)
    addresses.replace_street(
        session, settlement="г. Лесной", street="ул.  Мира", points={"": HERE, "14 а": at}
    )
    rows = session.scalars(select(AddressPoint).order_by(AddressPoint.house)).all()
    assert [(row.settlement, row.street, row.house) for row in rows] == [
        ("Лесной", "ул. Мира", ""),
        ("Лесной", "ул. Мира", "14А"),
    ]
    assert addresses.streets(session, settlement="Лесной") == ["ул. Мира"]
    addresses.replace_street(session, settlement="Лесной", street="Мира", points={"5": at})
    assert [row.house for row in session.scalars(select(AddressPoint))] == ["5"]
    addresses.replace_street(session, settlement="Лесной", street="Мира", points={})
    assert not addresses.known(session)


def test_only_who_works_everywhere_writes(session, tenant, boss):
    own = make.make_staff(session, Role.ADMINISTRATOR, tenant.root)
    for user, allowed in ((boss, True), (own, False)):
        set_scope(session, staff_scope(session, user))
        assert addresses.may_edit(session) is allowed
    with pytest.raises(NotAllowed):
        addresses.replace_street(session, settlement="Лесной", street="Мира", points={"": HERE})
    with pytest.raises(NotAllowed):
        address_imports.check(session, rows=[], file_name="", by=own, now=make.NOW)


# --- files


def read(*lines, home="", heading=TITLES):
    return address_file.read_file("\n".join([heading, *lines]).encode(), home=home)


@pytest.mark.parametrize(
    ("line", "house", "point"),
    [
        ("Лесной;ул. Мира;7 корп. 2;61.0048;69.0191", "7к2", Point(61.0048, 69.0191)),
        ("Лесной;Мира;;61,0048;69,0191", MIDDLE, Point(61.0048, 69.0191)),
        ("Лесной;Мира;5;-61.00480049;-69", "5", Point(-61.0048, -69)),
        ("Лесной;Мира;;;", MIDDLE, None),
    ],
)
def test_a_line_is_understood(line, house, point):
    (row,) = read(line)
    assert row.problem is None
    assert (row.key, row.house, row.point) == ("мира|лесной", house, point)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (";Мира;5;61;69", "settlement is not given"),
        ("Лесной;ул.;5;61;69", "not the name of a street"),
        ("Лесной;Мира;дом;61;69", "not a house number"),
        ("Лесной;Мира;5;;", "no latitude and longitude"),
        ("Лесной;Мира;5;61;", "no latitude or longitude"),
        ("Лесной;Мира;5;61°;69", "no latitude or longitude"),
        ("Лесной;Мира;5;91;69", "up to 90"),
        ("Лесной;Мира;5;61;181", "up to 180"),
        ('Лесной;"Мира;5;61;69', "quotation mark"),
    ],
)
def test_a_line_that_cannot_be_taken_says_why(line, sentence):
    (row,) = read(line)
    assert sentence in row.problem.text and row.point is None


def test_columns_are_known_by_their_names_in_any_order():
    (row,) = read("69,5;61;5;Мира", heading="долгота;Широта;Дом;улица", home="Лесной")
    assert (row.key, row.point) == ("мира|лесной", Point(61, 69.5))
    with pytest.raises(HeadingsMissing):
        read("5;6", heading="улица;дом")
    with pytest.raises(NoRows):
        address_file.read_file(b"", home="")


def test_a_file_is_compared_and_applied_whole(session, tenant, boss, street):
    rows = read(
        "г. Лесной;Ленина;3;61.001;69", "Лесной;Ленина;7;61.0030;69", "Лесной;Ленина;17;61.01;69",
        "Лесной;Мира;;61;69",
    )  # fmt: skip
    imported = address_imports.check(
        session, rows=rows, file_name="дома.csv", by=boss, now=make.NOW
    )
    difference = compare(session, rows=address_imports.rows_of(session, imported))
    old, new = difference.changes
    assert (old.came, old.gone, old.there) == (("17",), (MIDDLE, "7к2", "15"), True)
    assert [(house, round(way)) for house, way in old.moved] == [("7", 111)]
    assert (new.came, new.there, difference.same, difference.strange) == ((MIDDLE,), False, 0, [])
    assert imported.report == {"new": 1, "changed": 1, "same": 0, "bad": 0}
    assert addresses.streets(session, settlement="Лесной") == ["Ленина"], "nothing is written yet"

    by = {"imported": imported, "by": boss, "now": make.NOW}
    with pytest.raises(address_imports.AddressesMoved), session.begin_nested():
        address_imports.apply(session, seen="", **by)
    session.refresh(imported)
    address_imports.apply(session, seen=difference.fingerprint, **by)
    assert found(session, "Ленина", "7") == ("7", True, 61.003)
    assert found(session, "Ленина", "15") == ("17", False, 61.01)
    assert found(session, "Мира") == (MIDDLE, False, 61.0)
    session.flush()
    session.refresh(imported)
    assert (imported.lines, imported.applied_at) == ([], make.NOW)
    with pytest.raises(checked_files.AppliedAlready):
        address_imports.apply(session, seen=difference.fingerprint, **by)
    verbs = set(session.scalars(select(AuditEvent.verb)))
    assert {"addresses.check_file", "addresses.apply_file"} <= verbs


def test_a_line_without_house_and_point_forgets_the_street(session, tenant, boss, street):
    difference = compare(session, rows=read("Лесной;Ленина;;;"))
    (change,) = difference.changes
    assert (change.gone, change.came) == ((MIDDLE, "3", "7", "7к2", "15"), ())


def test_what_contradicts_itself_or_lies_far_away_is_not_taken(session, tenant, boss):
    rows = read(
        "Лесной;Мира;5;61;69", "Лесной;Мира;д. 5;61;69", "Лесной;Мира;5;61;69.1",
        "Лесной;Мира;7;69;61", "Степной;Мира;7;50;40",
    )  # fmt: skip
    difference = compare(session, rows=rows)
    assert [(row.line, row.problem.params) for row in difference.bad] == [
        (4, {"line": "2"}),
        (5, {"number": "964"}),
    ]
    assert difference.strange == ["Степной"]
    imported = address_imports.check(session, rows=rows, file_name="", by=boss, now=make.NOW)
    with pytest.raises(checked_files.LinesBad):
        address_imports.apply(
            session, imported=imported, seen=difference.fingerprint, by=boss, now=make.NOW
        )


def test_what_is_taken_away_comes_back_the_same(session, tenant, street):
    make.make_address(session, street="1-я Лесная", house="12/3", at=(61.123456, 69.5))
    make.make_address(session, settlement="Степной", house="1")
    text = address_imports.export(session, settlement="Лесной")
    assert text.splitlines()[1] == "Лесной;1-я Лесная;12/3;61.123456;69.500000"
    rows = address_file.read_file(text.encode("utf-8-sig"), home="")
    assert [row.house for row in rows] == ["12/3", MIDDLE, "3", "7", "7к2", "15"]
    difference = compare(session, rows=rows)
    assert (difference.changes, difference.same, difference.bad) == ([], 2, [])


def test_lines_that_name_no_settlement_are_of_the_only_one(session, tenant):
    assert address_imports.home(session) == "Лесной"
    make.make_polyclinic(session, name="Степная").branch.settlement = "Степной"
    session.flush()
    assert address_imports.home(session) == ""


@given(st.text(max_size=60))
def test_no_file_breaks_the_reader(text):
    for row in read(*(text.splitlines() or ["x"]), f"{text};{text};{text};61;69", home=text[:3]):
        assert (row.problem is None) == bool(row.key)


def test_the_files_are_staffs_own(session, boss):
    session.add(AddressImport(file_name="x", lines=[], created_at=make.NOW, created_by_id=boss.id))
    session.flush()
    assert len(address_imports.newest(session)) == 1
    set_scope(session, PUBLIC)
    assert address_imports.newest(session) == []
