"""The composition root's door: builds the chat once per worker, at its first use.

SDKs and services are imported then and not at module level: the worker imports the app to index
it on every cold start, and the SDKs cost more than everything else together.
"""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.composition import Chat

_turn = asyncio.Lock()
_built: list["Chat"] = []


async def chat() -> "Chat":
    """Return the worker's one chat, building it at the first call.

    Raises:
        SettingError: A setting is missing or wrong; the next call tries again.
    """
    if not _built:
        async with _turn:
            if not _built:
                _built.append(_build())
    return _built[0]


def _build() -> "Chat":
    from shared.composition import compose  # noqa: PLC0415  # see the module's first lines
    from shared.config import Settings  # noqa: PLC0415

    return compose(Settings.from_env())
