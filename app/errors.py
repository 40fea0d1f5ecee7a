"""Pages for what went wrong: a sentence, what to do, an id to name on the phone. Never a trace."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, current_app, g, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from app.extensions import db
from app.i18n import say
from app.models.scope import OutOfScope
from app.rules.errors import NotAllowed, NotFound, RuleError
from app.rules.passwords import Crowded

log = logging.getLogger("talon")
RETRY_AFTER = 10


def init_errors(app: Flask) -> None:
    app.register_error_handler(RuleError, refused)
    app.register_error_handler(OutOfScope, out_of_scope)
    app.register_error_handler(CSRFError, stale_form)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(OperationalError, database_away)
    app.register_error_handler(DBAPIError, bad_value)
    app.register_error_handler(Exception, bug)


def page(status: int, title: str, sentence: str, **headers: Any) -> Any:
    """The error page on whichever surface this is."""
    html = render_template(
        _template(),
        status=status,
        title=title,
        sentence=sentence,
        request_id=g.get("request_id", ""),
    )
    return html, status, headers


def _template() -> str:
    """The back office has its own look, where this process serves it."""
    staff = request.path == "/staff" or request.path.startswith("/staff/")
    served = staff and "admin" in current_app.extensions
    return "errors/staff_error.html" if served else "errors/error.html"


def refused(error: RuleError) -> Any:
    """A refusal no view has caught: its sentence is the page."""
    db.session.rollback()
    if isinstance(error, NotFound):
        return not_found()
    status = 403 if isinstance(error, NotAllowed) else 409
    if isinstance(error, Crowded):
        status = 503
    return page(status, gettext("This did not work"), say(error))


def out_of_scope(_error: OutOfScope) -> Any:
    db.session.rollback()
    return not_found()


def not_found() -> Any:
    return page(
        404,
        gettext("Page not found"),
        gettext("There is nothing at this address, or it is not yours to see."),
    )


def stale_form(_error: CSRFError) -> Any:
    return page(
        400,
        gettext("The page was open for too long"),
        gettext(
            "For your safety the form was not accepted. Go back, reload the page and try again."
        ),
    )


def http_error(error: HTTPException) -> Any:
    code = error.code or 500
    if code < 400:
        return error
    if isinstance(error, SecurityError):  # a foreign Host: no address of ours can be built for it
        return "400\n", 400, {"Content-Type": "text/plain"}
    if code == 404:
        return not_found()
    sentences = {
        400: gettext("The request could not be read. Go back and try again, please."),
        401: gettext("Sign in first, please."),
        403: gettext("Your role does not allow this. Ask your administrator."),
        405: gettext("This page cannot be opened like that. Go back and try again, please."),
        413: gettext("That is too large to be accepted."),
        429: gettext("Too many tries. Wait a little and try again, please."),
    }
    sentence = sentences.get(code, gettext("The request could not be carried out."))
    return page(code, gettext("This did not work"), sentence, **_retry(error))


def _retry(error: HTTPException) -> dict[str, str]:
    seconds = getattr(error, "retry_after", None)
    return {"Retry-After": str(seconds)} if seconds else {}


def database_away(error: OperationalError) -> Any:
    """The database is away, locked or full: say so and ask to come back, never half an answer."""
    db.session.rollback()
    _note("database", error)
    return page(
        503,
        gettext("Talon is not available for a moment"),
        gettext("Nothing was lost. Try again in a few seconds, please."),
        **{"Retry-After": str(RETRY_AFTER)},
    )


def bad_value(error: DBAPIError) -> Any:
    """The database refused a value that no check had caught: a bug, but an honest 500 with an id."""
    return bug(error)


def bug(error: Exception) -> Any:
    db.session.rollback()
    _note("bug", error)
    return page(
        500,
        gettext("Something broke on our side"),
        gettext("It is not your fault. If it happens again, tell us the number below, please."),
    )


def _note(kind: str, error: Exception) -> None:
    """Log class, place and id; never the message, which may quote what a person typed."""

    if current_app.config.get("PROPAGATE_BUGS") and kind == "bug":
        raise error
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    log.error(
        "%s %s at %s, rule %s, request %s",
        kind,
        type(error).__name__,
        place,
        request.url_rule,
        g.get("request_id", ""),
    )
