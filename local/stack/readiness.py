"""When the stack is ready.

With Parley: its health is good and the site has fed its users, so that a message can be sent. With
another app: a worker has indexed its functions.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import aiohttp

from local.common.settings import Ports
from local.stack.errors import CannotStartError

_PAUSE_S = 0.05
_PATIENCE = aiohttp.ClientTimeout(total=10)


class Readiness:
    """Watches the start of the stack."""

    def __init__(self, session: aiohttp.ClientSession, ports: Ports) -> None:
        self._session = session
        self._ports = ports

    async def wait(
        self,
        lacks: Callable[[], Awaitable[str | None]],
        check: Callable[[], None],
        still_waiting: Callable[[str], None],
    ) -> None:
        """Return once *lacks* finds nothing missing.

        *check* is called between attempts and may raise; *still_waiting* is told every twenty
        seconds what is missing.
        """
        loop = asyncio.get_running_loop()
        reported_at = loop.time()
        while (missing := await lacks()) is not None:
            check()
            if loop.time() - reported_at > 20:
                reported_at = loop.time()
                still_waiting(missing)
            await asyncio.sleep(_PAUSE_S)

    async def parley(self) -> str | None:
        """Return what keeps Parley from carrying a message, in a few words; None when nothing."""
        front = self._ports.front
        try:
            if not (await self._get(front, "/_control/health")).get("fed"):
                return "the site has not fed its users to the chat yet"
            health = await self._get(front, "/api/health")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return f"the front door does not answer ({type(error).__name__})"
        checks = health.get("checks")
        if health.get("status") == 200 and isinstance(checks, dict):
            return None
        return f"the app's health is {health}"

    async def services(self) -> str | None:
        """Return which service does not listen yet; None when all do.

        Cosmos DB and Service Bus listen only after their containers and queues exist.
        """
        ports = self._ports
        services = {
            "Cosmos DB": ports.cosmos,
            "Service Bus": ports.servicebus,
            "SignalR": ports.signalr,
            "Redis": ports.redis,
            "Blob Storage": ports.blob,
        }
        for name, port in services.items():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return f"{name} does not listen"
            writer.close()
        return None

    async def host(self) -> str | None:
        """Return what keeps the host from running functions, in a few words; None when nothing."""
        try:
            health = await self._get(self._ports.host, "/_control/health")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return f"the Functions host does not answer ({type(error).__name__})"
        return None if health["status"] == 200 else "no worker has indexed the app yet"

    async def _get(self, port: int, path: str) -> dict[str, object]:
        url = f"http://127.0.0.1:{port}{path}"
        async with self._session.get(url, timeout=_PATIENCE) as reply:
            body = await reply.json(content_type=None)
            return {**body, "status": reply.status}


def refuse_hopeless(name: str, last_words: list[str], log: str) -> NoReturn:
    """Give up the start, since part *name* keeps ending or says that it cannot serve the app.

    Raises:
        CannotStartError: Always.

    """
    starts = [at for at, line in enumerate(last_words) if line.startswith(f"{name}: ")]
    words = "".join(f"\n    {line}" for line in last_words[starts[-1] if starts else -8 :])
    sentence = f"{name} does not start. Its log ({log}) ends with:{words}"
    raise CannotStartError(sentence)
