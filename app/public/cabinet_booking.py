"""«Запись на приём»: the three columns for the account's own institutions (E19, E48, E53).

The times lead to the same walk as everywhere; whether it sends SMS to an account is the policy's.
"""

from __future__ import annotations

from flask import g, render_template, request, url_for

from app.extensions import db
from app.public.guards import signed_in
from app.public.header import reader
from app.public.institutions import kind_of, picker
from app.public.site import public
from app.rules import directory, own_institutions, tickets
from forms.directory import uuid_of


@public.get("/cabinet/booking")
@signed_in
def cabinet_booking() -> str:
    """``?place`` is one of the institutions that keep a card of the reader or his family; else the first."""
    session = db.session()
    cards = tickets.kept_cards(session, account_id=reader().id, now=g.now)
    places = own_institutions.of_cards(
        session,
        tenant_ids={card.person.tenant_id for card in cards},
        person_ids=[card.person.id for card in cards],
    )
    wanted = uuid_of(request.args, "place")
    place = next((row for row in places if row.uid == wanted), places[0] if places else None)
    if place is None:
        return render_template("public/cabinet_booking.html", places=(), place=None)
    here = directory.institution(session, uid=place.uid)
    return render_template(
        "public/cabinet_booking.html",
        places=places,
        kind=kind_of(place),
        **picker(here, lambda asked: url_for("public.cabinet_booking", place=place.uid, **asked)),
    )
