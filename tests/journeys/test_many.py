"""Many requests at once: the whole filter, then the ticked page; what fails a check is left out by name."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable

from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Appointment
from app.models.enums import AppointmentStatus, DonationKind, Role
from tests import make
from tests.journeys.people import Worker, engine, now
from tests.live import Live

PLASMA, PLATELETS = DonationKind.PLASMA, DonationKind.PLATELETS
PENDING, BOOKED = AppointmentStatus.PENDING, AppointmentStatus.BOOKED


def requests(live: Live, kind: DonationKind, tenant: make.Tenant, *names: str) -> None:
    """One request a name; whose name is «Чужой…» is not in the donor file."""
    with live.session() as session:
        day = make.make_schedule(
            session,
            tenant,
            kind=kind,
            date=now().date() + dt.timedelta(days=3),
            per_time=20,
        )
        for name in names:
            donor = make.make_donor(session, tenant, now=now(), family_name=name)
            if not name.startswith("Чужой"):
                make.make_record(session, tenant, donor)
            make.make_appointment(session, tenant, donor, day, now=now())


def statuses(live: Live) -> Counter[tuple[str, AppointmentStatus]]:
    """How many requests of each type stand where."""
    with live.session() as session:
        return Counter(
            (row.donation_type.code, row.status) for row in session.scalars(select(Appointment))
        )


@engine("postgresql")
def test_a_filter_and_a_page_are_decided_at_once(
    live: Live, open_page: Callable[..., Page]
) -> None:
    with live.session() as session:
        tenant = make.make_tenant(session, now=now(), undo_seconds=300)
        registrar = make.make_staff(session, Role.REGISTRAR, tenant.root, now=now())
    requests(live, PLASMA, tenant, *(f"Донор{n:02}" for n in range(26)), "Чужой")
    requests(live, PLATELETS, tenant, "Первый", "Второй", "Чужойтоже")
    desk = Worker(live, open_page(live.url))
    desk.sign_in(registrar)
    desk.go("/staff/queue/")
    rows = desk.page.locator("td.who a")

    # The whole filter, more than its page holds: asked first, nothing is done yet.
    desk.fill(type=str(tenant.types[PLASMA].uid))
    desk.press("Показать")
    expect(rows).to_have_count(25)
    desk.page.get_by_label("все найденные (27)").check()
    desk.press("Утвердить…")
    desk.says("Будет утверждено 26 заявок")
    left = desk.page.locator(".left-out li")
    expect(left).to_have_count(1)
    expect(left).to_contain_text("Чужой")
    expect(left).to_contain_text("нет в файле доноров")
    assert statuses(live) == {("plasma", PENDING): 27, ("platelets", PENDING): 3}
    desk.follow("Ничего не делать")
    assert statuses(live)["plasma", PENDING] == 27

    desk.page.get_by_label("все найденные (27)").check()
    desk.press("Утвердить…")
    desk.press("Утвердить 26 заявок")
    expect(left).to_contain_text("Чужой")
    after = {("plasma", BOOKED): 26, ("plasma", PENDING): 1, ("platelets", PENDING): 3}
    assert statuses(live) == after

    # The page: every row of it is ticked by one box.
    desk.follow("К очереди")
    desk.fill(type="")
    desk.press("Показать")
    expect(rows).to_have_count(4)
    desk.page.get_by_label("Отметить все заявки на странице").check()
    desk.press("Утвердить…")
    desk.says("Будут утверждены 2 заявки")
    expect(left).to_have_count(2)
    assert statuses(live) == after
    desk.press("Утвердить 2 заявки")
    assert statuses(live)["platelets", BOOKED] == 2

    # All of it is taken back while the letters wait.
    desk.press("Отменить все эти решения")
    assert statuses(live)["platelets", PENDING] == 3

    # A rejection of many asks for its reason.
    desk.page.get_by_label("Отметить все заявки на странице").check()
    desk.press("Отклонить…")
    desk.page.get_by_role("button", name="Отклонить 4 заявки").click()  # the browser asks for it
    desk.look()
    assert statuses(live)["platelets", PENDING] == 3, "no reason was chosen"
    desk.page.get_by_label("Причина").select_option("Медицинский отвод")
    desk.press("Отклонить 4 заявки")
    assert statuses(live) == {
        ("plasma", BOOKED): 26,
        ("plasma", AppointmentStatus.REJECTED): 1,
        ("platelets", AppointmentStatus.REJECTED): 3,
    }
