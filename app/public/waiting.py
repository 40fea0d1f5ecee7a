"""«Лист ожидания» (N6): joining it, leaving it, and answering an offered place.

An offer is answered in the cabinet, or on the page that its letter leads to, whose address holds a key.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, only_reads, saved
from app.i18n import say
from app.models.cabinet_choices import AccountEventKind, OfferStatus
from app.models.enums import ActorKind
from app.models.scope import widened
from app.models.waiting import WaitingOffer
from app.public.cabinet import note
from app.public.guards import counted, limited, signed_in, status_of
from app.public.header import at, cards, reader
from app.public.site import public
from app.rules import account_log, joining, offer_answers, waiting, wishes
from app.rules.actor import Actor, actor_of
from app.rules.errors import NotFound, RuleError
from app.rules.joining import Wish
from app.rules.places import NO_CARD
from forms.directory import uuid_of
from forms.waiting import JoinForm

NAMES = ("day", "role", "type", "service", "specialty")
WORDS = "an offer is about one person, and its reader is who was offered it"


@public.get("/cabinet/waiting")
@signed_in
def waiting_list() -> str:
    """What one waits for and where one stands; the offers to be answered on top."""
    return _list_page()


def _list_page(error: str = "") -> str:
    session = db.session()
    in_line, over = waiting.listed(session, account_id=reader().id)
    offers = offer_answers.open_of(session, account_id=reader().id, now=g.now)
    return render_template(
        "public/waiting.html",
        in_line=in_line,
        over=over,
        offers=offers,
        ahead=waiting.ahead(session, in_line),
        error=error,
        several=len({entry.person_id for entry in (*in_line, *over)}) > 1,
    )


@public.route("/waiting/join", methods=["GET", "POST"])
@signed_in
def join_waiting() -> Any:
    """«Сообщить, когда появится место»: for whom, and for which dates."""
    if not any(request.args.get(name) for name in NAMES):
        return _what_page()
    wish = _wish()
    at(wish.organization)
    try:
        policy = joining.policy_of(db.session(), wish, now=g.now)
    except RuleError as refusal:
        return _join_page(wish, None, say(refusal)), 409
    people = tuple(wishes.people_of(db.session(), account_id=reader().id, policy=policy, now=g.now))
    if not people:
        return _join_page(wish, None, say(NO_CARD)), 409
    form = JoinForm(people=people)
    if request.method == "GET":
        return _join_page(wish, form)
    if not form.validate():
        return _join_page(wish, form), 400
    chosen = form.people.data
    try:
        with saved() as saving:
            joining.join(
                saving,
                wish=wish,
                account_id=reader().id,
                person_ids=[person.id for person in chosen],
                first_day=form.first_day.data,
                last_day=form.last_day.data,
                actor=actor_of(reader()),
                now=g.now,
            )
            for person in chosen:
                note(AccountEventKind.WAITING, person_id=person.id)
    except NotFound:
        raise
    except RuleError as refusal:
        only_reads()
        return _join_page(wish, form, say(refusal)), status_of(refusal)
    notice(gettext("You are in the waiting list. We will tell you when there is a place."), "done")
    return redirect(url_for("public.waiting_list"), 303)


def _what_page() -> str:
    """What one may wait for: donations of one's own centre; a doctor is chosen on his page."""
    types = wishes.types_of(db.session(), tenant_ids=cards().keys())
    return render_template("public/waiting_join.html", wish=None, form=None, error="", types=types)


def _wish() -> Wish:
    """From the address: a donor day, a type, a doctor, a service or a specialty. Raises NotFound."""
    session, sent = db.session(), request.args
    where = uuid_of(sent, "organization")
    day, role, kind = uuid_of(sent, "day"), uuid_of(sent, "role"), uuid_of(sent, "type")
    service, specialty = uuid_of(sent, "service"), uuid_of(sent, "specialty")
    if day is not None:
        return wishes.of_day(session, uid=day)
    if role is not None:
        return wishes.of_role(session, uid=role, service=service)
    if kind is not None:
        return wishes.of_type(session, uid=kind, organization=where)
    if specialty is not None and where is not None:
        return wishes.of_specialty(session, uid=specialty, organization=where)
    if service is not None and where is not None:
        return wishes.of_service(session, uid=service, organization=where)
    raise NotFound()


def _join_page(wish: Wish, form: JoinForm | None, error: str = "") -> str:
    return render_template(
        "public/waiting_join.html",
        wish=wish,
        form=form,
        error=error,
    )


@public.post("/cabinet/waiting/<uuid:uid>/leave")
@signed_in
def leave_waiting(uid: uuid.UUID) -> Any:
    """«Выйти из листа»: a place that was kept goes to the next in line."""
    entry = waiting.own_of(db.session(), uid=uid, account_id=reader().id)
    try:
        with saved() as saving:
            waiting.leave(saving, entry=entry, actor=actor_of(reader()), now=g.now)
            note(AccountEventKind.WAITING, person_id=entry.person_id)
    except RuleError as refusal:
        only_reads()
        return _list_page(say(refusal)), status_of(refusal)
    notice(gettext("You have left the waiting list."), "done")
    return redirect(url_for("public.waiting_list"), 303)


@public.get("/cabinet/offers/<uuid:uid>")
@signed_in
def offer(uid: uuid.UUID) -> Any:
    """One offered place, for who is signed in."""
    return _offer_page(_own(uid))


@public.post("/cabinet/offers/<uuid:uid>")
@signed_in
def answer_offer(uid: uuid.UUID) -> Any:
    """«Записаться» or «Отказаться»."""
    return _answered(_own(uid))


@public.get("/offers/<uuid:uid>/<key>")
def offer_by_key(uid: uuid.UUID, key: str) -> Any:
    """The same page, by the link of the letter: one click, no signing in."""
    return _offer_page(offer_answers.by_key(db.session(), uid=uid, key=key), key)


@public.post("/offers/<uuid:uid>/<key>")
def answer_by_key(uid: uuid.UUID, key: str) -> Any:
    """The answer on that page."""
    limited(("link_address", sessions.client_ip()))
    return _answered(offer_answers.by_key(db.session(), uid=uid, key=key), key)


def _own(uid: uuid.UUID) -> WaitingOffer:
    return offer_answers.of_account(db.session(), uid=uid, account_id=reader().id)


def _offer_page(row: WaitingOffer, key: str = "", error: str = "") -> str:
    session = db.session()
    at(row.appointment.organization)
    rows = offer_answers.together(session, row) or (row,)
    with widened(session, WORDS):
        return render_template(
            "public/offer.html",
            row=row,
            rows=rows,
            key=key,
            error=error,
            open=row.status is OfferStatus.OPEN and row.expires_at > g.now,
        )


def _answered(row: WaitingOffer, key: str = "") -> Any:
    said, back = request.form.get("answer", ""), _address(row, key)
    if said not in ("yes", "no"):
        return redirect(back, 303)
    offer_id, booked = row.id, _booking_of(row)  # the row is read anew meanwhile
    account_id, person_id, booking_id = row.entry.account_id, row.person_id, row.appointment_id
    actor = Actor(ActorKind.ACCOUNT, account_id)
    try:
        with counted() as saving:
            if said == "yes":
                offer_answers.accept(saving, offer_id=offer_id, actor=actor, now=g.now)
            else:
                offer_answers.decline(saving, offer_id=offer_id, actor=actor, now=g.now)
            account_log.write(
                saving,
                account_id=account_id,
                kind=AccountEventKind.BOOKED if said == "yes" else AccountEventKind.WAITING,
                now=g.now,
                ip=sessions.client_ip(),
                user_agent=request.user_agent.string or "",
                person_id=person_id,
                appointment_id=booking_id if said == "yes" else None,
            )
    except RuleError as refusal:
        only_reads()
        again = offer_answers.again(db.session(), offer_id=offer_id)
        return _offer_page(again, key, say(refusal)), status_of(refusal)
    return redirect(booked if said == "yes" and not key else back, 303)


def _address(row: WaitingOffer, key: str) -> str:
    if key:
        return url_for("public.offer_by_key", uid=row.uid, key=key)
    return url_for("public.offer", uid=row.uid)


def _booking_of(row: WaitingOffer) -> str:
    name = "public.booking" if row.appointment.donation_type_id is not None else "public.visit"
    return url_for(name, uid=row.appointment.uid)
