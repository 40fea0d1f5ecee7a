"""Settings: from the environment to one dictionary, with one loud error that lists all that is wrong.

``load`` is pure. Every name starts with ``TALON_``; a name that is not in the table is an error, so
that a typo cannot switch a protection off. A secret may also be given as a file: ``TALON_X_FILE``.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

MODES = ("demo", "production", "test")
SECRET_BYTES = 32


class BadSettings(Exception):
    """Talon does not start with these settings; the text says each fault and its mend."""


def _text(value: str) -> str:
    return value


def _whole(value: str) -> int:
    return int(value)


def _flag(value: str) -> bool:
    if value not in ("0", "1"):
        raise ValueError("0 or 1")
    return value == "1"


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _key(value: str) -> bytes:
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("base64 of 32 bytes") from error
    if len(key) != SECRET_BYTES:
        raise ValueError("base64 of 32 bytes")
    return key


def _ring(value: str) -> dict[int, bytes]:
    ring = {}
    for part in _words(value):
        number, _, key = part.partition(":")
        ring[int(number)] = _key(key)
        if not 1 <= int(number) <= 255:
            raise ValueError("key ids are 1 to 255")
    return ring


@dataclass(frozen=True)
class Setting:
    """One name of the environment: how it is read, its default, and one line for docs/install.md."""

    read: Callable[[str], Any]
    default: Any
    meaning: str
    secret: bool = False


SETTINGS: dict[str, Setting] = {
    "MODE": Setting(_text, "production", "demo, production or test"),
    "SECRET_KEY": Setting(_text, None, "Signs cookies; 32 characters or more", secret=True),
    "SECRET_KEY_FALLBACKS": Setting(_words, (), "Former SECRET_KEYs, still accepted", secret=True),
    "DATA_KEYS": Setting(_ring, None, "Data keys «1:base64,2:base64», 32 bytes each", secret=True),
    "DATA_KEY": Setting(_whole, None, "Id of the data key that encrypts now"),
    "INDEX_KEY": Setting(_key, None, "Key of look-up indexes: base64, 32 bytes", secret=True),
    "TOKEN_KEY": Setting(_key, None, "Key of links in letters: base64, 32 bytes", secret=True),
    "DATABASE_URL": Setting(_text, None, "postgresql+psycopg://… or sqlite:////path", secret=True),
    "REDIS_URL": Setting(_text, "", "redis://…; empty: jobs run inside the worker", secret=True),
    "PUBLIC_URL": Setting(_text, None, "Address of the site, as donors type it: https://…"),
    "TRUSTED_HOSTS": Setting(_words, (), "Host names answered; default: that of PUBLIC_URL"),
    "PROXY_HOPS": Setting(_whole, 0, "Reverse proxies in front that set X-Forwarded-*"),
    "SURFACES": Setting(
        _words, ("public", "staff"), "public, staff or both; none for commands and workers"
    ),
    "MAIL_URL": Setting(_text, "", "smtp://user:password@host:port?tls=starttls|tls|none", True),
    "MAIL_FROM": Setting(_text, "", "Sender of letters: Талон <talon@example.ru>"),
    "MAILBOX": Setting(_flag, False, "1: letters go to the page /mailbox. Never in production"),
    "SMS_URL": Setting(_text, "", "SMS gateway: https://user:password@host/path", secret=True),
    "ESIA_ISSUER": Setting(
        _text, "", "ESIA or an OpenID gateway to it: https://…; empty: no button"
    ),
    "ESIA_CLIENT_ID": Setting(_text, "", "Name under which Talon is known to it"),
    "ESIA_SECRET": Setting(_text, "", "Secret of that name", secret=True),
    "ESIA_SCOPES": Setting(
        _text, "openid fullname birthdate gender snils mobile", "What it is asked to tell"
    ),
    "MAP_TILES": Setting(_text, "", "Pictures under the map: /tiles/{z}/{x}/{y}.png or https://…"),
    "MAP_ATTRIBUTION": Setting(_text, "", "Whose pictures they are: stands under the map"),
    "LOG_LEVEL": Setting(_text, "INFO", "DEBUG, INFO, WARNING or ERROR"),
}
IGNORED = frozenset({"SCALE"})
"""Names that belong to the tests, not to the application."""


def load(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings, complete. Raises BadSettings with every fault and its mend."""
    faults: list[str] = []
    values = {name: setting.default for name, setting in SETTINGS.items()}
    for name, raw in _given(environ, faults).items():
        if name not in SETTINGS:
            faults.append(
                f"TALON_{name}: нет такой настройки. Проверьте написание (docs/install.md)."
            )
            continue
        try:
            values[name] = SETTINGS[name].read(raw)
        except ValueError as error:
            faults.append(f"TALON_{name}: значение не читается ({error}).")
    _check(values, faults)
    if faults:
        raise BadSettings("Талон не запущен, настройки неверны:\n- " + "\n- ".join(faults))
    return _complete(values)


def _given(environ: Mapping[str, str], faults: list[str]) -> dict[str, str]:
    given = {}
    for full, value in environ.items():
        if not full.startswith("TALON_"):
            continue
        name = full.removeprefix("TALON_")
        if name in IGNORED:
            continue
        if name.endswith("_FILE") and name.removesuffix("_FILE") in SETTINGS:
            path = Path(value)
            try:
                if path.stat().st_mode & 0o077:
                    faults.append(f"{full}: файл читают посторонние. Исправьте: chmod 600 {value}")
                content = path.read_text().strip()
            except OSError as error:
                faults.append(f"{full}: файл не открывается ({error.strerror}).")
                continue
            given[name.removesuffix("_FILE")] = content
        elif value:
            given[name] = value
    return given


def _check(values: dict[str, Any], faults: list[str]) -> None:
    mode = values["MODE"]
    if mode not in MODES:
        faults.append(f"TALON_MODE: «{mode}» не бывает; возможны {', '.join(MODES)}.")
    for name in ("SECRET_KEY", "DATABASE_URL", "PUBLIC_URL"):
        if not values[name]:
            faults.append(f"TALON_{name}: не задано ({SETTINGS[name].meaning}).")
    if values["SECRET_KEY"] and len(values["SECRET_KEY"]) < SECRET_BYTES:
        faults.append("TALON_SECRET_KEY: короче 32 знаков. Возьмите: openssl rand -base64 48")
    ring, current = values["DATA_KEYS"], values["DATA_KEY"]
    if ring and current is not None and current not in ring:
        faults.append(f"TALON_DATA_KEY: ключа {current} нет в TALON_DATA_KEYS.")
    surfaces = set(values["SURFACES"])
    if surfaces != {"none"} and (surfaces - {"public", "staff"} or not surfaces):
        faults.append("TALON_SURFACES: возможны public, staff, public,staff или none.")
    if values["LOG_LEVEL"] not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        faults.append("TALON_LOG_LEVEL: возможны DEBUG, INFO, WARNING, ERROR.")
    if values["SMS_URL"]:
        _check_sms(values["SMS_URL"], faults)
    if values["ESIA_ISSUER"]:
        _check_esia(values, faults)
    if values["MAP_TILES"]:
        _check_tiles(values, faults)
    if mode == "production":
        _check_production(values, faults)


def _check_production(values: dict[str, Any], faults: list[str]) -> None:
    for name in ("DATA_KEYS", "INDEX_KEY", "TOKEN_KEY", "MAIL_URL", "MAIL_FROM"):
        if not values[name]:
            faults.append(f"TALON_{name}: не задано ({SETTINGS[name].meaning}).")
    if values["DATABASE_URL"] and not values["DATABASE_URL"].startswith("postgresql"):
        faults.append("TALON_DATABASE_URL: в рабочем режиме нужна PostgreSQL.")
    if not values["REDIS_URL"]:
        faults.append("TALON_REDIS_URL: в рабочем режиме нужен Redis.")
    if values["PUBLIC_URL"] and not values["PUBLIC_URL"].startswith("https://"):
        faults.append("TALON_PUBLIC_URL: в рабочем режиме адрес начинается с https://")
    if values["MAILBOX"]:
        faults.append(
            "TALON_MAILBOX: почтовый ящик разработчика открыт всем; уберите эту настройку."
        )
    if values["MAIL_URL"]:
        mail = urlsplit(values["MAIL_URL"])
        plain = parse_qs(mail.query).get("tls", ["starttls"])[0] == "none"
        if plain and not _is_loopback(mail.hostname or ""):
            faults.append(
                "TALON_MAIL_URL: почта без шифрования за пределы машины; tls=starttls или tls=tls."
            )


def _check_sms(url: str, faults: list[str]) -> None:
    """Codes and telephone numbers go there: encrypted, or not beyond this machine."""
    try:
        gateway = sms_gateway(url)
    except ValueError as error:
        faults.append(f"TALON_SMS_URL: {error}. Пример: https://user:password@sms.example.ru/send")
        return
    if not gateway.encrypted and not _is_loopback(gateway.host):
        faults.append("TALON_SMS_URL: SMS без шифрования за пределы машины; нужен https://")


def _check_esia(values: dict[str, Any], faults: list[str]) -> None:
    """Who people are is said there: encrypted; the one for demonstrations, on this machine, never in earnest."""
    try:
        parts = urlsplit(values["ESIA_ISSUER"])
        host = parts.hostname if parts.scheme in ("https", "http") else None
    except ValueError:
        host = None
    if not host or parts.query or parts.fragment or parts.username:
        faults.append("TALON_ESIA_ISSUER: это не адрес https://… без параметров.")
        return
    for name in ("ESIA_CLIENT_ID", "ESIA_SECRET"):
        if not values[name]:
            faults.append(f"TALON_{name}: не задано ({SETTINGS[name].meaning}).")
    if "openid" not in values["ESIA_SCOPES"].split():
        faults.append("TALON_ESIA_SCOPES: среди областей нет openid.")
    if parts.scheme == "http" and not _is_loopback(host):
        faults.append("TALON_ESIA_ISSUER: вход без шифрования; нужен https://")
    if values["MODE"] == "production" and (parts.scheme == "http" or _is_loopback(host)):
        faults.append(
            "TALON_ESIA_ISSUER: учебный вход на этой же машине пускает кого угодно; в рабочем режиме "
            "нужен настоящий, https://"
        )


def _check_tiles(values: dict[str, Any], faults: list[str]) -> None:
    """Whoever looks at a map tells that server where he looks: encrypted, or not beyond this machine."""
    try:
        origin = tile_origin(values["MAP_TILES"])
    except ValueError as error:
        faults.append(f"TALON_MAP_TILES: {error}. Пример: /tiles/{{z}}/{{x}}/{{y}}.png")
        return
    if origin.startswith("http:") and not _is_loopback(urlsplit(origin).hostname or ""):
        faults.append("TALON_MAP_TILES: картинки карты без шифрования; нужен https://")
    if not values["MAP_ATTRIBUTION"]:
        faults.append(
            "TALON_MAP_ATTRIBUTION: не задано, чьи это картинки; подпись стоит под картой."
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _complete(values: dict[str, Any]) -> dict[str, Any]:
    host = urlsplit(values["PUBLIC_URL"]).hostname or ""
    if not values["TRUSTED_HOSTS"]:
        values["TRUSTED_HOSTS"] = (host,)
    if values["DATA_KEYS"] and values["DATA_KEY"] is None:
        values["DATA_KEY"] = max(values["DATA_KEYS"])
    values["PUBLIC_URL"] = values["PUBLIC_URL"].rstrip("/")
    return values


@dataclass(frozen=True)
class MailServer:
    """Where letters are handed in."""

    host: str
    port: int
    user: str
    password: str
    tls: str


def mail_server(url: str) -> MailServer:
    """Read TALON_MAIL_URL: ``smtp://user:password@host:port?tls=starttls``."""
    parts = urlsplit(url)
    tls = parse_qs(parts.query).get("tls", ["starttls"])[0]
    default_port = 465 if tls == "tls" else 587
    return MailServer(
        host=parts.hostname or "localhost",
        port=parts.port or default_port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
    )


@dataclass(frozen=True)
class SmsGateway:
    """Where SMS are handed in: a POST of a form with ``to``, ``text`` and ``id``."""

    encrypted: bool
    host: str
    port: int
    path: str
    """With its query, if there is one."""
    user: str
    password: str = field(repr=False)


def sms_gateway(url: str) -> SmsGateway:
    """Read TALON_SMS_URL: ``https://user:password@host:port/path``. Raises ValueError in Russian."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("в адресе лишние знаки; имя кириллицей запишите как xn--…")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("адрес не читается") from None  # urlsplit's words quote the address
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.fragment or port == 0:
        raise ValueError("это не адрес https://…")
    encrypted = parts.scheme == "https"
    return SmsGateway(
        encrypted=encrypted,
        host=parts.hostname,
        port=port or (443 if encrypted else 80),
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


TILE_PLACES = ("{z}", "{x}", "{y}")
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


def tile_origin(address: str) -> str:
    """Whom browsers ask for the pictures under the map: «https://tiles.example.ru», or «» for this site.

    Raises ValueError in Russian.
    """
    if not address.isascii() or not address.isprintable() or set(address) & set(" \"'\\;,<>"):
        raise ValueError("в адресе лишние знаки; имя кириллицей запишите как xn--…")
    own = address.startswith("/") and not address.startswith("//")
    origin = "" if own else "/".join(address.split("/", 3)[:3])
    path = address.removeprefix(origin)
    if origin and not ORIGIN.fullmatch(origin):
        raise ValueError("это не адрес https://… и не путь на этом же сайте")
    if any(path.count(place) != 1 for place in TILE_PLACES) or path.count("{") != len(TILE_PLACES):
        raise ValueError(
            "в адресе нужны {z}, {x} и {y}, каждое один раз, и ничего больше в скобках"
        )
    return origin.lower()
