"""Practitioners with what they give and where they receive."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from flask import abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from wtforms import BooleanField
from wtforms.validators import Length

from admin.base import done
from admin.filters import YesNo
from admin.forms import StaffForm
from admin.views.directory import DirectoryView, branches, departments, path_of, state
from app.extensions import db
from app.i18n import say
from app.models.directory import (
    Department,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    Specialty,
)
from app.rules import practitioners
from app.rules.errors import RuleError
from forms.inputs import LineField, NotBlank, RowField


def specialties() -> list[Specialty]:
    return list(
        db.session.scalars(select(Specialty).where(Specialty.is_active).order_by(Specialty.name_ru))
    )


def department_words(row: Department) -> str:
    return f"{row.organization.short_name}: {path_of(row)}"


def role_form() -> type[StaffForm]:
    """Where, in what and in which room somebody receives; the choices are read when it is made."""

    class RoleForm(StaffForm):
        organization = RowField(_l("Branch"), rows=branches)
        department = RowField(
            _l("Department"), rows=departments, words=department_words, blank=_l("without one")
        )
        specialty = RowField(_l("Specialty"), rows=specialties)
        room = LineField(_l("Room"), [Length(max=40)])
        is_active = BooleanField(_l("Receives here"), default=True)

    return RoleForm


class PractitionersView(DirectoryView):
    slug = "practitioners"
    for_patients = True
    path = "directory/practitioners"
    title = _l("Doctors")
    title_one = _l("Doctor")
    new_title = _l("New doctor")
    intro = _l("Who receives patients. Services and places of reception are on the doctor’s page.")
    writing: ClassVar[frozenset[str]] = DirectoryView.writing | {"role_view", "services_view"}
    column_list = ("full_name", "job", "code", "state")
    column_details_list = ("full_name", "job", "note_ru", "note_en", "code", "state")
    column_searchable_list = ("search_name", "position", "code")
    column_default_sort = ("search_name", False)
    column_labels = {
        "full_name": _l("Name"),
        "family_name": _l("Family name"),
        "given_name": _l("Given name"),
        "patronymic": _l("Patronymic"),
        "job": _l("Position"),
        "position": _l("Position"),
        "note_ru": _l("Note after the name, in Russian"),
        "note_en": _l("Note after the name, in English"),
        "code": _l("Staff number"),
        "is_active": _l("Works"),
        "state": _l("State"),
    }
    column_descriptions = {
        "position": _l("Stands before the family name: “врач-терапевт участковый”."),
        "note_ru": _l("In brackets after the name: “прием по полису ОМС”."),
        "code": _l("By it a file knows the doctor again."),
    }
    cells = {"state": state, "job": lambda row: row.position}
    filters = (
        YesNo("works", _l("State"), Practitioner.is_active, _l("works"), _l("switched off")),
    )
    form_columns = (
        "family_name", "given_name", "patronymic", "position", "note_ru", "note_en", "code",
        "is_active",
    )  # fmt: skip
    form_fields: ClassVar[dict[str, Any]] = {
        "family_name": LineField(
            _l("Family name"), [NotBlank(_l("Type the name, please."))], longest=80
        ),
    }
    details_template = "admin/directory/practitioner.html"

    def words_of(self, row: Any) -> str:
        return str(row.full_name)

    def create_row(self, form: Any) -> Any:
        return self._save(form, self.tenant_chosen(form).id)

    def change_row(self, form: Any, row: Any) -> Any:
        return self._save(form, row.tenant_id, practitioner=row)

    def _save(self, form: Any, tenant_id: int, **row: Any) -> Practitioner:
        return practitioners.save_practitioner(
            self.session,
            tenant_id=tenant_id,
            actor=self.actor,
            now=self.now,
            **self.fields_of(form),
            **row,
        )

    def details_extra(self, row: Any) -> dict[str, Any]:
        query = (
            select(PractitionerRole)
            .where(PractitionerRole.practitioner_id == row.id)
            .options(
                selectinload(PractitionerRole.organization),
                selectinload(PractitionerRole.department),
                selectinload(PractitionerRole.specialty),
            )
            .order_by(PractitionerRole.id)
        )
        return {
            "roles": list(self.session.scalars(query)),
            "services": list(row.services),
            "state": state,
            "writes": self.writes(),
        }

    @expose("/role/", methods=("GET", "POST"))
    def role_view(self) -> Any:
        """A place of reception: a new one, or ``?role=`` of this doctor's."""
        doctor = self.one_or_404()
        role = self._role_of(doctor)
        form: Any = role_form()(self._sent(), obj=role)
        if form.validate_on_submit() and self._try(
            form,
            lambda: practitioners.save_role(
                self.session,
                practitioner=doctor,
                organization=form.organization.data,
                department=form.department.data,
                specialty=form.specialty.data,
                role=role,
                room=form.room.data or "",
                is_active=form.is_active.data,
                actor=self.actor,
                now=self.now,
            ),
        ):
            return self._to(doctor)
        title = gettext("Place of reception") if role else gettext("New place of reception")
        return self._page(form, doctor, title)

    def _role_of(self, doctor: Practitioner) -> PractitionerRole | None:
        text = request.args.get("role")
        if text is None:
            return None
        try:
            uid = uuid.UUID(text)
        except ValueError:
            abort(404)
        found = self.session.scalars(
            select(PractitionerRole).where(
                PractitionerRole.uid == uid, PractitionerRole.practitioner_id == doctor.id
            )
        ).one_or_none()
        return found or abort(404)

    @expose("/services/", methods=("GET", "POST"))
    def services_view(self) -> Any:
        """What the doctor gives: every service of the organization with a box."""
        doctor = self.one_or_404()
        form = StaffForm(self._sent())
        offered = self.session.scalars(
            select(HealthcareService)
            .where(HealthcareService.tenant_id == doctor.tenant_id)
            .order_by(HealthcareService.position, HealthcareService.name_ru)
        ).all()
        ticked = set(request.form.getlist("service"))
        if form.validate_on_submit() and self._try(
            form,
            lambda: practitioners.set_services(
                self.session,
                practitioner=doctor,
                services=[row for row in offered if str(row.uid) in ticked],
                actor=self.actor,
                now=self.now,
            ),
        ):
            return self._to(doctor)
        given = {str(row.uid) for row in doctor.services}
        html = self.render(
            "admin/directory/services.html",
            row=doctor,
            form=form,
            offered=offered,
            given=ticked if form.is_submitted() else given,
        )
        return html, 422 if form.is_submitted() else 200

    def _sent(self) -> Any:
        """What the form holds; None when the page is only opened (StaffForm does not look itself)."""
        return request.form if request.method == "POST" else None

    def _try(self, form: Any, write: Callable[[], object]) -> bool:
        """The rule and the commit; a refusal stands above the form."""
        try:
            write()
            self.session.commit()
        except RuleError as refusal:
            self.session.rollback()
            form.form_errors.append(say(refusal))
            return False
        except BaseException:
            self.session.rollback()
            raise
        return True

    def _to(self, doctor: Practitioner) -> Any:
        done(gettext("Saved."))
        return redirect(url_for(".details_view", id=doctor.uid), 303)

    def _page(self, form: Any, doctor: Practitioner, title: str) -> Any:
        html = self.render("admin/directory/role.html", form=form, row=doctor, page_title=title)
        return html, 422 if form.is_submitted() else 200
