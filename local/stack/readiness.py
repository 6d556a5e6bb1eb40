"""When the stack can carry a message: the app's health is good and the site has fed its users."""

import asyncio
from collections.abc import Callable

import aiohttp

from local.common.settings import Ports
from local.stack.parts import CannotStartError

_PAUSE_S = 0.05
_PATIENCE = aiohttp.ClientTimeout(total=10)


class Readiness:
    """Watches the start of the stack."""

    def __init__(self, session: aiohttp.ClientSession, ports: Ports) -> None:
        self._session = session
        self._front = f"http://127.0.0.1:{ports.front}"

    async def wait(self, check: Callable[[], None], still_waiting: Callable[[str], None]) -> None:
        """Return once a message can be sent.

        *check* is called between attempts and may raise; *still_waiting* is told every twenty
        seconds what is missing.
        """
        loop = asyncio.get_running_loop()
        said_at = loop.time()
        while (missing := await self.missing()) is not None:
            check()
            if loop.time() - said_at > 20:
                said_at = loop.time()
                still_waiting(missing)
            await asyncio.sleep(_PAUSE_S)

    async def missing(self) -> str | None:
        """Return what the stack still lacks, in a few words; None when it is ready."""
        try:
            if not (await self._get("/_control/health")).get("fed"):
                return "the site has not fed its users to the chat yet"
            health = await self._get("/api/health")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return f"the front door does not answer ({type(error).__name__})"
        checks = health.get("checks")
        if health.get("status") == 200 and isinstance(checks, dict):
            return None
        return f"the app's health is {health}"

    async def _get(self, path: str) -> dict[str, object]:
        async with self._session.get(f"{self._front}{path}", timeout=_PATIENCE) as reply:
            body = await reply.json(content_type=None)
            return {**body, "status": reply.status}


def refuse_hopeless(name: str | None, last_words: list[str], log: str) -> None:
    """Give up the start when part *name* keeps ending.

    Raises:
        CannotStartError: *name* is not None.

    """
    if name is not None:
        words = "".join(f"\n    {line}" for line in last_words)
        sentence = f"{name} keeps ending right after its start. Its log ({log}) ends with:{words}"
        raise CannotStartError(sentence)
