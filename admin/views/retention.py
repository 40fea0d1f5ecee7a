"""What is deleted by itself and when: the terms, what would go now, and a turn begun by hand (N15)."""

from __future__ import annotations

from typing import Any

from flask import abort, request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.base import StaffPage, done
from app.extensions import saved
from app.i18n import locale
from app.models.scope import scope_of, widened
from app.rules import retention


class RetentionPage(StaffPage):
    """Counts what the reader's scope shows; a turn is begun by who works over the whole installation."""

    slug = "retention"
    title = _l("Terms of keeping")
    permission = "retention.run"

    def writer(self) -> bool:
        return scope_of(self.session).everywhere

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """GET is the dry run."""
        if request.method == "POST":
            return self._run()
        return self.render(
            "admin/retention.html",
            rows=retention.dry_run(self.session, now=self.now),
            most=retention.COUNTED,
            language=locale(),
            writer=self.writer(),
            portion=retention.PORTION,
        )

    def _run(self) -> Any:
        if not self.writer():
            abort(404)
        with saved(), widened(self.session, "terms of keeping hold for all alike"):
            gone = retention.run_by_hand(
                self.session, actor=self.actor, now=self.now, tenant_id=None
            )
        done(gettext("Done: %(count)s rows were deleted or emptied.", count=sum(gone.values())))
        return self.back()
