"""Reports: a form in the address, a chart, its numbers as a table, and the same numbers as a file."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import OperationalError

from admin import report_lines, report_sections
from admin.base import StaffPage
from admin.export import csv_of, xlsx_of
from admin.report_columns import Report
from admin.report_sections import Section
from admin.reports import REPORTS
from app.extensions import only_reads, saved
from app.i18n import locale
from app.rules import audit, clock, reports_places
from app.rules.reports import Asked, Whose
from app.rules.reports_places import Reach
from forms.publishing import chosen_uid
from forms.reports import ReportForm, former_month, last_weeks, next_weeks, this_month

VISITS = {
    Whose.ALL: _l("donors and patients"),
    Whose.DONORS: _l("donors"),
    Whose.PATIENTS: _l("patients"),
}
PERIODS = (
    (_l("the last four weeks"), last_weeks),
    (_l("last month"), former_month),
    (_l("this month"), this_month),
    (_l("the next four weeks"), next_weeks),
)


TIMED_OUT = "57014"
"""PostgreSQL's code of a statement that took longer than app.extensions allows."""
FILES = {"csv": csv_of, "xlsx": xlsx_of}


class ReportsPage(StaffPage):
    """Who needs numbers: analysts and managers; registrars and schedulers of their own branch."""

    slug = "reports"
    title = _l("Reports")
    permission = "reports.view"

    @expose("/")
    def index(self) -> Any:
        return redirect(url_for(".show", name=next(iter(REPORTS))), 303)

    @expose("/<name>/")
    def show(self, name: str) -> Any:
        """A report; what it cannot be asked for comes back with a sentence."""
        report = REPORTS.get(name) or abort(404)
        reach = self._reach()
        if reach is None:
            return self.render("admin/reports/nowhere.html")
        form = self._form(report, reach)
        return self._page(report, reach, form, self._sections(report, reach, form))

    @expose("/<name>/file/", methods=("POST",))
    def file(self, name: str) -> Any:
        """The numbers of the page for Excel; written down before the first one leaves."""
        report = REPORTS.get(name) or abort(404)
        kind = request.form.get("format", "")
        make = FILES.get(kind) or abort(400)
        reach = self._reach() or abort(404)
        form = self._form(report, reach)
        asked = form.read()
        if asked is None:
            return self._page(report, reach, form, None)
        self._note(report, reach, asked)
        only_reads()
        found = self._sections(report, reach, form)
        if not found:
            return self._page(report, reach, form, found)
        comma = kind == "csv" and locale() == "ru"
        sheets = [report_sections.sheet(each, decimal_comma=comma) for each in found]
        return make(f"{name}_{asked.first}_{asked.last}", sheets)

    # What the pages need

    def _reach(self) -> Reach | None:
        return reports_places.reach(
            self.session,
            tenant=chosen_uid(request.values, "organization"),
            branch=chosen_uid(request.values, "branch"),
            own=self.desk,
        )

    def _form(self, report: Report, reach: Reach) -> ReportForm:
        today = clock.local_date(self.now, reach.about.time_zone)
        return ReportForm(request.values, reach.counted, today, report.usual(today))

    def _sections(self, report: Report, reach: Reach, form: ReportForm) -> list[Section] | None:
        """The tables; None if the form now says why there are none to be had."""
        asked = form.read()
        if asked is None:
            return None
        try:
            return report_sections.sections(self.session, report, asked, reach.counted)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") != TIMED_OUT:
                raise
            self.session.rollback()
            form.too_much()
            return None

    def _page(
        self, report: Report, reach: Reach, form: ReportForm, sections: list[Section] | None
    ) -> Any:
        html = self.render(
            "admin/reports/show.html",
            report=report,
            reports=REPORTS.values(),
            reach=reach,
            form=form,
            sections=sections,
            grouped=report_sections.GROUPED,
            visits=VISITS,
            periods=[(words, period(form.today)) for words, period in PERIODS],
            days=report_lines.days,
            zones=sorted({place.time_zone for place in reach.counted}),
        )
        return html, 422 if sections is None else 200

    def _note(self, report: Report, reach: Reach, asked: Asked) -> None:
        with saved() as session:
            audit.record(
                session,
                verb=f"report.{report.name}",
                subject=reach.about,
                actor=self.actor,
                now=self.now,
                tenant_id=reach.tenant.id,
                changes={
                    "first_day": [None, asked.first.isoformat()],
                    "last_day": [None, asked.last.isoformat()],
                },
            )
