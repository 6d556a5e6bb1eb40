"""Acknowledging: receipts move in live state at once, and in the store with the next flush."""

import logging
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.conversations.access import access_conversation
from shared.domain.conversations.conversation import Conversation
from shared.domain.errors import SequenceOutOfRangeError, UnavailableError
from shared.domain.events import (
    Effect,
    Push,
    ReceiptAdvanced,
    ToUser,
    audience,
)
from shared.domain.ids import NO_SEQUENCE, ConversationId, SequenceNumber, UserId
from shared.domain.messages.receipt import Receipt
from shared.ports import Acknowledged, Call, CallState, Clock, ConversationHeads
from shared.services.admission.admission import Admission
from shared.services.conversations.reader import ConversationReader

logger = logging.getLogger(__name__)

_TRIES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Moves watermarks, and tells the users who see them."""

    admission: Admission
    reader: ConversationReader
    live: ConversationHeads
    clock: Clock

    async def acknowledge(
        self,
        call: Call,
        conversation_id: ConversationId,
        *,
        delivered: SequenceNumber | None,
        read: SequenceNumber | None,
    ) -> tuple[Receipt, list[Effect]]:
        """Advance the caller's watermarks; a late or repeated call changes nothing.

        Costs one round trip to live state. In a direct conversation the other member is told at
        once; in a group everyone is told together at the next flush, one push for all receipts.

        Raises:
            NotFoundError: There is no such conversation for this caller.
            SequenceOutOfRangeError: A watermark lies past the newest message.
            UnavailableError: Live state is down; acknowledge again later.
        """
        # Any cached copy will do: live state compares the copy's version in the step that moves the
        # watermarks. So a removed member moves nothing, and usually nobody asks for the version.
        version = 0
        effects: list[Effect] = []
        for _ in range(_TRIES):
            conversation = await self._opened(call.user_id, conversation_id, version=version)
            state, done = await self._merge(call, conversation, delivered=delivered, read=read)
            effects += await self.admission.decide(call, state)
            call = replace(call, limit=None)  # one token, however many attempts it takes
            if done.outcome in {"moved", "unchanged"}:
                _log(done)
                return done.receipt, effects + _pushes(conversation, state, done)
            if done.outcome == "stale":
                version = conversation.version + 1
            else:
                await self._restore(call, conversation, up_to=max(delivered or 0, read or 0))
        raise UnavailableError("the conversation is being changed")

    async def _merge(
        self,
        call: Call,
        conversation: Conversation,
        *,
        delivered: SequenceNumber | None,
        read: SequenceNumber | None,
    ) -> tuple[CallState, Acknowledged]:
        try:
            return await self.live.acknowledge(
                call,
                conversation,
                delivered=delivered or NO_SEQUENCE,
                read=read or NO_SEQUENCE,
                now=self.clock.now(),
            )
        except UnavailableError:
            self.admission.admit_locally(call)
            raise

    async def _restore(self, call: Call, conversation: Conversation, *, up_to: int) -> None:
        """Put a conversation back into live state, which has lost it or whose head is behind."""
        head, _ = await self.reader.reconcile(conversation)
        # The store may have a newer conversation than the copy that admitted the caller.
        access_conversation(await self.reader.find(conversation.id, version=0), call.user_id)
        if up_to > head.sequence:
            raise SequenceOutOfRangeError(up_to=up_to, latest=head.sequence)

    async def _opened(
        self, user_id: UserId, conversation_id: ConversationId, *, version: int
    ) -> Conversation:
        copy = await self.reader.find(conversation_id, version=version)
        if copy is None or copy.find_member(user_id) is None:
            # The copy may be from before the caller joined, so the store decides.
            copy = await self.reader.find(conversation_id, version=None)
        return access_conversation(copy, user_id)[0]


def _log(done: Acknowledged) -> None:
    if done.outcome == "moved":
        logger.info(
            "acknowledged conversation=%s user=%s delivered=%d read=%d",
            done.receipt.conversation_id,
            done.receipt.user_id,
            done.receipt.delivered,
            done.receipt.read,
        )


def _pushes(conversation: Conversation, state: CallState, done: Acknowledged) -> list[Effect]:
    if done.outcome == "unchanged":
        return []
    event = ReceiptAdvanced((done.receipt,))
    pushes: list[Effect] = []
    if conversation.kind == "direct" and not conversation.blocked_by:
        pushes += [Push(event, to) for to in audience(conversation, but=done.receipt.user_id)]
    if state.has_other_connections:
        pushes.append(Push(event, ToUser(done.receipt.user_id)))
    return pushes
