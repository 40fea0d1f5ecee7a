"""The directory of the back office in Chromium: accessible, and no wider than its window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from app.models.enums import Role
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine
from tests.live import Live

pytestmark = on_one_engine


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_page_of_the_directory_is_accessible(
    live: Live, open_page: Callable[..., Page], width: int
) -> None:
    now = dt.datetime.now(dt.UTC)
    with live.session() as session:
        tenant = make.make_polyclinic(session, now=now)
        top = make.make_department(
            session, tenant, name="Детская поликлиника", code="292", kind="children"
        )
        low = make.make_department(session, tenant, name="Участок №1", part_of_id=top.id)
        service = make.make_service(session, tenant)
        doctor = make.make_practitioner(
            session, tenant, services=[service], note_ru="прием по полису ОМС"
        )
        make.make_role(session, tenant, practitioner=doctor, department=low)
        manager = make.make_staff(session, Role.MANAGER, tenant.root, now=now)
        session.flush()
        uid = doctor.uid
        session.expunge(manager)
    page = open_page(live.url, width=width)
    live.sign_in(page, manager)
    for path in (
        "departments/",
        "departments/new/",
        "services/",
        "specialties/",
        f"practitioners/details/?id={uid}",
        f"practitioners/role/?id={uid}",
        f"practitioners/services/?id={uid}",
        "files/",
    ):
        page.goto(f"/staff/directory/{path}")
        axe(page)
        fits(page)
