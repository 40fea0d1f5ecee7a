"""Confirming a profile by a paper consent (C16): asked for, due by the Russian calendar, decided once."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Consent, Message
from app.models.cabinet import AccountEvent
from app.models.cabinet_choices import AccountEventKind, ConfirmationStatus
from app.models.enums import ConsentChannel, ConsentPurpose, MessageKind, Role
from app.rules import confirmations, holidays
from app.rules.actor import actor_of
from app.rules.errors import ReasonNeeded
from tests import make

NOW = make.NOW


@pytest.fixture
def tenant(session: Session) -> make.Tenant:
    made = make.make_tenant(session)
    make.make_consent_text(session, made.root, purpose=ConsentPurpose.DOCUMENTS)
    return made


@pytest.fixture
def donor(session: Session, tenant: make.Tenant) -> make.KnownDonor:
    return make.make_donor(session, tenant)


def asked(session: Session, donor: make.KnownDonor, now: dt.datetime = NOW):
    return confirmations.request(session, account=donor.account, person=donor.person, now=now)


@pytest.mark.parametrize(
    ("asked_on", "due"),
    [
        ("2026-11-23", "2026-11-26"),  # Monday: Thursday
        ("2026-11-26", "2026-12-01"),  # Thursday: over the weekend
        ("2026-11-03", "2026-11-09"),  # before 4 November and a weekend
        (
            "2026-12-29",
            "2027-01-12",
        ),  # 31 December is a day off by decree, then the New Year holidays
    ],
)
def test_the_answer_is_due_in_three_working_days(
    session: Session, donor: make.KnownDonor, asked_on: str, due: str
) -> None:
    now = dt.datetime.fromisoformat(f"{asked_on}T09:00:00+00:00")
    assert asked(session, donor, now).due_on == dt.date.fromisoformat(due)


def test_the_number_of_days_is_data(
    session: Session, donor: make.KnownDonor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmations, "numbers", lambda: {"working_days": 1})
    assert asked(session, donor).due_on == dt.date(2026, 11, 24)


def test_days_left_are_working_days_and_late_ones_are_negative() -> None:
    left = holidays.working_days_left
    monday = dt.date(2026, 11, 23)
    assert left(monday, monday) == 0
    assert left(dt.date(2026, 11, 27), dt.date(2026, 12, 1)) == 2
    assert left(dt.date(2026, 12, 1), dt.date(2026, 11, 27)) == -2


def test_the_day_counts_in_the_zone_of_the_organization(session: Session) -> None:
    tenant = make.make_tenant(session, time_zone="Asia/Vladivostok")
    make.make_consent_text(session, tenant.root, purpose=ConsentPurpose.DOCUMENTS)
    donor = make.make_donor(session, tenant)
    evening = dt.datetime(2026, 11, 23, 20, 0, tzinfo=dt.UTC)  # Tuesday there
    assert asked(session, donor, evening).due_on == dt.date(2026, 11, 27)


def test_without_a_proven_address_nothing_can_be_asked_for(
    session: Session, donor: make.KnownDonor
) -> None:
    donor.account.email_confirmed_at = None
    with pytest.raises(confirmations.EmailNeeded):
        asked(session, donor)


def test_an_organization_without_the_text_says_so(session: Session) -> None:
    donor = make.make_donor(session, make.make_tenant(session))
    with pytest.raises(confirmations.NoDocumentsText):
        asked(session, donor)


def test_asked_twice_it_is_one_request(session: Session, donor: make.KnownDonor) -> None:
    asked(session, donor)
    with pytest.raises(confirmations.AskedAlready):
        asked(session, donor)


def test_confirming_writes_the_paper_down_and_tells_the_person(
    session: Session, tenant: make.Tenant, donor: make.KnownDonor
) -> None:
    row = asked(session, donor)
    registrar = make.make_staff(session, Role.REGISTRAR, tenant.root)
    with pytest.raises(confirmations.PaperNotSeen):
        confirmations.confirm(session, uid=row.uid, seen=False, actor=actor_of(registrar), now=NOW)
    confirmations.confirm(session, uid=row.uid, seen=True, actor=actor_of(registrar), now=NOW)
    session.flush()
    consent = session.get_one(Consent, row.consent_id)
    assert (consent.channel, consent.text.purpose, consent.recorded_by_id) == (
        ConsentChannel.PAPER,
        ConsentPurpose.DOCUMENTS,
        registrar.id,
    )
    assert confirmations.stands(row)
    message = session.scalars(select(Message)).one()
    assert (message.kind, message.account_id) == (
        MessageKind.PROFILE_CONFIRMED,
        donor.account.id,
    )
    line = session.scalars(select(AccountEvent)).one()
    assert line.kind is AccountEventKind.CONSENT_GIVEN
    assert [a.id for a in confirmations.readers(session, person_id=donor.person.id, now=NOW)] == [
        donor.account.id
    ]
    with pytest.raises(confirmations.ConfirmedAlready):
        asked(session, donor)
    with pytest.raises(confirmations.DecidedMeanwhile):
        confirmations.refuse(session, uid=row.uid, reason="нет", actor=actor_of(registrar), now=NOW)


def test_a_refusal_wants_a_reason_and_another_request_may_follow(
    session: Session, tenant: make.Tenant, donor: make.KnownDonor
) -> None:
    row = asked(session, donor)
    actor = actor_of(make.make_staff(session, Role.REGISTRAR, tenant.root))
    with pytest.raises(ReasonNeeded):
        confirmations.refuse(session, uid=row.uid, reason="  ", actor=actor, now=NOW)
    confirmations.refuse(session, uid=row.uid, reason="Паспорт чужой", actor=actor, now=NOW)
    assert (row.status, row.reason) == (ConfirmationStatus.REFUSED, "Паспорт чужой")
    assert not confirmations.readers(session, person_id=donor.person.id, now=NOW)
    assert asked(session, donor).status is ConfirmationStatus.WAITING


def test_a_withdrawn_paper_may_be_asked_for_anew(session: Session, donor: make.KnownDonor) -> None:
    row = make.make_confirmation(session, donor)
    row.consent.withdrawn_at = NOW
    session.flush()
    assert not confirmations.stands(row)
    assert asked(session, donor).status is ConfirmationStatus.WAITING


def test_a_request_is_taken_back_only_while_it_waits(
    session: Session, donor: make.KnownDonor
) -> None:
    row = asked(session, donor)
    confirmations.take_back(session, row=row, now=NOW)
    assert row.status is ConfirmationStatus.WITHDRAWN
    with pytest.raises(confirmations.DecidedMeanwhile):
        confirmations.take_back(session, row=row, now=NOW)
