"""Conversations and their heads: cached per worker, checked against live state, restored from it.

A conversation is cached with its version. Live state holds the newest version, so a cached copy is
used only while live state names no newer one. Where live state cannot name a version, because it
lost the conversation or does not answer, the store decides. So the loss of live state costs reads,
and gives nobody rights that they do not have (docs/decisions/0013-the-store-decides-access.md).
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from shared.domain.conversations.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.ids import NO_SEQUENCE, ConversationId, SequenceNumber, UserId
from shared.domain.live import NO_EPOCH, Epoch, Head
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt, merge, receipts_of
from shared.ports import ConversationHeads, ConversationStore, FlushedState, MessageStore
from shared.services.conversations.conversation_cache import ConversationCache

_LAG_TRIES: Final = 6
_LAG_S: Final = 0.02


class ConversationReader:
    """Reads conversations, their heads, their receipts and their messages for the services."""

    def __init__(
        self, *, store: ConversationStore, messages: MessageStore, live: ConversationHeads
    ) -> None:
        self._store = store
        self._messages = messages
        self._live = live
        self._cache = ConversationCache()

    async def find(
        self, conversation_id: ConversationId, *, version: int | None
    ) -> Conversation | None:
        """Return the conversation at *version* or later.

        Args:
            version: The version that live state knows. None when live state knows none: then the
                store is read. 0 takes any cached copy, for callers who check the version later.

        Raises:
            UnavailableError: The store did not answer, or does not show that version yet.
        """
        cached = self._cache.find(conversation_id, version)
        if cached is not None:
            return cached
        for attempt in range(_LAG_TRIES):
            stored = await self._store.find(conversation_id)
            if not version or (stored is not None and stored.version >= version):
                return None if stored is None else self.keep(stored)
            # Session consistency: this worker may read behind the worker that wrote.
            await asyncio.sleep(_LAG_S * 2**attempt)
        raise UnavailableError("the conversation is being changed")

    async def find_stored(
        self, conversation_id: ConversationId
    ) -> tuple[Conversation, FlushedState] | None:
        """Return the conversation and its flushed state as the store has them: one request.

        For callers who must decide on access while live state does not know the conversation.
        """
        stored = await self._store.find_with_state(conversation_id)
        return None if stored is None else (self.keep(stored[0]), stored[1])

    async def find_many(self, versions: dict[ConversationId, int | None]) -> list[Conversation]:
        """Return those that exist, in the order of *versions*: at most one request to the store."""
        copies = {each: self._cache.find(each, version) for each, version in versions.items()}
        lacking = [conversation_id for conversation_id, copy in copies.items() if copy is None]
        for stored in await self._store.find_many(lacking):
            copies[stored.id] = self.keep(stored)
        return [copy for copy in copies.values() if copy is not None]

    async def flushed(
        self, ids: Iterable[ConversationId]
    ) -> list[tuple[Conversation, FlushedState]]:
        """Return those that exist with their flushed state: one request for each 200."""
        stored = await self._store.find_many_with_state(ids)
        return [(self.keep(conversation), state) for conversation, state in stored]

    async def list_ids(self, after: str, *, limit: int) -> tuple[list[ConversationId], str]:
        """Return about *limit* conversations after a place, and the place where that list ends."""
        return await self._store.list_ids(after, limit=limit)

    def keep(self, conversation: Conversation) -> Conversation:
        """Cache *conversation* as it was just read or written; return the newest copy there is."""
        return self._cache.keep(conversation)

    def distrust(self) -> None:
        """Use no copy that was read until now: see `ConversationCache.distrust`."""
        self._cache.distrust()

    def raise_head(self, conversation_id: ConversationId, sequence: SequenceNumber) -> None:
        """Remember a sequence that is stored, for as long as live state does not know it."""
        self._cache.raise_head(conversation_id, sequence)

    def local_head(self, conversation_id: ConversationId) -> SequenceNumber:
        """Return the newest sequence that this worker has seen stored; 0 when it has seen none."""
        return self._cache.head(conversation_id)

    async def head(self, conversation: Conversation) -> Head:
        """Return the conversation's head, from the store where live state does not know it."""
        try:
            head = await self._live.head(conversation.id)
        except UnavailableError:
            head = Head()
        return await self.known_head(conversation, head)

    async def known_head(self, conversation: Conversation, head: Head) -> Head:
        """Return *head* if live state knew it; otherwise restore it from the store."""
        if not head.is_cached:
            return (await self.reconcile(conversation, epoch=head.epoch))[0]
        local = self.local_head(conversation.id)
        return head if head.sequence >= local else replace(head, sequence=local)

    async def reconcile(
        self,
        conversation: Conversation,
        *,
        flushed: FlushedState | None = None,
        epoch: Epoch = NO_EPOCH,
        known: Iterable[Receipt] = (),
    ) -> tuple[Head, dict[UserId, Receipt]]:
        """Read head and receipts from the store, and put them back into live state.

        Live state may lose this conversation again between the reading and the writing, and others
        may write newer heads and receipts to it meanwhile. Neither does harm. What is written is
        merged by maximum, so it takes nothing back. And it counts as complete only in the epoch
        that was read *before* the store: had live state lost something in between, that epoch has
        ended, and the conversation stays unknown until it is read again. What the store does not
        show yet, although this worker has seen it stored, is not written at all: then this worker
        alone goes by its own memory. Proved by tests/integration/services/test_reader.py.

        Args:
            flushed: What `find_stored` returned with *conversation*; read here when not given.
            epoch: Live state's epoch as it was read before the store. When neither it nor *flushed*
                is given, it is read here.
            known: The receipts that live state has, of whatever epoch. Some may be newer than what
                was flushed, and watermarks never go back.
        """
        if flushed is None:
            epoch = epoch or await self._epoch()
            # *conversation* may be an older copy, which must not become known as the newest.
            stored = await self.find_stored(conversation.id)
            conversation, flushed = _newer(conversation, stored)
        at_least = SequenceNumber(max(flushed.head, self.local_head(conversation.id)))
        newest = await self._newest(conversation.id, at_least)
        sequence = newest.sequence if newest else NO_SEQUENCE
        if sequence >= at_least:
            await self._seed(conversation, newest, flushed, epoch)
        sequence = SequenceNumber(max(at_least, sequence))
        self.raise_head(conversation.id, sequence)
        at = newest.sent_at if newest else conversation.created_at
        head = Head(is_cached=True, sequence=sequence, version=conversation.version, at=at)
        return head, _furthest(flushed.receipts, known)

    async def heads_and_receipts(
        self, ids: Sequence[ConversationId]
    ) -> list[tuple[Head, dict[UserId, Receipt]]]:
        """Return what live state knows; unknown heads where it knows nothing or does not answer."""
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
        if head.is_cached:
            return head, receipts
        return await self.reconcile(conversation, epoch=head.epoch, known=receipts.values())

    async def with_receipts(
        self, ids: Sequence[ConversationId]
    ) -> list[tuple[Conversation, list[Receipt]]]:
        """Return the conversations of *ids* that exist, each with a receipt for every member.

        Raises:
            UnavailableError: The store did not answer.
        """
        opened: list[tuple[Conversation, list[Receipt]]] = []
        live = await self.heads_and_receipts(ids)
        for conversation_id, (head, known) in zip(ids, live, strict=True):
            version = head.version if head.is_cached else None
            conversation = await self.find(conversation_id, version=version)
            if conversation is None:
                continue
            receipts = known
            if not head.is_cached:
                _, receipts = await self.reconcile(
                    conversation, epoch=head.epoch, known=known.values()
                )
            opened.append((conversation, list(receipts_of(conversation, receipts))))
        return opened

    async def message(
        self, conversation_id: ConversationId, sequence: SequenceNumber
    ) -> Message | None:
        """Return one message, or None when the store does not show it: reads may lag."""
        return await self._messages.find(conversation_id, sequence)

    async def messages(
        self,
        conversation_id: ConversationId,
        first: SequenceNumber,
        last: SequenceNumber,
        *,
        beyond: SequenceNumber | None = None,
    ) -> list[Message]:
        """Return the messages *first* to *last*, all of them, and those up to *beyond* that exist.

        Sequences have no gaps. So a span with a gap was read behind the worker that wrote, and is
        read again.

        Raises:
            UnavailableError: The store did not answer, or lags behind its writers for long.
        """
        wanted = max(0, last - first + 1)
        for attempt in range(_LAG_TRIES):
            read = await self._messages.list_range(conversation_id, first, beyond or last)
            unbroken = [each for place, each in enumerate(read) if each.sequence == first + place]
            if len(unbroken) >= wanted:
                return unbroken
            await asyncio.sleep(_LAG_S * 2**attempt)
        raise UnavailableError("the store lags behind")

    async def _seed(
        self,
        conversation: Conversation,
        newest: Message | None,
        flushed: FlushedState,
        epoch: Epoch,
    ) -> None:
        try:
            await self._live.seed(
                conversation, newest, flushed.receipts, flushed=flushed.flush_id, epoch=epoch
            )
        except UnavailableError:
            self.distrust()  # the store serves until live state is back

    async def _epoch(self) -> Epoch:
        try:
            return await self._live.epoch()
        except UnavailableError:
            return NO_EPOCH

    async def _newest(
        self, conversation_id: ConversationId, at_least: SequenceNumber
    ) -> Message | None:
        newest: Message | None = None
        for attempt in range(_LAG_TRIES):
            newest = await self._messages.find_newest(conversation_id, at_least=at_least)
            if not at_least or (newest is not None and newest.sequence >= at_least):
                break
            await asyncio.sleep(_LAG_S * 2**attempt)
        return newest


def _newer(
    copy: Conversation, stored: tuple[Conversation, FlushedState] | None
) -> tuple[Conversation, FlushedState]:
    if stored is None:
        return copy, FlushedState(NO_SEQUENCE, ())
    conversation, flushed = stored
    return (conversation if conversation.version >= copy.version else copy), flushed


def _furthest(stored: Iterable[Receipt], known: Iterable[Receipt]) -> dict[UserId, Receipt]:
    furthest = {receipt.user_id: receipt for receipt in stored}
    for receipt in known:
        furthest[receipt.user_id] = merge(furthest.get(receipt.user_id, receipt), receipt)
    return furthest
