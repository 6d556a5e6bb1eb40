"""What a member reads of a conversation: everyone's receipts, and messages by pages."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.conversations.conversation import Conversation
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.messages.message import Message, Status, status_of
from shared.domain.messages.receipt import Receipt, receipts_of, receipts_shown
from shared.ports import Call
from shared.services.admission.admission import Admission
from shared.services.conversations.reader import ConversationReader


@dataclass(frozen=True, slots=True)
class OpenedConversation:
    """A conversation with everyone's receipts, as far as the caller may see them."""

    conversation: Conversation
    latest: SequenceNumber
    receipts: list[Receipt]


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in rising sequence, each with what its sender sees of it."""

    messages: list[tuple[Message, Status]]
    latest: SequenceNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Reads conversations and their messages."""

    admission: Admission
    reader: ConversationReader

    async def open(self, call: Call, conversation_id: ConversationId) -> OpenedConversation:
        """Return a conversation with its receipts.

        Raises:
            NotFoundError: There is no such conversation for this caller.
            UnavailableError: The store did not answer.
        """
        conversation = (await self.admission.admit_to(call, conversation_id)).conversation
        head, receipts = await self.reader.receipts(conversation)
        shown = list(receipts_shown(conversation, receipts, to=call.user_id))
        return OpenedConversation(conversation, head.sequence, shown)

    async def list_messages(
        self,
        call: Call,
        conversation_id: ConversationId,
        *,
        before: SequenceNumber | None,
        after: SequenceNumber | None,
        limit: int,
    ) -> Page:
        """Return up to *limit* messages: the first after *after*, or the last before *before*.

        The head is a hint that may lag. So a page that reaches the head reads past it too, and
        shows messages that live state does not know yet.

        Raises:
            NotFoundError: There is no such conversation for this caller.
            UnavailableError: The store did not answer, or lags behind the head for long.
        """
        admitted = await self.admission.admit_to(call, conversation_id)
        latest = admitted.head.sequence
        first, last = _bounds(before, after, limit, latest, admitted.member.history_from)
        beyond = _beyond(first, last, limit, latest, closed=before is not None)
        messages = await self.reader.messages(conversation_id, first, last, beyond=beyond)
        messages = messages[:limit] if after is not None else messages[-limit:]
        if messages and messages[-1].sequence > latest:
            latest = messages[-1].sequence
            self.reader.raise_head(conversation_id, latest)
        _, receipts = await self.reader.receipts(admitted.conversation)
        return Page(with_status(admitted.conversation, messages, receipts), latest)


def _bounds(
    before: SequenceNumber | None,
    after: SequenceNumber | None,
    limit: int,
    latest: SequenceNumber,
    history_from: SequenceNumber,
) -> tuple[SequenceNumber, SequenceNumber]:
    top = latest if before is None else min(latest, before - 1)
    if after is not None:
        # Messages that a new member may not see are skipped. Otherwise the first page from 0 would
        # be empty, which ends the paging.
        first = max(after + 1, history_from)
        return SequenceNumber(first), SequenceNumber(min(top, first + limit - 1))
    return SequenceNumber(max(history_from, top - limit + 1)), SequenceNumber(top)


def _beyond(
    first: SequenceNumber, last: SequenceNumber, limit: int, latest: SequenceNumber, *, closed: bool
) -> SequenceNumber:
    open_end = not closed and last >= min(latest, first + limit - 1)
    return SequenceNumber(max(first, last + 1) + limit - 1) if open_end else last


def with_status(
    conversation: Conversation, messages: Iterable[Message], receipts: dict[UserId, Receipt]
) -> list[tuple[Message, Status]]:
    """Return *messages*, each with what every other member has done with it at least."""
    pairs = list(zip(conversation.members, receipts_of(conversation, receipts), strict=True))
    return [
        (
            message,
            status_of(message, [r for m, r in pairs if m.history_from <= message.sequence]),
        )
        for message in messages
    ]
