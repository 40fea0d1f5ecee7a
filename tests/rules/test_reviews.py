"""Stars and words about a visit (E51–E52), and the questionnaire by a link (E14)."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.models import Appointment, Consent, Message, Review, ReviewAnswer, Schedule
from app.models.cabinet_choices import QuestionKind, ReviewStatus
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageStatus, Role
from app.models.scope import SYSTEM, set_scope
from app.rules import delivery, outbox, reports, reports_reviews, reviews, surveys
from app.rules.actor import actor_of
from app.rules.delivery import Verdict, verdict
from tests import make
from tests.rules.test_patient_races import at_once

NOW = make.NOW
DAY = dt.timedelta(days=1)


@pytest.fixture
def clinic(session: Session) -> make.Tenant:
    return make.make_polyclinic(session)


def visit(
    session: Session, clinic: make.Tenant, status: A = A.FULFILLED, day: Schedule | None = None
) -> Appointment:
    day = day or make.make_sitting(session, make.make_role(session, clinic), days=-2)
    person = make.make_person(session, clinic)
    return make.make_appointment(session, clinic, person, day, status=status)


def rate(session: Session, row: Appointment, stars: int | None = 5, **more) -> Review:
    given = {"comment": "", "answers": {}, "now": NOW} | more
    return reviews.write(session, appointment_id=row.id, stars=stars, **given)


def test_a_visit_is_rated_once(session: Session, clinic: make.Tenant) -> None:
    row = visit(session, clinic)
    found = rate(session, row, 4, comment=" Хорошо ")
    assert (found.stars, found.comment, found.status) == (4, "Хорошо", ReviewStatus.NEW)
    assert found.role_id == row.schedule.role_id
    with pytest.raises(reviews.RatedAlready):
        rate(session, row)


@pytest.mark.parametrize("stars", [None, 0, 6, -1])
def test_stars_are_needed(session: Session, clinic: make.Tenant, stars: int | None) -> None:
    with pytest.raises(reviews.StarsNeeded):
        rate(session, visit(session, clinic), stars)


@pytest.mark.parametrize("status", [A.BOOKED, A.ARRIVED, A.CANCELLED, A.NOSHOW, A.TURNED_AWAY])
def test_only_a_visit_that_took_place_is_rated(
    session: Session, clinic: make.Tenant, status: A
) -> None:
    with pytest.raises(reviews.NotOverYet):
        rate(session, visit(session, clinic, status))


def test_answers_are_kept_as_their_questions_ask(session: Session, clinic: make.Tenant) -> None:
    yes = make.make_question(session, clinic)
    bad = make.make_question(session, clinic, position=1)
    stars = make.make_question(session, clinic, kind=QuestionKind.STARS, position=2)
    words = make.make_question(session, clinic, kind=QuestionKind.TEXT, position=3)
    old = make.make_question(session, clinic, is_active=False)
    foreign = make.make_question(session, make.make_polyclinic(session, name="Чужая"))
    answers = {
        yes.uid: "yes",
        bad.uid: "может быть",
        stars.uid: "3",
        words.uid: " Всё хорошо ",
        old.uid: "yes",
        foreign.uid: "yes",
        uuid.uuid4(): "yes",
    }
    rate(session, visit(session, clinic), answers=answers)
    session.flush()
    kept = {each.question_id: each.value for each in session.scalars(select(ReviewAnswer))}
    assert kept == {yes.id: "yes", stars.id: "3", words.id: "Всё хорошо"}


def test_a_review_is_moderated_by_whom_has_seen_it_so(
    session: Session, clinic: make.Tenant
) -> None:
    row = rate(session, visit(session, clinic))
    by = {"actor": actor_of(make.make_staff(session, Role.MANAGER, clinic.root)), "now": NOW}
    seen = {"uid": row.uid, "seen": ReviewStatus.NEW}
    reviews.moderate(session, status=ReviewStatus.PUBLISHED, **seen, **by)
    with pytest.raises(reviews.ModeratedMeanwhile):
        reviews.moderate(session, status=ReviewStatus.HIDDEN, **seen, **by)


def test_a_hidden_review_counts_nowhere(session: Session, clinic: make.Tenant) -> None:
    role = make.make_role(session, clinic)
    day = make.make_sitting(session, role, days=-2)
    good = rate(session, visit(session, clinic, day=day), 5, comment="Спасибо")
    good.status = ReviewStatus.PUBLISHED
    rate(session, visit(session, clinic, day=day), 2)
    bad = rate(session, visit(session, clinic, day=day), 1, comment="Плохо")
    bad.status = ReviewStatus.HIDDEN
    session.flush()
    found = reviews.rating_of(session, role_id=role.id)
    assert (found.count, found.average) == (2, 3.5)
    assert [row.comment for row in found.published] == ["Спасибо"]
    asked = reports.Asked((clinic.branch.id,), day.date, day.date, by=reports.By.PRACTITIONER)
    counted = reports_reviews.ratings(session, asked)
    assert (counted.total.total, counted.total.average, counted.total.good) == (2, 3.5, 1)
    assert list(counted.lines) == [role.practitioner_id]


# --- the questionnaire by letter


def asked(session: Session, row: Appointment) -> Message:
    address = make.make_survey_address(session, row)
    message = surveys.plan(session, address, booking=row, now=NOW)
    session.flush()
    return message


def test_the_letter_leaves_the_day_after_a_visit_that_took_place(
    session: Session, clinic: make.Tenant
) -> None:
    row = visit(session, clinic)
    message = asked(session, row)
    assert message.run_at == row.starts_at + DAY
    assert verdict(session, message, now=message.run_at) is Verdict.SEND


def test_a_visit_that_nobody_has_marked_yet_is_waited_for(
    session: Session, clinic: make.Tenant
) -> None:
    row = visit(session, clinic, A.BOOKED)
    message = asked(session, row)
    message.attempts, message.run_at = 1, NOW
    session.flush()
    assert not delivery.begin(session, message_id=message.id, attempt=1, now=NOW)
    assert (message.status, message.run_at) == (MessageStatus.DUE, NOW + DAY)


def test_a_moved_visit_is_asked_about_after_its_new_time(
    session: Session, clinic: make.Tenant
) -> None:
    row = visit(session, clinic, A.BOOKED)
    message = asked(session, row)
    row.starts_at = NOW + 3 * DAY
    message.attempts = 1
    session.flush()
    assert not delivery.begin(session, message_id=message.id, attempt=1, now=NOW)
    assert message.run_at == NOW + 4 * DAY


@pytest.mark.parametrize("happens", ["cancelled", "withdrawn", "answered"])
def test_nobody_is_asked_in_vain(session: Session, clinic: make.Tenant, happens: str) -> None:
    row = visit(session, clinic, A.CANCELLED if happens == "cancelled" else A.FULFILLED)
    message = asked(session, row)
    if happens == "withdrawn":
        address = surveys.of_message(session, message)
        session.get_one(Consent, address.consent_id).withdrawn_at = NOW
    if happens == "answered":
        rate(session, row)
    session.flush()
    assert verdict(session, message, now=NOW) is Verdict.DROP


def test_the_link_answers_its_visit_once(session: Session, clinic: make.Tenant) -> None:
    row = visit(session, clinic)
    address = make.make_survey_address(session, row)
    token = surveys.token(address)
    assert surveys.find(session, text=token, now=NOW).id == row.id
    rate(session, row)
    with pytest.raises(surveys.SurveyOver):
        surveys.find(session, text=token, now=NOW)


def test_wrong_and_old_links_are_over(session: Session, clinic: make.Tenant) -> None:
    row, other = visit(session, clinic), visit(session, clinic)
    mine, theirs = (make.make_survey_address(session, each) for each in (row, other))
    proof = surveys.token(theirs).partition(".")[2]
    for text in ("", "x", "1", f"{mine.id}.", f"{mine.id}.{proof}", f"{mine.id}.é", "9" * 30):
        with pytest.raises(surveys.SurveyOver):
            surveys.find(session, text=text, now=NOW)
    with pytest.raises(surveys.SurveyOver):
        surveys.find(session, text=surveys.token(mine), now=row.starts_at + 15 * DAY)


def test_booking_with_an_address_plans_the_letter(session: Session, clinic: make.Tenant) -> None:
    """The key names it once: a repeat of the same address is refused by the index."""
    message = asked(session, visit(session, clinic))
    assert message.key == f"survey:{message.facts['survey_address_id']}"
    assert outbox.lease(session, now=message.run_at) == [(message.id, 1)]


def test_of_many_ratings_at_once_one_is_kept(store: Session, engine: Engine) -> None:
    clinic = make.make_polyclinic(store)
    row = visit(store, clinic)
    store.commit()

    def act(mine: Session) -> int:
        set_scope(mine, SYSTEM)
        found = rate(mine, mine.get_one(Appointment, row.id)).id
        mine.commit()
        return found

    found = at_once(engine, [act] * 6)
    assert sorted(type(each).__name__ for each in found) == ["RatedAlready"] * 5 + ["int"]
    assert len(store.scalars(select(Review)).all()) == 1
