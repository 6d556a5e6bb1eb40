"""The Cosmos DB under test: the stand-in as a process, or a real account.

With `CHAT_TEST_COSMOS_CONNECTION` set, the tests that need no faults run against that account.
They create a database of their own there and delete it.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from azure.cosmos import CosmosClient as SyncClient
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from local.common.keys import load_or_create
from local.common.settings import Ports
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
REAL = os.environ.get("CHAT_TEST_COSMOS_CONNECTION")  # noqa: TID251
DEADLINE_S = 60.0  # a moment; on a machine that does much else besides, a minute

MESSAGES_POLICY = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/sequence/?"}, {"path": "/sender/?"}, {"path": "/client/?"}],
    "excludedPaths": [{"path": "/*"}],
}


class Account:
    """One account: where it is, its key, and, of the stand-in, its process."""

    def __init__(self, endpoint: str, key: str, directory: Path | None = None) -> None:
        self.endpoint = endpoint
        self.key = key
        self.database = f"contract-{secrets.token_hex(4)}"
        self.directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def launch(self) -> subprocess.Popen[bytes]:
        front = int(self.endpoint.rsplit(":", 1)[1]) - (Ports(0).cosmos - Ports(0).front)
        inherited = os.environ  # noqa: TID251
        env = {**inherited, "PORT": str(front), "CHAT_LOCAL_DIR": str(self.directory)}
        return subprocess.Popen(
            [sys.executable, "-m", "local.cosmos"], cwd=ROOT, env=env, stderr=subprocess.PIPE
        )

    def run_to_its_end(self) -> tuple[int, str]:
        """Start a process that should end by itself; return its status and what it said."""
        with self.launch() as process:
            try:
                _, said = process.communicate(timeout=DEADLINE_S)
            finally:
                process.kill()
            return process.returncode, said.decode()

    def start(self) -> None:
        self._process = self.launch()
        deadline = time.monotonic() + DEADLINE_S
        while self.control("GET", "health") is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise AssertionError(self._process.communicate()[1].decode())
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGTERM) -> float:
        """End the process with a signal; return the seconds it took."""
        assert self._process is not None
        begun = time.monotonic()
        self._process.send_signal(number)
        self._process.wait(DEADLINE_S)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return time.monotonic() - begun

    def kill_and_restart(self) -> None:
        self.stop(signal.SIGKILL)
        self.start()

    def control(self, method: str, what: str, body: object = None) -> Any:
        """Call the control surface; None when nobody listens."""
        request = urllib.request.Request(
            f"{self.endpoint}/_control/{what}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
                return json.loads(response.read() or b"{}")
        except (urllib.error.URLError, ConnectionError):
            return None

    @contextmanager
    def fault(self, **fault: object) -> Iterator[None]:
        assert self.control("POST", "faults", fault)
        try:
            yield
        finally:
            self.control("DELETE", "faults")

    def metrics(self) -> dict[str, Any]:
        counters: dict[str, Any] = self.control("GET", "metrics")
        return counters

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[CosmosClient]:
        async with CosmosClient(self.endpoint, self.key, **options) as client:
            yield client

    @asynccontextmanager
    async def databases(self, **options: Any) -> AsyncIterator[DatabaseProxy]:
        """Open a client and the tests' own database, made when it is missing."""
        async with self.client(**options) as client:
            yield await client.create_database_if_not_exists(self.database)


@contextmanager
def running_account(directory: Path) -> Iterator[Account]:
    """Give the real account, or a stand-in of its own in *directory*."""
    if REAL:
        parts = dict(part.split("=", 1) for part in REAL.split(";") if part)
        real = Account(parts["AccountEndpoint"], parts["AccountKey"])
        yield real
        with SyncClient(real.endpoint, real.key) as client, suppress(CosmosResourceNotFoundError):
            client.delete_database(real.database)
        return
    port = free_port()
    key = load_or_create(directory).cosmos
    account = Account(f"http://127.0.0.1:{port}", key, directory)
    account.start()
    try:
        yield account
    finally:
        assert account.stop() < 2


async def new_container(
    database: DatabaseProxy,
    *,
    key: Any = "/pk",
    unique: list[str] | None = None,
    policy: dict[str, Any] | None = None,
    ttl: int | None = None,
) -> ContainerProxy:
    """Make a container that no other test has."""
    unique_policy: Any = {"uniqueKeys": [{"paths": unique}]} if unique else None
    return await database.create_container(
        f"c-{secrets.token_hex(6)}",
        PartitionKey(path=key),
        indexing_policy=policy,
        unique_key_policy=unique_policy,
        default_ttl=ttl,
    )


async def rows(
    container: ContainerProxy, text: str, key: Any = None, **parameters: Any
) -> list[Any]:
    """Return every row of a query; without a key, of the whole container."""
    scope = {} if key is None else {"partition_key": key}
    named = [{"name": f"@{name}", "value": value} for name, value in parameters.items()]
    return [row async for row in container.query_items(text, parameters=named, **scope)]


def charge(container: ContainerProxy) -> float:
    """Return the request charge of the last call."""
    headers: Mapping[str, str] = container.client_connection.last_response_headers
    return float(headers["x-ms-request-charge"])


def shown(item: Any) -> dict[str, Any]:
    """Return the item without the properties the service adds."""
    return {name: value for name, value in item.items() if not name.startswith("_")}
