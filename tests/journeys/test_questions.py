"""What cannot be taken back never happens at the first click: a question stands before it, and Enter is no."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    Appointment,
    Donation,
    DonorRecord,
    RejectionReason,
    RoleAssignment,
    Schedule,
    StaffUser,
)
from app.models.enums import AppointmentStatus, DonationKind, FactSource, Role
from app.models.exchange import DonorImport
from app.models.schedule import Publication
from app.rules.donors import link_record
from tests import make
from tests.journeys.people import Visitor, Worker, engine, now
from tests.live import Live

FILE = "код донора;группа крови;резус-фактор\n777;I;+\n"


@dataclass
class House:
    """A centre with one of everything that can be destroyed, and who may do it."""

    people: dict[Role, StaffUser] = field(default_factory=dict)
    donor: Any = None
    uids: dict[str, Any] = field(default_factory=dict)


def furnished(live: Live) -> House:
    """Make the house."""
    house = House()
    with live.session() as session:
        tenant = make.make_tenant(session, now=now())
        today = now().date()
        known = make.make_donor(session, tenant, now=now())
        link_record(session, person=known.person, record=make.make_record(session, tenant, known))
        day = make.make_schedule(session, tenant, date=today + dt.timedelta(days=3))
        booking = make.make_appointment(
            session, tenant, known, day, status=AppointmentStatus.BOOKED, now=now()
        )
        make.make_donation(
            session,
            tenant,
            known,
            on_date=today - dt.timedelta(days=90),
            kind=DonationKind.PLASMA,
            source=FactSource.STAFF,
        )
        for role in (Role.ADMINISTRATOR, Role.REGISTRAR, Role.SCHEDULER):
            house.people[role] = make.make_staff(session, role, tenant.root, now=now())
        colleague = make.make_staff(
            session, Role.OPERATOR, tenant.root, now=now(), full_name="Пётр Коллега"
        )
        reason = RejectionReason(
            tenant_id=tenant.id, text_ru="Лишняя", text_en="Superfluous", position=9
        )
        session.add(reason)
        session.flush()
        house.donor = known.account
        house.uids = {
            "booking": booking.uid,
            "day": day.uid,
            "card": known.person.uid,
            "colleague": colleague.uid,
            "reason": reason.uid,
        }
    return house


@dataclass(frozen=True)
class Act:
    """One thing that cannot be taken back."""

    name: str
    who: Role | None
    """None: the donor."""
    path: str
    click: str
    """The link that asks."""
    sure: str
    """The button that does it."""
    state: Callable[[Session], Any]
    """What it changes."""
    words: str = ""
    """What the question says."""
    dialog: bool = True
    """With JavaScript the question comes as a dialog."""
    within: str = "main"


def colleague_of(session: Session) -> StaffUser:
    return session.scalars(select(StaffUser).where(StaffUser.full_name == "Пётр Коллега")).one()


ACTS = (
    Act(
        "a booking is cancelled",
        None,
        "/bookings/{booking}",
        "Отменить запись",
        "Да, отменить запись",
        lambda session: session.scalars(select(Appointment.status)).one(),
        "Место сразу станет доступно другому донору",
        dialog=False,
    ),
    Act(
        "a day is closed",
        Role.SCHEDULER,
        "/staff/days/{day}/",
        "Закрыть день",
        "Закрыть день: 1 записанный получит сообщение",
        lambda session: session.scalars(select(Schedule.status)).one(),
        "Записан 1 человек",
        dialog=False,
    ),
    Act(
        "a draft is discarded",
        Role.SCHEDULER,
        "draft",
        "Отбросить черновик",
        "Отбросить черновик",
        lambda session: session.scalars(select(Publication.status)).one(),
        "Заполненное вернуть нельзя",
    ),
    Act(
        "a donor file is discarded",
        Role.REGISTRAR,
        "import",
        "Отклонить",
        "Отклонить файл",
        lambda session: session.scalars(select(DonorImport.status)).one(),
        "Ничего из него не загружается",
        within="main .decide",
    ),
    Act(
        "a record is unlinked",
        Role.REGISTRAR,
        "/staff/donors/{card}/",
        "Отвязать",
        "Отвязать",
        lambda session: session.scalars(select(DonorRecord.person_id)).one(),
    ),
    Act(
        "a donation is taken out",
        Role.REGISTRAR,
        "/staff/donors/{card}/",
        "Убрать",
        "Убрать донацию",
        lambda session: len(session.scalars(select(Donation)).all()),
    ),
    Act(
        "a role is withdrawn",
        Role.ADMINISTRATOR,
        "/staff/staff/details/?id={colleague}",
        "Снять",
        "Снять",
        lambda session: len(
            session.scalars(
                select(RoleAssignment).where(
                    RoleAssignment.staff_user_id == colleague_of(session).id
                )
            ).all()
        ),
        within="main table.rows",
    ),
    Act(
        "a colleague is switched off",
        Role.ADMINISTRATOR,
        "/staff/staff/details/?id={colleague}",
        "Отключить",
        "Отключить",
        lambda session: colleague_of(session).is_active,
    ),
    Act(
        "a telephone is forgotten",
        Role.ADMINISTRATOR,
        "/staff/staff/details/?id={colleague}",
        "Подключить новый телефон",
        "Подключить новый телефон",
        lambda session: colleague_of(session).totp_confirmed_at is None,
    ),
    Act(
        "a reason is deleted",
        Role.ADMINISTRATOR,
        "/staff/reasons/",
        "Удалить",
        "Удалить",
        lambda session: len(session.scalars(select(RejectionReason)).all()),
        within="main tr:has-text('Лишняя')",
    ),
)


def arrive(live: Live, house: House, who: Visitor, act: Act) -> None:
    """Go to where the act is offered; make what only a form can make."""
    live.sign_in(who.page, house.people[act.who] if act.who else house.donor)
    if act.path == "draft":
        who.go("/staff/publishing/new/")
        who.page.get_by_label("Сосны").check()
        who.page.get_by_label("Цельная кровь, I (O) +").fill("9")
        who.leave(who.page.locator("form.publishing button.main").click)
        who.page.locator("details.more summary").click()
    elif act.path == "import":
        who.go("/staff/imports/")
        upload = {"name": "доноры.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
        who.page.locator("input[type=file]").set_input_files(upload)
        who.press("Проверить файл")
    else:
        who.go(act.path.format(**house.uids))


def state(live: Live, act: Act) -> Any:
    with live.session() as session:
        return act.state(session)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name.replace(" ", "-"))
@engine("sqlite")
def test_nothing_is_destroyed_without_a_question(
    live: Live, open_page: Callable[..., Page], act: Act
) -> None:
    house = furnished(live)
    who = Worker(live, open_page(live.url))
    arrive(live, house, who, act)
    before = state(live, act)
    offer = who.page.locator(act.within).get_by_role("link", name=act.click).first
    offer.focus()

    # Enter on the offer asks; Enter on the question, where the focus falls by itself, is no.
    if act.dialog:
        who.page.keyboard.press("Enter")
        expect(who.opened()).to_be_visible()
        who.look()
        expect(who.opened()).to_contain_text(act.words)
        who.page.keyboard.press("Enter")
        expect(who.opened()).to_have_count(0)
        expect(offer).to_be_focused()
        assert state(live, act) == before
        who.page.keyboard.press("Enter")
        question = who.opened()
        expect(question).to_be_visible()
    else:
        who.key("Enter")
        who.says(act.words)
        who.page.keyboard.press("Enter")
        question = who.page.locator("main")
    assert state(live, act) == before

    if act.name == "a day is closed":
        question.get_by_label("Причина").fill("Аппарат на ремонте")
        assert state(live, act) == before
    sure = question.get_by_role("button", name=act.sure, exact=True)
    who.leave(sure.click)
    assert state(live, act) != before


@engine("postgresql")
def test_without_scripts_the_question_is_a_page(live: Live, open_page: Callable[..., Page]) -> None:
    house = furnished(live)
    who = Worker(live, open_page(live.url, javascript=False), javascript=False)
    for act in (act for act in ACTS if act.dialog):
        arrive(live, house, who, act)
        before = state(live, act)
        who.leave(who.page.locator(act.within).get_by_role("link", name=act.click).first.click)
        assert who.heading().endswith("?")
        who.says(act.words or act.sure)
        who.follow("Отменить", within="form[data-question]")
        assert state(live, act) == before, act.name


@engine("postgresql")
def test_a_registrar_cancels_only_with_words_for_the_donor(
    live: Live, open_page: Callable[..., Page]
) -> None:
    house = furnished(live)
    desk = Worker(live, open_page(live.url))
    live.sign_in(desk.page, house.people[Role.REGISTRAR])
    desk.go(f"/staff/ticket/{house.uids['booking']}")
    desk.page.get_by_role(
        "button", name="Отменить запись"
    ).click()  # the browser asks for the words
    desk.look()
    with live.session() as session:
        assert session.scalars(select(Appointment.status)).one() is AppointmentStatus.BOOKED
    desk.page.get_by_label("Почему").fill("Врач заболел.")
    desk.press("Отменить запись")
    with live.session() as session:
        assert session.scalars(select(Appointment.status)).one() is AppointmentStatus.CANCELLED
