"""Forms from models: only the columns a view names, with native inputs, one CSRF token, clear words."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import Boolean, Date, Enum, Integer, SmallInteger, String, Text, inspect, select
from sqlalchemy.orm import RelationshipProperty
from wtforms import BooleanField, HiddenField

from admin import tenants
from app.extensions import db
from app.i18n import label
from app.models.base import UtcDateTime
from app.models.personal import PERSONAL
from app.models.scope import TenantScoped
from forms.inputs import (
    DayField,
    LineField,
    LocalDateTimeField,
    MemberField,
    NotBlank,
    ParagraphField,
    RowField,
    WholeField,
)

NEVER_EDITED = frozenset(
    {
        "id",
        "uid",
        "tenant_id",
        "root_id",
        "part_of_id",
        "status",
        "keeps_slot",
        "slot_id",
        "person_id",
        "account_id",
        "staff_user_id",
        "totp_seed",
        "totp_last_step",
        "totp_confirmed_at",
        "password_changed_at",
        "sha256",
        "version",
        "is_superuser",
        "created_at",
        "created_by_id",
        "updated_at",
        "decided_by_id",
        "attempts",
        "locked_until",
    }
)
"""Columns that only rules write: no view may name them in a form."""
LONG = 300
"""A longer column gets a box of several lines."""
REQUIRED = _l("Fill this in, please.")


class StaffForm(FlaskForm):
    """The base of every form in the back office: Flask-WTF's token, as CSRFProtect expects it."""

    was = HiddenField()
    """What the row looked like when the form was opened: two people never overwrite each other."""

    def __init__(self, formdata: Any = None, obj: Any = None, **kwargs: Any) -> None:
        super().__init__(formdata=formdata, obj=obj, **kwargs)

    def populate_obj(self, obj: Any) -> None:
        for name, field in self._fields.items():
            if name not in ("was", "csrf_token", "tenant"):
                field.populate_obj(obj, name)


class BadView(TypeError):
    """A view names a column it must not, or forgets to name any: found when the application starts."""


def demand_safe(view: Any, model: type[Any]) -> None:
    """Refuse a view without explicit columns, with secrets, or with columns that only rules write."""
    name = type(view).__name__
    if not view.column_list:
        raise BadView(f"{name}: column_list is required")
    writes = view.can_create or view.can_edit
    if writes and not view.form_columns:
        raise BadView(f"{name}: form_columns are required where rows can be written")
    if view.can_create and not view.new_title:
        raise BadView(f"{name}: new_title is required where rows can be created")
    if view.can_view_details and not view.column_details_list:
        raise BadView(f"{name}: column_details_list is required for details")
    if view.can_export and not (view.column_export_list and view.export_permission):
        raise BadView(f"{name}: column_export_list and export_permission are required for exports")
    barred = NEVER_EDITED & {*view.form_columns, *view.create_columns}
    if barred:
        raise BadView(f"{name}: {', '.join(sorted(barred))} is never edited in a form")
    classes = PERSONAL.get(model.__tablename__, {})
    secrets = {column for column, kind in classes.items() if kind == "secret"} | {"totp_seed"}
    shown = {
        *view.column_list,
        *view.column_details_list,
        *view.column_export_list,
        *view.column_searchable_list,
        *view.column_sortable_list,
        *view.form_columns,
        *view.create_columns,
    }
    if secrets & shown:
        raise BadView(f"{name}: {', '.join(sorted(secrets & shown))} is secret")


def form_for(view: Any, columns: Any, *, creates: bool = False) -> type[StaffForm]:
    """The form class of a view: ``columns`` in order, ``form_fields`` in their places.

    A new row of a tenant's first asks whose it will be (StaffView drops that where there is no choice).
    """
    fields: dict[str, Any] = {}
    if creates and issubclass(view.model, TenantScoped):
        fields["tenant"] = RowField(_l("Organization"), rows=tenants.reached)
    for name in columns:
        fields[name] = view.form_fields.get(name) or field_for(view, name)
    return type(f"{type(view).__name__}Form", (StaffForm,), fields)


def field_for(view: Any, name: str) -> Any:
    """An unbound field for a column or a relation of the view's model."""
    attribute = inspect(view.model).attrs[name]
    labels: dict[str, Any] = {
        "label": view.column_labels.get(name, name),
        "description": view.column_descriptions.get(name, ""),
    }
    if isinstance(attribute, RelationshipProperty):
        return _relation(attribute, labels)
    column = attribute.columns[0]
    empty_will_do = column.default is not None and isinstance(column.type, String)
    needed = not column.nullable and not empty_will_do
    if column.default is not None and column.default.is_scalar:
        labels["default"] = column.default.arg
    checks = [NotBlank(REQUIRED)] if needed else []
    return _column(column, checks, labels)


def _relation(attribute: Any, labels: dict[str, Any]) -> Any:
    target = attribute.mapper.class_
    nullable = all(column.nullable for column in attribute.local_columns)
    checks = [] if nullable else [NotBlank(REQUIRED)]
    return RowField(
        labels["label"],
        checks,
        rows=lambda: db.session.scalars(select(target)).all(),
        blank="—" if nullable else None,
        description=labels["description"],
    )


def _column(column: Any, checks: list[Any], labels: dict[str, Any]) -> Any:
    kind = column.type
    if isinstance(kind, Enum):
        values = kind.enum_class or enum.Enum
        blank = "—" if column.nullable else None
        return MemberField(validators=checks, members=values, words=label, blank=blank, **labels)  # type: ignore[arg-type]
    if isinstance(kind, Boolean):
        return BooleanField(**labels)
    if isinstance(kind, (Integer, SmallInteger)):
        return WholeField(validators=checks, **labels)
    if isinstance(kind, UtcDateTime):
        return LocalDateTimeField(validators=checks, **labels)
    if isinstance(kind, Date):
        return DayField(validators=checks, **labels)
    if isinstance(kind, Text) or (isinstance(kind, String) and (kind.length or LONG + 1) > LONG):
        return ParagraphField(validators=checks, longest=kind.length or 20000, **labels)
    if isinstance(kind, String):
        return LineField(validators=checks, longest=kind.length or 200, **labels)
    raise BadView(f"{column}: no field for a column of this kind; give one in form_fields")


def fingerprint(view: Any, row: Any) -> str:
    """A short digest of what the form edits, to notice that somebody else has changed it meanwhile."""
    parts = [repr(_comparable(getattr(row, name, None))) for name in view.form_columns]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _comparable(value: Any) -> Any:
    return getattr(value, "id", value) if not isinstance(value, (dt.date, enum.Enum)) else value


def unchanged(view: Any, form: StaffForm, row: Any) -> bool:
    """Whether the row is still what the form was opened with; if not, say so above the form."""
    if not form.was.data or form.was.data == fingerprint(view, row):
        return True
    form.form_errors.append(
        gettext(
            "Somebody has changed this meanwhile. Open the page anew, and make your change again, please."
        )
    )
    return False
