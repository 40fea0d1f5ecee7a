"""«Обратная связь» (E57, E58): the form, its question against robots, and that it has come."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, request, url_for

from app.extensions import db, saved
from app.i18n import locale, localized, say
from app.models.enums import PageKind
from app.models.organization import Organization
from app.public import questions
from app.public.guards import limited, status_of
from app.public.pages import whose
from app.public.site import public
from app.rules import cleaning, pages
from app.rules import feedback as rules
from app.rules.errors import RuleError
from app.sessions import client_ip
from forms.feedback import FeedbackForm


@public.route("/feedback", methods=["GET", "POST"])
def feedback() -> Any:
    """With several organizations the choice of one comes first. What was typed always stays."""
    centre, choice = _centre()
    if centre is None:
        return render_template("public/feedback_whom.html", choice=choice)
    form = FeedbackForm()
    form.answer.need()
    if request.method == "GET":
        return _page(form, centre)
    if not form.validate():
        return _page(form, centre), 400
    try:
        _send(form, centre)
    except questions.REFUSALS as refusal:
        questions.refuse(form.answer, refusal)
        return _page(form, centre), 400
    except RuleError as refusal:
        return _page(form, centre, say(refusal)), status_of(refusal)
    questions.forget()
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
    question = questions.answered(form.answer)
    limited(("letter", form.letter.email))
    with saved() as saving:
        questions.use(saving, question=question)
        rules.send(saving, tenant_id=centre.id, letter=form.letter, locale=locale(), now=g.now)


def _page(form: FeedbackForm, centre: Organization, error: str = "") -> str:
    questions.put(form.answer)
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
