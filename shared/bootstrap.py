"""Builds the chat once per worker, at its first use.

SDKs and services are imported then and not at module level: the worker imports the app to index
it on every cold start, and the SDKs cost more than everything else together.
"""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.composition import Chat

_lock = asyncio.Lock()
_chat: "Chat | None" = None


async def chat() -> "Chat":
    """Return the worker's one chat, building it at the first call.

    Raises:
        SettingError: A setting is missing or wrong; the next call tries again.
    """
    global _chat  # noqa: PLW0603  # one per worker: the worker calls functions, and owns no object
    if _chat is None:
        async with _lock:
            if _chat is None:
                _chat = _build()
    return _chat


def use(chat: "Chat | None") -> None:
    """Let the worker use *chat* from now on; None to build one at the next call. For tests.

    What was used before is not closed: call `Chat.aclose` of it where it opened anything.
    """
    global _chat  # noqa: PLW0603
    _chat = chat


def _build() -> "Chat":
    from shared.composition import compose  # noqa: PLC0415  # see the module's first lines
    from shared.config import Settings  # noqa: PLC0415

    return compose(Settings.from_env())
