"""History: pages by sequence, and catching up after any absence."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.catchup import gap_after
from shared.domain.conversation import Conversation
from shared.domain.ids import NO_SEQUENCE, ConversationId, Sequence, UserId
from shared.domain.inbox import Row
from shared.domain.live import Call, Head
from shared.domain.message import Message, Status, status_of
from shared.domain.receipt import Receipt
from shared.services.entrance import Entrance
from shared.services.gate import Gate
from shared.services.inbox import Inbox
from shared.services.reader import ConversationReader, receipts_of

_ITEMS_PER_SYNC: Final = 50
_READERS: Final = 8

type Known = tuple[Head, dict[UserId, Receipt]]  # what live state has of a conversation


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in rising sequence, each with what its sender sees of it."""

    messages: list[tuple[Message, Status]]
    latest: Sequence


@dataclass(frozen=True, slots=True)
class SyncItem:
    """What one conversation has that the client lacks; `complete` or the rest is to be paged."""

    conversation_id: ConversationId
    latest: Sequence
    messages: list[tuple[Message, Status]]
    complete: bool
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class History:
    """Reads messages."""

    entrance: Entrance
    gate: Gate
    reader: ConversationReader
    inbox: Inbox

    async def list_messages(
        self,
        call: Call,
        conversation_id: ConversationId,
        *,
        before: Sequence | None,
        after: Sequence | None,
        limit: int,
    ) -> Page:
        """Return up to *limit* messages: those after `after`, else the last before `before`.

        Raises:
            NotFoundError: No such conversation for this caller.
            UnavailableError: The store did not answer, or lags behind what is known.
        """
        entered = await self.entrance.enter(call, conversation_id)
        latest = entered.head.sequence
        first, last = _bounds(before, after, limit, latest, entered.member.history_from)
        beyond = _beyond(first, last, limit, latest, closed=before is not None)
        found = await self.reader.messages(conversation_id, first, last, beyond=beyond)
        found = found[:limit] if after is not None else found[-limit:]
        if found and found[-1].sequence > latest:
            latest = found[-1].sequence
            self.reader.raise_head(conversation_id, latest)
        _, receipts = await self.reader.receipts(entered.conversation)
        return Page(_with_status(entered.conversation, found, receipts), latest)

    async def sync(
        self, call: Call, positions: Mapping[ConversationId, Sequence], *, limit: int
    ) -> tuple[list[SyncItem], bool]:
        """Return what the caller lacks, newest activity first, and whether there is more.

        Each conversation's gap is filled fully, or marked as not complete with its newest *limit*
        messages. A conversation the client has no position for counts from its beginning.

        Raises:
            UnavailableError: The store did not answer.
        """
        await self.gate.enter(call)
        rows = [
            row
            for row in await self.inbox.all_rows(call.user_id)
            if row.conversation.id not in positions
            or row.head.sequence > positions[row.conversation.id]
        ]
        slots = asyncio.Semaphore(_READERS)

        async def read(row: Row) -> tuple[list[Message], bool]:
            async with slots:
                position = positions.get(row.conversation.id, NO_SEQUENCE)
                return await self._missed(call.user_id, row, position, limit)

        shown = rows[:_ITEMS_PER_SYNC]
        missed = await asyncio.gather(*map(read, shown))
        # After the messages, so that no status is older than its message; all in one round trip.
        live = await self.reader.heads_and_receipts([row.conversation.id for row in shown])

        async def one(row: Row, found: tuple[list[Message], bool], known: Known) -> SyncItem:
            async with slots:
                return await self._item(row, *found, known)

        items = await asyncio.gather(*map(one, shown, missed, live))
        return list(items), len(rows) > _ITEMS_PER_SYNC

    async def _missed(
        self, user_id: UserId, row: Row, position: Sequence, limit: int
    ) -> tuple[list[Message], bool]:
        conversation, latest = row.conversation, row.head.sequence
        member = conversation.find_member(user_id)
        history_from = member.history_from if member else Sequence(latest + 1)
        gap = gap_after(position, latest=latest, history_from=history_from, limit=limit)
        found = await self.reader.messages(conversation.id, gap.first, gap.last) if gap else []
        return found, gap.complete

    async def _item(self, row: Row, found: list[Message], complete: bool, known: Known) -> SyncItem:
        conversation, (head, receipts) = row.conversation, known
        if not head.known:
            _, receipts = await self.reader.recover(
                conversation, epoch=head.epoch, known=receipts.values()
            )
        messages = _with_status(conversation, found, receipts)
        return SyncItem(conversation.id, row.head.sequence, messages, complete, row.receipt)


def _bounds(
    before: Sequence | None,
    after: Sequence | None,
    limit: int,
    latest: Sequence,
    history_from: Sequence,
) -> tuple[Sequence, Sequence]:
    top = latest if before is None else min(latest, before - 1)
    if after is not None:
        # What a newcomer may not see counts as skipped, or paging on from 0 would end before it.
        first = max(after + 1, history_from)
        return Sequence(first), Sequence(min(top, first + limit - 1))
    return Sequence(max(history_from, top - limit + 1)), Sequence(top)


def _beyond(
    first: Sequence, last: Sequence, limit: int, latest: Sequence, *, closed: bool
) -> Sequence:
    # The head is a hint that may lag: a page that reaches it looks past it too.
    open_end = not closed and last >= min(latest, first + limit - 1)
    return Sequence(max(first, last + 1) + limit - 1) if open_end else last


def _with_status(
    conversation: Conversation, messages: Iterable[Message], receipts: dict[UserId, Receipt]
) -> list[tuple[Message, Status]]:
    known = list(zip(conversation.members, receipts_of(conversation, receipts), strict=True))
    return [
        (
            message,
            status_of(message, [r for m, r in known if m.history_from <= message.sequence]),
        )
        for message in messages
    ]
