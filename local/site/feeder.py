"""Tell the chat who the site's users are: the service-to-service call a real site would make."""

import asyncio
import logging
from collections.abc import Iterable

import aiohttp

from local.site.directory import Directory
from local.site.issuer import Issuer

_log = logging.getLogger(__name__)

_BATCH = 100
_PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.5, 3.0)
_PATIENCE = aiohttp.ClientTimeout(total=10)


class Feeder:
    """Feeds users in batches, again and again until the chat has taken them."""

    def __init__(
        self, session: aiohttp.ClientSession, host_port: int, directory: Directory, issuer: Issuer
    ) -> None:
        self._session = session
        self._url = f"http://127.0.0.1:{host_port}/api/site/users"
        self._directory = directory
        self._issuer = issuer
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._work = asyncio.Event()
        self._fed: set[str] = set()

    def has_fed(self, user_ids: Iterable[str]) -> bool:
        """Whether the chat has taken all of *user_ids* since the site started."""
        return self._fed.issuperset(user_ids)

    def enqueue(self, user_id: str) -> asyncio.Future[None]:
        """Feed the user as the directory has it now; the future is done when the chat has it."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[user_id] = future
        self._work.set()
        return future

    def enqueue_all(self, user_ids: Iterable[str]) -> None:
        """Feed all of them in the background."""
        self._waiting |= {user_id: self.enqueue(user_id) for user_id in user_ids}

    async def run(self) -> None:
        """Feed what is enqueued, forever."""
        failures = 0
        while True:
            await self._work.wait()
            batch = dict(list(self._waiting.items())[:_BATCH])
            if await self._send(list(batch)):
                failures = 0
                self._settle(batch)
            else:
                await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
                failures += 1

    def _settle(self, batch: dict[str, asyncio.Future[None]]) -> None:
        for user_id, future in batch.items():
            self._fed.add(user_id)
            if not future.done():
                future.set_result(None)
            if self._waiting[user_id] is future:  # not enqueued anew meanwhile
                del self._waiting[user_id]
        if not self._waiting:
            self._work.clear()

    async def _send(self, user_ids: list[str]) -> bool:
        items = [self._directory.feed_item(user_id) for user_id in user_ids]
        headers = {"Authorization": f"Bearer {self._issuer.site_token()}"}
        try:
            async with self._session.post(
                self._url, json={"items": items}, headers=headers, timeout=_PATIENCE
            ) as reply:
                if reply.status == 204:
                    return True
                _log.warning("feeding users refused status=%d count=%d", reply.status, len(items))
        except (aiohttp.ClientError, TimeoutError) as error:
            _log.info("feeding users failed error=%s", type(error).__name__)
        return False
