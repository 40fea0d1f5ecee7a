"""The part of a page that takes checked files: one is loaded, its difference looked at, applied or not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import request
from flask_admin import expose
from werkzeug import Response

from admin.base import done, refused
from app.extensions import saved
from app.i18n import say
from app.models.staff import StaffUser
from app.rules.csv_text import FileRefused
from app.rules.errors import NotFound, RuleError
from forms.imports import TableFileForm

if TYPE_CHECKING:
    import datetime as dt

LARGEST_UPLOAD = 32 * 1024 * 1024
"""Above the file's own limit, so that a sentence can say what the limit is."""
MOST_SHOWN = 300
"""Streets of a difference."""


class CheckedFiles:
    """Nothing is written before somebody has seen the difference and said yes."""

    files: Any
    """The rules of this kind of files: ``find``, ``apply``."""
    applied: Any
    """The sentence after that."""
    user: StaffUser
    now: dt.datetime
    back: Callable[..., Response]

    def for_writers(self) -> None:
        """Who may not write is sent away here, where the page is for others too."""

    def loaded(self, form: TableFileForm, check: Callable[[], Any]) -> Response | None:
        """To the difference of the file that was sent; None: nothing was, or ``form`` says why not."""
        if not form.validate_on_submit():
            return None
        try:
            return self.back(".show", uid=check().uid)
        except FileRefused as refusal:
            form.file.errors = [*form.file.errors, say(refusal)]
            return None

    @expose("/<uuid:uid>/apply/", methods=("POST",))
    def apply(self, uid: uuid.UUID) -> Response:
        self.for_writers()
        try:
            with saved() as session:
                self.files.apply(
                    session,
                    imported=self.files.find(session, uid=uid),
                    seen=request.form.get("seen", ""),
                    by=self.user,
                    now=self.now,
                )
        except NotFound:
            raise
        except RuleError as refusal:
            refused(say(refusal))
        else:
            done(str(self.applied))
        return self.back(".show", uid=uid)
