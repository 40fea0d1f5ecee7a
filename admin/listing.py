"""Lists: what an address asks for, folded search, sorting, and paging by key instead of by number.

Addresses hold names of columns, values of closed lists, dates and public ids: never integer keys of
tables that have a ``uid``, never personal data. Whatever cannot be understood is left out.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, inspect, literal, or_, select, tuple_
from sqlalchemy.orm import lazyload

from app.models.base import HasUid
from forms.inputs import tidy_line

LONGEST_SEARCH = 100
MOST_WORDS = 6
COUNT_TO = 1000
LARGEST_KEY = 2**63 - 1


# Names of rows outside


def public_id(row: Any) -> str:
    return str(row.uid if isinstance(row, HasUid) else row.id)


def by_public_id(model: type[Any], text: Any) -> ColumnElement[bool] | None:
    """The condition for the row of this name; None if it cannot be a name at all."""
    plain = text if isinstance(text, str) else ""
    if issubclass(model, HasUid):
        try:
            return model.uid == uuid.UUID(plain)
        except ValueError:
            return None
    if not (plain.isascii() and plain.isdigit() and len(plain) < 20 and int(plain) <= LARGEST_KEY):
        return None
    found: ColumnElement[bool] = model.id == int(plain)
    return found


def value_of(row: Any, name: str) -> Any:
    """``organization.short_name`` of a row; None where the way there is empty."""
    for part in name.split("."):
        if row is None:
            return None
        row = getattr(row, part)
    return row


# What is asked for


@dataclass(frozen=True)
class Asked:
    """What the address asks for, as far as it could be understood."""

    search: str = ""
    sort: str = ""
    descending: bool = False
    after: str = ""
    before: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    """Filter parameters that were understood, for links and for the form."""
    conditions: tuple[ColumnElement[bool], ...] = ()
    personal: bool = False
    """What is searched for names a person: it stands in no address."""

    def query(self, **changes: str) -> dict[str, str]:
        """The parameters of a link to the same list, with ``changes``; paging starts anew."""
        sort = f"-{self.sort}" if self.descending else self.sort
        words = "" if self.personal else self.search
        values = {"q": words, "sort": sort if self.sort else "", **self.given, **changes}
        return {key: value for key, value in values.items() if value}

    @property
    def narrowed(self) -> bool:
        return bool(self.search or self.conditions)


def asked(view: Any, args: Mapping[str, str], *, sent: bool = False) -> Asked:
    """Read an address, or with ``sent`` the body of a search form. Nothing in it can be an error."""
    order = str(args.get("sort", ""))[:60]
    name = order.removeprefix("-")
    if name not in view.column_sortable_list:
        name, order = "", ""
    given, conditions = {}, []
    for each in view.filters:
        found = each.condition(args)
        if found is not None:
            conditions.append(found)
            given |= {key: args[key] for key in each.names() if args.get(key)}
    personal = view.search_is_personal
    may_search = view.column_searchable_list and (sent or not personal)
    search = tidy_line(args.get("q", ""))[:LONGEST_SEARCH] if may_search else ""
    return Asked(
        search=search,
        sort=name,
        descending=order.startswith("-"),
        after=args.get("after", ""),
        before=args.get("before", ""),
        given=given,
        conditions=tuple(conditions),
        personal=personal,
    )


# A page of rows


@dataclass(frozen=True)
class Page:
    """Rows, and where the neighbours begin."""

    rows: list[Any]
    next_after: str = ""
    previous_before: str = ""
    count: int | None = None
    """How many in all; COUNT_TO + 1 means «more than COUNT_TO»; None: not counted."""


def narrowed(view: Any, asked_for: Asked) -> Select[Any]:
    """The view's query with the filters and the search."""
    query = view.get_query()
    if asked_for.conditions:
        query = query.where(*asked_for.conditions)
    for word in asked_for.search.split()[:MOST_WORDS]:
        columns = [getattr(view.model, name) for name in view.column_searchable_list]
        query = query.where(or_(*(like(column, word) for column in columns)))
    return query


def like(column: Any, word: str) -> ColumnElement[bool]:
    """Contains the word as typed: case and ё folded on both engines, % _ \\ taken literally."""
    plain = word.casefold().replace("ё", "е")
    for special in "\\%_":
        plain = plain.replace(special, "\\" + special)
    folded = func.replace(func.lower(column), "ё", "е")
    found: ColumnElement[bool] = folded.like(f"%{plain}%", escape="\\")
    return found


def page(view: Any, asked_for: Asked) -> Page:
    """One page, after or before the row the address names; from the start if there is no such row."""
    query = narrowed(view, asked_for)
    backwards = bool(asked_for.before) and not asked_for.after
    column, descending = order_of(view, asked_for)
    edge = _edge(view, asked_for.before if backwards else asked_for.after, column)
    if edge is None:
        backwards = False
    else:
        query = query.where(_beyond(view.model, column, descending != backwards, backwards, edge))
    query = query.order_by(*_order(view.model, column, descending != backwards, backwards))
    rows = list(view.session.scalars(query.limit(view.page_size + 1)).all())
    more = len(rows) > view.page_size
    rows = rows[: view.page_size]
    if backwards:
        rows.reverse()
    ahead = bool(rows) and (more or backwards)
    behind = bool(rows) and edge is not None and (more or not backwards)
    return Page(
        rows,
        next_after=public_id(rows[-1]) if ahead else "",
        previous_before=public_id(rows[0]) if behind else "",
        count=counted(view, asked_for) if view.counted else None,
    )


def counted(view: Any, asked_for: Asked) -> int:
    """How many rows, looking at no more than COUNT_TO + 1 of them."""
    found = narrowed(view, asked_for).options(lazyload("*")).with_only_columns(view.model.id)
    some = found.order_by(None).limit(COUNT_TO + 1).subquery()
    return int(view.session.scalar(select(func.count()).select_from(some)) or 0)


def order_of(view: Any, asked_for: Asked) -> tuple[Any, bool]:
    """The column to sort by and whether downwards: as asked, or the view's usual order."""
    if asked_for.sort:
        return getattr(view.model, asked_for.sort), asked_for.descending
    name, descending = view.column_default_sort
    return getattr(view.model, name), descending


def _edge(view: Any, text: str, column: Any) -> tuple[Any, int] | None:
    """The sorted value and key of the row to go on from."""
    condition = by_public_id(view.model, text) if text else None
    if condition is None:
        return None
    found = view.session.execute(select(column, view.model.id).where(condition)).one_or_none()
    return None if found is None else (found[0], found[1])


def _nullable(column: Any) -> bool:
    return bool(inspect(column).property.columns[0].nullable)


def _beyond(
    model: type[Any], column: Any, descending: bool, backwards: bool, edge: tuple[Any, int]
) -> ColumnElement[bool]:
    """Rows past the edge in the order of ``_order``; empty values stand last going forward."""
    value, key = edge
    if column.key == "id":
        return model.id < key if descending else model.id > key
    if not _nullable(column):
        row, limit = tuple_(column, model.id), tuple_(literal(value, column.type), key)
        return row < limit if descending else row > limit
    past_key = model.id < key if descending else model.id > key
    if value is None:
        among_empty = and_(column.is_(None), past_key)
        return or_(column.is_not(None), among_empty) if backwards else among_empty
    past = column < value if descending else column > value
    past = or_(past, and_(column == value, past_key))
    return past if backwards else or_(past, column.is_(None))


def _order(model: type[Any], column: Any, descending: bool, backwards: bool) -> list[Any]:
    turn = (lambda c: c.desc()) if descending else (lambda c: c.asc())
    order = [turn(column), turn(model.id)] if column.key != "id" else [turn(model.id)]
    if column.key != "id" and _nullable(column):
        empty = column.is_(None)
        order.insert(0, empty.desc() if backwards else empty.asc())
    return order


def walk(view: Any, asked_for: Asked, batch: int) -> Iterator[Any]:
    """Every row of the list in its order, fetched by key a batch at a time."""
    column, descending = order_of(view, asked_for)
    edge: tuple[Any, int] | None = None
    while True:
        query = narrowed(view, asked_for)
        if edge is not None:
            query = query.where(_beyond(view.model, column, descending, False, edge))
        query = query.order_by(*_order(view.model, column, descending, False)).limit(batch)
        rows = list(view.session.scalars(query).all())
        yield from rows
        if len(rows) < batch:
            return
        edge = (getattr(rows[-1], column.key), rows[-1].id)
