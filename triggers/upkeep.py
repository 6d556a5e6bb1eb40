"""What operators start by hand: `POST /admin/functions/<name>` with the master key."""

import logging
from typing import Final

import azure.functions as func

from shared.bootstrap import chat

logger = logging.getLogger("parley")

bp = func.Blueprint()

_LETTERS: Final = 1000


@bp.function_name("replay_poison")
@bp.generic_trigger(arg_name="given", type="manualTrigger")
async def replay_poison(given: str) -> None:
    """Move the dead letters back into the queue `notifications`; the input does not count."""
    del given
    moved = await (await chat()).bus.replay(limit=_LETTERS)
    logger.info("replay_poison ok moved=%d", moved)


@bp.function_name("rebuild")
@bp.generic_trigger(arg_name="what", type="manualTrigger")
async def rebuild(what: str) -> None:
    """Put heads, receipts and inboxes of `all`, a conversation or a user back from the store."""
    await (await chat()).rebuild.run(what.strip())
    logger.info("rebuild ok")
