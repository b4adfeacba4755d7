"""What requests about OAuth grants say, and what they are answered.

Invariant: of all models here, ``TokenAnswer`` alone has a place for a token.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from atom_backend.domain.oauth import SCOPE_TOKEN, IssuedTokens, ProviderDescription
from atom_backend.domain.oauth_grants import Grant, GrantState
from atom_backend.domain.oauth_redirects import PROVIDER_NAME
from atom_backend.domain.secrets import Secret
from atom_backend.errors import FieldProblem, InvalidInput
from atom_backend.http.bodies import JsonBody
from atom_backend.http.fields import Cursor, Integer, Moment, Name
from atom_backend.http.limits import PAGE_DEFAULT, PAGE_LARGEST
from atom_backend.http.queries import Parameters
from atom_backend.services.oauth_authorizations import Begun, Returned, Wish
from atom_backend.services.oauth_grants import Ending
from atom_backend.services.oauth_tokens import AccessToken

_VISIBLE = re.compile(r"[\x20-\x7E]+")
_LONGEST_TOKEN = 16_384
_LONGEST_URL = 2_000
_MOST_SCOPES = 100
_LONGEST_LIFE = 10 * 366 * 86_400


def _visible(value: SecretStr) -> SecretStr:
    if not _VISIBLE.fullmatch(value.get_secret_value()):
        raise PydanticCustomError("token", "Input should be visible ASCII characters and spaces")
    return value


Token = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=_LONGEST_TOKEN,
        json_schema_extra={"pattern": f"^{_VISIBLE.pattern}$"},
    ),
    AfterValidator(_visible),
]
"""A provider's token or code (RFC 6749, appendix A.11 and A.12)."""

ProviderName = Annotated[str, Field(pattern=f"^{PROVIDER_NAME}$")]
GrantScope = Annotated[str, Field(pattern=SCOPE_TOKEN)]
GrantScopes = Annotated[tuple[GrantScope, ...], Field(max_length=_MOST_SCOPES)]
Url = Annotated[str, Field(max_length=_LONGEST_URL, pattern=r"^[\x21-\x7E]+$")]
State = Annotated[str, Field(max_length=200, pattern=r"^[\x21-\x7E]+$")]


def _secret(given: SecretStr | None) -> Secret | None:
    return None if given is None else Secret(given.get_secret_value())


class AuthorizationRequest(JsonBody):
    """What to ask the provider for; everything may be left out.

    `account` is a name of your choice that tells several grants at one provider apart.
    `redirect_uri`: one of those that are allowed, for a front end that takes the code itself.
    `return_to`: a page of a configured origin, to which the browser goes from the callback.
    """

    scopes: GrantScopes | None = None
    account: Name | None = None
    redirect_uri: Url | None = None
    return_to: Url | None = None

    def wish(self) -> Wish:
        """As the use case takes it."""
        return Wish(self.scopes, self.redirect_uri, self.return_to, self.account)


class AuthorizationAnswer(BaseModel):
    """Send the browser to `authorization_url`; it must be back by `expires_at`."""

    authorization_url: str
    state: str
    expires_at: Moment

    @classmethod
    def of(cls, begun: Begun) -> AuthorizationAnswer:
        return cls(
            authorization_url=begun.authorization_url,
            state=begun.state,
            expires_at=begun.expires_at,
        )


class CallbackQuery(Parameters):
    """With what the provider sends the browser back (RFC 6749, section 4.1.2; RFC 9207).

    Other parameters are ignored, as that section demands.
    """

    lenient: ClassVar[bool] = True

    state: State
    code: Token | None = None
    error: Annotated[str, Field(max_length=200)] | None = None
    iss: Annotated[str, Field(max_length=_LONGEST_URL)] | None = None

    def returned(self) -> Returned:
        """As the use case takes it."""
        return Returned(self.state, _secret(self.code), self.error, self.iss)


class CallbackBody(JsonBody):
    """The same parameters, from a front end to which the browser came back."""

    state: State
    code: Token | None = None
    error: Annotated[str, Field(max_length=200, pattern=r"^[\x20-\x7E]*$")] | None = None
    iss: Url | None = None

    def returned(self) -> Returned:
        """As the use case takes it."""
        return Returned(self.state, _secret(self.code), self.error, self.iss)


class StoredTokens(JsonBody):
    """Tokens that were obtained elsewhere; not both of `expires_in` (seconds) and `expires_at`."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "required": ["expires_in", "expires_at"],
                "properties": {"expires_in": {"type": "number"}, "expires_at": {"type": "string"}},
            }
        }
    )

    access_token: Token
    refresh_token: Token | None = None
    expires_in: Annotated[Integer, Field(ge=0, le=_LONGEST_LIFE)] | None = None
    expires_at: Moment | None = None
    scopes: GrantScopes = ()
    account: Name | None = None

    def issued(self, now: datetime) -> IssuedTokens:
        """Raises InvalidInput for two expiries."""
        if self.expires_in is not None and self.expires_at is not None:
            detail = "Give expires_in or expires_at, not both"
            raise InvalidInput(problems=[FieldProblem("/expires_at", detail)])
        lasting = None if self.expires_in is None else now + timedelta(seconds=self.expires_in)
        return IssuedTokens(
            Secret(self.access_token.get_secret_value()),
            _secret(self.refresh_token),
            self.expires_at or lasting,
            self.scopes,
        )


class GrantsQuery(Parameters):
    """Which grants to list."""

    cursor: Cursor | None = None
    limit: Annotated[Integer, Field(ge=1, le=PAGE_LARGEST)] = PAGE_DEFAULT
    provider: ProviderName | None = None


class GrantAnswer(BaseModel):
    """A grant, without its tokens.

    `expires_at` is that of the access token, null where the provider did not say; with
    `refreshable` it is renewed when somebody asks for a token. `reason` says why the last refresh
    failed. `last_used_at` is exact to the minute; the audit trail has every use.
    """

    id: UUID
    provider: str
    account: str | None
    scopes: list[str]
    state: GrantState
    reason: str | None
    expires_at: Moment | None
    refreshable: bool
    last_refreshed_at: Moment | None
    last_used_at: Moment | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, grant: Grant) -> GrantAnswer:
        taken = {name: getattr(grant, name) for name in cls.model_fields if name not in _MADE}
        return cls(**taken, scopes=list(grant.scopes), refreshable=grant.refresh_token is not None)


_MADE = ("scopes", "refreshable")


class GrantPage(BaseModel):
    """Grants in the order of their making; `next_cursor` is null on the last page."""

    items: list[GrantAnswer]
    next_cursor: str | None


class ProviderAnswer(BaseModel):
    """A provider; `scopes` are asked for where nobody names others."""

    name: str
    title: str
    scopes: list[str]

    @classmethod
    def of(cls, description: ProviderDescription) -> ProviderAnswer:
        return cls(name=description.name, title=description.title, scopes=list(description.scopes))


class ProviderPage(BaseModel):
    """Every provider that is configured, by name."""

    items: list[ProviderAnswer]
    next_cursor: str | None = None


class EndingAnswer(BaseModel):
    """The grant is destroyed. `reason` says why it was not `revoked` at its provider, too.

    `unsupported`, `provider_not_configured`, `provider_unavailable`, `provider_refused`, or
    `vault_unavailable` and others where its tokens cannot be opened.
    """

    id: UUID
    revoked: bool
    reason: str | None

    @classmethod
    def of(cls, grant_id: UUID, ending: Ending) -> EndingAnswer:
        return cls(id=grant_id, revoked=ending.revoked, reason=ending.reason)


class TokenAnswer(BaseModel):
    """An access token of the provider, for use there (RFC 6750)."""

    access_token: str = Field(repr=False)
    token_type: str
    expires_at: Moment | None
    scopes: list[str]

    @classmethod
    def of(cls, handed: AccessToken) -> TokenAnswer:
        return cls(
            access_token=handed.token.reveal(),
            token_type="Bearer",
            expires_at=handed.expires_at,
            scopes=list(handed.scopes),
        )
