"""Reviews of visits, read before anybody else sees them, and the questions of the survey (E51–E52)."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.base import StaffPage, StaffView, done, refused
from admin.columns import Badge
from admin.filters import YesNo
from app.extensions import saved
from app.i18n import label, say
from app.models.cabinet_choices import ReviewStatus
from app.models.review import SurveyQuestion
from app.rules import reviews as rules
from app.rules.errors import NotFound, RuleError

TONES = {ReviewStatus.NEW: "wait", ReviewStatus.PUBLISHED: "ok", ReviewStatus.HIDDEN: "off"}
ANSWERS = {"yes": _l("Yes"), "no": _l("No")}


class ReviewsPage(StaffPage):
    """Nobody is named here: who wrote a review does not matter to whoever reads it."""

    slug = "reviews"
    title = _l("Reviews of visits")
    permission = "reviews.moderate"

    @expose("/")
    def index(self) -> Any:
        """One state at a time, the newest first; the place in the list stands in the address."""
        asked = request.args.get("status", "")
        status = next((each for each in ReviewStatus if each.value == asked), ReviewStatus.NEW)
        edge = request.args.get("after", "")
        before = int(edge) if edge.isascii() and edge.isdigit() and len(edge) < 18 else None
        return self.render(
            "admin/reviews/index.html",
            inbox=rules.inbox(self.session, status=status, before_id=before),
            status=status,
            statuses=list(ReviewStatus),
            tones=TONES,
            answers=ANSWERS,
            first=before is None,
        )

    @expose("/<uuid:uid>/", methods=("POST",))
    def moderate(self, uid: uuid.UUID) -> Any:
        """Publish or hide; ``seen`` is the state the reader saw."""
        states = {each.value: each for each in ReviewStatus}
        seen = states.get(request.form.get("seen", ""), ReviewStatus.NEW)
        wanted = states.get(request.form.get("to", ""))
        if wanted is None:
            raise NotFound()
        try:
            with saved() as session:
                rules.moderate(
                    session, uid=uid, seen=seen, status=wanted, actor=self.actor, now=self.now
                )
        except NotFound:
            raise
        except RuleError as refusal:
            refused(say(refusal))
        else:
            published = wanted is ReviewStatus.PUBLISHED
            done(
                gettext("The review is published.")
                if published
                else gettext("The review is hidden.")
            )
        return self.back(status=seen.value)


def state(row: SurveyQuestion) -> Badge:
    return Badge(_l("asked"), "ok") if row.is_active else Badge(_l("not asked"), "off")


class SurveyView(StaffView):
    """«Анкета»: what is asked after a visit."""

    slug = "survey"
    title = _l("Questions of the survey")
    title_one = _l("Question")
    new_title = _l("New question of the survey")
    permission = "reviews.moderate"
    intro = _l(
        "Asked after a visit together with the stars, on the site and by the link of a letter. A question "
        "that has answers is switched off, not deleted."
    )
    can_create = can_edit = True
    column_list = ("position", "text_ru", "kind", "state")
    column_default_sort = ("position", False)
    column_labels = {
        "position": _l("Place in the list"),
        "text_ru": _l("Question, in Russian"),
        "text_en": _l("Question, in English"),
        "kind": _l("How it is answered"),
        "is_active": _l("Asked now"),
        "state": _l("State"),
    }
    cells = {"state": state, "kind": lambda row: label(row.kind)}
    filters = (YesNo("asked", _l("State"), SurveyQuestion.is_active, _l("asked"), _l("not asked")),)
    form_columns = ("text_ru", "text_en", "kind", "position", "is_active")
