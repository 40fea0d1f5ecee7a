"""The list of donor days, open to everybody (A1–A9, A36)."""

from __future__ import annotations

from typing import Any

from flask import Response, g, make_response, render_template, request, url_for

from app.extensions import db
from app.models.appointment import Appointment
from app.models.enums import BloodGroup, Sign
from app.public.header import cards
from app.public.site import public
from app.rules import places as rules
from app.rules import window
from app.rules.place_filters import SIZES, Order
from app.security import SHARED
from forms.places import RH_WORDS, args_of, wish_of


@public.get("/")
def places() -> Response:
    """Signed in: one's own group first, reasons beside the rest, kept by nobody. Else shared by all."""
    signed_in = g.user is not None
    listing = rules.listing(
        db.session(),
        wish=wish_of(request.args),
        now=g.now,
        cards=cards() if signed_in else None,
    )
    response = make_response(
        render_template(
            "public/places.html",
            listing=listing,
            wish=listing.wish,
            link=_link(listing),
            page_link=lambda page: _link(listing)(page=page),
            groups=list(BloodGroup),
            signs=[(RH_WORDS[sign], sign) for sign in Sign],
            orders=list(Order),
            sizes=SIZES,
            everywhere=rules.everywhere(listing),
            own_hold=_own_hold(),
        )
    )
    if not signed_in:
        request.environ[SHARED] = True
        response.headers["Cache-Control"] = "public, max-age=1"
        response.vary.update(("Cookie", "Accept-Language"))
    return response


def _own_hold() -> Appointment | None:
    """A place the reader is keeping and has not confirmed: whoever has closed the tab finds it here."""
    if not cards():
        return None
    return window.held_by(db.session(), person_ids=cards().values(), now=g.now)


def _link(listing: rules.Listing) -> Any:
    """A function for the template: the URL of this list with some of what was asked for changed."""

    def link(**changes: Any) -> str:
        return url_for("public.places", **args_of(listing.wish, **changes))

    return link
