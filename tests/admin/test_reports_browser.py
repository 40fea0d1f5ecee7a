"""The reports in Chromium: accessible, and no wider than their window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from app.models.enums import AppointmentStatus as A
from app.models.enums import Role
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine
from tests.live import Live

pytestmark = on_one_engine


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_reports_are_accessible_and_fit(
    live: Live, open_page: Callable[..., Page], width: int
) -> None:
    now = dt.datetime.now(dt.UTC)
    with live.session() as session:
        tenant = make.make_tenant(session, now=now)
        known = make.make_donor(session, tenant, now=now)
        for days in range(-3, 1):
            day = make.make_schedule(
                session, tenant, date=(now + dt.timedelta(days=days)).date(), per_time=4
            )
            for status in (A.NOSHOW, A.FULFILLED, A.REJECTED, A.CANCELLED):
                make.make_appointment(session, tenant, known, day, status=status, now=now)
        analyst = make.make_staff(session, Role.ANALYST, tenant.root, now=now)
        session.flush()
        session.expunge(analyst)
    page = open_page(live.url, width=width)
    live.sign_in(page, analyst)
    for name in ("load", "decisions", "losses", "channels"):
        page.goto(f"/staff/reports/{name}/")
        page.get_by_label("Группировать").select_option("day")
        page.get_by_role("button", name="Показать").click()
        page.wait_for_url("**by=day*")
        page.get_by_role("img").first.wait_for()
        axe(page)
        fits(page)
        labels, ends = page.locator(".bars .label"), page.locator(".bars .end")
        assert ends.count() == labels.count() > 0
        for label, end in zip(labels.all(), ends.all(), strict=True):
            left, right = label.bounding_box(), end.bounding_box()
            assert left and right and left["x"] + left["width"] <= right["x"]
