"""Catching up: what a client lacks, by its positions or by what changed since a cursor.

With a cursor, a sync costs what changed and not what exists: live state notes for each user when
each conversation was last touched (`adapters/redis/users/inbox_scripts.py`). The touches are read
first, and the touched conversations after them. So the answer has every change up to its cursor,
and a change that comes later has a later moment, which the next sync brings. Without a cursor, or
with a cursor that live state cannot honour, the head of every conversation is compared with the
client's position. Proved for any order of changes and syncs by
tests/integration/services/test_sync.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Final, Literal

from shared.domain.conversations.catchup import NEVER, SyncCursor, gap_after
from shared.domain.conversations.inbox import InboxItem, Row
from shared.domain.errors import UnavailableError
from shared.domain.ids import NO_SEQUENCE, ConversationId, SequenceNumber, UserId
from shared.domain.live import Head
from shared.domain.messages.message import Message, Status
from shared.domain.messages.receipt import Receipt
from shared.domain.times import to_ms
from shared.ports import Call, InboxState, Touches
from shared.services.admission.admission import Admission
from shared.services.conversations.reader import ConversationReader
from shared.services.gathering import gather_at_most
from shared.services.inbox.inbox import Inbox
from shared.services.messages.history import with_status

_ITEMS: Final = 50
_READERS: Final = 8
_PORTION: Final = 200
_MAX_CONVERSATIONS: Final = 10_000

type Since = SyncCursor | Literal["now", "unreadable"] | None
type Positions = Mapping[ConversationId, SequenceNumber]


@dataclass(frozen=True, slots=True)
class SyncItem:
    """What the client lacks of one conversation.

    Args:
        complete: These are all messages that the client lacks; otherwise it pages the rest.
        inbox_item: The conversation as the inbox shows it, in the answer to a cursor.
    """

    conversation_id: ConversationId
    latest: SequenceNumber
    messages: list[tuple[Message, Status]]
    complete: bool
    receipt: Receipt
    inbox_item: InboxItem | None = None


@dataclass(frozen=True, slots=True)
class Synced:
    """One answer to a sync.

    Args:
        more: The client lacks more: it asks again with this answer's cursor and its new positions.
        reset: The client's cursor could not be honoured, and counted as none.
        removed: Conversations that the user has left, or was removed from, since the cursor.
    """

    items: list[SyncItem]
    more: bool
    cursor: SyncCursor
    reset: bool = False
    removed: tuple[ConversationId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """Answers what a client lacks."""

    admission: Admission
    reader: ConversationReader
    inbox: Inbox
    live: InboxState

    async def sync(self, call: Call, positions: Positions, *, limit: int, since: Since) -> Synced:
        """Return what the caller lacks, newest activity first.

        Each conversation's gap is filled fully, or marked as not complete with its newest *limit*
        messages. Without a cursor, a conversation the client has no position for counts from its
        beginning; with one, it comes without messages.

        Args:
            since: The cursor of an earlier answer; `now` for a client that reads the inbox next
                and wants a cursor of this moment alone; None for a client that has none.

        Raises:
            UnavailableError: The store did not answer.
        """
        await self.admission.admit(call)
        cursor = since if isinstance(since, SyncCursor) else None
        touches = await self._touches(call.user_id, cursor)
        if since == "now":
            return Synced([], more=False, cursor=SyncCursor(touches.newest, epoch=touches.epoch))
        if cursor is not None and touches.honoured and cursor.whole:
            return await self._changed(call.user_id, positions, touches, limit)
        # A pass of several answers ends with the cursor of its beginning: a conversation that was
        # answered early, and touched before the end, comes again.
        began = cursor.at if cursor is not None and touches.honoured else touches.newest
        rows = await self._news(call.user_id, positions)
        items = await self._items(call.user_id, rows[:_ITEMS], positions, limit)
        more, reset = len(rows) > _ITEMS, since is not None and not touches.honoured
        if since is not None:
            items = self._with_inbox_items(call.user_id, rows, items)
        return Synced(items, more, SyncCursor(began, whole=not more, epoch=touches.epoch), reset)

    async def _touches(self, user_id: UserId, cursor: SyncCursor | None) -> Touches:
        try:
            touches = await self.live.touches(
                user_id, since=cursor.at if cursor else None, limit=_ITEMS + 1
            )
        except UnavailableError:
            return Touches(honoured=False, newest=NEVER)
        of_this_epoch = cursor is not None and cursor.epoch == touches.epoch
        return touches if of_this_epoch else replace(touches, honoured=False, touched=())

    async def _changed(
        self, user_id: UserId, positions: Positions, touches: Touches, limit: int
    ) -> Synced:
        shown, more = touches.touched[:_ITEMS], len(touches.touched) > _ITEMS
        ids = [conversation_id for conversation_id, _ in shown]
        rows = await self.inbox.rows(user_id, ids)
        rows = sorted(_own(rows, user_id), key=_activity_ms, reverse=True)
        with_position = [row for row in rows if row.conversation.id in positions]
        full = await self._items(user_id, with_position, positions, limit)
        by_id = {item.conversation_id: item for item in full}
        items = [by_id.get(row.conversation.id) or _bare(row) for row in rows]
        mine = {row.conversation.id for row in rows}
        return Synced(
            self._with_inbox_items(user_id, rows, items),
            more,
            SyncCursor(shown[-1][1] if more else touches.newest, epoch=touches.epoch),
            removed=tuple(each for each in ids if each not in mine),
        )

    def _with_inbox_items(
        self, user_id: UserId, rows: Iterable[Row], items: Iterable[SyncItem]
    ) -> list[SyncItem]:
        shown = {item.row.conversation.id: item for item in self.inbox.items(rows, user_id)}
        return [replace(item, inbox_item=shown.get(item.conversation_id)) for item in items]

    async def _news(self, user_id: UserId, positions: Positions) -> list[Row]:
        """Return the first conversations whose head lies past the client's position."""
        # The order is read at once: a conversation that rises while it is read in parts would be
        # missed.
        entries = await self.inbox.order.entries(user_id, limit=_MAX_CONVERSATIONS, after=None)
        items: list[Row] = []
        for portion in batched(entries, _PORTION, strict=False):
            ids = [entry.conversation_id for entry in portion]
            heads = await self.inbox.order.heads(user_id, ids, positions)
            ahead = [each for each in ids if _is_news(each, heads.get(each), positions)]
            rows = await self.inbox.rows(user_id, ahead[: _ITEMS + 1 - len(items)])
            items += [
                row
                for row in _own(rows, user_id)
                if _is_news(row.conversation.id, row.head.sequence, positions)
            ]
            if len(items) > _ITEMS:
                break
        return items

    async def _items(
        self, user_id: UserId, rows: Sequence[Row], positions: Positions, limit: int
    ) -> list[SyncItem]:
        missed = await gather_at_most(
            _READERS,
            (
                self._missed(user_id, row, positions.get(row.conversation.id, NO_SEQUENCE), limit)
                for row in rows
            ),
        )
        # After the messages, so that no status is older than its message; all in one round trip.
        live = await self.reader.heads_and_receipts([row.conversation.id for row in rows])
        return [
            await self._item(row, messages, complete, *head_and_receipts)
            for row, (messages, complete), head_and_receipts in zip(rows, missed, live, strict=True)
        ]

    async def _missed(
        self, user_id: UserId, row: Row, position: SequenceNumber, limit: int
    ) -> tuple[list[Message], bool]:
        conversation, latest = row.conversation, row.head.sequence
        member = conversation.find_member(user_id)
        history_from = member.history_from if member else SequenceNumber(latest + 1)
        gap = gap_after(position, latest=latest, history_from=history_from, limit=limit)
        if not gap:
            return [], gap.complete
        return await self.reader.messages(conversation.id, gap.first, gap.last), gap.complete

    async def _item(
        self,
        row: Row,
        messages: list[Message],
        complete: bool,
        head: Head,
        receipts: dict[UserId, Receipt],
    ) -> SyncItem:
        if messages and not head.is_cached:
            _, receipts = await self.reader.reconcile(
                row.conversation, epoch=head.epoch, known=receipts.values()
            )
        shown = with_status(row.conversation, messages, receipts)
        return SyncItem(row.conversation.id, row.head.sequence, shown, complete, row.receipt)


def _is_news(
    conversation_id: ConversationId, head: SequenceNumber | None, positions: Positions
) -> bool:
    if head is None:
        return False
    return conversation_id not in positions or head > positions[conversation_id]


def _own(rows: Iterable[Row], user_id: UserId) -> list[Row]:
    return [row for row in rows if row.conversation.find_member(user_id)]


def _bare(row: Row) -> SyncItem:
    return SyncItem(row.conversation.id, row.head.sequence, [], complete=False, receipt=row.receipt)


def _activity_ms(row: Row) -> int:
    return to_ms(row.head.at or row.conversation.created_at)
