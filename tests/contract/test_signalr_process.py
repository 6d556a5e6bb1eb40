"""The stand-in as the process that `make run` starts."""

import asyncio
import contextlib
import json
import os
import random
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from local.common.keys import load_or_create
from local.common.settings import Ports
from tests.contract.signalr_client.harness import Target

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]


@pytest.fixture
def port() -> int:
    """Return a front-door port whose SignalR port is free."""
    while True:
        front = random.randrange(30_000, 60_000, 16)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", Ports(front).signalr))
            return front


class Running(Target):
    process: asyncio.subprocess.Process


async def start(directory: Path, port: int, **env: str) -> asyncio.subprocess.Process:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}  # noqa: TID251 (for a child)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "local.signalr",
        cwd=ROOT,
        env={**inherited, "PORT": str(port), "CHAT_LOCAL_DIR": str(directory), **env},
        stderr=asyncio.subprocess.PIPE,
    )


@contextlib.asynccontextmanager
async def service(directory: Path, port: int, **env: str) -> AsyncIterator[Running]:
    process = await start(directory, port, **env)
    async with aiohttp.ClientSession() as http:
        base = f"http://127.0.0.1:{Ports(port).signalr}"
        async with asyncio.timeout(15):
            while not await answers(http, base):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)
        running = Running(base, load_or_create(directory).signalr, http)
        running.process = process
        try:
            yield running
        finally:
            await running.hang_up()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


async def answers(http: aiohttp.ClientSession, base: str) -> bool:
    try:
        async with http.get(f"{base}/_control/health") as response:
            return response.status == 200
    except aiohttp.ClientConnectionError:
        return False


async def test_killed_it_keeps_users_groups_and_forgets_connections_groups(
    tmp_path: Path, port: int
) -> None:
    async with service(tmp_path, port) as before:
        client = await before.connect("ada")
        await before.rest("PUT", "/users/ada/groups/kept")
        await before.rest("PUT", f"/groups/gone/connections/{client.id}")
        before.process.kill()
        await before.process.wait()

    async with service(tmp_path, port) as after:
        client = await after.connect("ada")
        await after.push("/groups/gone", "gone")
        await after.push("/groups/kept", "kept")
        received = await client.receive()

    assert received["arguments"] == ["kept"]


async def test_it_ends_by_itself_and_tells_its_clients_to_come_back(
    tmp_path: Path, port: int
) -> None:
    async with service(tmp_path, port) as running:
        client = await running.connect("ada")
        running.process.terminate()
        last = await client.closed()
        code = await running.process.wait()

    assert code == 0
    assert last == [{"type": 7, "allowReconnect": True}]


async def test_it_takes_little_memory(tmp_path: Path, port: int) -> None:
    async with service(tmp_path, port) as running:
        used = psutil.Process(running.process.pid).memory_info().rss

    assert used < 60 * 1024 * 1024


async def test_a_taken_port_ends_it_with_a_sentence(tmp_path: Path, port: int) -> None:
    async with service(tmp_path, port):
        second = await start(tmp_path, port)
        _, said = await second.communicate()

    assert second.returncode == 1
    assert str(Ports(port).signalr) in said.decode()
    assert "Traceback" not in said.decode()


async def test_a_wrong_upstream_ends_it_with_a_sentence(tmp_path: Path, port: int) -> None:
    process = await start(tmp_path, port, LOCAL_SIGNALR_UPSTREAM="somewhere")
    _, said = await process.communicate()

    assert process.returncode == 1
    assert said.decode().startswith("LOCAL_SIGNALR_UPSTREAM: ")


async def test_it_calls_the_hosts_webhook_with_the_extensions_key(
    tmp_path: Path, port: int
) -> None:
    called: asyncio.Future[tuple[str, bytes]] = asyncio.get_running_loop().create_future()

    async def webhook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(len(b'{"type":10}'))
        called.set_result((head.split(b"\r\n")[0].decode(), body))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    host = await asyncio.start_server(webhook, "127.0.0.1", Ports(port).host)
    async with host, service(tmp_path, port) as running:
        await running.connect("ada")
        line, body = await asyncio.wait_for(called, 10)

    key = load_or_create(tmp_path).signalr_extension
    assert line == f"POST /runtime/webhooks/signalr?code={key} HTTP/1.1"
    assert json.loads(body) == {"type": 10}
