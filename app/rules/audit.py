"""Writing down what was changed and whose card was seen, in the transaction that does it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import insert, inspect
from sqlalchemy.orm import Session

from app.models.audit import AccessEvent, AccessSubject, AuditEvent
from app.models.personal import is_personal
from app.rules.actor import Actor

MASK = "•••"


def record(
    session: Session,
    *,
    verb: str,
    subject: Any,
    actor: Actor,
    now: dt.datetime,
    tenant_id: int | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Note ``verb`` on the row ``subject``, with its pending changes unless ``changes`` are given.

    Values of personal columns are replaced by a mask: the audit tells that a name was changed, not
    which name it was, so that forgetting a person does not mean rewriting the audit.
    """
    table = subject.__tablename__
    pairs = dict(changes) if changes is not None else pending_changes(subject)
    masked = {
        name: [MASK if value else value for value in pair] if is_personal(table, name) else pair
        for name, pair in pairs.items()
    }
    owner = tenant_id if tenant_id is not None else getattr(subject, "tenant_id", None)
    session.add(
        AuditEvent(
            at=now,
            tenant_id=owner,
            actor_kind=actor.kind,
            actor_id=actor.id,
            verb=verb,
            subject=table,
            subject_id=subject.id,
            changes=masked,
        )
    )


def pending_changes(row: Any) -> dict[str, list[Any]]:
    """Field → [before, after] of what the session is about to write."""
    state = inspect(row)
    changed: dict[str, list[Any]] = {}
    for column in state.mapper.column_attrs:
        history = state.attrs[column.key].history
        if history.has_changes():
            before = history.deleted[0] if history.deleted else None
            after = history.added[0] if history.added else None
            if before != after:
                changed[column.key] = [_plain(before), _plain(after)]
    return changed


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, bytes):
        return MASK
    if isinstance(value, (frozenset, set)):
        return sorted(str(item) for item in value)
    if isinstance(value, (dict, list)):
        return "…"
    return str(value)[:300]


def seen(
    session: Session,
    *,
    action: str,
    staff_user_id: int,
    now: dt.datetime,
    tenant_id: int | None,
    person_ids: Iterable[int] = (),
    record_ids: Iterable[int] = (),
    feedback_ids: Iterable[int] = (),
    ip: str = "",
) -> None:
    """Note that these cards, records and letters to staff were on a page a member of staff looked at."""
    seen_ids = {
        "person_id": sorted(set(person_ids)),
        "record_id": sorted(set(record_ids)),
        "feedback_id": sorted(set(feedback_ids)),
    }
    if not any(seen_ids.values()):
        return
    event = AccessEvent(
        at=now, tenant_id=tenant_id, staff_user_id=staff_user_id, action=action[:40], ip=ip
    )
    session.add(event)
    session.flush()  # its id
    nothing: dict[str, int | None] = dict.fromkeys(seen_ids)
    rows = [nothing | {name: key} for name, keys in seen_ids.items() for key in keys]
    # One statement for the whole page: as objects, SQLite would be sent one for each row.
    session.execute(
        insert(AccessSubject).execution_options(render_nulls=True),
        [row | {"event_id": event.id} for row in rows],
    )


def snapshot(row: Any) -> dict[str, Any]:
    """Every column's value now, to be compared after a form has been written into the row."""
    return {column.key: getattr(row, column.key) for column in inspect(row).mapper.column_attrs}


def changes_since(before: Mapping[str, Any], row: Any) -> dict[str, list[Any]]:
    """Field → [before, after]; flush first, so that keys set through relations are seen too."""
    return {
        name: [_plain(before.get(name)), _plain(value)]
        for name, value in snapshot(row).items()
        if before.get(name) != value
    }


def export(
    session: Session,
    *,
    verb: str,
    table: str,
    actor: Actor,
    now: dt.datetime,
    tenant_id: int | None,
    filters: Mapping[str, str],
) -> None:
    """Note that a list was taken away as a file, and how it was filtered."""
    session.add(
        AuditEvent(
            at=now,
            tenant_id=tenant_id,
            actor_kind=actor.kind,
            actor_id=actor.id,
            verb=verb,
            subject=table,
            changes={name: [None, value] for name, value in filters.items()},
        )
    )
