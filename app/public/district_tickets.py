"""«Талоны» (C12–C15): for whom, the district doctor's free times, and where a referral leads."""

from __future__ import annotations

from flask import g, render_template, request

from app.extensions import db
from app.public import visitor
from app.public.family import family_places
from app.public.guards import signed_in
from app.public.institutions import held_here
from app.public.site import public
from app.rules import attachments, own_doctor, referrals, visit_rights
from forms.districts import district_words


@public.get("/cabinet/district")
@signed_in
def district_tickets() -> str:
    """The family member first, then the times of the doctor of his district."""
    session = db.session()
    tenants = {row.id for row in family_places()}
    there = [row for row in visitor.family() if row.tenant_id in tenants]
    wanted = request.args.get("who", "")
    who = next((row for row in there if str(row.person.uid) == wanted), there[0] if there else None)
    attached = attachments.of_people(session, [who.person_id]) if who else {}
    own = own_doctor.of_card(session, attached.get(who.person_id, ()), now=g.now) if who else []
    given = referrals.of_people(session, [who.person_id], now=g.now) if who else {}
    return render_template(
        "public/district_tickets.html",
        there=there,
        who=who,
        own=own,
        attached=attached.get(who.person_id, ()) if who else (),
        referrals=given.get(who.person_id, ()) if who else (),
        held=held_here(),
        district_words=district_words,
        no_doctor=visit_rights.NO_DOCTOR,
        not_attached=visit_rights.NOT_ATTACHED,
        no_referral=visit_rights.NO_REFERRAL,
    )
