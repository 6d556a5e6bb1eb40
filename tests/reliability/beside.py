"""What goes on beside the talk: rights, files, an erasure, and looks at inboxes and receipts."""

import asyncio

import aiohttp

from tests.reliability.caller import Caller
from tests.reliability.erasing import ErasureWorkload, wait_quiet
from tests.reliability.files import FilesWorkload
from tests.reliability.history import FileLook, History, Remains
from tests.reliability.inboxes import look_on
from tests.reliability.plan import Plan
from tests.reliability.rights import RightsWorkload
from tests.stack import Stack


class Beside:
    """All of it, for one run."""

    def __init__(
        self,
        rights: RightsWorkload | None,
        files: FilesWorkload,
        erasure: ErasureWorkload | None,
        history: History,
    ) -> None:
        self._rights, self._files, self._erasure = rights, files, erasure
        self._history = history

    @classmethod
    async def gather(
        cls,
        stack: Stack,
        session: aiohttp.ClientSession,
        history: History,
        plan: Plan,
    ) -> "Beside":
        """Return it with people and conversations of its own."""
        erasure = None
        if plan.erases:
            erasure = await ErasureWorkload.gather(stack, session, plan.seed)
        rights = None
        if plan.rights:
            rights = await RightsWorkload.gather(stack, session, history, plan.seed)
        files = await FilesWorkload.gather(stack, session, history, plan.seed)
        return cls(rights, files, erasure, history)

    @property
    def conversations(self) -> list[str]:
        """The conversations of which the history tells all."""
        moving = self._rights.conversations if self._rights is not None else []
        return [*moving, *self._files.conversations]

    async def run(
        self, seconds: float, ended: asyncio.Event, looker: Caller, conversation: str
    ) -> None:
        """Go on until *ended* is set, in about *seconds*.

        Args:
            looker: One of the talk, who is in *conversation*.

        """
        async with asyncio.TaskGroup() as tasks:
            if self._rights is not None:
                tasks.create_task(self._rights.run(ended))
            tasks.create_task(self._files.run(ended))
            tasks.create_task(look_on(looker, conversation, ended, self._history))
            if self._erasure is not None:
                tasks.create_task(self._erasure.run(seconds, ended))

    async def files(self) -> list[FileLook]:
        """Return whether the files can be read."""
        return await self._files.looks()

    async def remains(self, within_s: float) -> list[Remains]:
        """Return what remains of the one erased, once nothing does or when time is up."""
        return await wait_quiet(self._erasure, within_s) if self._erasure else []
