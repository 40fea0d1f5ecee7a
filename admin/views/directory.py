"""The directory's tables: departments, services, specialties. Practitioners are in directory_doctors.py."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import g, has_request_context
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms.validators import Regexp

from admin.base import StaffView
from admin.columns import Badge
from admin.filters import Choice, OneOf, YesNo
from app.extensions import db
from app.i18n import label, spoken
from app.models.directory import Department, HealthcareService, Specialty
from app.models.enums import Payment
from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import directory, directory_edit, organizations
from forms.directory import KeyField
from forms.inputs import LineField, MemberField, NotBlank, RowField

NAMELESS = _l("Type the name, please.")


def branches() -> list[Organization]:
    """Where the reader may say what there is."""
    return [row for row in organizations.in_scope(db.session()) if row.is_active]


def departments() -> list[Department]:
    """Of the reader's branches, as trees, branch after branch. Read once a request."""
    if "directory_departments" not in g:
        found: dict[int, list[Department]] = {}
        for row in db.session.scalars(select(Department).order_by(Department.organization_id)):
            found.setdefault(row.organization_id, []).append(row)
        g.directory_departments = [
            leaf.department for rows in found.values() for leaf in directory.tree(rows)
        ]
    rows: list[Department] = g.directory_departments
    return rows


def path_of(row: Department) -> str:
    """«Детская поликлиника → Участок №1»: where a department stands, and how deep."""
    known = {each.id: each for each in departments()}
    names, above = [row.name], row.part_of_id
    while above in known and len(names) < directory_edit.DEEPEST:
        names.append(known[above].name)
        above = known[above].part_of_id
    return " → ".join(reversed(names))


def kind_words(kinds: Any, key: str) -> str:
    """A key of one of app/data's lists as people call it."""
    words = kinds.get(key)
    return spoken(words) if words else key


def state(row: Any) -> Badge:
    return Badge(_l("works"), "ok") if row.is_active else Badge(_l("switched off"), "off")


class DirectoryView(StaffView):
    """A table everybody at the desk reads and managers change."""

    permission = "directory.view"
    edit_permission = "directory.edit"
    writing: ClassVar[frozenset[str]] = frozenset({"create_view", "edit_view"})
    """Methods behind ``edit_permission``."""
    can_view_details = True

    def _handle_view(self, name: str, /, **kwargs: Any) -> Any:
        answer = super()._handle_view(name, **kwargs)
        if answer is None and name in self.writing:
            self.need(self.edit_permission)
        return answer

    @property
    def can_create(self) -> bool:  # type: ignore[override]
        return self.writes()

    @property
    def can_edit(self) -> bool:  # type: ignore[override]
        return self.writes()

    def writes(self) -> bool:
        """Whether to show the buttons; while the application starts, there is nobody to ask."""
        return not has_request_context() or self.may(self.edit_permission)

    def fields_of(self, form: Any, *left_out: str) -> dict[str, Any]:
        """What the form's plain columns say."""
        names = [name for name in self.form_columns if name not in left_out]
        return {name: form[name].data for name in names if name in form}


class DepartmentsView(DirectoryView):
    slug = "departments"
    for_patients = True
    path = "directory/departments"
    title = _l("Departments")
    title_one = _l("Department")
    new_title = _l("New department")
    intro = _l("Patients choose a department first. One may stand under another.")
    empty = _l("No departments yet. Without them patients choose by specialty alone.")
    column_list = ("name", "place", "organization", "code", "kind", "position", "state")
    column_details_list = (
        "name", "place", "organization", "code", "kind", "address", "phone", "position", "state",
    )  # fmt: skip
    column_sortable_list = ("name", "position")
    column_searchable_list = ("name", "code")
    column_default_sort = ("name", False)
    column_labels = {
        "name": _l("Department’s name"),
        "place": _l("Place in the tree"),
        "organization": _l("Branch"),
        "part_of": _l("Under the department"),
        "code": _l("Number"),
        "kind": _l("Kind"),
        "address": _l("Address"),
        "phone": _l("Telephone"),
        "position": _l("Place in the list"),
        "is_active": _l("Works"),
        "state": _l("State"),
    }
    column_descriptions = {
        "code": _l("As the registry numbers it; stands in brackets after the name."),
        "address": _l("Only if it is not the branch’s own."),
    }
    cells = {
        "place": path_of,
        "kind": lambda row: kind_words(directory.department_kinds(), row.kind),
        "state": state,
    }
    load = (Department.organization,)
    filters = (
        OneOf("branch", _l("Branch"), Department.organization_id, rows=branches),
        YesNo("works", _l("State"), Department.is_active, _l("works"), _l("switched off")),
    )
    form_columns = (
        "name", "part_of", "code", "kind", "address", "phone", "position", "is_active",
    )  # fmt: skip
    create_columns = ("organization", *form_columns)
    form_fields: ClassVar[dict[str, Any]] = {
        "organization": RowField(_l("Branch"), rows=branches),
        "part_of": RowField(
            _l("Under the department"), rows=departments, words=path_of, blank=_l("at the top")
        ),
        "name": LineField(_l("Department’s name"), [NotBlank(NAMELESS)]),
        "kind": KeyField(
            _l("Kind"),
            [],
            {key: key for key in directory.department_kinds()},
            lambda key: kind_words(directory.department_kinds(), key),
            _l("none of these"),
        ),
    }

    def create_row(self, form: Any) -> Any:
        return directory_edit.save_department(
            self.session,
            organization=form.organization.data,
            part_of=form.part_of.data,
            actor=self.actor,
            now=self.now,
            **self.fields_of(form, "part_of"),
        )

    def change_row(self, form: Any, row: Any) -> Any:
        return directory_edit.save_department(
            self.session,
            organization=row.organization,
            part_of=form.part_of.data,
            department=row,
            actor=self.actor,
            now=self.now,
            **self.fields_of(form, "part_of"),
        )


class ServicesView(DirectoryView):
    slug = "services"
    for_patients = True
    path = "directory/services"
    title = _l("Services")
    title_one = _l("Service")
    new_title = _l("New service")
    intro = _l("What patients book. The code and the name are those of one edition: write which.")
    column_list = ("code", "name_ru", "specialty", "payment", "position", "state")
    column_details_list = (
        "code", "name_ru", "name_en", "edition", "specialty", "payment", "memo_ru", "memo_en",
        "position", "state",
    )  # fmt: skip
    column_sortable_list = ("code", "name_ru", "position")
    column_searchable_list = ("code", "name_ru", "name_en")
    column_default_sort = ("name_ru", False)
    column_labels = {
        "code": _l("Code"),
        "name_ru": _l("Name, in Russian"),
        "name_en": _l("Name, in English"),
        "edition": _l("Edition"),
        "specialty": _l("Specialty"),
        "payment": _l("Who pays"),
        "memo_ru": _l("How to prepare, in Russian"),
        "memo_en": _l("How to prepare, in English"),
        "position": _l("Place in the list"),
        "is_active": _l("Open for booking"),
        "state": _l("State"),
    }
    column_descriptions = {
        "code": _l("Of the nomenclature, like B01.064.001; empty for a service outside it."),
        "edition": _l("From which the code and the name are taken: names differ between editions."),
        "memo_ru": _l("Goes onto the ticket."),
    }
    cells = {"state": state}
    load = (HealthcareService.specialty,)
    filters = (
        Choice("payment", _l("Who pays"), HealthcareService.payment, Payment),
        YesNo("works", _l("State"), HealthcareService.is_active, _l("works"), _l("switched off")),
    )
    form_columns = (
        "code", "name_ru", "name_en", "edition", "specialty", "payment", "memo_ru", "memo_en",
        "position", "is_active",
    )  # fmt: skip
    form_fields: ClassVar[dict[str, Any]] = {
        "code": LineField(_l("Code"), longest=40, description=column_descriptions["code"]),
        "name_ru": LineField(_l("Name, in Russian"), [NotBlank(NAMELESS)]),
        "payment": MemberField(_l("Who pays"), members=Payment, words=label),
    }

    def create_row(self, form: Any) -> Any:
        return self._save(form, self.tenant_chosen(form).id)

    def change_row(self, form: Any, row: Any) -> Any:
        return self._save(form, row.tenant_id, service=row)

    def _save(self, form: Any, tenant_id: int, **row: Any) -> HealthcareService:
        fields = self.fields_of(form, "specialty")
        chosen = form.specialty.data
        return directory_edit.save_service(
            self.session,
            tenant_id=tenant_id,
            actor=self.actor,
            now=self.now,
            specialty_id=chosen.id if chosen else None,
            **fields,
            **row,
        )


class SpecialtiesView(DirectoryView):
    slug = "specialties"
    for_patients = True
    path = "directory/specialties"
    title = _l("Specialties")
    title_one = _l("Specialty")
    new_title = _l("New specialty")
    intro = _l("One list for all organizations: patients search across them.")
    column_list = ("name_ru", "name_en", "code", "state")
    column_details_list = column_list
    column_sortable_list = ("name_ru", "code")
    column_searchable_list = ("name_ru", "name_en")
    column_default_sort = ("name_ru", False)
    column_labels = {
        "code": _l("Code"),
        "name_ru": _l("Name, in Russian"),
        "name_en": _l("Name, in English"),
        "is_active": _l("Works"),
        "state": _l("State"),
    }
    cells = {"state": state}
    form_columns = ("name_ru", "name_en", "is_active")
    create_columns = ("code", *form_columns)
    form_fields: ClassVar[dict[str, Any]] = {
        "code": LineField(
            _l("Code"),
            [
                NotBlank(_l("Type the code, please.")),
                Regexp(
                    r"^[a-z][a-z0-9-]*\Z", message=_l("Small Latin letters and digits, please.")
                ),
            ],
            longest=40,
            description=_l(
                "Short, in Latin letters; it stays for good: addresses and files use it."
            ),
        ),
        "name_ru": LineField(_l("Name, in Russian"), [NotBlank(NAMELESS)]),
    }

    def writes(self) -> bool:
        """The list is everybody's: only who works over the whole installation changes it."""
        return super().writes() and (not has_request_context() or scope_of(self.session).everywhere)

    def create_row(self, form: Any) -> Any:
        fields = {name: form[name].data for name in self.create_columns}
        return directory_edit.save_specialty(self.session, actor=self.actor, now=self.now, **fields)

    def change_row(self, form: Any, row: Any) -> Specialty:
        return directory_edit.save_specialty(
            self.session, specialty=row, actor=self.actor, now=self.now, **self.fields_of(form)
        )
