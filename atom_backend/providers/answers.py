"""What a token endpoint's answer means: tokens, a grant that ended, a refusal, or nothing at all.

RFC 6749, sections 5.1 and 5.2, and what providers make of them. Invariants: an answer that cannot
be understood never counts as the end of a grant; tokens that came are kept even where the rest
makes no sense, because what they replace may be void already.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

from atom_backend.domain.oauth import SCOPE_TOKEN, IssuedTokens
from atom_backend.domain.secrets import Secret
from atom_backend.errors import GrantRefused, ProviderRefused, ProviderUnavailable
from atom_backend.providers.client import Answer
from atom_backend.providers.registration import Registration

ENDED = frozenset({"consent_required", "interaction_required", "invalid_grant", "login_required"})
"""RFC 6749, section 5.2; OpenID Connect Core 1.0, section 3.1.2.6, which some say here, too."""

TRANSIENT = frozenset({"server_error", "slow_down", "temporarily_unavailable"})

_TOKEN = re.compile(r"[\x20-\x7E]{1,32768}")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LONGEST = timedelta(days=3650)
_MOST_SCOPES = 500

Body = dict[str, Any]


def body_of(answer: Answer) -> Body | None:
    """The JSON object that it is; None where it is something else."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def refusal_in(answer: Answer, registration: Registration) -> str | None:
    """The code with which the provider refuses, ``http_404`` where it gave none; None for success.

    Raises ProviderUnavailable where it may think otherwise later.
    """
    status, title = answer.status, registration.title
    if status in {408, 425, 429} or status >= 500:
        raise ProviderUnavailable(f"{title} answers {status}.", retry_after=answer.retry_after)
    body = body_of(answer) or {}
    refused = body.get("error") or (body.get("ok") is False)
    if refused:
        code = refused if isinstance(refused, str) and _CODE.fullmatch(refused) else "unknown"
        if code in TRANSIENT or code in registration.transient_errors:
            raise ProviderUnavailable(f"{title} says {code}.", retry_after=answer.retry_after)
        return code
    if status >= 400:
        return f"http_{status}"
    if status >= 300:
        raise ProviderUnavailable(f"{title} answers with a redirect ({status}).")
    return None


def tokens_in(answer: Answer, registration: Registration, asked_at: datetime) -> IssuedTokens:
    """What was issued. Raises GrantRefused, ProviderRefused or ProviderUnavailable."""
    title = registration.title
    code = refusal_in(answer, registration)
    if code in ENDED or code in registration.errors_of_ended_grants:
        raise GrantRefused(f"{title} does not accept this grant any more: authorize it again.")
    if code is not None:
        raise ProviderRefused(f"{title} refuses: {code}.", error=code)
    body = body_of(answer)
    if body is None:
        raise ProviderUnavailable(f"{title} answers with something else than a JSON object.")
    return _issued(_innermost(body, registration), registration, asked_at)


def _innermost(body: Body, registration: Registration) -> Body:
    within = body.get(registration.tokens_within or "")
    return within if isinstance(within, dict) and "access_token" in within else body


def _issued(body: Body, registration: Registration, asked_at: datetime) -> IssuedTokens:
    access_token = _token(body.get("access_token"))
    if access_token is None:
        raise ProviderUnavailable(f"{registration.title} answers without an access token.")
    kind = body.get("token_type", "bearer")
    if not isinstance(kind, str) or kind.lower() not in registration.token_types:
        raise ProviderUnavailable(f"{registration.title} issues tokens of another type.")
    return IssuedTokens(
        access_token,
        _token(body.get("refresh_token")),
        _end(body.get("expires_in"), asked_at),
        _scopes(body.get("scope")),
    )


def _token(value: Any) -> Secret | None:
    return Secret(value) if isinstance(value, str) and _TOKEN.fullmatch(value) else None


def _end(expires_in: Any, asked_at: datetime) -> datetime | None:
    """When a lifetime ends that is a number of seconds, in digits or not.

    Ten years at most; at once where it makes no sense, so that the token is renewed before it is
    used again.
    """
    if expires_in is None:
        return None
    try:
        seconds = 0.0 if isinstance(expires_in, bool) else float(expires_in)
    except (ValueError, TypeError, OverflowError):
        seconds = 0.0
    longest = _LONGEST.total_seconds()
    return asked_at + timedelta(seconds=min(seconds, longest) if seconds > 0 else 0.0)


def _scopes(value: Any) -> tuple[str, ...] | None:
    """Separated by spaces or commas, or a list; each once."""
    if isinstance(value, str):
        value = re.split(r"[\s,]+", value)
    if not isinstance(value, list):
        return None
    named = (one for one in value if isinstance(one, str) and re.fullmatch(SCOPE_TOKEN, one))
    return tuple(dict.fromkeys(named))[:_MOST_SCOPES]
