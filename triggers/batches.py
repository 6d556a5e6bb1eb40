"""Batches of the change feeds: one document that cannot be handled does not stop those behind it.

A batch that fails is tried document by document. One that fails alone is set aside in the queue,
which tries it again and in the end keeps it among its dead letters. One that takes too long is one
that fails: the host gives a function five minutes and then ends the worker with all that runs in
it, so nothing here may come near that. Files are handled one by one from the start, for the work on
one of them may take long.
Source: docs/operations.md#poison-queue.
"""

import asyncio
import json
import logging
import traceback
from typing import Any, Final

from shared.bootstrap import chat
from shared.domain.errors import UnavailableError
from shared.domain.events import Effect
from shared.ports import SetAside
from triggers import documents as stored

logger = logging.getLogger("parley")

# Together far below host.json's functionTimeout of 300 s.
_BATCH_S: Final = 60.0
_ONE_S: Final = 30.0
_REST_S: Final = 120.0
_AGAIN_S: Final = 120.0
_SLOW: Final = frozenset({"process_attachments"})


async def handle(function: str, documents: list[str]) -> list[Effect]:
    """Do what *function* does with *documents*; return the pushes that follow.

    Takes at most three minutes. What is over its deadline is set aside, and so is the rest of a
    batch that is: the queue hands it out one by one.

    Raises:
        UnavailableError: A service did not answer; handle the whole batch again, it is idempotent.
    """
    if function not in _SLOW:
        try:
            async with asyncio.timeout(_BATCH_S):
                return await _handle_all(function, documents)
        except UnavailableError:
            raise
        except Exception:
            logger.exception("%s failed with %d documents; one by one", function, len(documents))
    loop, effects = asyncio.get_running_loop(), list[Effect]()
    ends_at = loop.time() + _REST_S
    for document in documents:
        seconds = min(_ONE_S, max(0.0, ends_at - loop.time()))
        effects += await _alone(function, document, seconds)
    return effects


async def handle_again(function: str, document: str) -> list[Effect]:
    """Do what *function* does with a document that was set aside.

    Raises:
        Exception: Whatever that raises; TimeoutError after two minutes.
    """
    async with asyncio.timeout(_AGAIN_S):
        return await _handle_all(function, [document])


async def _handle_all(function: str, documents: list[str]) -> list[Effect]:
    return await _HANDLERS[function]([json.loads(document) for document in documents])


async def _notify(read: list[Any]) -> list[Effect]:
    await (await chat()).notification_planning.decide(stored.messages(read))
    return []


async def _confirm(read: list[Any]) -> list[Effect]:
    # Emptied first: live state keeps a copy of the newest message.
    messages = await (await chat()).eraser.empty_late(list(stored.messages(read)))
    await (await chat()).healing.confirm(messages)
    return []


async def _process(read: list[Any]) -> list[Effect]:
    return await (await chat()).files.process(stored.messages(read))


async def _flush(read: list[Any]) -> list[Effect]:
    for conversation_id in read:
        await (await chat()).receipts.flush_again(conversation_id)
    return []


async def _rebuild(read: list[Any]) -> list[Effect]:
    for step in read:
        await (await chat()).rebuild.step(step)
    return []


async def _repaired(read: list[Any]) -> list[Effect]:
    membership = (await chat()).membership
    for conversation in stored.conversations(read):
        await membership.repair(conversation)
    return []


async def _alone(function: str, document: str, seconds: float) -> list[Effect]:
    try:
        async with asyncio.timeout(seconds):
            return await _handle_all(function, [document])
    except UnavailableError:
        raise
    except Exception as error:
        logger.exception("%s: set aside", function)
        await (await chat()).bus.set_aside(SetAside(function, document, _reason(error)))
    return []


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "longer than its deadline"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {place.name}, line {place.lineno}"


_HANDLERS: Final = {
    "notify_absent": _notify,
    "confirm_heads": _confirm,
    "process_attachments": _process,
    "complete_memberships": _repaired,
    "flush_receipts": _flush,
    "rebuild": _rebuild,
}
