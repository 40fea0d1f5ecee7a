"""What every staff template may call: cells, the menu, links that keep the list, the other language."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, current_app, g, request, url_for

from admin.columns import cell
from app.i18n import COOKIE, LOCALES, locale
from app.models.enums import Surface
from app.models.staff import StaffUser
from app.sessions import surface

YEAR = 365 * 24 * 3600
TONGUES = {"ru": "Русский", "en": "English"}


def init_looks(app: Flask) -> None:
    app.after_request(keep_tongue)
    app.jinja_env.filters["cell"] = cell
    app.jinja_env.globals.update(
        staff_menu=staff_menu, other_tongue=other_tongue, staff_user=staff_user, way_back=way_back
    )


def keep_tongue(response: Response) -> Response:
    """``?lang=en`` on a page of the back office holds for the pages to come."""
    wish = request.args.get("lang")
    if surface() is Surface.STAFF and wish in LOCALES and request.cookies.get(COOKIE) != wish:
        response.set_cookie(
            COOKIE,
            str(wish),
            max_age=YEAR,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
    return response


def staff_user() -> StaffUser | None:
    """Who is signed in with both factors, or nobody."""
    user = g.get("user")
    return user if isinstance(user, StaffUser) else None


def staff_menu() -> list[Any]:
    """The menu's entries and headings that the reader may open."""
    office = current_app.extensions["admin"][0]
    return [item for item in office.menu() if item.is_visible() and item.is_accessible()]


def way_back() -> str:
    """Of a page that answers a POST: where Back and Reload lead instead of sending it once more.

    The page's own address if it can be opened, else the next one above it that can; a view that knows
    better says so in ``g.way_back``. Empty for a page that was opened by GET. staff.js writes it into
    the browser's history.
    """
    if request.method != "POST" or surface() is not Surface.STAFF:
        return ""
    if g.get("way_back"):
        return str(g.way_back)
    if request.url_rule is not None and "GET" in (request.url_rule.methods or ()):
        return request.full_path.rstrip("?")
    adapter, path = current_app.create_url_adapter(request), request.path
    while adapter is not None and path.count("/") > 2:
        path = path.rstrip("/").rpartition("/")[0]
        for each in (path + "/", path):
            if adapter.test(each, "GET"):
                return each
    return url_for("admin.index")


def other_tongue() -> dict[str, str]:
    """The same page in the other language: its code, its name, the address."""
    code = next(each for each in LOCALES if each != locale())
    values = {key: value for key, value in request.args.items(multi=False) if key != "lang"}
    if request.endpoint is None or request.method != "GET":
        return {"code": code, "name": TONGUES[code], "href": url_for("admin.index", lang=code)}
    arguments: dict[str, Any] = {**values, **(request.view_args or {}), "lang": code}
    return {"code": code, "name": TONGUES[code], "href": url_for(request.endpoint, **arguments)}
