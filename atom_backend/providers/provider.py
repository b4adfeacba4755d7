"""One provider, asked over HTTP: the authorization code flow with PKCE, refreshing and revoking.

RFC 6749, sections 4.1 and 6; RFC 7636; RFC 7009; RFC 9207. Invariant: a call asks the endpoint in
question at most once, because a code or a rotating refresh token may be void after the first time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from atom_backend.clock import Clock
from atom_backend.domain.oauth import IssuedTokens, ProviderDescription, challenge_of
from atom_backend.domain.secrets import Secret
from atom_backend.errors import GrantRefused, ProviderRefused
from atom_backend.providers.answers import refusal_in, tokens_in
from atom_backend.providers.client import Answer, HttpClient, Question
from atom_backend.providers.discovery import Discovery
from atom_backend.providers.registration import Registration
from atom_backend.providers.requests import revocation, token_request


class HttpOAuthProvider:
    """The ``OAuthProvider`` port; may be used by many threads at once."""

    def __init__(
        self, name: str, registration: Registration, client: HttpClient, clock: Clock
    ) -> None:
        self._registration = registration
        self._client = client
        self._clock = clock
        self._discovery = Discovery(registration, lambda url: self._ask(Question("GET", url)))
        self.description = ProviderDescription(name, registration.title, registration.scopes)

    @property
    def deadline(self) -> float:
        """Also while another thread discovers the endpoints, for which it may ask twice."""
        requests = 3 if self._registration.discovers else 1
        return requests * self._registration.timeout_seconds

    def authorization_url(
        self, *, state: str, verifier: Secret, redirect_uri: str, scopes: Sequence[str]
    ) -> str:
        told = self._registration
        parameters = {
            **told.authorization_parameters,
            "response_type": "code",
            "client_id": told.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        if scopes:
            parameters[told.scope_parameter] = told.scope_separator.join(scopes)
        if told.pkce:
            parameters["code_challenge"] = challenge_of(verifier)
            parameters["code_challenge_method"] = "S256"
        parts = urlsplit(self._discovery.endpoints().authorization)
        query = {**dict(parse_qsl(parts.query)), **parameters}
        return urlunsplit(parts._replace(query=urlencode(query)))

    def exchange(
        self, *, code: Secret, verifier: Secret, redirect_uri: str, issuer: str | None = None
    ) -> IssuedTokens:
        form = {
            "grant_type": "authorization_code",
            "code": code.reveal(),
            "redirect_uri": redirect_uri,
        }
        if self._registration.pkce:
            form["code_verifier"] = verifier.reveal()
        self._require_its_own(issuer)
        return self._issued(form)

    def refresh(self, refresh_token: Secret, scopes: Sequence[str] = ()) -> IssuedTokens:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
        if scopes:
            form["scope"] = self._registration.scope_separator.join(scopes)
        return self._issued(form)

    def revoke(self, held: IssuedTokens) -> bool:
        endpoints = self._discovery.endpoints()
        if endpoints.revocation is None:
            return False
        question = revocation(self._registration, endpoints, held)
        code = refusal_in(self._ask(question), self._registration)
        if code is None or code in self._registration.revocation.gone:
            return True
        if code == "unsupported_token_type":
            return False
        raise ProviderRefused(f"{self._registration.title} refuses: {code}.", error=code)

    def _issued(self, form: Mapping[str, str]) -> IssuedTokens:
        question = token_request(self._registration, self._discovery.endpoints(), form)
        asked_at = self._clock.now()
        return tokens_in(self._ask(question), self._registration, asked_at)

    def _require_its_own(self, issuer: str | None) -> None:
        """Raises GrantRefused for a callback of another provider (RFC 9207, section 2.4)."""
        ours = self._registration.issuer
        if issuer is None and self._discovery.endpoints().names_issuer:
            raise GrantRefused(f"{self._registration.title} would have named itself as the issuer.")
        if None not in (issuer, ours) and issuer != ours:
            raise GrantRefused(f"This answer is not one of {self._registration.title}.")

    def _ask(self, question: Question) -> Answer:
        return self._client.ask(question, self._registration.timeout_seconds)
