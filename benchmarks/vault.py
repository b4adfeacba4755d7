"""What the vault costs: seals, opens, and a rotation beside the same updates without cryptography.

    .venv/bin/python benchmarks/vault.py [GRANTS]

Invariant: both rotations run the service's own loop and statements on the same rows of the same
server, in turns. The bare one only exchanges the key's id in the bytes, and back again, so that
the real one finds them as they were.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median
from uuid import uuid4

import click
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from atom_backend.domain.master_keys import generate_key, read_key
from atom_backend.domain.secrets import Place, Secret
from atom_backend.guards.verified_vault import VerifiedVault
from atom_backend.relational.embedded import start_embedded
from atom_backend.relational.engine import create_engine
from atom_backend.relational.provision import provision
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.keys import Keys
from atom_backend.vault.keyring import Keyring
from atom_backend.vault.sealer import EnvelopeSealer
from benchmarks.report import show_machine, show_table

_TOKEN = Secret("t" * 180)
_SEALS = 20_000
_ID_ENDS = 9
_A_USER = """
    insert into users (id, email, normalized_email, role)
    values (:id, 'ann@example.org', 'ann@example.org', 'user')
"""
_A_GRANT = """
    insert into oauth_grants (id, owner_id, provider, access_token, refresh_token, issued_at)
    values (:id, :owner, :provider, :access_token, :refresh_token, now())
"""


class _Bare(VerifiedVault):
    """Rewraps by exchanging the key's id, and nothing else; no canary opens afterwards."""

    def require(self) -> None: ...

    def rewrap(self, sealed: bytes, place: Place) -> bytes:
        return sealed[:1] + bytes.fromhex(self.key_ids[0]) + sealed[_ID_ENDS:]


@click.command()
@click.argument("grants", type=click.IntRange(1), default=50_000)
@click.option("--turns", default=4, show_default=True, help="How often each is run.")
def main(grants: int, turns: int) -> None:
    """Seal and open; then rotate GRANTS grants with two tokens each, to and fro.

    Nothing else should be running on the machine.
    """
    show_machine()
    click.echo(f"cryptography {version('cryptography')}\n")
    keys = [read_key(generate_key()) for _ in range(2)]
    there, back = (EnvelopeSealer(Keyring(order)) for order in (keys, keys[::-1]))
    _show_sealing(there)
    with _postgresql() as url:
        transactions = PostgresTransactions(create_engine(url))
        _fill(url, VerifiedVault(there, transactions), grants)
        rows = []
        for turn in range(1, turns + 1):
            there, back = back, there
            bare = _rate(url, Keys(transactions, _Bare(there, transactions)))
            _rate(url, Keys(transactions, _Bare(back, transactions)))
            real = _rate(url, Keys(transactions, VerifiedVault(there, transactions)))
            rows.append((turn, bare, real, real / bare))
    heading = ["turn", "bare, rows/s", "rotation, rows/s", "rotation / bare"]
    show_table(heading, [[str(n), f"{b:.0f}", f"{r:.0f}", f"{x:.2f}"] for n, b, r, x in rows])
    click.echo(f"median ratio {median(ratio for *_, ratio in rows):.2f}")


def _show_sealing(sealer: EnvelopeSealer) -> None:
    place = Place("oauth_grants", uuid4(), "access_token", uuid4())
    sealed = sealer.seal(_TOKEN, place)
    acts: dict[str, Callable[[], object]] = {
        "seal": lambda: sealer.seal(_TOKEN, place),
        "open": lambda: sealer.open(sealed, place),
    }
    rows = []
    for name, act in acts.items():
        begun = time.perf_counter()
        for _ in range(_SEALS):
            act()
        rate = _SEALS / (time.perf_counter() - begun)
        rows.append([name, f"{rate:.0f}", f"{1e6 / rate:.1f}"])
    show_table([f"token of {len(_TOKEN.reveal())} bytes", "per second", "microseconds"], rows)


def _rate(url: str, keys: Keys) -> float:
    """Rows a second; dead rows of the run before are cleared away first."""
    _run(url, "vacuum oauth_grants")
    begun = time.perf_counter()
    report = keys.rotate(lambda *_: None)
    return report.rows / (time.perf_counter() - begun)


def _fill(url: str, vault: VerifiedVault, grants: int) -> None:
    owner = uuid4()
    _run(url, _A_USER, [{"id": owner}])
    rows = []
    for number in range(grants):
        row = uuid4()
        tokens = {
            column: vault.seal(_TOKEN, Place("oauth_grants", row, column, owner))
            for column in ("access_token", "refresh_token")
        }
        rows.append({"id": row, "owner": owner, "provider": f"provider {number}", **tokens})
    _run(url, _A_GRANT, rows)


def _run(url: str, statement: str, rows: list[dict[str, object]] | None = None) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement), rows)


@contextmanager
def _postgresql() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="atom-vault-") as made:
        Path(made).chmod(0o755)
        server = start_embedded(Path(made) / "postgresql")
        try:
            yield provision(server).owner
        finally:
            server.close()


if __name__ == "__main__":
    main()
