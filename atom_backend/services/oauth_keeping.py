"""OAuth tokens between the vault and the rows that keep them.

Invariant: plaintext is in memory only for as long as it takes to use it; what is stored was sealed
for its row and owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from atom_backend.clock import new_id
from atom_backend.domain.oauth import IssuedTokens
from atom_backend.domain.oauth_grants import Grant, SealedTokens, grant_place
from atom_backend.domain.owner_work import OwnerWork
from atom_backend.domain.secrets import Secret, Vault


@dataclass(frozen=True, slots=True)
class Keeping:
    """Seals and opens with this vault; every method but ``keep`` is without any store."""

    vault: Vault

    def access_token(self, grant: Grant) -> Secret:
        """Raises VaultUnavailable or StoredDataError, as the next."""
        return self.vault.open(grant.access_token, grant.place("access_token"))

    def tokens(self, grant: Grant) -> IssuedTokens:
        """Both."""
        refresh_token = None
        if grant.refresh_token is not None:
            refresh_token = self.vault.open(grant.refresh_token, grant.place("refresh_token"))
        return IssuedTokens(self.access_token(grant), refresh_token, grant.expires_at, grant.scopes)

    def sealed(
        self, issued: IssuedTokens, grant_id: UUID, owner_id: UUID, issued_at: datetime
    ) -> SealedTokens:
        """The tokens as the grant of that identifier keeps them. Raises VaultUnavailable."""

        def seal(token: Secret, column: str) -> bytes:
            return self.vault.seal(token, grant_place(grant_id, owner_id, column))

        return SealedTokens(
            seal(issued.access_token, "access_token"),
            seal(issued.refresh_token, "refresh_token") if issued.refresh_token else None,
            issued.scopes or (),
            issued_at,
            issued.expires_at,
        )

    def keep(
        self,
        work: OwnerWork,
        provider: str,
        account: str | None,
        issued: IssuedTokens,
        *,
        issued_at: datetime,
    ) -> tuple[Grant, bool]:
        """Store the tokens of a new authorization; the grant, and whether there was none before.

        They replace all that was kept for this provider and account, also a refresh token where
        the new ones bring none: it may be that of somebody else there.
        """
        before = work.grants.holder_of(provider, account)
        grant_id = before.id if before else new_id()
        held = self.sealed(issued, grant_id, work.owner_id, issued_at)
        if before:
            return work.grants.replace(grant_id, held), False
        return work.grants.add(grant_id, provider, account, held), True
