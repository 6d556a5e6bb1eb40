"""Conversations and their heads: cached per process, checked against live state, healed from it.

A conversation is cached with its version. Live state holds the newest version, so a cached copy is
used only while no newer one exists; losing live state costs reads, never rights.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Iterable
from collections.abc import Sequence as Series
from dataclasses import replace
from typing import Final

from shared.domain.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.ids import NO_SEQUENCE, ConversationId, Sequence, UserId
from shared.domain.live import NO_EPOCH, Epoch, FlushedState, Head
from shared.domain.message import Message
from shared.domain.receipt import Receipt, merge
from shared.ports import ConversationStore, LiveState, MessageStore

_MAX_CACHED: Final = 20_000
_BLIND_S: Final = 5.0  # how long a copy is believed while live state cannot tell its version
_BELIEVED_S: Final = 60.0  # and while it can: a live state that went back in time may be wrong
_LAG_TRIES: Final = 6
_LAG_S: Final = 0.02


class ConversationReader:
    """Gives conversations, their heads and their receipts to the use cases."""

    def __init__(self, store: ConversationStore, messages: MessageStore, live: LiveState) -> None:
        self._store = store
        self._messages = messages
        self._live = live
        self._cache: OrderedDict[ConversationId, tuple[Conversation, float]] = OrderedDict()
        self._heads: OrderedDict[ConversationId, Sequence] = OrderedDict()

    async def find(
        self, conversation_id: ConversationId, *, version: int | None
    ) -> Conversation | None:
        """Return the conversation at *version* or later.

        Args:
            version: The version live state knows; None when it knows none, and then a copy is
                believed for five seconds; 0 takes any copy, for callers that check it later.
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
        if found is not None:
            self.keep(found)
        return found

    async def find_many(self, versions: dict[ConversationId, int | None]) -> list[Conversation]:
        """Return those that exist, in the order asked: at most one request to the store."""
        have = {one: self._cached(one, version) for one, version in versions.items()}
        lacking = [one for one, found in have.items() if found is None]
        for found in await self._store.find_many(lacking):
            self.keep(found)
            have[found.id] = found
        return [found for found in have.values() if found is not None]

    def keep(self, conversation: Conversation) -> None:
        """Cache *conversation* as it was just read or written."""
        self._cache[conversation.id] = (conversation, time.monotonic())
        self._cache.move_to_end(conversation.id)
        if len(self._cache) > _MAX_CACHED:
            self._cache.popitem(last=False)

    def raise_head(self, conversation_id: ConversationId, sequence: Sequence) -> None:
        """Remember a sequence that is stored, for when live state is not there."""
        self._heads[conversation_id] = Sequence(max(sequence, self.local_head(conversation_id)))
        self._heads.move_to_end(conversation_id)
        if len(self._heads) > _MAX_CACHED:
            self._heads.popitem(last=False)

    def local_head(self, conversation_id: ConversationId) -> Sequence:
        return self._heads.get(conversation_id, NO_SEQUENCE)

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
        epoch: Epoch = NO_EPOCH,
        known: Iterable[Receipt] = (),
    ) -> tuple[Head, dict[UserId, Receipt]]:
        """Read head and receipts from the store, and put them back into live state.

        Args:
            epoch: Live state's epoch as it was read before; asked for if it is not given.
            known: What live state has of receipts, from whatever epoch: some may be newer than
                what was flushed, and watermarks do not move back.
        """
        epoch = epoch or await self._epoch()
        found = await self._store.find_with_state(conversation.id)
        flushed = found[1] if found else FlushedState(NO_SEQUENCE, ())
        hint, receipts = flushed.head, flushed.receipts
        if found and found[0].version >= conversation.version:
            # What was asked for may be an older copy, whose rights must not become known as new.
            conversation = found[0]
            self.keep(conversation)
        at_least = Sequence(max(hint, self.local_head(conversation.id)))
        newest = await self._newest(conversation.id, at_least)
        sequence = Sequence(newest.sequence if newest else 0)
        if sequence >= at_least:
            with contextlib.suppress(UnavailableError):  # then the store serves until it is back
                await self._live.seed(
                    conversation, newest, receipts, flushed=flushed.stamp, epoch=epoch
                )
        sequence = Sequence(max(at_least, sequence))
        self.raise_head(conversation.id, sequence)
        at = newest.sent_at if newest else conversation.created_at
        head = Head(known=True, sequence=sequence, version=conversation.version, at=at)
        return head, _furthest(receipts, known)

    async def heads_and_receipts(
        self, ids: Series[ConversationId]
    ) -> list[tuple[Head, dict[UserId, Receipt]]]:
        """Return what live state knows: unknown heads where it knows nothing, or is down."""
        if not ids:
            return []
        try:
            return await self._live.receipts(ids)
        except UnavailableError:
            return [(Head(), {}) for _ in ids]

    async def receipts(self, conversation: Conversation) -> tuple[Head, dict[UserId, Receipt]]:
        """Return a conversation's head and receipts, from the store where live state has none."""
        ((head, receipts),) = await self.heads_and_receipts([conversation.id])
        if head.known:
            return head, receipts
        return await self.recover(conversation, epoch=head.epoch, known=receipts.values())

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
        age_s = time.monotonic() - at
        if conversation is None or age_s > (_BLIND_S if version is None else _BELIEVED_S):
            return None
        return conversation if conversation.version >= (version or 0) else None


def _furthest(stored: Iterable[Receipt], known: Iterable[Receipt]) -> dict[UserId, Receipt]:
    furthest = {receipt.user_id: receipt for receipt in stored}
    for one in known:
        furthest[one.user_id] = merge(furthest.get(one.user_id, one), one)
    return furthest


def receipts_of(conversation: Conversation, receipts: dict[UserId, Receipt]) -> Iterable[Receipt]:
    """Yield one receipt for each member, empty for one who never acknowledged."""
    for user_id in conversation.member_ids:
        yield receipts.get(user_id) or Receipt(conversation.id, user_id)
