"""The inbox: a user's conversations, newest activity first.

Its order is kept in live state, so a page costs the same for ten conversations and for ten
thousand. After a loss the order is reconciled from the store once (`inbox_order.py`). The first
page does not wait for all of it.
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.domain.conversations.conversation import Conversation, Member
from shared.domain.conversations.inbox import InboxItem, Row
from shared.domain.conversations.mute import UNSAID, Mute, muted_until
from shared.domain.errors import UnavailableError
from shared.domain.ids import NO_SEQUENCE, ConversationId, SequenceNumber, UserId
from shared.domain.live import Head
from shared.domain.messages.receipt import Receipt, unread_count
from shared.ports import Call, Clock, InboxEntry, InboxState, LiveSummary, MembershipStore
from shared.services.admission.admission import Admission
from shared.services.conversations.reader import ConversationReader
from shared.services.gathering import gather_at_most
from shared.services.inbox.order import InboxOrder

_READERS: Final = 8


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A part of an inbox, and the entry after which the next part begins; None at the end."""

    items: list[InboxItem]
    continuation: InboxEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """Lists a user's conversations, as the user sees them."""

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
        """Return *rows* as this user sees them, without those that they are no member of."""
        now = self.clock.now()
        pairs = ((row, row.conversation.find_member(user_id)) for row in rows)
        return [_item(row, member, now) for row, member in pairs if member]

    async def rows(self, user_id: UserId, ids: list[ConversationId]) -> list[Row]:
        """Return the rows of those *ids* that exist, in that order.

        Raises:
            UnavailableError: The store did not answer.
        """
        if not ids:
            return []
        try:
            summaries = await self.live.summaries(user_id, ids)
        except UnavailableError:
            summaries = [LiveSummary(Head(), None, Receipt(each, user_id)) for each in ids]
        by_id = dict(zip(ids, summaries, strict=True))
        mutes = await self._mutes(user_id, by_id)
        heads = {each: summary.head for each, summary in by_id.items()}
        conversations = await self.reader.find_many(
            {each: head.version if head.is_cached else None for each, head in heads.items()}
        )

        async def row(conversation: Conversation) -> Row:
            row = await self._row(user_id, conversation, by_id[conversation.id])
            return replace(row, mute=mutes.get(conversation.id, UNSAID))

        return await gather_at_most(_READERS, map(row, conversations))

    async def _mutes(
        self, user_id: UserId, summaries: Mapping[ConversationId, LiveSummary]
    ) -> dict[ConversationId, Mute]:
        """Return the user's mutes: from live state, and from the memberships where it has none.

        What the memberships say is remembered for the epoch that live state was in *before* they
        were read. So a mute that was read before a loss of live state never passes for the newest.
        """
        remembered = {each: summary.mute for each, summary in summaries.items() if summary.mute}
        lacking = [each for each in summaries if each not in remembered]
        if not lacking:
            return remembered
        stored = await self.memberships.mutes_of(user_id, lacking)
        mutes = {each: stored.get(each, UNSAID) for each in lacking}
        epoch = summaries[lacking[0]].head.epoch
        if epoch:
            with contextlib.suppress(UnavailableError):
                await self.live.remember_mutes(user_id, mutes, epoch=epoch)
        return remembered | mutes

    async def _row(self, user_id: UserId, conversation: Conversation, summary: LiveSummary) -> Row:
        head, last, receipt = summary.head, summary.last, summary.receipt
        if not head.is_cached:
            head, receipts = await self.reader.reconcile(
                conversation, epoch=head.epoch, known=[receipt]
            )
            receipt = receipts.get(user_id, receipt)
        if head.sequence and (last is None or last.sequence != head.sequence):
            last = await self.reader.message(conversation.id, head.sequence)
        return Row(conversation, head, last, receipt)


def _item(row: Row, member: Member, now: datetime) -> InboxItem:
    latest: SequenceNumber = row.head.sequence
    unread = unread_count(latest=latest, read=row.receipt.read, history_from=member.history_from)
    if (row.last.sequence if row.last else NO_SEQUENCE) < member.history_from:
        row = replace(row, last=None)
    return InboxItem(row, unread, muted_until(member, row.mute, now=now))
