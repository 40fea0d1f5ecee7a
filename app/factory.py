"""create_app: the only wiring. Everything else is handed what it needs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import assets, cli, errors, formats, security, sessions
from app.extensions import babel, csrf, engine_options, init_database
from app.i18n import select_locale
from app.models.crypto import KeyRing, use_keys

ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: Mapping[str, Any]) -> Flask:
    """An application for ``settings`` (config.load), with the surfaces they name."""
    app = Flask(
        "app",
        root_path=str(ROOT / "app"),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "app" / "static"),
    )
    _configure(app, settings)
    use_keys(key_ring(settings))
    security.init_security(app)
    init_database(app)
    babel.init_app(
        app,
        default_locale="ru",
        default_translation_directories=str(ROOT / "app" / "translations"),
        locale_selector=select_locale,
    )
    sessions.init_sessions(app)
    csrf.init_app(app)
    formats.init_formats(app)
    assets.init_assets(app)
    errors.init_errors(app)
    cli.init_cli(app)
    _surfaces(app, settings)
    return app


def _configure(app: Flask, settings: Mapping[str, Any]) -> None:
    secure = settings["PUBLIC_URL"].startswith("https://")
    app.config.update(
        settings,
        SECRET_KEY_FALLBACKS=list(settings["SECRET_KEY_FALLBACKS"]),
        TRUSTED_HOSTS=list(settings["TRUSTED_HOSTS"]),
        SQLALCHEMY_DATABASE_URI=settings["DATABASE_URL"],
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings["DATABASE_URL"]),
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session, which is short
        TEMPLATES_AUTO_RELOAD=False,
        SEND_FILE_MAX_AGE_DEFAULT=31536000,
    )
    if settings["MODE"] == "test":
        app.config["PROPAGATE_BUGS"] = True
    logging.getLogger("talon").setLevel(settings["LOG_LEVEL"])
    if settings["PROXY_HOPS"]:
        hops = settings["PROXY_HOPS"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def key_ring(settings: Mapping[str, Any]) -> KeyRing:
    """The configured keys; outside production they may all come from SECRET_KEY."""
    derived = KeyRing.from_secret(settings["SECRET_KEY"].encode())
    if not settings["DATA_KEYS"]:
        return derived
    return KeyRing(
        settings["DATA_KEYS"],
        settings["DATA_KEY"],
        settings["INDEX_KEY"] or derived.index,
        settings["TOKEN_KEY"] or derived.token,
    )


def _surfaces(app: Flask, settings: Mapping[str, Any]) -> None:
    from app.health import init_health

    init_health(app)
    if "public" in settings["SURFACES"]:
        from app.public.site import init_public

        init_public(app)
    if "staff" in settings["SURFACES"]:
        from admin.site import init_admin

        init_admin(app)
    if settings["MAILBOX"] and "none" not in settings["SURFACES"]:
        from app.mailbox.site import init_mailbox

        init_mailbox(app)
