"""«Для записи на прием укажите ваши данные» (E6–E16): who somebody is, before the schedule or after the time.

Whether a number is unknown or the birth date is wrong, the page is the same (app.rules.identification).
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import abort, g, redirect, render_template, request, url_for

from app import sessions
from app.extensions import db, only_reads
from app.i18n import locale, say
from app.models.appointment import Appointment
from app.models.enums import ConsentPurpose, IdentifyBy
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.models.policy_choices import ConsentStep, Entry, PhoneRule
from app.public import questions, visitor
from app.public.guards import counted, status_of
from app.public.header import cards
from app.public.settlements import chosen
from app.public.site import public
from app.rules import directory, guests, identification, patients, policies
from app.rules.clock import local_date
from app.rules.directory import Search
from app.rules.errors import NotFound, RuleError
from app.rules.guests import Agreed
from app.rules.identification import NotIdentified
from forms.directory import uuid_of
from forms.identity import form_for, variant_form
from forms.phones import PhoneForm


@public.route("/appointment", methods=["GET", "POST"])
def appointment() -> Any:
    """The institution, then the document, then its fields; the first two stand in the address (E7, E8)."""
    if request.method == "POST":
        sent = _sent()
        if sent is not None:
            return _answer(*sent)
    places = _places()
    if not places:
        return redirect(url_for("public.institutions"), 303)
    place = next(
        (each for each in places if str(each.uid) == request.args.get("organization", "")), None
    )
    policy = g.policies[place.id] if place is not None else None
    variants = _variants(places, policy)
    asked = "method" in request.args or request.method == "POST"
    read = bool(request.args.get("organization")) and variants.validate()
    method = variants.method.data if read and policy is not None else None
    if not asked and not variants.organization.errors:
        variants.method.errors = ()  # not answered yet is no error
    if place is None or policy is None or method is None:
        status = 400 if request.method == "POST" else 200
        return render_template(
            "public/appointment.html",
            variants=variants,
            form=None,
            place=place,
            error="",
            settlement_name=g.get("settlement_name", ""),
        ), status
    return _page(variants, form_of(place, policy, method), place, method)


def _sent() -> tuple[Organization, BookingPolicy, IdentifyBy] | None:
    """The institution and the document in the address, if both are offered: what a form is sent to."""
    session = db.session()
    uid, wanted = uuid_of(request.args, "organization"), request.args.get("method", "")
    place = directory.taking(session, uid=uid) if uid is not None else None
    if place is None:
        return None
    policy = policies.by_organization(session, organizations=[place], now=g.now).get(place.id)
    if policy is None or policy.entry is not Entry.BEFORE:
        return None
    method = next((each for each in policy.methods if each.value == wanted), None)
    return (place, policy, method) if method is not None else None


def _answer(place: Organization, policy: BookingPolicy, method: IdentifyBy) -> Any:
    """To a form that was sent; the list of institutions is read for a page with a refusal alone."""
    form = form_of(place, policy, method)
    if not valid(form):
        return _page(_variants(_places(), policy), form, place, method), 400
    chose_before = bool(visitor.token())
    try:
        found(form, place, method)
    except RuleError as refusal:
        only_reads()
        page = _page(_variants(_places(), policy), form, place, method, refusal)
        return page, status_of(refusal)
    if chose_before:
        held = patients.held(db.session(), token=visitor.token(), now=g.now)
        if held is not None and held.organization_id == place.id:
            return redirect(url_for("public.visit", uid=held.uid), 303)
    return redirect(url_for("public.institution", uid=place.uid), 303)


def _variants(places: list[Organization], policy: BookingPolicy | None) -> Any:
    return variant_form(
        organizations=places,
        methods=policy.methods if policy is not None else g.methods,
        formdata=request.args if request.args.get("organization") else None,
    )


def _places() -> list[Organization]:
    """Institutions of the settlement where one says who one is before the schedule."""
    session = db.session()
    names = [name for name, _ in directory.settlements(session)]
    g.settlement_name = chosen(names)
    rows = directory.institutions(session, search=Search(settlement=g.settlement_name))
    g.policies = policies.by_organization(session, organizations=rows, now=g.now)
    before = {key: policy for key, policy in g.policies.items() if policy.entry is Entry.BEFORE}
    offered = {method for policy in before.values() for method in policy.methods}
    g.methods = [method for method in IdentifyBy if method in offered]
    return [row for row in rows if row.id in before]


def _page(
    variants: Any,
    form: Any,
    place: Organization,
    method: IdentifyBy,
    refusal: RuleError | None = None,
) -> str:
    ask_if_due(form)
    return render_template(
        "public/appointment.html",
        settlement_name=g.get("settlement_name", ""),
        variants=variants,
        form=form,
        place=place,
        method=method,
        error=say(refusal) if refusal is not None else "",
        unknown=isinstance(refusal, NotIdentified),
    )


# --- shared with the steps after the time is chosen -------------------------------------------


def form_of(place: Organization, policy: BookingPolicy, method: IdentifyBy) -> Any:
    """The fields of a variant, less what this organization does not ask."""
    form = form_for(
        method,
        today=local_date(g.now, place.time_zone),
        phone_required=policy.phone is PhoneRule.REQUIRED,
    )
    if policy.consent is not ConsentStep.BOX and "consent" in form:
        del form.consent, form.consent_text
    asked = policy.phone in (PhoneRule.REQUIRED, PhoneRule.OPTIONAL)
    if "phone" in form and not asked and method is not IdentifyBy.NONE:
        del form.phone
    if "consent_text" in form and request.method == "GET":
        text = guests.text_of(
            db.session(), tenant_id=place.tenant_id, now=g.now, purpose=ConsentPurpose.BOOKING
        )
        form.consent_text.data = str(text.id) if text is not None else ""
    return form


def valid(form: Any) -> bool:
    """All fields are right, and the question against robots where this address has failed too often."""
    return questions.valid(form)


def ask_if_due(form: Any) -> None:
    if form is not None and "answer" in form:
        questions.put_if_due(form.answer)


def found(form: Any, place: Organization, method: IdentifyBy) -> None:
    """This browser is that person from now on. Raises NotIdentified, TooManyTries, TextChanged …"""
    new, token = not visitor.token(), visitor.new_token()
    agreed = Agreed(text_id(form.consent_text.data)) if "consent_text" in form else None
    with counted() as counting:
        person_id = identification.identify(
            counting,
            organization_id=place.id,
            method=method,
            given=form.given(),
            address=sessions.client_ip(),
            now=g.now,
        )
        guest = guests.said(
            counting,
            token=token,
            organization=place,
            locale=locale(),
            person_id=person_id,
            method=method,
            agreed=agreed,
            new=new,
            phone=form.phone_given(),
            email=form.survey_email(),
            now=g.now,
        )
    visitor.known_again(guest)


def text_id(sent: str | None) -> int | None:
    """The text that the form says was shown."""
    known = sent is not None and sent.isascii() and sent.isdigit() and len(sent) < 18
    return int(sent or 0) if known else None


def phone_form(row: Appointment) -> PhoneForm:
    """The number of the account's own card is offered: whoever was found by what he typed is shown nothing of it."""
    known = {}
    card = cards().get(row.organization.tenant_id)
    if card is not None:
        own = guests.phone_of(db.session(), person_id=card)
        if own:
            known = {"own": own}
    return PhoneForm(known=known, may_decline=row.policy.phone is PhoneRule.CHOICE)


@public.get("/consent/<uuid:tenant>")
def consent_text(tenant: uuid.UUID) -> str:
    """The text one is asked to agree to, of the processing or of the questionnaire (D10, E14, E15)."""
    try:
        place = directory.institution(db.session(), uid=tenant).organization
    except NotFound:
        abort(404)
    survey = request.args.get("purpose") == ConsentPurpose.SURVEY.value
    purpose = ConsentPurpose.SURVEY if survey else ConsentPurpose.BOOKING
    text = guests.text_of(db.session(), tenant_id=place.tenant_id, now=g.now, purpose=purpose)
    if text is None:
        abort(404)
    return render_template("public/consent.html", place=place, text=text, survey=survey)
