"""The inbox: a user's conversations, newest activity first.

Its order is kept in live state, so a page costs the same for ten conversations and for ten
thousand. After a loss the order is rebuilt from the store once (`inbox_order.py`). The first
page does not wait for all of it.
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.domain.conversation import Conversation, Member
from shared.domain.errors import UnavailableError
from shared.domain.ids import NO_SEQUENCE, ConversationId, Sequence, UserId
from shared.domain.inbox import InboxItem, Row
from shared.domain.live import Head
from shared.domain.mute import UNSAID, Mute, muted_until
from shared.domain.receipt import Receipt, unread_count
from shared.ports import Call, Clock, InboxEntry, InboxState, LiveSummary, MembershipStore
from shared.services.admission import Admission
from shared.services.gathering import gather_at_most
from shared.services.inbox_order import InboxOrder
from shared.services.reader import ConversationReader

_READERS: Final = 8


@dataclass(frozen=True, slots=True)
class InboxPage:
    items: list[InboxItem]
    continuation: InboxEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """Lists a user's conversations."""

    admission: Admission
    reader: ConversationReader
    live: InboxState
    memberships: MembershipStore
    clock: Clock
    order: InboxOrder

    async def list_conversations(
        self, call: Call, *, limit: int, after: InboxEntry | None
    ) -> InboxPage:
        """Return a page of the caller's inbox.

        Raises:
            UnavailableError: The store did not answer.
        """
        await self.admission.admit(call)
        entries = await self.order.entries(call.user_id, limit=limit + 1, after=after)
        shown, more = entries[:limit], len(entries) > limit
        rows = await self.rows(call.user_id, [entry.conversation_id for entry in shown])
        return InboxPage(self.items(rows, call.user_id), shown[-1] if more else None)

    def items(self, rows: Iterable[Row], user_id: UserId) -> list[InboxItem]:
        """Return *rows* as this user sees them; those they are no member of are left out."""
        now = self.clock.now()
        found = ((row, row.conversation.find_member(user_id)) for row in rows)
        return [_item(row, member, now) for row, member in found if member]

    async def rows(self, user_id: UserId, ids: list[ConversationId]) -> list[Row]:
        """Return the conversations of *ids* that exist, in that order."""
        if not ids:
            return []
        try:
            summaries = await self.live.summaries(user_id, ids)
        except UnavailableError:
            nothing = [Receipt(one, user_id) for one in ids]
            summaries = [LiveSummary(Head(), None, receipt) for receipt in nothing]
        by_id = dict(zip(ids, summaries, strict=True))
        mutes = await self._mutes(user_id, by_id)
        versions = {one: s.head.version if s.head.known else None for one, s in by_id.items()}
        found = await self.reader.find_many(versions)

        async def row(conversation: Conversation) -> Row:
            row = await self._row(user_id, conversation, by_id[conversation.id])
            return replace(row, mute=mutes.get(conversation.id, UNSAID))

        return await gather_at_most(_READERS, map(row, found))

    async def _mutes(
        self, user_id: UserId, summaries: Mapping[ConversationId, LiveSummary]
    ) -> dict[ConversationId, Mute]:
        known = {one: summary.mute for one, summary in summaries.items() if summary.mute}
        asked = [one for one in summaries if one not in known]
        if not asked:
            return known
        said = await self.memberships.mutes_of(user_id, asked)
        found = {one: said.get(one, UNSAID) for one in asked}
        epoch = summaries[asked[0]].head.epoch  # as it was before the store was asked
        if epoch:
            with contextlib.suppress(UnavailableError):
                await self.live.remember_mutes(user_id, found, epoch=epoch)
        return known | found

    async def _row(self, user_id: UserId, conversation: Conversation, known: LiveSummary) -> Row:
        head, last, receipt = known.head, known.last, known.receipt
        if not head.known:
            head, receipts = await self.reader.recover(
                conversation, epoch=head.epoch, known=[receipt]
            )
            receipt = receipts.get(user_id, receipt)
        if head.sequence and (last is None or last.sequence != head.sequence):
            last = await self.reader.message(conversation.id, head.sequence)
        return Row(conversation, head, last, receipt)


def _item(row: Row, member: Member, now: datetime) -> InboxItem:
    latest: Sequence = row.head.sequence
    unread = unread_count(latest=latest, read=row.receipt.read, history_from=member.history_from)
    if (row.last.sequence if row.last else NO_SEQUENCE) < member.history_from:
        row = replace(row, last=None)
    return InboxItem(row, unread, muted_until(member, row.mute, now=now))
