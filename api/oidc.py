"""Logging in by an OpenID Connect provider: code flow with PKCE, state and nonce (Authlib does the protocol).

Configured by `FGFI_OIDC_...`; without an issuer nothing of it is loaded. Who may come in, to which project and with
which scopes, is said by `FGFI_OIDC_ACCESS`, from the groups that the provider names in its signed answer.
"""

import secrets
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import structlog

from store.principal import Scope
from store.settings import Settings

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import OAuth2Client

log = structlog.get_logger("api.oidc")

SECONDS = 5.0
# What the provider says of itself is asked for again after so long; its keys also when a signature's is not among them.
KNOWN_SECONDS = 3600.0
CLOCKS_DIFFER_SECONDS = 60
# Signatures by a key that the provider alone has; `none` and shared secrets are not among them.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


class LoginRefused(Exception):
    """The provider, or its answer, did not let somebody in; the text is for that person. `reason` is for the log."""

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.message, self.reason = message, reason or message


@dataclass(frozen=True)
class Errand:
    """What a browser was sent to the provider with, and must come back with."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def fresh(cls) -> "Errand":
        """A random one."""
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))


@dataclass(frozen=True)
class Guest:
    """Who logged in, and what they may do in which project (by name)."""

    user: str
    project: str
    scope: Scope


class Provider:
    """The configured provider. Its addresses and keys are fetched when they are first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._back = f"{settings.public_url.rstrip('/')}/login/oidc/callback"
        self._lock = Lock()
        self._known: tuple[float, Mapping[str, Any]] | None = None
        self._keys: Mapping[str, Any] | None = None

    def address(self, errand: Errand) -> str:
        """Where to send the browser. Raises LoginRefused when the provider does not answer."""
        with self._client() as client:
            endpoint = self._metadata(client)["authorization_endpoint"]
            url, _ = client.create_authorization_url(
                endpoint, state=errand.state, nonce=errand.nonce, code_verifier=errand.verifier
            )
        return str(url)

    def guest(self, answer: Mapping[str, str], errand: Errand) -> Guest:
        """Who came back. answer: the query the browser brought. Raises LoginRefused."""
        if not secrets.compare_digest(answer.get("state", "").encode(), errand.state.encode()):
            raise LoginRefused("This login was not begun here, or long ago: begin it again.", reason="state differs")
        if "error" in answer or "code" not in answer:
            said = answer.get("error_description") or answer.get("error") or "nothing"
            raise LoginRefused("The login provider let nobody in.", reason=f"the provider said: {said[:200]}")
        with self._client() as client:
            metadata = self._metadata(client)
            self._require_issuer(answer, metadata)
            token = self._token(client, metadata, answer["code"], errand)
            claims = self._claims(client, metadata, token, errand)
            if self._settings.oidc_groups_claim not in claims and "userinfo_endpoint" in metadata:
                claims = self._with_user_info(client, metadata, claims)
        return self._admitted(claims)

    def _client(self) -> "OAuth2Client":
        secret = self._settings.oidc_client_secret
        return _client_class()(
            client_id=self._settings.oidc_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=self._settings.oidc_scopes,
            redirect_uri=self._back,
            code_challenge_method="S256",
            timeout=SECONDS,
            trust_env=False,
        )

    def _metadata(self, client: "OAuth2Client") -> Mapping[str, Any]:
        issuer = str(self._settings.oidc_issuer)
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > KNOWN_SECONDS:
                found = _fetched(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                if found.get("issuer") != issuer:
                    raise LoginRefused(
                        "The login provider is not the one that is configured.",
                        reason=f"{str(found.get('issuer'))[:200]!r} is not FGFI_OIDC_ISSUER, {issuer!r}",
                    )
                self._known, self._keys = (time.monotonic(), found), None
            return self._known[1]

    @staticmethod
    def _require_issuer(answer: Mapping[str, str], metadata: Mapping[str, Any]) -> None:
        # RFC 9207: an answer of another provider, mixed in, is told by this.
        named = answer.get("iss")
        must = metadata.get("authorization_response_iss_parameter_supported", False)
        if (named is None and must) or (named is not None and named != metadata["issuer"]):
            raise LoginRefused("This answer is another login provider's.", reason="iss of the answer differs")

    def _token(
        self, client: "OAuth2Client", metadata: Mapping[str, Any], code: str, errand: Errand
    ) -> Mapping[str, Any]:
        from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415 - as above
        from httpx import HTTPError  # noqa: PLC0415 - as above

        try:
            token: Mapping[str, Any] = client.fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=errand.verifier,
            )
        except (AuthlibBaseError, HTTPError, ValueError) as error:
            raise LoginRefused(
                "The login provider did not accept this login: begin it again.", reason=_kind(error)
            ) from error
        if not isinstance(token.get("id_token"), str):
            raise LoginRefused("The login provider did not say who you are.", reason="no id_token in its answer")
        return token

    def _claims(
        self, client: "OAuth2Client", metadata: Mapping[str, Any], token: Mapping[str, Any], errand: Errand
    ) -> Mapping[str, Any]:
        """What the signed token says, once signature, issuer, audience, times and nonce were verified."""
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415 - as above
        from joserfc import jwt  # noqa: PLC0415 - as above
        from joserfc.errors import JoseError  # noqa: PLC0415 - as above
        from joserfc.jwk import KeySet  # noqa: PLC0415 - as above

        given, problem = token["id_token"], "unknown key"
        for anew in (False, True):
            try:
                keys = KeySet.import_key_set(self._key_set(client, metadata, anew=anew))  # type: ignore[arg-type]  # its own dict type
                decoded = jwt.decode(given, keys, algorithms=list(ALGORITHMS))
                claims = CodeIDToken(
                    decoded.claims,
                    decoded.header,
                    options={
                        "iss": {"essential": True, "value": metadata["issuer"]},
                        "aud": {"essential": True, "value": self._settings.oidc_client_id},
                        "nonce": {"essential": True, "value": errand.nonce},
                    },
                    params={
                        "nonce": errand.nonce,
                        "client_id": self._settings.oidc_client_id,
                        "access_token": token.get("access_token"),
                    },
                )
                claims.validate(leeway=CLOCKS_DIFFER_SECONDS)
            except (JoseError, ValueError) as error:
                problem = _kind(error)  # Perhaps the provider has new keys: once more with those.
            else:
                return dict(claims)
        raise LoginRefused("The login provider's answer is not valid: begin the login again.", reason=problem)

    def _key_set(self, client: "OAuth2Client", metadata: Mapping[str, Any], *, anew: bool) -> Mapping[str, Any]:
        with self._lock:
            if self._keys is None or anew:
                self._keys = _fetched(client, metadata["jwks_uri"])
            return self._keys

    @staticmethod
    def _with_user_info(
        client: "OAuth2Client", metadata: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        found = _fetched(client, metadata["userinfo_endpoint"], signed_in=True)
        if found.get("sub") != claims["sub"]:
            raise LoginRefused("The login provider's answer is not valid.", reason="userinfo is of another subject")
        return {**found, **claims}

    def _admitted(self, claims: Mapping[str, Any]) -> Guest:
        """The first line of `FGFI_OIDC_ACCESS` that fits decides."""
        email = claims.get("email") if claims.get("email_verified") is True else None
        user = str(email or claims["sub"])[:200]
        named = claims.get(self._settings.oidc_groups_claim, ())
        groups = {named} if isinstance(named, str) else set(named) if isinstance(named, list) else set()
        for entry in self._settings.oidc_access:
            if entry.group == "*" or entry.group in groups:
                return Guest(user, entry.project, entry.scope)
        raise LoginRefused(
            f"You are logged in as {user}, but none of your groups may use this service: ask whoever runs it.",
            reason="no group of FGFI_OIDC_ACCESS",
        )


def _client_class() -> "type[OAuth2Client]":
    from authlib.deprecate import AuthlibDeprecationWarning  # noqa: PLC0415 - loaded when it is used

    with warnings.catch_warnings():
        # It would rather have another client library; httpx is the one the project has.
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        from authlib.integrations.httpx_client import OAuth2Client  # noqa: PLC0415 - as above

    found: type[OAuth2Client] = OAuth2Client
    return found


def _fetched(client: "OAuth2Client", url: str, *, signed_in: bool = False) -> Mapping[str, Any]:
    from httpx import HTTPError  # noqa: PLC0415 - as above

    try:
        answer = client.request("GET", url, withhold_token=not signed_in)
        answer.raise_for_status()
        found = answer.json()
    except (HTTPError, ValueError) as error:
        raise LoginRefused("The login provider does not answer: try again in a while.", reason=_kind(error)) from error
    if not isinstance(found, dict):
        raise LoginRefused("The login provider does not answer as one.", reason=f"no object at {url}")
    return found


def _kind(error: Exception) -> str:
    """For the log: the error's kind and, of the protocol's own, its word; never a code or a token."""
    return f"{type(error).__name__} {getattr(error, 'error', '')}".strip()
