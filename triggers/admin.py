"""Functions that operators start: `POST /admin/functions/<name>` with the master key."""

import logging
from typing import Final

import azure.functions as func

from shared.bootstrap import chat

logger = logging.getLogger("parley")

bp = func.Blueprint()

_MOST_MESSAGES: Final = 1000


@bp.generic_trigger(arg_name="given", type="manualTrigger")
async def replay_poison(given: str) -> None:
    """Move the dead letters back into the queue `notifications`; the input is ignored."""
    del given
    moved = await (await chat()).bus.replay(limit=_MOST_MESSAGES)
    logger.info("replay_poison ok moved=%d", moved)


@bp.generic_trigger(arg_name="what", type="manualTrigger")
async def rebuild(what: str) -> None:
    """Rebuild heads, receipts and inboxes of `all`, a conversation or a user from the store."""
    await (await chat()).reconciliation.run(what.strip())
    logger.info("rebuild ok")
