"""Batches of the change feeds: a document that cannot be handled does not stop those behind it.

A batch that fails is tried document by document. A document that fails alone goes into the queue,
which delivers it again and in the end keeps it among its dead letters. A document that takes too
long counts as one that fails: the host gives a function five minutes and then ends the worker with
everything that runs in it, so no batch may come near that.
Source: docs/operations.md#poison-queue.
"""

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from shared.bootstrap import chat
from shared.domain.errors import UnavailableError
from shared.domain.events import Effect
from shared.ports import FeedItem

if TYPE_CHECKING:
    from shared.composition import Chat

logger = logging.getLogger("parley")

type Handler = Callable[["Chat", list[Any]], Awaitable[list[Effect]]]

# Together far below host.json's functionTimeout of 300 s.
_BATCH_S: Final = 60.0
_ONE_S: Final = 30.0
_REST_S: Final = 120.0


async def handle(
    function: str, handler: Handler, documents: list[str], *, one_by_one: bool = False
) -> list[Effect]:
    """Let *handler* handle *documents*, given as JSON; return the pushes that follow.

    Takes at most three minutes. A document that is not done by its deadline goes into the queue,
    and so does the rest of a batch that is not done by its own: the queue delivers them one by one.

    Args:
        function: The name under which documents are queued, to be handled again.
        one_by_one: The work on one document may take long, so do not try them together first.

    Raises:
        UnavailableError: A service did not answer; handle the whole batch again, it is idempotent.
    """
    if not one_by_one:
        try:
            async with asyncio.timeout(_BATCH_S):
                return await handle_all(handler, documents)
        except UnavailableError:
            raise
        except Exception:
            logger.exception("%s failed with %d documents; one by one", function, len(documents))
    loop, effects = asyncio.get_running_loop(), list[Effect]()
    ends_at = loop.time() + _REST_S
    for document in documents:
        seconds = min(_ONE_S, max(0.0, ends_at - loop.time()))
        effects += await _handle_alone(function, handler, document, seconds)
    return effects


async def handle_all(handler: Handler, documents: list[str]) -> list[Effect]:
    """Let *handler* handle *documents* at once; raises what it raises."""
    return await handler(await chat(), [json.loads(document) for document in documents])


async def _handle_alone(
    function: str, handler: Handler, document: str, seconds: float
) -> list[Effect]:
    try:
        async with asyncio.timeout(seconds):
            return await handle_all(handler, [document])
    except UnavailableError:
        raise
    except Exception as error:
        logger.exception("%s: a document goes into the queue", function)
        await (await chat()).bus.send(FeedItem(function, document, _reason(error)))
    return []


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "longer than its deadline"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, line {frame.lineno}"
