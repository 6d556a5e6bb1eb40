"""The order of an inbox: kept in live state, rebuilt from the store where that was lost.

What a rebuild costs, of n conversations: one query of their memberships, one request to the store
for each 200 of them, and a look past the recorded head for the 100 that were active last. It goes
on where an earlier one ended, so it ends, however often it is cut short. Nobody is given a page
before it is complete: the newest conversation may be the last one read.

Messages go on while the store is read. So the rebuild is noted *before* its first read: from then
on each message raises its entry, and an entry only ever rises. What was posted before that note
stands in the store, or in the conversation's head in live state, when it is read afterwards. An
inbox that is lost again meanwhile, with the note, refuses what the older rebuild adds: half a list
never passes for a whole one. Both are proved in tests/integration/services/test_inbox_rebuild.py.

The recorded head of a conversation is that of its last flush. With live state, messages of the
seconds since can be lost from it, though never from the store. They are looked for where they are
likely, in the conversations that were active last; anywhere else, the reconciliation of heads with
the change feed brings them.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Series
from dataclasses import dataclass, replace
from itertools import batched
from typing import Final

from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, Sequence, UserId
from shared.domain.live import Epoch, Head
from shared.domain.times import to_ms
from shared.ports import InboxEntry, LiveState, MembershipStore, MessageStore
from shared.services.reader import ConversationReader
from shared.services.turns import Turns

_AT_ONCE: Final = 200  # conversations in one step; what is done of them is kept
_STEPS: Final = 4
_LOOKED_PAST: Final = 100
_READERS: Final = 8
_TRIES: Final = 4
_UNSEEN: Final = Sequence(-1)  # a conversation that the client has no position for


class _LostAgainError(UnavailableError):
    """The inbox was lost after its rebuild had begun: begin anew."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One conversation as store and live state have it, and whether that is surely the newest."""

    entry: InboxEntry
    head: Sequence
    sure: bool


@dataclass(frozen=True, slots=True)
class InboxOrder:
    """Says in which order a user's conversations stand."""

    reader: ConversationReader
    live: LiveState
    memberships: MembershipStore
    messages: MessageStore
    turns: Turns

    async def entries(
        self, user_id: UserId, *, limit: int, after: InboxEntry | None
    ) -> list[InboxEntry]:
        """Return up to *limit* entries after one, newest activity first.

        Raises:
            UnavailableError: The store did not answer. What was rebuilt so far is kept.
        """
        try:
            page = await self.live.inbox_page(user_id, limit=limit, after=after)
        except UnavailableError:
            return await self._page_from_store(user_id, limit, after)
        if page is not None:
            return page
        async with self.turns.of(user_id):  # of many callers one rebuilds, the others wait
            for _ in range(_TRIES):
                page = await self.live.inbox_page(user_id, limit=limit, after=after)
                if page is not None:
                    return page
                with contextlib.suppress(_LostAgainError):
                    await self.rebuild(user_id)
        return await self._page_from_store(user_id, limit, after)

    async def _page_from_store(
        self, user_id: UserId, limit: int, after: InboxEntry | None
    ) -> list[InboxEntry]:
        entries = await self._from_store(user_id)
        return [one for one in entries if after is None or order(one) < order(after)][:limit]

    async def heads(
        self,
        user_id: UserId,
        ids: Series[ConversationId],
        positions: Mapping[ConversationId, Sequence],
    ) -> dict[ConversationId, Sequence]:
        """Return the heads of those that exist, or one past a position that they have passed.

        Where live state knows none, it is the recorded head, and whoever has that is looked past.
        """
        try:
            summaries = await self.live.summaries(user_id, ids)
        except UnavailableError:
            summaries = []
        heads = {one.receipt.conversation_id: one.head for one in summaries}
        known = {one: head.sequence for one, head in heads.items() if head.known}
        found = await self._read(user_id, [one for one in ids if one not in known])
        recorded = {one.entry.conversation_id: one.head for one in found}
        # The client may be past what was recorded: what it lacks lies past its own position.
        level = [
            replace(one, head=position)
            for one in found
            if one.head <= (position := positions.get(one.entry.conversation_id, _UNSEEN))
        ]
        risen = await self._looked_past(level)
        past = {one.conversation_id: Sequence(positions[one.conversation_id] + 1) for one in risen}
        return known | recorded | past

    async def rebuild(self, user_id: UserId, *, anew: bool = False) -> None:
        """Fill the user's inbox from the store, beside whatever is in it already.

        Args:
            anew: Read also what an earlier, unfinished rebuild has put there.

        Raises:
            UnavailableError: The store or live state did not answer, or live state was lost
                meanwhile.
        """
        epoch = await self.live.epoch()
        listed = await self.live.begin_inbox(user_id, epoch=epoch)
        known = {} if anew else {one.conversation_id: one for one in listed}
        lacking = [one for one in await self.memberships.list_all(user_id) if one not in known]
        slots = asyncio.Semaphore(_STEPS)

        async def step(ids: tuple[ConversationId, ...]) -> list[_Found]:
            async with slots:
                found = await self._read(user_id, ids)
                await self._fill(user_id, epoch, [one.entry for one in found])
                return found

        steps = await asyncio.gather(*map(step, batched(lacking, _AT_ONCE, strict=False)))
        read = {one.entry.conversation_id: one for some in steps for one in some}
        newest = _newest([*known.values(), *(one.entry for one in read.values())])
        unread = [one.conversation_id for one in newest if one.conversation_id not in read]
        read |= {one.entry.conversation_id: one for one in await self._read(user_id, unread)}
        risen = await self._looked_past(
            [read[one.conversation_id] for one in newest if one.conversation_id in read]
        )
        await self._fill(user_id, epoch, risen, complete=True)

    async def _fill(
        self, user_id: UserId, epoch: Epoch, entries: list[InboxEntry], *, complete: bool = False
    ) -> None:
        if not await self.live.fill_inbox(user_id, entries, epoch=epoch, complete=complete):
            raise _LostAgainError("live state was lost while the inbox was rebuilt")

    async def _from_store(self, user_id: UserId) -> list[InboxEntry]:
        ids = list(await self.memberships.list_all(user_id))
        found = {one.entry.conversation_id: one for one in await self._read(user_id, ids)}
        entries = {one.conversation_id: one for one in (each.entry for each in found.values())}
        newest = [found[one.conversation_id] for one in _newest(entries.values())]
        entries |= {one.conversation_id: one for one in await self._looked_past(newest)}
        return sorted(entries.values(), key=order, reverse=True)

    async def _read(self, user_id: UserId, ids: Series[ConversationId]) -> list[_Found]:
        if not ids:
            return []
        recorded = await self.reader.flushed(ids)
        try:
            summaries = await self.live.summaries(user_id, [one.id for one, _ in recorded])
            heads = [one.head for one in summaries]
        except UnavailableError:
            heads = [Head() for _ in recorded]
        found = []
        for (conversation, flushed), head in zip(recorded, heads, strict=True):
            times = [at for at in (conversation.created_at, flushed.at, head.at) if at]
            entry = InboxEntry(conversation.id, to_ms(max(times)))
            found.append(_Found(entry, Sequence(max(flushed.head, head.sequence)), head.known))
        return found

    async def _looked_past(self, newest: list[_Found]) -> list[InboxEntry]:
        """Return the entries that rise, since a message lies past what was recorded."""
        slots = asyncio.Semaphore(_READERS)

        async def one(found: _Found) -> InboxEntry | None:
            conversation_id = found.entry.conversation_id
            async with slots:
                following = Sequence(found.head + 1)
                if await self.messages.find(conversation_id, following) is None:
                    return None
                last = await self.messages.find_newest(conversation_id, at_least=following)
            return InboxEntry(conversation_id, to_ms(last.sent_at)) if last else None

        looked = await asyncio.gather(*(one(found) for found in newest if not found.sure))
        return [entry for entry in looked if entry is not None]


def order(entry: InboxEntry) -> tuple[int, str]:
    """Return what inboxes are sorted by, the greatest first."""
    return entry.activity_ms, entry.conversation_id


def _newest(entries: Iterable[InboxEntry]) -> list[InboxEntry]:
    return sorted(entries, key=order, reverse=True)[:_LOOKED_PAST]
