"""The journal's fields in words: what each column is called, and its values as people say them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from flask import current_app, g
from flask_babel import gettext
from sqlalchemy import Date, Enum, Time

from admin.field_labels import EVERYWHERE, LABELS, UNTOLD
from admin.views.file_words import TITLES as OF_THE_FILE
from admin.views.organizations import zone_name
from app.formats import moment
from app.i18n import day, hour, label
from app.models import Base
from app.models.appointment import FIRST_NUMBER, Appointment
from app.models.audit import AuditEvent
from app.models.base import UtcDateTime
from app.models.enums import DocumentKind, Role
from app.rules import examination, journal
from app.rules.audit import MASK
from forms.donors import PHONE_REASONS, SEXES
from forms.inputs import staff_zone
from forms.person_documents import REASONS
from forms.staff import LANGUAGES

NOTHING = "—"
EXPORT = ".export"


def shown(event: AuditEvent) -> list[str]:
    """What the fields of an event are called, each once."""
    return list(dict.fromkeys(field for field, _before, _after in lines(event)))


def lines(event: AuditEvent) -> list[tuple[str, str, str]]:
    """Field, before, after: in words, without what says nothing, or the same twice."""
    found = []
    for name, pair in event.changes.items():
        before, after = (value_words(event, name, value) for value in pair)
        line = (field_words(event, name), before, after)
        if name not in UNTOLD and (before != after or MASK in pair) and line not in found:
            found.append(line)
    return found


def field_words(event: AuditEvent, name: str) -> str:
    """A role by its label, a filter of a file taken away by its own; else the column's name in words."""
    if event.verb.endswith(EXPORT):
        return filter_words(event.verb.removesuffix(EXPORT), name)
    if event.subject == "staff_user" and name in {str(role.value) for role in Role}:
        return label(Role(name))
    return column_words(event.subject, name)


def column_words(table: str, name: str) -> str:
    """What the table's own view calls the column, else the labels here; else its name in the database."""
    own = LABELS.get(table, {})
    if name in own:
        return str(own[name])
    for view in views():
        model = getattr(view, "model", None)
        if model is not None and model.__tablename__ == table:
            for key in (name, name.removesuffix("_id")):
                if key in view.column_labels:
                    return str(view.column_labels[key])
    return str(OF_THE_FILE.get(name) or EVERYWHERE.get(name, name))


def views() -> Iterable[Any]:
    return current_app.extensions["admin"][0]._views  # type: ignore[no-any-return]


def value_words(event: AuditEvent, name: str, value: Any) -> str:
    """A value of the journal as people say it; names of rows are read by ``prepare`` of the view."""
    if value is None or value in ("", []):
        return NOTHING
    if value == MASK:
        return MASK
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if event.verb.endswith(EXPORT):
        return filter_value(event.verb.removesuffix(EXPORT), name, str(value))
    target = journal.REFERENCES.get((event.subject, name))
    if target is not None and isinstance(value, int):
        return str(g.subjects.get((target, value)) or numbered(target, value))
    return special_words(event.subject, name, value) or typed_words(event.subject, name, value)


def numbered(table: str, key: int) -> str:
    """A row without a name that may stand here."""
    return f"№\u00a0{FIRST_NUMBER + key if table == Appointment.__tablename__ else key}"


def special_words(table: str, name: str, value: Any) -> str:
    """Values that no column's type explains; empty for the others."""
    if name == "locale":
        return str(LANGUAGES.get(value, value))
    if name == "time_zone":
        return zone_name(value)
    if name == "sex":
        return str({sex.value: words for sex, words in SEXES.items()}.get(value, value))
    if (table, name) == ("appointment", "overridden"):
        return ", ".join(gettext(examination.TITLES.get(each, each)) for each in value)
    if (table, name) == ("person", "reason"):
        return str((PHONE_REASONS | REASONS).get(value, value))
    if (table, name) == ("person", "document"):
        return label(DocumentKind(value))
    if value == "*" and table == "staff_user":
        return gettext("the whole installation")
    return ""


def typed_words(table: str, name: str, value: Any) -> str:
    """By the type of its column: a member's label, an instant on the reader's clock, a day, an hour."""
    column = columns().get((table, name))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if column is None or not isinstance(value, str):
        return str(value)
    if isinstance(column, Enum):
        members = {str(member.value): member for member in column.enum_class or ()}
        return label(members[value]) if value in members else value
    try:
        if isinstance(column, UtcDateTime):
            return moment(dt.datetime.fromisoformat(value), staff_zone())
        if isinstance(column, Date):
            return day(dt.date.fromisoformat(value))
        if isinstance(column, Time):
            return hour(dt.time.fromisoformat(value))
    except ValueError:
        return value
    return value


@cache
def columns() -> Mapping[tuple[str, str], Any]:
    """Table and column → its type."""
    return {
        (mapper.class_.__tablename__, column.key): column.type
        for mapper in Base.registry.mappers
        for column in mapper.columns
    }


# Files taken away: which filters stood above the list


def filters_of(slug: str) -> Iterable[Any]:
    return next((view.filters for view in views() if getattr(view, "slug", None) == slug), ())


def filter_words(slug: str, name: str) -> str:
    """«When, from»; the parameter itself for a filter that is no more."""
    for each in filters_of(slug):
        if name in each.names():
            side = {"from": gettext("from"), "to": gettext("to")}.get(name.rpartition("_")[2])
            return f"{each.label}, {side}" if each.kind == "days" else str(each.label)
    return name


def filter_value(slug: str, name: str, value: str) -> str:
    """What was chosen in the list of the filter. Its rows are read once for a page."""
    for each in filters_of(slug):
        if name in each.names() and each.kind == "days":
            try:
                return day(dt.date.fromisoformat(value))
            except ValueError:
                return value
        if name in each.names():
            kept = g.setdefault("filter_options", {})
            if (slug, name) not in kept:
                kept[slug, name] = dict(each.options())
            return str(kept[slug, name].get(value, value))
    return value
