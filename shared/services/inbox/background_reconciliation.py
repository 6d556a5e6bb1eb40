"""The rest of a reconciliation, done after the page that needed only its beginning was answered.

The work belongs to the worker and not to a call: it ends with the worker, and nothing is lost by
that. What was reconciled is kept in live state, and the user's next request goes on from there.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import UnavailableError
from shared.domain.ids import UserId
from shared.domain.live import Epoch

logger = logging.getLogger(__name__)

_USERS_AT_ONCE: Final = 4  # after a loss all users need it, and pages come first
_AFTER_S: Final = 1.0  # by then the page that started it has been answered


@dataclass(frozen=True, slots=True)
class _Rest:
    epoch: Epoch
    limit: int
    task: asyncio.Task[None]


class BackgroundReconciliation:
    """Runs at most one rest for each user, and a few users' at the same time."""

    def __init__(self) -> None:
        self._under_way: dict[UserId, _Rest] = {}
        self._slots = asyncio.Semaphore(_USERS_AT_ONCE)

    def start(
        self, user_id: UserId, epoch: Epoch, limit: int, work: Callable[[], Awaitable[None]]
    ) -> None:
        """Do *work* for a user soon, unless some is under way for them.

        Args:
            epoch: The epoch in which the user's reconciliation began.
            limit: How many entries, newest first, are in live state already.
        """
        if user_id in self._under_way:
            return
        task = asyncio.create_task(self._run(user_id, work), name="rest of an inbox")
        self._under_way[user_id] = _Rest(epoch, limit, task)
        task.add_done_callback(lambda _: self._under_way.pop(user_id))

    def begun(self, user_id: UserId, *, limit: int) -> Epoch | None:
        """Return the epoch of the unfinished list that has the user's first *limit* entries."""
        rest = self._under_way.get(user_id)
        return rest.epoch if rest and limit <= rest.limit else None

    async def aclose(self) -> None:
        """End what is under way."""
        tasks = [rest.task for rest in self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, user_id: UserId, work: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(_AFTER_S)
        try:
            async with self._slots:
                await work()
        except UnavailableError as error:
            logger.info("the rest of the inbox of %s put off: %s", user_id, error)
        except Exception:
            logger.exception("the rest of the inbox of %s failed", user_id)
