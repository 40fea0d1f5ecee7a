"""«Оценить приём» (E51–E52): by whoever is signed in, and by the link of a letter (E14)."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, only_reads, saved
from app.i18n import say
from app.models.appointment import Appointment
from app.models.cabinet_choices import AccountEventKind
from app.public.cabinet import note
from app.public.guards import limited, signed_in, status_of
from app.public.header import at
from app.public.site import public
from app.rules import reviews, surveys
from app.rules.errors import RuleError
from forms.reviews import answers_of, comment_of, stars_of


@public.route("/cabinet/visits/<uuid:uid>/review", methods=["GET", "POST"])
@signed_in
def rate_visit(uid: uuid.UUID) -> Any:
    """The stars of a visit of one's own or of one's family, once."""
    row, error, status = reviews.own(db.session(), uid=uid), "", 200
    if request.method == "POST":
        try:
            with saved() as saving:
                _write(saving, row)
                note(AccountEventKind.REVIEW, person_id=row.person_id, appointment_id=row.id)
        except RuleError as refusal:
            only_reads()
            row, error, status = reviews.own(db.session(), uid=uid), say(refusal), 409
        else:
            notice(gettext("Thank you: your rating is kept."), "done")
            return redirect(url_for("public.active_tickets"), 303)
    elif reviews.stars_of(db.session(), appointment_ids=[row.id]):
        error = say(reviews.RatedAlready())
    return _page(row, error, url_for("public.rate_visit", uid=uid)), status


@public.route("/review/<token>", methods=["GET", "POST"])
def review_by_link(token: str) -> Any:
    """The same by the link of a letter, for whoever has no account. Wrong, old and used ones alike are over."""
    try:
        limited(("link_address", sessions.client_ip()))
        found = surveys.find(db.session(), text=token, now=g.now)
    except RuleError as refusal:
        only_reads()
        return render_template("public/review_over.html", error=say(refusal)), _over(refusal)
    row, error, status = reviews.about(db.session(), appointment_id=found.id), "", 200
    if request.method == "POST":
        try:
            with saved() as saving:
                _write(saving, row)
        except RuleError as refusal:
            only_reads()
            row, error, status = (
                reviews.about(db.session(), appointment_id=found.id),
                say(refusal),
                409,
            )
        else:
            return render_template("public/review_over.html", error="")
    return _page(row, error, url_for("public.review_by_link", token=token)), status


def _over(refusal: RuleError) -> int:
    return 410 if isinstance(refusal, surveys.SurveyOver) else status_of(refusal)


def _write(session: Any, row: Appointment) -> None:
    reviews.write(
        session,
        appointment_id=row.id,
        stars=stars_of(request.form),
        comment=comment_of(request.form),
        answers=answers_of(request.form),
        now=g.now,
    )


def _page(row: Appointment, error: str, address: str) -> str:
    return render_template(
        "public/review.html",
        row=row,
        error=error,
        address=address,
        signed_in=g.user is not None,
        questions=surveys.questions(db.session(), tenant_id=row.tenant_id),
        chosen=stars_of(request.form),
        comment=comment_of(request.form),
        given={str(key): text for key, text in answers_of(request.form).items()},
        longest=reviews.LONGEST_COMMENT,
        closed=bool(error) and request.method == "GET",
    )


@public.get("/institutions/<uuid:uid>/doctors/<uuid:role>/reviews")
def doctor_reviews(uid: uuid.UUID, role: uuid.UUID) -> str:
    """What patients say of a doctor: the average of their stars, and words that staff have published."""
    session = db.session()
    found = reviews.role_of(session, institution=uid, role=role)
    at(found.organization)
    return render_template(
        "public/doctor_reviews.html",
        place=found.organization,
        role=found,
        rating=reviews.rating_of(session, role_id=found.id),
    )
