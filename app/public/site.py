"""The blueprint of the public site and its wiring. Each topic registers its own views on ``public``."""

from __future__ import annotations

from flask import Blueprint, Flask
from flask_bootstrap import Bootstrap5

public = Blueprint("public", __name__)


def init_public(app: Flask) -> None:
    """Register the site, Bootstrap's and Leaflet's files served from here, and the memory of the anonymous list."""
    from app.public import (  # noqa: F401
        accounts,
        bodies,
        booking,
        bookings,
        cabinet,
        cabinet_booking,
        contacts,
        district_tickets,
        districts,
        esia,
        esia_agree,
        family,
        feedback,
        identify,
        institutions,
        kiosk,
        moves,
        notices,
        pages,
        patient_card,
        places,
        profile,
        registration,
        reviews,
        rights,
        settings,
        settlements,
        sign_in_settings,
        sign_ins,
        tickets,
        visits,
        waiting,
    )
    from app.public.cabinet import tabs
    from app.public.esia import esia_link
    from app.public.esia_door import esia_offered
    from app.public.header import header
    from app.public.list_cache import ListCache
    from app.public.maps import init_maps
    from app.public.sign_in_settings import sign_in_sections

    if "bootstrap" not in app.extensions:
        app.config.setdefault("BOOTSTRAP_SERVE_LOCAL", True)
        Bootstrap5(app)
    app.register_blueprint(public)
    init_maps(app)
    app.jinja_env.globals["header"] = header
    app.jinja_env.globals["cabinet_tabs"] = tabs
    app.jinja_env.globals["sign_in_sections"] = sign_in_sections
    app.jinja_env.globals["esia_offered"] = esia_offered
    app.jinja_env.globals["esia_link"] = esia_link
    seconds = app.config.get("LIST_SECONDS", 0.0 if app.config["MODE"] == "test" else 1.0)
    if seconds:  # tests ask again within the second and want to see what they have changed
        app.wsgi_app = ListCache(app.wsgi_app, seconds=seconds)  # type: ignore[method-assign]
