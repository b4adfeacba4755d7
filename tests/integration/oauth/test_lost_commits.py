"""PostgreSQL that is lost just when a provider has rotated a refresh token: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

import pytest

from atom_backend.bootstrap import Runtime
from atom_backend.clock import SystemClock
from atom_backend.domain.oauth_redirects import Redirects
from atom_backend.domain.owner_work import OwnerWork
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.errors import DatabaseUnavailable
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.oauth import assemble_oauth
from atom_backend.serving import open_providers
from atom_backend.settings import Settings
from tests.conftest import RunSql
from tests.integration.http.conftest import Account
from tests.integration.oauth.conftest import connected, make_old
from tests.provider.running import RunningProvider

_OF_THE_REFRESH = 2
"""Which transaction of a request for an old token asks the provider."""


class Faltering(PostgresTransactions):
    """Loses the connection at the end of that transaction, before its commit or after it."""

    committed = False
    begun = 0

    @contextmanager
    def owner(self, principal: Principal) -> Iterator[OwnerWork]:  # type: ignore[override]
        self.begun += 1
        lost = self.begun == _OF_THE_REFRESH
        with super().owner(principal) as work:
            yield work
            if lost and not self.committed:
                raise DatabaseUnavailable
        if lost:
            raise DatabaseUnavailable


@pytest.fixture(params=["before", "after"])
def faltering(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Faltering]:
    assert settings.database_url is not None
    engine = create_engine(settings.database_url.get_secret_value(), max_connections=4)
    transactions = Faltering(engine)
    transactions.committed = request.param == "after"
    yield transactions
    engine.dispose()


def test_tokens_are_stored_though_the_connection_is_lost_at_the_commit(
    account: Account,
    oauth_server: RunningProvider,
    runtime: Runtime,
    faltering: Faltering,
    sql: RunSql,
) -> None:
    grant = connected(account, oauth_server)
    owner = Principal(UUID(account.registered["user"]["id"]), None, Role.USER)
    with closing(open_providers(runtime.settings)) as providers:
        oauth = assemble_oauth(
            faltering,
            runtime.services.vault,
            providers,
            Redirects.configured(None, [], []),
            clock=SystemClock(),
            count=lambda *_: None,
            connections=4,
        )
        for refreshes in (1, 2):
            make_old(sql, grant)
            handed = oauth.tokens.hand_out(owner, UUID(grant["id"]))
            assert oauth_server.active(handed.token.reveal())
            assert oauth_server.stats()["issued"]["refresh_token"] == refreshes
