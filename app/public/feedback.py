"""«Обратная связь» (E57, E58): the form, its question against robots, and that it has come."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import g, redirect, render_template, request, session, url_for
from flask_babel import gettext

from app.extensions import db, saved
from app.i18n import locale, localized, say
from app.models.enums import PageKind
from app.models.organization import Organization
from app.public.guards import limited, status_of
from app.public.pages import whose
from app.public.site import public
from app.rules import cleaning, pages, questions
from app.rules import feedback as rules
from app.rules.errors import RuleError
from app.rules.questions import Question
from app.sessions import client_ip
from forms.feedback import FeedbackForm

ASKED = "question"
"""Key of the browser's own signed cookie: the question it was asked, [nonce, instant]."""
LATEST = 2**33
"""Seconds since 1970; a cookie that says more is none of ours."""


@public.route("/feedback", methods=["GET", "POST"])
def feedback() -> Any:
    """With several organizations the choice of one comes first. What was typed always stays."""
    centre, choice = _centre()
    if centre is None:
        return render_template("public/feedback_whom.html", choice=choice)
    form = FeedbackForm()
    if request.method == "GET":
        return _page(form, centre)
    if not form.validate():
        return _page(form, centre), 400
    try:
        _send(form, centre)
    except (questions.WrongAnswer, questions.QuestionOver) as refusal:
        form.answer.data = ""
        form.answer.errors = [say(refusal)]
        if isinstance(refusal, questions.QuestionOver):
            session.pop(ASKED, None)
        return _page(form, centre), 400
    except RuleError as refusal:
        return _page(form, centre, say(refusal)), status_of(refusal)
    session.pop(ASKED, None)
    return redirect(url_for("public.feedback_sent", of=request.args.get("of")), 303)


@public.get("/feedback/sent")
def feedback_sent() -> str:
    """Nothing about anybody: what happens next."""
    return render_template("public/feedback_sent.html")


def _centre() -> tuple[Organization | None, list[Organization]]:
    """Whom this is to: the one in the URL, the reader's own, the only one."""
    choice = rules.organizations(db.session())
    if len(choice) == 1:
        return choice[0], choice
    tenant_id = whose()
    return next((row for row in choice if row.id == tenant_id), None), choice


def _send(form: FeedbackForm, centre: Organization) -> None:
    """Raises TooManyTries, WrongAnswer, QuestionOver: each counted before it is said."""
    limited(("feedback_address", client_ip()))
    question = _asked()
    if question is None:
        raise questions.QuestionOver()
    try:
        questions.attempt(db.session(), question=question, answer=form.answer.data or "", now=g.now)
    finally:
        db.session.commit()
    limited(("letter", form.letter.email))
    with saved() as saving:
        questions.use(saving, question=question)
        rules.send(saving, tenant_id=centre.id, letter=form.letter, locale=locale(), now=g.now)


def _asked() -> Question | None:
    """The question in the reader's cookie, if it is one and still lives."""
    match session.get(ASKED):
        case [str(nonce), int(instant)] if 0 < instant < LATEST:
            question = Question(nonce, dt.datetime.fromtimestamp(instant, dt.UTC))
            return question if question.lives(g.now) else None
    return None


def _page(form: FeedbackForm, centre: Organization, error: str = "") -> str:
    """The form, with the same question while it lives: two open windows do not disturb each other."""
    question = _asked()
    if question is None:
        question = questions.new(g.now)
        session[ASKED] = [question.nonce, int(question.asked_at.timestamp())]
        form.answer.data = ""
    form.answer.label.text = gettext(
        "Protection from robots. %(question)s", question=say(question.asked)
    )
    return render_template(
        "public/feedback.html", form=form, centre=centre, error=error, faq=_faq(centre)
    )


def _faq(centre: Organization) -> dict[str, Any] | None:
    """«Каковы возможности системы?» (E57): the first part of the questions and answers, by headings."""
    page = pages.first_of(db.session(), kind=PageKind.FAQ, tenant_id=centre.id, now=g.now)
    if page is None:
        return None
    headings = cleaning.parts(localized(page, "body"))
    if not headings:
        return None
    within = []
    for part in headings[1:]:
        if part.level == headings[0].level:
            break
        within.append(part)
    return {"title": headings[0], "parts": within}
