"""What stands beside a request: every check with each of its outcomes, and the sentence it says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.models.blood import BloodType
from app.models.enums import (
    AppointmentStatus,
    BloodGroup,
    DeferralKind,
    DonationKind,
    FirstTime,
    Sex,
    Sign,
)
from app.rules import checks, donors, queue
from app.rules.checks import Check, Examined, Outcome
from app.rules.errors import Words
from tests import make
from tests.make import NOW
from tests.statements import statements

TODAY = dt.date(2026, 11, 23)
VISIT = dt.date(2026, 11, 25)
"""make_schedule: two days after NOW."""
O_POSITIVE = BloodType(BloodGroup.O, Sign.POSITIVE)


def days(number: int) -> dt.timedelta:
    return dt.timedelta(days=number)


class Desk:
    """A tenant with one donor's request, to which a test adds what it is about."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tenant = make.make_tenant(session)
        self.donor = make.make_donor(session, self.tenant)

    def known(self, **changes: Any) -> Any:
        """The file's record of this donor, as the donor says unless ``changes``."""
        return make.make_record(self.session, self.tenant, self.donor, **changes)

    def examined(self, **day: Any) -> Examined:
        schedule = make.make_schedule(self.session, self.tenant, **day)
        request = make.make_appointment(self.session, self.tenant, self.donor, schedule)
        return checks.examine(self.session, [request], now=NOW)[0]

    def check(self, name: str, **day: Any) -> Check:
        return next(c for c in self.examined(**day).checks if c.name == name)


@pytest.fixture
def desk(session: Session) -> Desk:
    return Desk(session)


def says(check: Check) -> str:
    return check.text % dict(check.params) if check.params else check.text


def test_a_donor_whom_the_file_knows_passes_every_check(desk: Desk) -> None:
    record = desk.known()
    make.make_donation(desk.session, desk.tenant, record, on_date=TODAY - days(100))

    examined = desk.examined()

    assert [c.name for c in examined.checks] == list(checks.NAMES)
    assert {c.outcome for c in examined.checks} == {Outcome.OK}
    assert examined.failing == ()
    assert examined.possible_from == TODAY


# --- the code ---------------------------------------------------------------------------------


def test_a_code_that_is_not_in_the_file_fails(desk: Desk) -> None:
    found = desk.examined()
    assert [c.name for c in found.failing] == ["code"]
    assert says(found.checks[0]) == "not found in the donor file"
    blood, history = found.checks[1], found.checks[5]
    assert (blood.outcome, blood.text) == (Outcome.WARN, "nothing to compare with")
    assert (history.outcome, history.text) == (
        Outcome.WARN,
        "nothing is known of former donations",
    )


def test_a_record_linked_to_another_donor_fails(desk: Desk) -> None:
    other = make.make_donor(desk.session, desk.tenant)
    record = desk.known()
    donors.link_record(desk.session, person=other.person, record=record)
    assert says(desk.check("code")) == "the record is already linked to another donor"


def test_a_donor_who_has_changed_the_code_of_a_linked_record_fails(desk: Desk) -> None:
    record = desk.known(code="700001")
    donors.link_record(desk.session, person=desk.donor.person, record=record)
    check = desk.check("code")
    assert check.outcome is Outcome.FAIL
    assert check.params == {"code": "700001"}


def test_one_code_on_two_cards_fails_on_both_until_a_record_is_linked(desk: Desk) -> None:
    record = desk.known()
    twin = make.make_donor(desk.session, desk.tenant, donor_code=desk.donor.donor.donor_code)
    day = make.make_schedule(desk.session, desk.tenant)
    requests = [
        make.make_appointment(desk.session, desk.tenant, who, day) for who in (desk.donor, twin)
    ]

    before = checks.examine(desk.session, requests, now=NOW)
    donors.link_record(desk.session, person=desk.donor.person, record=record)
    after = checks.examine(desk.session, requests, now=NOW)

    assert [says(e.checks[0]) for e in before] == ["another donor's card gives the same code"] * 2
    assert [says(e.checks[0]) for e in after] == [
        "found in the donor file",
        "the record is already linked to another donor",
    ]


def test_two_cards_with_one_code_both_show_what_the_record_knows(desk: Desk) -> None:
    """A deferral must not vanish from one request because another has the same code."""
    record = desk.known()
    make.make_deferral(desk.session, desk.tenant, record)
    make.make_donation(desk.session, desk.tenant, record, on_date=TODAY - days(3))
    twin = make.make_donor(desk.session, desk.tenant, donor_code=desk.donor.donor.donor_code)
    day = make.make_schedule(desk.session, desk.tenant)
    requests = [
        make.make_appointment(desk.session, desk.tenant, who, day) for who in (desk.donor, twin)
    ]

    for examined in checks.examine(desk.session, requests, now=NOW):
        assert {"deferral", "interval"} <= {c.name for c in examined.failing}


def test_another_organizations_record_with_the_same_code_says_nothing(desk: Desk) -> None:
    other = make.make_tenant(desk.session, name="Степной центр крови")
    make.make_record(desk.session, other, code=desk.donor.donor.donor_code)
    assert says(desk.check("code")) == "not found in the donor file"


# --- group, Rh, Kell --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "outcome", "sentence"),
    [
        ({}, Outcome.OK, "matches, Kell too"),
        ({"kell": None}, Outcome.WARN, "matches; Kell is not in the record"),
        ({"rh": Sign.POSITIVE}, Outcome.FAIL, "the record says B+, the donor B-"),
        ({"blood_group": BloodGroup.O}, Outcome.FAIL, "the record says O-, the donor B-"),
        ({"kell": Sign.POSITIVE}, Outcome.FAIL, "Kell: the record says +, the donor -"),
    ],
)
def test_the_group_is_held_against_the_record(
    desk: Desk, record: dict[str, Any], outcome: Outcome, sentence: str
) -> None:
    desk.known(**record)
    check = desk.check("blood")
    assert (check.outcome, says(check)) == (outcome, sentence)


def test_the_group_is_held_against_the_day(desk: Desk) -> None:
    desk.known()
    check = desk.check("blood", blood_types=[O_POSITIVE])
    assert check.outcome is Outcome.FAIL
    assert check.params["wanted"] == frozenset([O_POSITIVE])


def test_kell_is_held_against_the_day(desk: Desk) -> None:
    desk.known()
    check = desk.check("blood", kell_key="+")
    assert (check.outcome, check.params) == (
        Outcome.FAIL,
        {"wanted": Sign.POSITIVE, "own": Sign.NEGATIVE},
    )


# --- deferrals and age ------------------------------------------------------------------------


def test_a_deferral_of_the_record_fails_with_the_date_after_it(desk: Desk) -> None:
    make.make_deferral(desk.session, desk.tenant, desk.known(), ends_on=VISIT + days(9))
    found = desk.examined()
    check = found.checks[2]
    assert check.outcome is Outcome.FAIL
    assert check.text == "medical deferral: possible from %(date)s"
    assert check.params["date"] == VISIT + days(10)
    assert found.possible_from == VISIT + days(10)


def test_a_deferral_that_ends_before_the_visit_does_not_fail(desk: Desk) -> None:
    make.make_deferral(desk.session, desk.tenant, desk.known(), ends_on=VISIT - days(1))
    assert desk.check("deferral").outcome is Outcome.OK


def test_a_withdrawn_deferral_does_not_fail(desk: Desk) -> None:
    make.make_deferral(desk.session, desk.tenant, desk.known(), withdrawn_at=NOW)
    assert desk.check("deferral").outcome is Outcome.OK


@pytest.mark.parametrize("end", [None, dt.date(9999, 12, 31)])
def test_of_several_deferrals_the_one_without_an_end_is_shown(
    desk: Desk, end: dt.date | None
) -> None:
    record = desk.known()
    permanent = {"kind": DeferralKind.PERMANENT, "ends_on": end}
    make.make_deferral(desk.session, desk.tenant, record, starts_on=TODAY - days(9), **permanent)
    make.make_deferral(desk.session, desk.tenant, record, starts_on=TODAY - days(5))
    found = desk.examined()
    assert found.checks[2].text == "medical deferral without an end date"
    assert found.possible_from is None


def test_a_donor_under_age_fails_until_the_birthday(desk: Desk) -> None:
    desk.known(birth_date=dt.date(2008, 12, 1))
    check = desk.check("deferral")
    assert (check.outcome, check.params) == (
        Outcome.FAIL,
        {"age": 18, "date": dt.date(2026, 12, 1)},
    )


# --- intervals --------------------------------------------------------------------------------


def test_the_interval_counts_days_to_the_visit_and_says_how_many_are_missing(desk: Desk) -> None:
    record = desk.known()
    make.make_donation(desk.session, desk.tenant, record, on_date=VISIT - days(9))
    found = desk.examined()
    check = found.checks[3]
    assert check.outcome is Outcome.FAIL
    assert (check.params["passed"], check.params["wait"]) == (9, 14)
    assert check.params["date"] == VISIT + days(5) == found.possible_from


@pytest.mark.parametrize(("before", "outcome"), [(14, Outcome.OK), (13, Outcome.FAIL)])
def test_the_last_day_of_the_interval_is_the_first_allowed_one(
    desk: Desk, before: int, outcome: Outcome
) -> None:
    record = desk.known()
    make.make_donation(desk.session, desk.tenant, record, on_date=VISIT - days(before))
    assert desk.check("interval").outcome is outcome


def test_of_interval_and_yearly_limit_the_later_date_is_shown(desk: Desk) -> None:
    record = desk.known()
    for ago in (300, 200, 100, 20):
        make.make_donation(
            desk.session,
            desk.tenant,
            record,
            on_date=VISIT - days(ago),
            kind=DonationKind.BLOOD,
        )
    check = desk.check("interval", kind=DonationKind.BLOOD)
    assert check.params == {"times": 4, "date": VISIT + days(65)}


def test_a_date_after_a_chain_of_reasons_is_free_of_all_of_them(desk: Desk) -> None:
    """Interval until the 30th, then a deferral that begins on the 29th."""
    record = desk.known()
    make.make_donation(desk.session, desk.tenant, record, on_date=VISIT - days(9))
    make.make_deferral(
        desk.session,
        desk.tenant,
        record,
        starts_on=VISIT + days(4),
        ends_on=VISIT + days(20),
    )
    assert desk.examined().possible_from == VISIT + days(21)


# --- other bookings, sets, history ------------------------------------------------------------


def test_another_live_booking_fails_and_is_named(desk: Desk) -> None:
    desk.known()
    later = make.make_schedule(desk.session, desk.tenant, days=5, kind=DonationKind.PLASMA)
    make.make_appointment(
        desk.session, desk.tenant, desk.donor, later, status=AppointmentStatus.BOOKED
    )
    check = desk.check("other")
    assert check.outcome is Outcome.FAIL
    assert check.params == {"type": Words("Плазмаферез", "Plasmapheresis"), "date": TODAY + days(5)}


@pytest.mark.parametrize(
    "status", [AppointmentStatus.CANCELLED, AppointmentStatus.REJECTED, AppointmentStatus.EXPIRED]
)
def test_a_booking_that_has_ended_is_no_other_booking(
    desk: Desk, status: AppointmentStatus
) -> None:
    desk.known()
    later = make.make_schedule(desk.session, desk.tenant, days=5)
    make.make_appointment(desk.session, desk.tenant, desk.donor, later, status=status)
    assert desk.check("other").outcome is Outcome.OK


def test_a_first_donation_is_worth_a_look(desk: Desk) -> None:
    desk.known()
    check = desk.check("first_time")
    assert (check.outcome, check.text) == (Outcome.WARN, "first donation")


@pytest.mark.parametrize(
    ("first_time", "donated", "outcome"),
    [
        (FirstTime.NO, False, Outcome.FAIL),
        (FirstTime.NO, True, Outcome.OK),
        (FirstTime.ONLY, True, Outcome.FAIL),
        (FirstTime.ONLY, False, Outcome.WARN),
    ],
)
def test_a_day_for_first_time_donors_or_not_for_them(
    desk: Desk, first_time: FirstTime, donated: bool, outcome: Outcome
) -> None:
    record = desk.known()
    if donated:
        make.make_donation(desk.session, desk.tenant, record, on_date=TODAY - days(200))
    assert desk.check("first_time", first_time=first_time).outcome is outcome


@pytest.mark.parametrize(
    ("sex", "outcome"),
    [(None, Outcome.WARN), (Sex.FEMALE, Outcome.FAIL)],
)
def test_a_day_for_men(desk: Desk, sex: Sex | None, outcome: Outcome) -> None:
    desk.known(sex=sex)
    assert desk.check("first_time", sex_key=Sex.MALE.value).outcome is outcome


def test_the_sentences_speak_of_the_donor_not_to_him() -> None:
    addressing = [text for text in checks.STAFF_WORDS.values() if "you" in text.split()]
    assert addressing == []
    needed = set(checks.COLUMN) - {"deferred"}
    assert set(checks.STAFF_WORDS) == needed


def test_a_list_is_examined_in_a_fixed_number_of_queries(desk: Desk) -> None:
    """Different donors, dates and types: the count must not grow with the list."""

    def counted(requests: list[Any]) -> int:
        desk.session.expire_all()
        requests = queue.by_ids(desk.session, [request.id for request in requests])
        with statements(desk.session) as asked:
            checks.examine(desk.session, requests, now=NOW)
        return len(asked)

    made = []
    for number in range(8):
        donor = make.make_donor(desk.session, desk.tenant)
        make.make_donation(
            desk.session,
            desk.tenant,
            make.make_record(desk.session, desk.tenant, donor),
            on_date=TODAY - days(30),
        )
        day = make.make_schedule(desk.session, desk.tenant, days=number + 2)
        made.append(make.make_appointment(desk.session, desk.tenant, donor, day))

    assert counted(made) == counted(made[:1]) <= 12


def test_nothing_to_examine_asks_nothing(session: Session) -> None:
    assert checks.examine(session, [], now=NOW) == []
