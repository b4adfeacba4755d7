"""Accounts and logins: register, log in, refresh, log out, profile, password, leaving.

Invariants: whether an address has an account cannot be learnt from a failed login, neither from
the answer nor from the work it takes; a refresh token works once, and its second use ends the
whole session (RFC 9700, section 4.14.2); no session that an old password opened outlives it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from atom_backend.clock import Clock, new_id
from atom_backend.domain.accounts import TokenPair, User, new_refresh_token, refresh_digest
from atom_backend.domain.configuration import require_registrable
from atom_backend.domain.erasures import Erasure, new_erasure_id
from atom_backend.domain.passwords import require_acceptable
from atom_backend.domain.permissions import Role
from atom_backend.domain.ports import AccessTokens, Passwords, Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.sign_in_work import SignInWork
from atom_backend.errors import Forbidden, NotFound, Unauthenticated
from atom_backend.services.throttling import Attempt, Throttle
from atom_backend.telemetry.context import current_remote_address


class Accounts:
    """The use cases around one account."""

    def __init__(
        self,
        transactions: Transactions,
        passwords: Passwords,
        access_tokens: AccessTokens,
        clock: Clock,
        throttle: Throttle,
        *,
        refresh_lifetime: timedelta,
    ) -> None:
        self._transactions = transactions
        self._passwords = passwords
        self._access_tokens = access_tokens
        self._clock = clock
        self._throttle = throttle
        self._refresh_lifetime = refresh_lifetime
        self._decoy = passwords.hash("nobody has this password")

    def register(
        self, email: str, password: str, display_name: str | None, *, agent: str | None = None
    ) -> tuple[User, TokenPair]:
        """A new account, logged in. Raises Conflict (code ``email_taken``), InvalidInput for a
        password that is guessed too easily, TooManyRequests, or Forbidden where the service's
        configuration lets nobody in, or not these.
        """
        require_acceptable(password, email, pointer="/password")
        self._throttle.register()
        hashed = self._passwords.hash(password)
        with self._transactions.sign_in() as work:
            require_registrable(work.configuration, work.count_users, email)
            user = work.add_user(new_id(), email, display_name, Role.USER, hashed)
            return user, self._open_session(work, user, agent)

    def create(self, email: str, password: str, role: Role) -> User:
        """A new account without a login, for an operator. Raises Conflict or InvalidInput."""
        require_acceptable(password, email, pointer="/password")
        hashed = self._passwords.hash(password)
        with self._transactions.sign_in() as work:
            return work.add_user(new_id(), email, None, role, hashed)

    def log_in(self, email: str, password: str, *, agent: str | None = None) -> TokenPair:
        """A new session. Raises Unauthenticated (``invalid_credentials``) or TooManyRequests."""
        attempt = self._throttle.log_in(email)
        with self._transactions.sign_in() as work:
            credential = work.credential(email)
        hashed = credential.password_hash if credential else self._decoy
        matches = self._passwords.verify(password, hashed)
        if credential is None or not matches:
            raise _wrong_credentials()
        with self._transactions.sign_in() as work:
            # The password may have been changed meanwhile, and all sessions ended.
            if not work.still_has(credential.user.id, hashed):
                raise _wrong_credentials()
            attempt.succeeded(work)
            return self._open_session(work, credential.user, agent)

    def change_password(
        self, principal: Principal, current: str, new: str, *, agent: str | None = None
    ) -> TokenPair:
        """A new session; every other one has ended, the caller's own too.

        Raises Forbidden (``wrong_password``), InvalidInput or TooManyRequests.
        """
        user = self.me(principal)
        require_acceptable(new, user.email, pointer="/new_password")
        attempt, hashed = self._confirmed(user, current)
        replacement = self._passwords.hash(new)
        with self._transactions.sign_in(principal) as work:
            if not work.replace_password_hash(user.id, hashed, replacement):
                raise _wrong_password()
            work.close_sessions(user.id)
            attempt.succeeded(work)
            return self._open_session(work, user, agent)

    def refresh(self, token: str, *, agent: str | None = None) -> TokenPair:
        """A new pair for a refresh token. Raises Unauthenticated (``invalid_refresh_token``) or
        TooManyRequests.
        """
        with self._transactions.sign_in() as work:
            self._throttle.refresh(work)
            pair = self._rotate(work, token, agent)
            if pair is None:
                self._throttle.refresh_failed(work)
        # Raised only after the commit: the revocation of a reused token's family must stand.
        if pair is None:
            raise Unauthenticated(
                "This refresh token is not valid any more: log in again.",
                code="invalid_refresh_token",
            )
        return pair

    def log_out(self, principal: Principal) -> None:
        """End the session that the principal's token belongs to."""
        if principal.session_id is not None:
            with self._transactions.sign_in() as work:
                work.close_session(principal.session_id)

    def me(self, principal: Principal) -> User:
        with self._transactions.owner(principal) as work:
            return work.account.get()

    def rename(self, principal: Principal, display_name: str | None) -> User:
        with self._transactions.owner(principal) as work:
            return work.account.rename(display_name)

    def delete(self, principal: Principal, password: str) -> Erasure:
        """Remove the account and everything of its own, for good; LanceDB follows by tombstones.

        What is left of them, the erasure says. Raises Forbidden (``wrong_password``) or
        TooManyRequests.
        """
        attempt, _ = self._confirmed(self.me(principal), password)
        with self._transactions.sign_in(principal) as signing_in:
            attempt.succeeded(signing_in)
        with self._transactions.owner(principal) as work:
            # The account first: it waits for the owner's writes that are under way and keeps
            # others out, so that none of them announces anything after the burial.
            work.account.remove()
            work.index.bury_all()
            return work.erasures.begin(new_erasure_id())

    def operator_acting_for(self, email: str) -> Principal:
        """The principal under which an operator's command works. Raises NotFound."""
        with self._transactions.sign_in() as work:
            credential = work.credential(email)
        if credential is None:
            raise NotFound(f"There is no account with the address {email}.")
        return Principal(credential.user.id, None, credential.user.role)

    def _confirmed(self, user: User, password: str) -> tuple[Attempt, str]:
        """The attempt, and the hash that the password has. Raises Forbidden or TooManyRequests."""
        attempt = self._throttle.confirm_password(user.id)
        with self._transactions.sign_in() as work:
            credential = work.credential(user.email)
        if credential is None or not self._passwords.verify(password, credential.password_hash):
            raise _wrong_password()
        return attempt, credential.password_hash

    def _open_session(self, work: SignInWork, user: User, agent: str | None) -> TokenPair:
        session_id, expires_at = new_id(), self._until()
        address = current_remote_address()
        work.open_session(session_id, user.id, agent, address=address, expires_at=expires_at)
        return self._pair(work, Principal(user.id, session_id, user.role), expires_at)

    def _rotate(self, work: SignInWork, token: str, agent: str | None) -> TokenPair | None:
        stored = work.refresh_token(refresh_digest(token))
        if stored is None:
            return None
        session_id, expires_at = stored.session_id, self._until()
        if stored.used:
            work.close_session(session_id)
        if stored.used or stored.revoked or stored.expires_at <= self._clock.now():
            return None
        work.use_refresh_token(stored.digest)
        address = current_remote_address()
        work.renew_session(session_id, agent, address=address, expires_at=expires_at)
        return self._pair(work, Principal(stored.user_id, session_id, stored.role), expires_at)

    def _until(self) -> datetime:
        """When a refresh token that is given out now expires, and its session with it."""
        return self._clock.now() + self._refresh_lifetime

    def _pair(self, work: SignInWork, principal: Principal, expires_at: datetime) -> TokenPair:
        assert principal.session_id is not None
        token = new_refresh_token()
        work.add_refresh_token(refresh_digest(token), principal.session_id, expires_at)
        return TokenPair(
            access_token=self._access_tokens.issue(principal),
            refresh_token=token,
            expires_in=self._access_tokens.lifetime,
        )


def _wrong_credentials() -> Unauthenticated:
    return Unauthenticated(
        "The e-mail address or the password is wrong.", code="invalid_credentials"
    )


def _wrong_password() -> Forbidden:
    return Forbidden("This is not the account's password.", code="wrong_password")
