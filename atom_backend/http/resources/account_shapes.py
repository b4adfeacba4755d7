"""What requests about accounts say, and what they are answered."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from atom_backend.domain.accounts import TokenPair, User
from atom_backend.domain.permissions import Role
from atom_backend.http.bodies import JsonBody, MergePatch
from atom_backend.http.fields import (
    DisplayName,
    Email,
    Moment,
    NewPassword,
    Secret,
    optional,
)


class Registration(JsonBody):
    """A new account."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ada@example.org", "password": "correct horse battery"}]
        }
    )

    email: Email
    password: NewPassword
    display_name: DisplayName | None = None


class Login(JsonBody):
    """Proof of being the owner of an account."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ada@example.org", "password": "correct horse battery"}]
        }
    )

    email: Email
    password: Secret


class Refresh(JsonBody):
    """The refresh token of the last answer; it works once."""

    refresh_token: Secret


class ProfilePatch(MergePatch):
    """A change of the own profile."""

    display_name: DisplayName | None = optional()


class PasswordChange(JsonBody):
    """Proof of knowing the password, and the one that shall hold from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"current_password": "correct horse battery", "new_password": "staple it is"}
            ]
        }
    )

    current_password: Secret
    new_password: NewPassword


class Leave(JsonBody):
    """Proof that the account's owner wants it deleted, and not whoever found an open session."""

    password: Secret


class TokenAnswer(BaseModel):
    """Tokens (RFC 6749, section 5.1); `expires_in` is in seconds."""

    access_token: str = Field(repr=False)
    refresh_token: str = Field(repr=False)
    token_type: str
    expires_in: int

    @classmethod
    def of(cls, pair: TokenPair) -> TokenAnswer:
        return cls(
            access_token=pair.access_token,
            refresh_token=pair.refresh_token,
            token_type=pair.token_type,
            expires_in=pair.expires_in,
        )


class UserAnswer(BaseModel):
    """An account."""

    id: UUID
    email: str
    display_name: str | None
    role: Role
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, user: User) -> UserAnswer:
        return cls(
            id=user.id,
            email=user.email,
            display_name=user.display_name,
            role=user.role,
            created_at=user.created_at,
            updated_at=user.updated_at,
        )


class RegistrationAnswer(TokenAnswer):
    """The new account, logged in."""

    user: UserAnswer
