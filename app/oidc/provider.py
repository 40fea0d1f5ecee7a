"""The provider itself: what it publishes of itself, the way there, and who comes back."""

from __future__ import annotations

import datetime as dt
import logging
import time
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from joserfc.jwk import Key

from app.oidc import claims
from app.oidc.line import Line, NoAnswer, origin
from app.oidc.proof import NotProved, checked, keys_of
from app.oidc.signing import Auth, Signer
from app.rules.errors import N_, RuleError
from app.rules.esia import DATA, Asserted

log = logging.getLogger("talon.esia")
KEEP_SECONDS: float = 60 * DATA["keys_minutes"]
WELL_KNOWN = "/.well-known/openid-configuration"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


class Unavailable(RuleError):
    code = "esia_unavailable"
    text = N_("ESIA does not answer just now. Try again in a few minutes or sign in another way.")


class NotBelieved(RuleError):
    code = "esia_not_believed"
    text = N_(
        "The answer of ESIA could not be verified, so nobody was signed in. Begin once more; if it "
        "happens again, sign in another way."
    )


@dataclass
class _Known:
    """What has been read of one provider in this process, and when. It may be read again at any time."""

    read_at: float
    document: dict[str, Any]
    keys: dict[str, Key] = field(default_factory=dict)


_known: dict[str, _Known] = {}


def forget() -> None:
    """Everything read of every provider: for tests that start another one."""
    _known.clear()


@dataclass(frozen=True)
class Provider:
    """The configured one, as its client."""

    issuer: str
    client_id: str
    scopes: str
    redirect_uri: str
    signer: Signer

    def way(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to say who it is. Raises Unavailable."""
        try:
            address = self._document()["authorization_endpoint"]
        except NoAnswer as error:
            raise self._away(error) from None
        fields = {"state": state, "nonce": nonce}
        further = self.signer.authorization(
            {**fields, "client_id": self.client_id, "scope": self.scopes}
        )
        made: tuple[str, str] = self._client().create_authorization_url(
            address, code_verifier=verifier, **fields, **further
        )
        return made[0]

    def who(self, *, code: str, nonce: str, verifier: str, now: dt.datetime) -> Asserted:
        """Who has come back with ``code``, after every check. Raises Unavailable, NotBelieved."""
        try:
            document = self._document()
            tokens = self._tokens(document, code, verifier)
            proved = checked(
                tokens.get("id_token"),
                key_of=self._key,
                issuer=self.issuer,
                client_id=self.client_id,
                nonce=nonce,
                access_token=tokens["access_token"],
                now=now,
            )
            bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
            said = Line(self.issuer).get(document["userinfo_endpoint"], bearer).document()
        except NoAnswer as error:
            raise self._away(error) from None
        except NotProved as error:
            raise self.doubt(str(error)) from None
        if said.get("sub") != proved["sub"]:  # or somebody's data would be taken for another's
            raise self.doubt("userinfo of another subject")
        return claims.asserted(said, issuer=self.issuer, today=now.date())

    def doubt(self, why: str) -> NotBelieved:
        """Noted without a word of what was said; to be raised."""
        log.warning("sign-in not believed: %s", why)
        return NotBelieved()

    def _away(self, error: NoAnswer) -> Unavailable:
        log.warning("no answer: %s", error)
        return Unavailable()

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            Line(self.issuer),
            client_id=self.client_id,
            scope=self.scopes,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
        )

    def _tokens(self, document: dict[str, Any], code: str, verifier: str) -> dict[str, Any]:
        """Raises NoAnswer, NotBelieved."""
        try:
            tokens = self._client().fetch_token(
                document["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                auth=Auth(self.signer),
            )
        except OAuth2Error:
            raise self.doubt("code refused") from None
        except ValueError:
            raise NoAnswer("no JSON") from None
        access = tokens.get("access_token")
        kind = str(tokens.get("token_type", "")).lower()
        if not isinstance(access, str) or not access.isascii() or not access.isprintable():
            raise self.doubt("no access token")
        if kind != "bearer":
            raise self.doubt("another kind of token")
        return dict(tokens)

    def _document(self) -> dict[str, Any]:
        """What the provider publishes of itself. Raises NoAnswer.

        Its endpoints stand on the issuer's own host: whatever is written there, we ask nobody else.
        """
        known = _known.get(self.issuer)
        if known is None or time.monotonic() - known.read_at > KEEP_SECONDS:
            document = Line(self.issuer).get(self.issuer.rstrip("/") + WELL_KNOWN).document()
            if document.get("issuer") != self.issuer:
                raise NoAnswer("another issuer")
            here = origin(self.issuer)
            for name in ENDPOINTS:
                if not isinstance(document.get(name), str) or origin(document[name]) != here:
                    raise NoAnswer(f"{name} elsewhere")
            known = _known[self.issuer] = _Known(time.monotonic(), document)
        return known.document

    def _key(self, kid: str) -> Key | None:
        """Read once more if it is unknown: the provider may have new ones. Raises NoAnswer."""
        document = self._document()
        known = _known.setdefault(self.issuer, _Known(time.monotonic(), document))
        if kid not in known.keys:
            known.keys = keys_of(Line(self.issuer).get(document["jwks_uri"]).document())
        return known.keys.get(kid)
