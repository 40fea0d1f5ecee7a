"""Whether an ID token is genuine, for us, fresh and the answer to this very attempt (OpenID Connect Core, 3.1.3.7)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from app.rules.esia import ATTEMPT_LASTS, DATA

ALGORITHMS: tuple[str, ...] = tuple(DATA["algorithms"])
LEEWAY: int = DATA["leeway_seconds"]
MOST_SUBJECT = 255


class NotProved(Exception):
    """The token is not believed. The word is for the log; it quotes nothing of the token."""


def checked(
    token: Any,
    *,
    key_of: Callable[[str], Key | None],
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str,
    now: dt.datetime,
) -> dict[str, Any]:
    """The claims of a token that passes every check. Raises NotProved.

    ``key_of``: the provider's public key of that name. Which algorithms may sign is ours to say, never the
    token's: with «none» anybody could, with HS256 whoever has read the public key.
    """
    if not isinstance(token, str):
        raise NotProved("no id token")
    key = key_of(_kid(token))
    if not isinstance(key, RSAKey | ECKey):
        raise NotProved("unknown key")
    try:
        opened = jwt.decode(token, key, algorithms=list(ALGORITHMS))
        claims = CodeIDToken(
            opened.claims,
            opened.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
                "sub": {"essential": True},
                "exp": {"essential": True},
                "iat": {"essential": True},
                "nonce": {"essential": True},
            },
            params={"nonce": nonce, "client_id": client_id, "access_token": access_token},
        )
        claims.validate(int(now.timestamp()), LEEWAY)
    except JoseError as error:
        raise NotProved(error.error or type(error).__name__) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotProved(type(error).__name__) from None
    _belts(claims, issuer, client_id, nonce, now)
    return dict(claims)


def _belts(
    claims: dict[str, Any], issuer: str, client_id: str, nonce: str, now: dt.datetime
) -> None:
    """The same once more in our own words, and what the library leaves to us. Raises NotProved."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims["iss"] != issuer or client_id not in audience:
        raise NotProved("another audience or issuer")
    if len(audience) > 1 and "azp" not in claims:
        raise NotProved("several audiences without azp")
    if "azp" in claims and claims["azp"] != client_id:
        raise NotProved("another azp")
    if claims["nonce"] != nonce:
        raise NotProved("another nonce")
    moments = (claims["exp"], claims["iat"])
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in moments):
        raise NotProved("no instants")
    second = now.timestamp()
    if not second - LEEWAY < claims["exp"] or not claims["iat"] <= second + LEEWAY:
        raise NotProved("not of now")
    if claims["iat"] < second - ATTEMPT_LASTS.total_seconds() - LEEWAY:
        raise NotProved("older than the attempt")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MOST_SUBJECT:
        raise NotProved("no subject")
    if not subject.isprintable():
        raise NotProved("no subject")


def _kid(token: str) -> str:
    """The name of the key as the token says it. Raises NotProved."""
    head = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise NotProved("no header") from None
    if not isinstance(header, dict) or not isinstance(header.get("kid"), str):
        raise NotProved("no key named")
    if header.get("alg") not in ALGORITHMS:
        raise NotProved("algorithm not allowed")
    kid: str = header["kid"]
    return kid


def keys_of(document: dict[str, Any]) -> dict[str, Key]:
    """Public keys that sign, by name. What we cannot read is left out: others may stand beside it."""
    found: dict[str, Key] = {}
    listed = document.get("keys")
    for each in listed if isinstance(listed, list) else ():
        try:
            key = KeySet.import_key_set({"keys": [each]}).keys[0]
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, IndexError):
            continue
        if isinstance(key, RSAKey | ECKey) and each.get("use", "sig") == "sig":
            found[str(each.get("kid"))] = key
    return found
