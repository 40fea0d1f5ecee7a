"""Donor cards: links with records and their undoing, corrections, deferrals, donations, search, standing."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.orm import Session

from app.models import (
    AuditEvent,
    Deferral,
    Donation,
    Donor,
    DonorRecord,
    Message,
    OneTimeLink,
    Person,
    WebSession,
)
from app.models.enums import (
    AppointmentStatus,
    BloodGroup,
    DeferralKind,
    DonationKind,
    FactSource,
    LinkPurpose,
    MessageKind,
    MessageStatus,
    Role,
    Sex,
    Sign,
    Surface,
)
from app.models.scope import SYSTEM, set_scope
from app.rules import (
    access,
    audit,
    corrections,
    delivery,
    donor_card,
    donor_search,
    donors,
    history,
    outbox,
)
from app.rules.actor import actor_of
from app.rules.comparison import Sameness
from app.rules.corrections import CardForm, EmailInUse, KeptElsewhere, NoAccount
from app.rules.donors import CardLinked, RecordTaken, folded, link_record, unlink_record
from app.rules.errors import NotFound
from tests import make
from tests.make import NOW, KnownDonor, Tenant
from tests.statements import statements

TODAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)


@pytest.fixture
def tenant(session: Session) -> Tenant:
    return make.make_tenant(session)


@pytest.fixture
def registrar(session: Session, tenant: Tenant):
    return make.make_staff(session, Role.REGISTRAR, tenant.root)


@pytest.fixture
def actor(registrar):
    return actor_of(registrar)


@pytest.fixture
def nameless(session: Session, tenant: Tenant) -> KnownDonor:
    """As registration leaves a card: a code and a blood group, no name."""
    return make.make_donor(
        session, tenant, donor_code="456545", family_name="", given_name="", patronymic=""
    )


def named(session: Session, tenant: Tenant, known: KnownDonor, **changes: object) -> DonorRecord:
    fields = {"family_name": "Фёдорова", "given_name": "Анна", "sex": Sex.FEMALE} | changes
    return make.make_record(session, tenant, known, **fields)


# names


@pytest.mark.parametrize(
    ("name", "result"),
    [("  Фёдорова   АЛЁНА ", "федорова алена"), ("", ""), ("Ж" * 300, "ж" * 250)],
)
def test_names_are_folded_for_search(name, result):
    assert folded(name) == result


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+7 900 123-45-67", "+79001234567"),
        ("8 (900) 1234567", "+79001234567"),
        ("9001234567", "+79001234567"),
        ("456545", ""),
        ("+1 900 123 45 67", ""),
        ("89001234567 доб. 3", ""),
        ("٨٩٠٠١٢٣٤٥٦٧", ""),
    ],
)
def test_phones_have_one_spelling(text, phone):
    assert donors.normal_phone(text) == phone


# links


def test_a_link_fills_what_is_empty_and_hands_over_deferrals_and_donations(
    session, tenant, nameless
):
    record = named(session, tenant, nameless)
    make.make_deferral(session, tenant, record)
    make.make_donation(session, tenant, record, on_date=TODAY - 100 * DAY)
    assert link_record(session, person=nameless.person, record=record) is True
    person = nameless.person
    assert (person.full_name, person.birth_date, person.sex) == (
        "Фёдорова Анна",
        record.birth_date,
        Sex.FEMALE,
    )
    assert person.search_name == "федорова анна"
    assert record.person_id == person.id
    assert session.scalars(select(Deferral.person_id)).all() == [person.id]
    assert session.scalars(select(Donation.person_id)).all() == [person.id]


def test_a_link_leaves_what_the_card_says_itself(session, tenant):
    donor = make.make_donor(session, tenant, family_name="Ель", given_name="", patronymic="")
    record = named(session, tenant, donor)
    link_record(session, person=donor.person, record=record)
    assert donor.person.full_name == "Ель Анна"


def test_an_undone_link_takes_back_exactly_what_it_gave(session, tenant):
    donor = make.make_donor(session, tenant, family_name="Ель", given_name="", patronymic="")
    record = named(session, tenant, donor)
    own = make.make_deferral(session, tenant, donor)
    theirs = make.make_deferral(session, tenant, record)
    link_record(session, person=donor.person, record=record)
    assert unlink_record(session, person=donor.person, record=record) is True
    session.refresh(own)
    session.refresh(theirs)
    assert donor.person.full_name == "Ель"
    assert (donor.person.birth_date, donor.person.sex) == (None, None)
    assert donor.person.search_name == "ель"
    assert (record.person_id, record.filled) == (None, "")
    assert (own.person_id, theirs.person_id) == (donor.person.id, None)


def test_what_staff_corrected_after_the_link_stays_when_it_is_undone(
    session, tenant, nameless, actor
):
    record = named(session, tenant, nameless)
    link_record(session, person=nameless.person, record=record)
    correct(session, nameless, actor, given_name="Анастасия")
    unlink_record(session, person=nameless.person, record=record)
    assert nameless.person.full_name == "Анастасия"


def test_linking_and_unlinking_twice_is_once(session, tenant, nameless):
    record = named(session, tenant, nameless)
    assert link_record(session, person=nameless.person, record=record)
    assert not link_record(session, person=nameless.person, record=record)
    assert unlink_record(session, person=nameless.person, record=record)
    assert not unlink_record(session, person=nameless.person, record=record)


def test_a_record_has_one_card_and_a_card_one_record(session, tenant, nameless):
    record = named(session, tenant, nameless)
    link_record(session, person=nameless.person, record=record)
    other = make.make_donor(session, tenant)
    with pytest.raises(RecordTaken):
        link_record(session, person=other.person, record=record)
    second = make.make_record(session, tenant)
    with pytest.raises(CardLinked) as refusal:
        link_record(session, person=nameless.person, record=second)
    assert refusal.value.params == {"code": "456545"}


def test_a_record_of_another_organization_cannot_be_linked(session, tenant, nameless):
    other = make.make_tenant(session, name="Другой")
    record = make.make_record(session, other)
    with pytest.raises(NotFound):
        link_record(session, person=nameless.person, record=record)


def test_links_are_audited_when_somebody_makes_them(session, tenant, nameless, actor):
    record = named(session, tenant, nameless)
    link_record(session, person=nameless.person, record=record, actor=actor, now=NOW)
    unlink_record(session, person=nameless.person, record=record, actor=actor, now=NOW)
    verbs = session.scalars(select(AuditEvent.verb).where(AuditEvent.subject == "donor_record"))
    assert verbs.all() == ["donor.link", "donor.unlink"]


def test_links_work_within_a_registrars_own_scope(session, tenant, nameless, registrar):
    record = named(session, tenant, nameless)
    make.make_deferral(session, tenant, record)
    session.flush()
    set_scope(session, access.staff_scope(session, registrar))
    link_record(session, person=nameless.person, record=record)
    unlink_record(session, person=nameless.person, record=record)
    set_scope(session, SYSTEM)
    assert session.scalars(select(Deferral.person_id)).all() == [None]


# corrections


def correct(session: Session, known: KnownDonor, actor, **changes: object) -> list[str]:
    fields = corrections.form_of(known.person, known.donor) | changes
    form = CardForm(**fields)  # type: ignore[arg-type]
    return corrections.correct_card(session, person=known.person, form=form, actor=actor, now=NOW)


def test_a_correction_writes_what_differs_and_audits_it_without_values(
    session, tenant, nameless, actor
):
    changed = correct(
        session, nameless, actor, family_name="Ёлкина", kell=Sign.POSITIVE, phone="+79001234567"
    )
    assert changed == ["family_name", "phone", "kell"]
    assert nameless.person.search_name == "елкина"
    assert nameless.person.phone == "+79001234567"
    assert nameless.donor.kell is Sign.POSITIVE
    events = session.scalars(select(AuditEvent).where(AuditEvent.verb == "donor.correct")).all()
    assert {event.subject: event.changes for event in events} == {
        "person": {"family_name": [None, audit.MASK], "phone": [None, audit.MASK]},
        "donor": {"kell": [audit.MASK, audit.MASK]},
    }
    assert correct(session, nameless, actor) == []


def test_a_card_without_a_donor_gets_one_when_its_code_is_entered(session, tenant, actor):
    person = make.make_person(session, tenant)
    form = corrections.form_of(person, None) | {
        "donor_code": "77",
        "blood_group": BloodGroup.O,
        "rh": Sign.POSITIVE,
        "kell": Sign.NEGATIVE,
    }
    corrections.correct_card(
        session,
        person=person,
        form=CardForm(**form),
        actor=actor,
        now=NOW,  # type: ignore[arg-type]
    )
    assert donor_search.donors(session, donor_search.wanted("77"))[0].person is person


def session_of(session: Session, known: KnownDonor) -> None:
    session.add(
        WebSession(
            token_hash=bytes(32),
            surface=Surface.PUBLIC,
            account_id=known.account.id,
            created_at=NOW,
            seen_at=NOW,
            expires_at=NOW + DAY,
            ip="",
            user_agent="",
        )
    )
    session.add(
        OneTimeLink(
            purpose=LinkPurpose.RESET_PASSWORD,
            account_id=known.account.id,
            nonce="",
            created_at=NOW,
            expires_at=NOW + DAY,
        )
    )
    session.flush()


def test_a_corrected_address_is_confirmed_anew_and_the_old_one_opens_nothing(
    session, tenant, nameless, registrar, actor
):
    session_of(session, nameless)
    set_scope(session, access.staff_scope(session, registrar))
    assert corrections.correct_email(
        session, person=nameless.person, email=" New@Example.org ", actor=actor, now=NOW
    )
    set_scope(session, SYSTEM)
    assert nameless.account.email == "new@example.org"
    assert nameless.account.email_confirmed_at is None
    assert session.scalars(select(WebSession)).all() == []
    (link,) = session.scalars(select(OneTimeLink))
    assert link.purpose is LinkPurpose.CONFIRM_EMAIL
    (letter,) = session.scalars(select(Message))
    assert (letter.kind, letter.tenant_id) == (MessageKind.CONFIRM_EMAIL, tenant.id)
    event = session.scalars(select(AuditEvent).where(AuditEvent.verb == "account.email")).one()
    assert event.changes == {"email": [audit.MASK, audit.MASK]}


def test_letters_about_bookings_wait_until_the_new_address_is_confirmed(
    session, tenant, nameless, actor
):
    day = make.make_schedule(session, tenant)
    booking = make.make_appointment(session, tenant, nameless, day, status=AppointmentStatus.BOOKED)
    letter = outbox.tell(session, booking, MessageKind.APPROVED, now=NOW)
    corrections.correct_email(
        session, person=nameless.person, email="new@example.org", actor=actor, now=NOW
    )
    found = {key: attempt for key, attempt in outbox.lease(session, now=NOW)}
    assert not delivery.begin(session, message_id=letter.id, attempt=found[letter.id], now=NOW)
    assert letter.status is MessageStatus.DUE
    assert letter.run_at > NOW
    nameless.account.email_confirmed_at = NOW
    later = letter.run_at
    ((_, attempt),) = [pair for pair in outbox.lease(session, now=later) if pair[0] == letter.id]
    assert delivery.begin(session, message_id=letter.id, attempt=attempt, now=later)


def test_the_same_address_changes_nothing(session, tenant, nameless, actor):
    assert not corrections.correct_email(
        session, person=nameless.person, email=nameless.account.email.upper(), actor=actor, now=NOW
    )
    assert session.scalars(select(Message)).all() == []


def test_an_address_of_somebody_else_is_refused(session, tenant, nameless, actor):
    other = make.make_donor(session, tenant)
    with pytest.raises(EmailInUse):
        corrections.correct_email(
            session, person=nameless.person, email=other.account.email, actor=actor, now=NOW
        )


def test_an_address_of_an_account_with_cards_elsewhere_is_refused(
    session, tenant, nameless, registrar, actor
):
    from app.models import AccountPerson

    elsewhere = make.make_tenant(session, name="Другой")
    person = make.make_person(session, elsewhere)
    session.add(
        AccountPerson(account_id=nameless.account.id, person_id=person.id, tenant_id=elsewhere.id)
    )
    session.flush()
    set_scope(session, access.staff_scope(session, registrar))
    with pytest.raises(KeptElsewhere):
        corrections.correct_email(
            session, person=nameless.person, email="new@example.org", actor=actor, now=NOW
        )
    set_scope(session, SYSTEM)


def test_a_card_nobody_signs_in_with_has_no_address(session, tenant, actor):
    person = make.make_person(session, tenant)
    with pytest.raises(NoAccount):
        corrections.correct_email(
            session, person=person, email="new@example.org", actor=actor, now=NOW
        )


# deferrals and donations by hand


def defer(session, known, actor, **changes):
    fields = {
        "kind": DeferralKind.TEMPORARY,
        "starts_on": TODAY,
        "ends_on": TODAY + 10 * DAY,
        "reason": "давление",
    } | changes
    return history.add_deferral(session, person=known.person, actor=actor, now=NOW, **fields)


def test_a_deferral_by_staff_is_entered_and_withdrawn(session, tenant, nameless, actor):
    deferral = defer(session, nameless, actor)
    assert deferral.source is FactSource.STAFF
    history.withdraw_deferral(session, deferral=deferral, actor=actor, now=NOW)
    assert deferral.withdrawn_at == NOW
    with pytest.raises(history.AlreadyWithdrawn):
        history.withdraw_deferral(session, deferral=deferral, actor=actor, now=NOW)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"ends_on": None}, history.EndNeeded),
        ({"kind": DeferralKind.PERMANENT}, history.NoEndWanted),
        ({"ends_on": TODAY - DAY}, history.EndsBefore),
    ],
)
def test_a_deferral_that_contradicts_itself_is_refused(
    session, tenant, nameless, actor, changes, refusal
):
    with pytest.raises(refusal):
        defer(session, nameless, actor, **changes)


def give(session, known, actor, on_date=TODAY):
    return history.add_donation(
        session,
        person=known.person,
        kind=DonationKind.PLASMA,
        on_date=on_date,
        note="в другом центре",
        actor=actor,
        now=NOW,
    )


def test_a_donation_by_staff_is_entered_once_and_may_be_taken_out(session, tenant, nameless, actor):
    donation = give(session, nameless, actor)
    with pytest.raises(history.AlreadyEntered):
        give(session, nameless, actor)
    with pytest.raises(history.NotYetGiven):
        give(session, nameless, actor, TODAY + DAY)
    history.remove_donation(session, donation=donation, actor=actor, now=NOW)
    assert session.scalars(select(Donation)).all() == []


def test_a_donation_from_the_file_is_not_taken_out_by_hand(session, tenant, nameless, actor):
    donation = make.make_donation(session, tenant, nameless, on_date=TODAY - DAY)
    with pytest.raises(history.NotByHand):
        history.remove_donation(session, donation=donation, actor=actor, now=NOW)


# search


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("Фёдорова Анна", {"words": ("федорова", "анна")}),
        ("Федорова А. 14.02.1988", {"words": ("федорова", "а"), "born": dt.date(1988, 2, 14)}),
        ("1988-02-14", {"born": dt.date(1988, 2, 14)}),
        ("456545", {"code": "456545"}),
        ("Anna@Example.org", {"email": "anna@example.org"}),
        ("+7 900 123-45-67", {"phone": "+79001234567"}),
        ("9001234567", {"phone": "+79001234567", "code": "9001234567"}),
        ("  ", {}),
        ("%", {"words": ("%",)}),
        ("31.02.1988", {"words": ("31.02.1988",)}),
    ],
)
def test_what_a_line_of_search_means(line, result):
    wish = donor_search.wanted(line)
    for name in ("words", "code", "email", "phone", "born"):
        assert getattr(wish, name) == result.get(
            name, () if name == "words" else None if name == "born" else ""
        ), name


def names(session: Session, line: str) -> list[str]:
    return [
        found.person.given_name for found in donor_search.donors(session, donor_search.wanted(line))
    ]


def test_donors_are_found_by_each_of_their_words(session, tenant, actor):
    one = make.make_donor(
        session,
        tenant,
        family_name="Фёдорова",
        given_name="Анна",
        patronymic="Ивановна",
        donor_code="456545",
        birth_date=dt.date(1988, 2, 14),
    )
    make.make_donor(session, tenant, family_name="Федоров", given_name="Иван")
    make.make_donor(session, tenant, family_name="Щукин", given_name="Фёдор")
    correct(session, one, actor, phone="+79001234567")
    assert names(session, "фЁдоров") == ["Иван", "Анна"]
    assert names(session, "федорова") == ["Анна"]
    assert names(session, "федоров ив") == ["Иван", "Анна"]
    assert names(session, "федорова а и") == ["Анна"]
    assert names(session, "федоров 14.02.1988") == ["Анна"]
    assert names(session, "456545") == ["Анна"]
    assert names(session, one.account.email) == ["Анна"]
    assert names(session, "8 900 123 45 67") == ["Анна"]
    assert names(session, "%") == names(session, "_") == names(session, "") == []


def test_a_donor_is_found_by_the_code_of_the_linked_record_too(session, tenant, nameless):
    record = named(session, tenant, nameless, code="999")
    link_record(session, person=nameless.person, record=record)
    assert names(session, "999") == ["Анна"]


def test_lists_are_cut_and_say_so_by_one_more(session, tenant):
    for _ in range(4):
        make.make_donor(session, tenant)
    assert len(donor_search.donors(session, donor_search.wanted("соснова"), limit=3)) == 4


def test_nobody_of_another_organization_is_found(session, tenant, nameless, registrar):
    other = make.make_tenant(session, name="Другой")
    make.make_donor(session, other, donor_code="456545", family_name="Чужой")
    make.make_record(session, other, code="456545", family_name="Чужой", search_name="чужой")
    set_scope(session, access.staff_scope(session, registrar))
    for line in ("456545", "чужой"):
        assert all(
            f.person.id == nameless.person.id
            for f in donor_search.donors(session, donor_search.wanted(line))
        )
        assert donor_search.records(session, donor_search.wanted(line)) == []
    set_scope(session, SYSTEM)


def test_records_say_whose_they_are_or_who_claims_them(session, tenant, nameless):
    record = named(session, tenant, nameless, search_name="федорова анна")
    (found,) = donor_search.records(session, donor_search.wanted("федорова"))
    assert (found.record, found.person, found.claimed_by) == (record, None, nameless.person)
    assert [one.record for one in donor_search.unlinked(session)] == [record]
    link_record(session, person=nameless.person, record=record)
    (found,) = donor_search.records(session, donor_search.wanted("456545"))
    assert (found.person, found.claimed_by) == (nameless.person, None)
    assert donor_search.unlinked(session) == []


def plan(session: Session, statement) -> str:
    """How the database would look, were there many rows."""
    dialect = session.get_bind().dialect
    if dialect.name == "postgresql":
        session.execute(text("ANALYZE"))  # of the rows of this test, not of whatever ran before
        session.execute(text("SET LOCAL enable_seqscan = off"))
        session.execute(text("SET LOCAL enable_sort = off"))
    compiled = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    ask = "EXPLAIN" if dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    return "\n".join(str(row) for row in session.execute(text(f"{ask} {compiled}")))


def crowd(session: Session, tenant: Tenant, count: int = 1500) -> None:
    """So many donors that the planner has something to choose between."""
    born = TODAY - dt.timedelta(days=30 * 365)
    rows = [
        {"uid": uuid.UUID(int=n + 1), "tenant_id": tenant.id, "family_name": f"Пробный{n}",
         "given_name": "Имя", "search_name": f"пробный{n} имя", "created_at": NOW,
         "birth_date": born + n * DAY}
        for n in range(count)
    ]  # fmt: skip
    people = session.scalars(insert(Person).returning(Person.id), rows).all()
    cards = [
        {"tenant_id": tenant.id, "person_id": key, "donor_code": f"{700000 + n}",
         "blood_group": BloodGroup.B, "rh": Sign.NEGATIVE, "kell": Sign.NEGATIVE}
        for n, key in enumerate(people)
    ]  # fmt: skip
    session.execute(insert(Donor), cards)


@pytest.mark.parametrize(
    ("line", "index"),
    [
        ("федоров", "ix_person_tenant_id_search_name"),
        ("федоров анна", "ix_person_tenant_id_search_name"),
        ("14.02.1988", "ix_person_tenant_id_"),
        ("456545", "ix_donor_tenant_id_donor_code"),
    ],
)
def test_every_search_goes_through_an_index(session, tenant, registrar, line, index):
    crowd(session, tenant)
    asked = []
    set_scope(session, access.staff_scope(session, registrar))

    def listen(state):
        asked.append(state.statement)

    event.listen(session, "do_orm_execute", listen)
    donor_search.donors(session, donor_search.wanted(line))
    event.remove(session, "do_orm_execute", listen)
    set_scope(session, SYSTEM)
    (statement,) = asked
    assert index in plan(session, statement)


# the card


def read(session: Session, known: KnownDonor) -> donor_card.Card:
    return donor_card.card(session, uid=known.person.uid, now=NOW)


def test_the_card_sets_what_the_donor_says_beside_the_record(session, tenant):
    donor = make.make_donor(session, tenant, kell=Sign.POSITIVE)
    make.make_record(session, tenant, donor, kell=Sign.NEGATIVE, family_name="")
    found = {one.title: one.sameness for one in read(session, donor).comparisons}
    assert found["Donor code"] is Sameness.SAME
    assert found["Kell"] is Sameness.DIFFERENT
    assert found["Family name"] is Sameness.UNKNOWN
    assert not read(session, donor).linked


def test_without_a_record_there_is_nothing_to_compare(session, tenant, nameless):
    assert read(session, nameless).comparisons == []


def since(session: Session, known: KnownDonor) -> dict[DonationKind, dt.date | None]:
    return {one.kind: one.since for one in read(session, known).standings}


def test_a_donor_without_history_may_give_everything_today(session, tenant, nameless):
    assert set(since(session, nameless).values()) == {TODAY}


def test_intervals_differ_by_kind_and_the_first_date_is_named(session, tenant, nameless):
    make.make_donation(session, tenant, nameless, on_date=TODAY - 20 * DAY, kind=DonationKind.BLOOD)
    found = since(session, nameless)
    assert found[DonationKind.BLOOD] == TODAY + 40 * DAY
    assert found[DonationKind.PLASMA] == TODAY + 10 * DAY
    reasons = {one.kind: [r.code for r in one.reasons] for one in read(session, nameless).standings}
    assert reasons[DonationKind.PLASMA] == ["interval"]


def test_one_reason_after_another_is_counted_through(session, tenant, nameless):
    make.make_donation(session, tenant, nameless, on_date=TODAY - 20 * DAY, kind=DonationKind.BLOOD)
    make.make_deferral(
        session, tenant, nameless, starts_on=TODAY + 9 * DAY, ends_on=TODAY + 12 * DAY
    )
    assert since(session, nameless)[DonationKind.PLASMA] == TODAY + 13 * DAY


def test_a_permanent_deferral_has_no_date(session, tenant, nameless):
    make.make_deferral(session, tenant, nameless, kind=DeferralKind.PERMANENT, ends_on=None)
    assert set(since(session, nameless).values()) == {None}


def test_the_yearly_limit_and_the_age_are_counted(session, tenant):
    young = make.make_donor(session, tenant, birth_date=dt.date(2009, 1, 15))
    assert since(session, young)[DonationKind.BLOOD] == dt.date(2027, 1, 15)
    often = make.make_donor(session, tenant)
    for days in (300, 230, 160, 90):
        make.make_donation(
            session, tenant, often, on_date=TODAY - days * DAY, kind=DonationKind.BLOOD
        )
    assert since(session, often)[DonationKind.BLOOD] == TODAY + 65 * DAY


def test_the_sites_own_reasons_stand_apart(session, tenant, nameless):
    day = make.make_schedule(session, tenant)
    make.make_appointment(session, tenant, nameless, day)
    card = read(session, nameless)
    assert [refusal.code for refusal in card.site] == ["other_booking"]
    assert {one.since for one in card.standings} == {TODAY}


def test_bookings_to_come_show_checks_that_fail_now(session, tenant, nameless, actor):
    day = make.make_schedule(session, tenant)
    make.make_appointment(session, tenant, nameless, day, status=AppointmentStatus.BOOKED)
    named(session, tenant, nameless)
    assert read(session, nameless).failing == 0
    defer(session, nameless, actor)
    card = read(session, nameless)
    assert card.failing == 1
    assert [check.name for check in card.upcoming[0].failing] == ["deferral"]


def test_other_cards_with_the_same_code_are_named(session, tenant, nameless):
    twin = make.make_donor(session, tenant, donor_code="456545")
    assert read(session, nameless).twins == [twin.person]


def test_who_saw_the_card_is_on_the_card(session, tenant, nameless, registrar):
    audit.seen(
        session,
        action="donors.card",
        staff_user_id=registrar.id,
        now=NOW,
        tenant_id=tenant.id,
        person_ids=[nameless.person.id],
    )
    session.flush()
    (seen,) = read(session, nameless).seen
    assert (seen.who, seen.action, seen.at) == (registrar.full_name, "donors.card", NOW)
    (found,) = donor_search.last_opened(session, staff_user_id=registrar.id)
    assert found.person is nameless.person


def test_a_card_of_another_organization_is_not_there(session, tenant, nameless):
    other = make.make_tenant(session, name="Другой")
    stranger = make.make_staff(session, Role.REGISTRAR, other.root)
    set_scope(session, access.staff_scope(session, stranger))
    session.expire_all()
    with pytest.raises(NotFound):
        read(session, nameless)
    set_scope(session, SYSTEM)


def test_a_long_history_takes_no_more_queries_than_a_short_one(session, tenant, nameless):
    def queries() -> int:
        session.flush()
        session.expire_all()
        with statements(session) as asked:
            read(session, nameless)
        return len(asked)

    day = make.make_schedule(session, tenant)
    make.make_appointment(session, tenant, nameless, day)
    make.make_donation(session, tenant, nameless, on_date=TODAY - 99 * DAY)
    make.make_deferral(session, tenant, nameless, ends_on=TODAY - DAY, starts_on=TODAY - 2 * DAY)
    short = queries()
    other_day = make.make_schedule(session, tenant, days=3, per_time=9)
    for number in range(6):
        make.make_appointment(
            session, tenant, nameless, other_day, status=AppointmentStatus.CANCELLED
        )
        make.make_donation(session, tenant, nameless, on_date=TODAY - (100 + number) * DAY)
        make.make_deferral(
            session, tenant, nameless, ends_on=TODAY - DAY, starts_on=TODAY - 2 * DAY
        )
    assert queries() <= short + 1
