"""Conversations and their heads: cached per process, checked against live state, healed from it.

A conversation is cached with its version. Live state holds the newest version, so a cached copy is
used only while live state names no newer one. Where live state cannot name a version, because it
lost the conversation or does not answer, the store decides: losing live state costs reads, never
rights (docs/decisions/0013-the-store-decides-access.md).
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable
from collections.abc import Sequence as Series
from dataclasses import replace
from typing import Final

from shared.domain.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.ids import NO_SEQUENCE, ConversationId, Sequence, UserId
from shared.domain.live import NO_EPOCH, Epoch, Head
from shared.domain.message import Message
from shared.domain.receipt import Receipt, merge, receipts_of
from shared.ports import ConversationStore, FlushedState, LiveState, MessageStore

_MAX_CACHED: Final = 20_000
_BELIEVED_S: Final = 60.0  # how long a copy is used on live state's word, which may be too old
_LAG_TRIES: Final = 6
_LAG_S: Final = 0.02


class ConversationReader:
    """Gives conversations, their heads and their receipts to the use cases."""

    def __init__(self, store: ConversationStore, messages: MessageStore, live: LiveState) -> None:
        self._store = store
        self._messages = messages
        self._live = live
        self._cache: OrderedDict[ConversationId, tuple[Conversation, float]] = OrderedDict()
        self._trusted_from = -1.0  # copies read up to this moment are not used any more
        self._heads: OrderedDict[ConversationId, Sequence] = OrderedDict()

    async def find(
        self, conversation_id: ConversationId, *, version: int | None
    ) -> Conversation | None:
        """Return the conversation at *version* or later.

        Args:
            version: The version live state knows; None when it knows none, and then the store is
                read; 0 takes any copy, for callers that check it later.

        Raises:
            UnavailableError: The store did not answer, or does not show that version yet.
        """
        cached = self._cached(conversation_id, version)
        if cached is not None:
            return cached
        for attempt in range(_LAG_TRIES):
            found = await self._store.find(conversation_id)
            if not version or (found is not None and found.version >= version):
                break
            # Session consistency: this worker may read behind the one that wrote.
            await asyncio.sleep(_LAG_S * 2**attempt)
        else:
            raise UnavailableError("the conversation is being changed")
        return self.keep(found) if found is not None else None

    async def find_stored(
        self, conversation_id: ConversationId
    ) -> tuple[Conversation, FlushedState] | None:
        """Return the conversation and its flushed state as the store has them: one request.

        For callers that must decide who may see a conversation while live state does not know it.
        """
        found = await self._store.find_with_state(conversation_id)
        return (self.keep(found[0]), found[1]) if found is not None else None

    def distrust(self) -> None:
        """Use no copy that was read until now: live state was away, or went back in time.

        While live state is away a removal cannot name its version there. A copy from before that
        time would pass for the newest one when live state is back with what it knew before.
        """
        self._trusted_from = time.monotonic()

    async def find_many(self, versions: dict[ConversationId, int | None]) -> list[Conversation]:
        """Return those that exist, in the order asked: at most one request to the store."""
        have = {one: self._cached(one, version) for one, version in versions.items()}
        lacking = [one for one, found in have.items() if found is None]
        for found in await self._store.find_many(lacking):
            have[found.id] = self.keep(found)
        return [found for found in have.values() if found is not None]

    async def flushed(
        self, ids: Iterable[ConversationId]
    ) -> list[tuple[Conversation, FlushedState]]:
        """Return those that exist as the store has them: one request for each 200."""
        found = await self._store.find_many_with_state(ids)
        return [(self.keep(conversation), state) for conversation, state in found]

    def keep(self, conversation: Conversation) -> Conversation:
        """Cache *conversation* as it was just read or written; return the newest copy there is.

        A reader may lag behind this worker's own writes or earlier reads: a newer copy stays.
        """
        newer = self._cached(conversation.id, conversation.version + 1)
        if newer is not None:
            return newer
        self._cache[conversation.id] = (conversation, time.monotonic())
        self._cache.move_to_end(conversation.id)
        if len(self._cache) > _MAX_CACHED:
            self._cache.popitem(last=False)
        return conversation

    def raise_head(self, conversation_id: ConversationId, sequence: Sequence) -> None:
        """Remember a sequence that is stored, for when live state is not there."""
        self._heads[conversation_id] = Sequence(max(sequence, self.local_head(conversation_id)))
        self._heads.move_to_end(conversation_id)
        if len(self._heads) > _MAX_CACHED:
            self._heads.popitem(last=False)

    def local_head(self, conversation_id: ConversationId) -> Sequence:
        return self._heads.get(conversation_id, NO_SEQUENCE)

    async def head(self, conversation: Conversation) -> Head:
        """Return the conversation's head, from the store where live state does not know it."""
        try:
            head = await self._live.head(conversation.id)
        except UnavailableError:
            head = Head()
        return await self.known_head(conversation, head)

    async def known_head(self, conversation: Conversation, head: Head) -> Head:
        """Return *head* if live state knew it; else find it in the store and make it known."""
        if not head.known:
            return (await self.recover(conversation, epoch=head.epoch))[0]
        local = self.local_head(conversation.id)
        return head if head.sequence >= local else replace(head, sequence=local)

    async def recover(
        self,
        conversation: Conversation,
        *,
        flushed: FlushedState | None = None,
        epoch: Epoch = NO_EPOCH,
        known: Iterable[Receipt] = (),
    ) -> tuple[Head, dict[UserId, Receipt]]:
        """Read head and receipts from the store, and put them back into live state.

        Args:
            flushed: What `find_stored` gave with *conversation*; without it, that is read first.
            epoch: Live state's epoch as it was read before the store; asked for if it is not given
                and the store is read here.
            known: What live state has of receipts, from whatever epoch: some may be newer than
                what was flushed, and watermarks do not move back.
        """
        if flushed is None:
            epoch = epoch or await self._epoch()
            # What was asked for may be an older copy, whose rights must not become known as new.
            found = await self.find_stored(conversation.id)
            conversation, flushed = _newer(conversation, found)
        hint, receipts = flushed.head, flushed.receipts
        at_least = Sequence(max(hint, self.local_head(conversation.id)))
        newest = await self._newest(conversation.id, at_least)
        sequence = Sequence(newest.sequence if newest else 0)
        if sequence >= at_least:
            await self._seed(conversation, newest, flushed, epoch)
        sequence = Sequence(max(at_least, sequence))
        self.raise_head(conversation.id, sequence)
        at = newest.sent_at if newest else conversation.created_at
        head = Head(known=True, sequence=sequence, version=conversation.version, at=at)
        return head, _furthest(receipts, known)

    async def _seed(
        self,
        conversation: Conversation,
        newest: Message | None,
        flushed: FlushedState,
        epoch: Epoch,
    ) -> None:
        try:
            await self._live.seed(
                conversation, newest, flushed.receipts, flushed=flushed.stamp, epoch=epoch
            )
        except UnavailableError:
            self.distrust()  # the store serves until live state is back

    async def heads_and_receipts(
        self, ids: Series[ConversationId]
    ) -> list[tuple[Head, dict[UserId, Receipt]]]:
        """Return what live state knows: unknown heads where it knows nothing, or is down."""
        if not ids:
            return []
        try:
            return await self._live.receipts(ids)
        except UnavailableError:
            self.distrust()
            return [(Head(), {}) for _ in ids]

    async def receipts(self, conversation: Conversation) -> tuple[Head, dict[UserId, Receipt]]:
        """Return a conversation's head and receipts, from the store where live state has none."""
        ((head, receipts),) = await self.heads_and_receipts([conversation.id])
        if head.known:
            return head, receipts
        return await self.recover(conversation, epoch=head.epoch, known=receipts.values())

    async def with_receipts(
        self, ids: Series[ConversationId]
    ) -> list[tuple[Conversation, list[Receipt]]]:
        """Return the conversations of *ids* that exist, each with a receipt for every member.

        Raises:
            UnavailableError: The store did not answer.
        """
        found: list[tuple[Conversation, list[Receipt]]] = []
        live = await self.heads_and_receipts(ids)
        for conversation_id, (head, receipts) in zip(ids, live, strict=True):
            version = head.version if head.known else None
            conversation = await self.find(conversation_id, version=version)
            if conversation is None:
                continue
            known = receipts
            if not head.known:
                _, known = await self.recover(
                    conversation, epoch=head.epoch, known=receipts.values()
                )
            found.append((conversation, list(receipts_of(conversation, known))))
        return found

    async def message(self, conversation_id: ConversationId, sequence: Sequence) -> Message | None:
        """Return one message, or None when the store does not show it: reads may lag."""
        return await self._messages.find(conversation_id, sequence)

    async def list_ids(self, after: str, *, limit: int) -> tuple[list[ConversationId], str]:
        """Return about *limit* conversations after a place, and the place where that list ends."""
        return await self._store.list_ids(after, limit=limit)

    async def messages(
        self,
        conversation_id: ConversationId,
        first: Sequence,
        last: Sequence,
        *,
        beyond: Sequence | None = None,
    ) -> list[Message]:
        """Return the messages *first* to *last*, all of them; up to *beyond* what there is.

        Raises:
            UnavailableError: The store did not answer, or lags behind its writers for long.
        """
        # Sequences have no gaps, so a span that lacks one was read behind its writer: read again.
        wanted = max(0, last - first + 1)
        for attempt in range(_LAG_TRIES):
            read = await self._messages.list_range(conversation_id, first, beyond or last)
            found = [one for place, one in enumerate(read) if one.sequence == first + place]
            if len(found) >= wanted:
                return found
            await asyncio.sleep(_LAG_S * 2**attempt)
        raise UnavailableError("the store lags behind")

    async def _epoch(self) -> Epoch:
        try:
            return await self._live.epoch()
        except UnavailableError:
            return NO_EPOCH

    async def _newest(self, conversation_id: ConversationId, at_least: Sequence) -> Message | None:
        newest: Message | None = None
        for attempt in range(_LAG_TRIES):
            newest = await self._messages.find_newest(conversation_id, at_least=at_least)
            if not at_least or (newest is not None and newest.sequence >= at_least):
                break
            await asyncio.sleep(_LAG_S * 2**attempt)
        return newest

    def _cached(self, conversation_id: ConversationId, version: int | None) -> Conversation | None:
        conversation, at = self._cache.get(conversation_id, (None, 0.0))
        if conversation is None or version is None or at <= self._trusted_from:
            return None
        if time.monotonic() - at > _BELIEVED_S:
            return None
        return conversation if conversation.version >= version else None


def _newer(
    asked: Conversation, found: tuple[Conversation, FlushedState] | None
) -> tuple[Conversation, FlushedState]:
    if found is None:
        return asked, FlushedState(NO_SEQUENCE, ())
    conversation, flushed = found
    return (conversation if conversation.version >= asked.version else asked), flushed


def _furthest(stored: Iterable[Receipt], known: Iterable[Receipt]) -> dict[UserId, Receipt]:
    furthest = {receipt.user_id: receipt for receipt in stored}
    for one in known:
        furthest[one.user_id] = merge(furthest.get(one.user_id, one), one)
    return furthest
