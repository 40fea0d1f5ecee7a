"""«Семья» (C8–C10): whom the account keeps, who keeps the reader's own card, and whom it belongs to (C9, C11)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, only_reads, saved
from app.i18n import say
from app.models.account import Account, AccountPerson
from app.models.appointment import Appointment
from app.models.cabinet_choices import AccountEventKind
from app.models.enums import ConsentPurpose, LinkPurpose, Relation
from app.models.organization import Organization
from app.models.scope import widened
from app.public import questions, visitor
from app.public.cabinet import note
from app.public.guards import counted, limited, signed_in, status_of
from app.public.header import cards, reader
from app.public.site import public
from app.rules import (
    account_log,
    attachments,
    families,
    family,
    family_answers,
    guests,
    links,
    referrals,
)
from app.rules.actor import actor_of
from app.rules.clock import local_date
from app.rules.districts import doctors_on
from app.rules.errors import N_, NotFound, RuleError, TooManyTries
from app.rules.identification import NotIdentified
from forms.districts import district_words
from forms.family import address_form, relative_form

RELATIONS = {
    "child": Relation.CHILD,
    "ward": Relation.WARD,
    "adult": Relation.PARENT,
}


class NothingWaits(RuleError):
    code = "nothing_waits"
    text = N_("Nothing waits for your answer.")


@public.get("/cabinet/family")
@signed_in
def family_page() -> str:
    """«Состав семьи»."""
    session = db.session()
    kept = visitor.family()
    people = [row.person_id for row in kept]
    attached = attachments.of_people(session, people)
    districts = {row.district_id for rows in attached.values() for row in rows} - {None}
    doctors = doctors_on(session, district_ids=districts, on=g.now.date())
    others = families.others(session, account_id=reader().id, own=cards().values(), now=g.now)
    return render_template(
        "public/family.html",
        kept=kept,
        waiting=families.waiting(session, account_id=reader().id),
        others=others,
        askers=families.names_of(session, account_ids={row.account_id for row in others}),
        attached=attached,
        doctors=doctors,
        referrals=referrals.of_people(session, people, now=g.now),
        places=family_places(),
        district_words=district_words,
        text=_text(others),
    )


def family_places() -> Sequence[Organization]:
    """The legal bodies where an account may book for its family. Read once a request."""
    if "family_places" not in g:
        g.family_places = family.places(db.session(), now=g.now)
    return g.family_places  # type: ignore[no-any-return]


def _text(others: Sequence[AccountPerson]) -> Any:
    """What the reader agrees to who lets a relative act for him."""
    asked = next((row for row in others if row.agreed_at is None), None)
    return asked and guests.text_of(
        db.session(), tenant_id=asked.tenant_id, now=g.now, purpose=ConsentPurpose.FAMILY
    )


@public.route("/cabinet/family/add/<relation>", methods=["GET", "POST"])
@signed_in
def add_relative(relation: str) -> Any:
    """A child, an incapacitated relative, an adult: a document and the birth date against the registry."""
    wanted = RELATIONS.get(relation)
    places = family_places()
    if wanted is None:
        raise NotFound()
    if not places:
        return redirect(url_for("public.family_page"), 303)
    today = local_date(g.now, places[0].time_zone)
    form: Any = relative_form(wanted, places=places, today=today)
    if request.method == "GET":
        return _relative_page(relation, form)
    if not questions.valid(form):
        return _relative_page(relation, form), 400
    try:
        with counted() as counting:
            row = family.add(
                counting,
                account=reader(),
                relation=wanted,
                organization=form.place,
                kind=form.kind,
                given=form.given(),
                address=sessions.client_ip(),
                actor=actor_of(reader()),
                now=g.now,
            )
            # a card that nobody has opened yet is named nowhere
            note(AccountEventKind.FAMILY, person_id=row.person_id if row.agreed_at else None)
    except RuleError as refusal:
        only_reads()
        return _relative_page(relation, form, refusal), status_of(refusal)
    notice(_added(wanted), "done")
    return redirect(url_for("public.family_page"), 303)


def _added(relation: Relation) -> str:
    if relation is Relation.CHILD:
        return gettext("The child is in your family: you may book now.")
    if relation is Relation.WARD:
        return gettext(
            "Asked for. Show the guardianship papers at the registry desk: then you may book."
        )
    return gettext(
        "Asked for. If this relative has a personal account here, a letter has gone there; else the consent is "
        "signed at the registry desk."
    )


def _relative_page(relation: str, form: Any, refusal: RuleError | None = None) -> str:
    questions.put_if_due(form.answer)
    return render_template(
        "public/family_add.html",
        relation=relation,
        form=form,
        error=say(refusal) if refusal is not None else "",
        unknown=isinstance(refusal, NotIdentified),
    )


@public.post("/cabinet/family/<uuid:uid>/withdraw")
@signed_in
def withdraw_relative(uid: uuid.UUID) -> Any:
    """The relative is no longer in the reader's family, or the request is taken back."""
    asked = families.waiting(db.session(), account_id=reader().id)
    row = next((row for row in (*visitor.family(), *asked) if row.person.uid == uid), None)
    if row is None:
        raise NotFound()
    was_open = row.agreed_at is not None
    with saved() as saving:
        family_answers.withdraw(saving, row=row, actor=actor_of(reader()), now=g.now)
        note(AccountEventKind.FAMILY, person_id=row.person_id if was_open else None)
    notice(gettext("Done: this card is not in your family any more."), "done")
    return redirect(url_for("public.family_page"), 303)


@public.post("/cabinet/family/answer")
@signed_in
def answer_relative() -> Any:
    """The reader lets a relative act for him, refuses, or takes it back."""
    others = families.others(db.session(), account_id=reader().id, own=cards().values(), now=g.now)
    row = next((row for row in others if str(row.account.uid) == request.form.get("who")), None)
    try:
        if row is None:
            raise NothingWaits()
        with saved() as saving:
            _answer(saving, row, request.form.get("say", ""))
            note(AccountEventKind.FAMILY)
    except RuleError as refusal:
        only_reads()
        notice(say(refusal), "alarm")
    return redirect(url_for("public.family_page"), 303)


def _answer(saving: Any, row: AccountPerson, said: str, *, actor: Any = None) -> None:
    actor = actor or actor_of(reader())
    if said == "yes" and row.agreed_at is None:
        family_answers.agree(
            saving,
            row=row,
            actor=actor,
            now=g.now,
            ip=sessions.client_ip(),
            user_agent=request.user_agent.string or "",
        )
        notice(gettext("Your relative may book for you from now on."), "done")
    elif row.agreed_at is None:
        family_answers.refuse(saving, row=row, actor=actor, now=g.now)
        notice(gettext("Refused: your card stays closed to this person."), "done")
    else:
        family_answers.withdraw(saving, row=row, actor=actor, now=g.now)
        notice(gettext("Taken back: this person may not act for you any more."), "done")
    account_log.write(saving, account_id=row.account_id, kind=AccountEventKind.FAMILY, now=g.now)


@public.route("/join-family/<token>", methods=["GET", "POST"])
def join_family(token: str) -> Any:
    """The adult's own answer by the link of his letter. GET only asks: mail scanners follow links."""
    session = db.session()
    try:
        if request.method == "POST":
            limited(("link_address", sessions.client_ip()))
        with widened(session, "a link's owner"):
            link = links.find(session, purpose=LinkPurpose.JOIN_FAMILY, text=token, now=g.now)
            owner = session.get_one(Account, link.account_id)
            others = _asked_of(owner.id)
        if request.method == "GET":
            return _join_page(others)
        row = next((row for row in others if str(row.account.uid) == request.form.get("who")), None)
        if row is None:
            return _join_page(others, say(NothingWaits()) if not others else "", 400)
        with saved() as saving, widened(saving, "a link's owner"):
            _answer(saving, row, request.form.get("say", ""), actor=actor_of(owner))
            if len(others) == 1:
                links.use(saving, link, now=g.now)
    except RuleError as refusal:
        only_reads()
        status = status_of(refusal) if isinstance(refusal, TooManyTries) else 410
        return _join_page([], say(refusal), status)
    return redirect(url_for("public.family_page" if g.user is not None else "public.places"), 303)


def _asked_of(account_id: int | None) -> list[AccountPerson]:
    """Who waits for the answer of the account that the link was written to."""
    session = db.session()
    own = families.own_of(session, account_id=account_id)
    found = families.others(session, account_id=account_id or 0, own=own, now=g.now)
    return [row for row in found if row.agreed_at is None]


def _join_page(others: list[AccountPerson], ended: str = "", status: int = 200) -> Any:
    """Its address is a secret: it is told to nobody."""
    keys = {row.account_id for row in others}
    askers = families.names_of(db.session(), account_ids=keys)
    html = render_template(
        "public/family_join.html", others=others, askers=askers, ended=ended, text=_text(others)
    )
    return html, status, {"Referrer-Policy": "no-referrer"}


@public.route("/cabinet/family/<uuid:uid>/attachment", methods=["GET", "POST"])
@signed_in
def ask_attachment(uid: uuid.UUID) -> Any:
    """By the address, for oneself or a relative: staff confirm it (C9, C11)."""
    row = next((row for row in visitor.family() if row.person.uid == uid), None)
    if row is None:
        raise NotFound()
    places = attachments.places(db.session(), tenant_id=row.tenant_id)
    form: Any = address_form(places) if places else None
    if form is None or request.method == "GET":
        return _attachment_page(row, form)
    if not form.validate():
        return _attachment_page(row, form), 400
    try:
        with saved() as saving:
            attachments.ask(
                saving,
                person=row.person,
                organization=form.place,
                street=form.street.data,
                house=form.house.data,
                actor=actor_of(reader()),
                now=g.now,
            )
            note(AccountEventKind.ATTACHMENT, person_id=row.person_id)
    except RuleError as refusal:
        only_reads()
        return _attachment_page(row, form, say(refusal)), 409
    notice(gettext("Asked for: the registry desk checks the address and writes to you."), "done")
    return redirect(url_for("public.family_page"), 303)


def _attachment_page(row: AccountPerson, form: Any, error: str = "") -> str:
    return render_template("public/family_attachment.html", row=row, form=form, error=error)


@public.app_template_global("patient_of")
def patient_of(row: Appointment) -> str:
    """Whose ticket it is, where the reader keeps that card; nobody else is told."""
    if g.user is None or row.person_id not in g.get("own_people", ()) or row.person is None:
        return ""
    return row.person.full_name
