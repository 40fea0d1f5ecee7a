"""«Поиск участка»: the district and its doctor by address (E41–E43)."""

from __future__ import annotations

from flask import g, render_template, request

from app.extensions import db
from app.public.site import public
from app.rules import districts as rules
from app.rules.clock import local_date
from forms.districts import AddressForm, district_words

MOST_STREETS = 1000


@public.get("/districts")
def districts() -> tuple[str, int]:
    """The form, and below it the district of each kind; all in the address, so that it can be sent on."""
    session = db.session()
    form = AddressForm(values=request.args, organizations=rules.organizations(session))
    where, found = form.organization, None
    streets = []
    if where is not None:
        streets = rules.streets(session, organization_id=where.id, most=MOST_STREETS)
    if form.asked and form.read() and where is not None:
        found = rules.serving(
            session,
            organization=where,
            street=form.get("street"),
            house=form.get("house"),
            on=local_date(g.now, where.time_zone),
        )
    html = render_template(
        "public/districts.html",
        form=form,
        where=where,
        streets=streets,
        found=found,
        district_words=district_words,
    )
    return html, 422 if form.errors else 200


@public.app_template_global("districts_offered")
def districts_offered() -> bool:
    """Whether the search stands in the menu: some organization takes patients and has districts."""
    if "districts_offered" not in g:
        g.districts_offered = rules.offered(db.session())
    return bool(g.districts_offered)
