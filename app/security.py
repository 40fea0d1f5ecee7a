"""What every request and every answer goes through: malformed input out, protective headers on."""

from __future__ import annotations

import secrets

from flask import Flask, Response, abort, g, request

MAX_BODY = 1024 * 1024
MAX_FIELDS = 1000
CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
PICTURES = "img-src 'self' data:"
FORMS = "form-action 'self'"
SHARED = "talon.shared"
"""Key in the WSGI environment by which a view says that its answer is nobody's own: it may be kept."""


def init_security(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY
    app.config["MAX_FORM_PARTS"] = MAX_FIELDS
    app.extensions["large_bodies"] = {}
    app.before_request(guard_input)
    app.after_request(protect)


def allow_large(app: Flask, endpoint: str, size: int) -> None:
    """Let ``endpoint`` take a body of up to ``size`` bytes (a file)."""
    app.extensions["large_bodies"][endpoint] = size


def guard_input() -> None:
    """400 for what no browser sends: NUL, broken UTF-8, lone surrogates, hundreds of arguments."""
    g.request_id = secrets.token_hex(6)
    from flask import current_app

    size = current_app.extensions["large_bodies"].get(request.endpoint)
    if size is not None:
        request.max_content_length = size
        request.max_form_memory_size = size
    if not _sound(request.path) or len(request.query_string) > 8192:
        abort(400)
    try:
        request.query_string.decode("ascii")
    except UnicodeDecodeError:
        abort(400)
    if len(request.args) > 200:
        abort(400)
    for source in (request.args, request.form):
        for key, values in source.lists():
            if not _sound(key) or not all(_sound(value) for value in values):
                abort(400)


def _sound(text: str) -> bool:
    if "\x00" in text or "\ufffd" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_file_of_ours() -> bool:
    """Styles, scripts, pictures: the same for everybody, under an address that changes with them."""
    return (request.endpoint or "").rpartition(".")[2] == "static"


def show_pictures_of(origin: str) -> None:
    """Let this one answer show pictures of another site: of a map whose tiles are configured."""
    g.pictures_of = origin


def lead_to(origin: str) -> None:
    """Let forms of this one answer end at another site: where people sign in through it."""
    g.leads_to = origin


def policy() -> str:
    """The content security policy of this answer."""
    made = CSP
    if origin := g.get("pictures_of", ""):
        made = made.replace(PICTURES, f"{PICTURES} {origin}")
    if origin := g.get("leads_to", ""):
        made = made.replace(FORMS, f"{FORMS} {origin}")
    return made


def protect(response: Response) -> Response:
    """Security headers; personal pages are never stored by anybody."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if not (_is_file_of_ours() or request.environ.get(SHARED)):
        headers["Cache-Control"] = "no-store"  # also instead of what send_file says
    return response
