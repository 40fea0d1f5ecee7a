"""Views of the development mailbox: the list, one letter, its page, its attachments."""

from __future__ import annotations

import io
import uuid
from email import message_from_string
from email.message import EmailMessage
from email.policy import default

from flask import Blueprint, Flask, Response, abort, g, render_template, request, send_file

from app.extensions import db
from app.models.enums import MessageChannel
from app.models.message import MailboxLetter
from app.rules import mailbox as rules
from app.rules.errors import NotFound

mailbox = Blueprint("mailbox", __name__, url_prefix="/mailbox")
LETTER_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A letter as a page brings its own styles and may do nothing but open links in a new window."""
LAST_PAGE = 9999


def init_mailbox(app: Flask) -> None:
    """Register the pages. Only called where TALON_MAILBOX is set."""
    app.register_blueprint(mailbox)


@mailbox.get("")
def index() -> str:
    recipient = request.args.get("to", "").strip()[:254]
    page = _page(request.args.get("page", ""))
    letters, more = rules.letters(db.session(), recipient=recipient, page=page)
    return render_template(
        "mailbox/index.html",
        letters=letters,
        more=more,
        page=page,
        recipient=recipient,
        codes=rules.codes(db.session(), now=g.now),
    )


def _page(text: str) -> int:
    """A page's number; the first one for anything else."""
    if text.isascii() and text.isdigit() and len(text) <= len(str(LAST_PAGE)):
        return max(int(text), 1)
    return 1


@mailbox.get("/<uuid:uid>")
def letter(uid: uuid.UUID) -> str:
    kept, channel = rules.letter(db.session(), uid=uid)
    if channel is MessageChannel.SMS:
        return render_template("mailbox/sms.html", letter=kept)
    message = _parsed(kept)
    plain = message.get_body(("plain",))
    text = plain.get_content() if plain is not None else ""
    return render_template(
        "mailbox/letter.html",
        uid=uid,
        letter=kept,
        message=message,
        lines=text.splitlines(),
        attachments=list(message.iter_attachments()),
    )


@mailbox.get("/<uuid:uid>/html")
def as_page(uid: uuid.UUID) -> Response:
    message = _read(uid)
    body = message.get_body(("html",))
    if body is None:
        abort(404)
    response = Response(body.get_content(), mimetype="text/html")
    response.headers["Content-Security-Policy"] = LETTER_CSP
    return response


@mailbox.get("/<uuid:uid>/<int:number>")
def attachment(uid: uuid.UUID, number: int) -> Response:
    message = _read(uid)
    parts = list(message.iter_attachments())
    if not 1 <= number <= len(parts):
        abort(404)
    part = parts[number - 1]
    content = part.get_content()
    data = content.encode() if isinstance(content, str) else content
    return send_file(
        io.BytesIO(data),
        mimetype=part.get_content_type(),
        as_attachment=True,
        download_name=part.get_filename() or f"{number}",
    )


def _read(uid: uuid.UUID) -> EmailMessage:
    """A letter; an SMS has neither page nor attachments. Raises NotFound."""
    kept, channel = rules.letter(db.session(), uid=uid)
    if channel is MessageChannel.SMS:
        raise NotFound()
    return _parsed(kept)


def _parsed(kept: MailboxLetter) -> EmailMessage:
    message = message_from_string(kept.source, EmailMessage, policy=default)
    assert isinstance(message, EmailMessage)
    return message
