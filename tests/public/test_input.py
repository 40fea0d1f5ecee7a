"""Whatever is typed or sent, the public site answers with a page, never with a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.models import Appointment
from tests import make
from tests.client import Visitor

NASTY = (
    "\x00", "\ud800", "\u202e<b>", "' OR 1=1 --", "%", "_", "\\", "{{7*7}}", "${x}", "../../etc",
    "9" * 40, "-1", "1e9", "٣", "x" * 5000, "\r\nSet-Cookie: a=b", "<script>alert(1)</script>",
    "2026-13-45", "0000-00-00", "None", "[]", "🩸",
)  # fmt: skip
QUERY = (
    "q",
    "type",
    "group",
    "rh",
    "date",
    "city",
    "branch",
    "sort",
    "dir",
    "page",
    "per",
    "lang",
    "next",
    "centre",
)
FORMS: dict[str, tuple[str, ...]] = {
    "/register": ("email", "password", "blood_group", "rh", "kell", "donor_code", "consent", "consent_text"),
    "/register/resend": ("email",),
    "/sign-in": ("email", "password", "next"),
    "/forgot-password": ("email",),
    "/reset-password/1.x": ("password",),
    "/confirm-email/1.x": (),
    "/settings": ("size", "contrast", "spacing", "next"),
    "/profile/code": ("donor_code",),
    "/profile/password": ("current", "password"),
}  # fmt: skip


def escaped(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("text", NASTY)
def test_no_query_breaks_a_page(client: Visitor, store: Session, text: str) -> None:
    make.make_schedule(store, make.make_tenant(store))
    for path in ("/", "/register", "/sign-in", "/settings"):
        for name in QUERY:
            response = client.get(f"{path}?{name}={escaped(text)}&{name}=twice")
            assert response.status_code < 500, f"{path}?{name}={text!r}"


@pytest.mark.parametrize("text", NASTY)
def test_no_field_breaks_a_form(
    as_account: Callable[..., Visitor], new_client: Callable[[], Visitor], store: Session, text: str
) -> None:
    tenant = make.make_tenant(store)
    day = make.make_schedule(store, tenant)
    donor = make.make_donor(store, tenant)
    booking: Appointment = make.make_appointment(store, tenant, donor, day)
    own, anonymous = as_account(donor), new_client()
    sent: dict[str, tuple[str, ...]] = FORMS | {
        f"/places/{day.uid}": ("slot", "time"),
        f"/bookings/{booking.uid}/confirm": ("x",),
    }
    for path, names in sent.items():
        data = {name: text.encode("utf-8", "surrogatepass") for name in names}
        for visitor in (own, anonymous):
            for body in (data, {}):
                response = visitor.send(path, body)
                assert response.status_code < 500, f"{path} with {text!r}"


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(st.sampled_from(QUERY), st.text(max_size=60), max_size=6))
def test_no_combination_of_filters_breaks_the_list(
    client: Visitor, store: Session, query: dict[str, Any]
) -> None:
    line = "&".join(f"{name}={escaped(value)}" for name, value in query.items())
    assert client.get(f"/?{line}").status_code < 500
