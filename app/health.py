"""/healthz: the process lives. /readyz: it can do its work, or what it lacks."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import csrf, db, utcnow
from app.models.scope import SYSTEM, set_scope
from app.rules import condition


def init_health(app: Flask) -> None:
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)
    csrf.exempt(healthz)
    csrf.exempt(readyz)


def healthz() -> Any:
    return {"alive": True}


def readyz() -> Any:
    """200 when everything needed is there; 503 with the names of what is not."""
    try:
        set_scope(db.session(), SYSTEM)
        lacking = condition.lacking(db.session(), now=utcnow())
    except SQLAlchemyError:
        lacking = ["database"]
    return {"ready": not lacking, "lacking": lacking}, 503 if lacking else 200
