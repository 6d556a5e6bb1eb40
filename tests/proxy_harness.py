"""A real redis-server and a real Azurite behind the fault proxies, on free ports."""

import base64
import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from local.blob.command import azurite_command, azurite_environment
from local.common.settings import Ports
from local.redis.command import redis_command
from tests.stack import ROOT
from tests.support.ports import free_block


@dataclass(frozen=True, slots=True)
class Services:
    ports: Ports
    blob_key: str


class Faults:
    """Arms faults in the proxies, and clears them."""

    def __init__(self, session: aiohttp.ClientSession, ports: Ports) -> None:
        self._session = session
        self._url = f"http://127.0.0.1:{ports.proxy_control}/_control"

    async def arm(self, service: str, **asked: object) -> int:
        """Arm one; return the answer's status."""
        async with self._session.post(f"{self._url}/{service}/faults", json=asked) as reply:
            return reply.status

    async def clear(self) -> None:
        for service in ("redis", "blob"):
            async with self._session.delete(f"{self._url}/{service}/faults") as reply:
                assert reply.status == 204


@contextlib.asynccontextmanager
async def faults_of(services: Services) -> AsyncIterator[Faults]:
    """Give the means to arm faults; none is left armed afterwards."""
    async with aiohttp.ClientSession() as session:
        faults = Faults(session, services.ports)
        yield faults
        await faults.clear()


@contextlib.contextmanager
def running_services(directory: Path) -> Iterator[Services]:
    """Start the three processes; end them afterwards."""
    ports = Ports(free_block())
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    own = {"PORT": str(ports.front), "CHAT_LOCAL_DIR": str(directory)}
    azurite = azurite_command(ROOT, ports.blob_server, directory / "azurite")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_running(redis_command(ports.redis_server, directory / "redis"), {}))
        stack.enter_context(_running(azurite, azurite_environment(key)))
        stack.enter_context(_running([sys.executable, "-m", "local.proxy"], own))
        for port in (ports.redis_server, ports.blob_server, ports.proxy_control):
            _wait_until_listening(port)
        yield Services(ports, key)


@contextlib.contextmanager
def _running(command: list[str], env: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **env},  # noqa: TID251
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(5)


def _wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, f"nobody listens on {port}"
        time.sleep(0.02)
