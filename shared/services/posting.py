"""Sending a message: store first, push second. After the store has it, it exists, come what may."""

import logging
from dataclasses import dataclass, replace

from shared import telemetry
from shared.domain.access import require_unblocked
from shared.domain.conversation import Conversation, Member
from shared.domain.errors import InvalidError, NotFoundError, UnavailableError
from shared.domain.events import (
    Effect,
    MessagePosted,
    Push,
    ToGroup,
    ToUser,
    conversation_group,
)
from shared.domain.ids import NO_SEQUENCE, ConnectionId, ConversationId, Sequence, UserId
from shared.domain.live import Head
from shared.domain.message import Draft, Message, erase
from shared.ports import Call, Clock, Ids, LiveState, SenderErasedError
from shared.services.attachments import Attachments
from shared.services.entrance import Entrance
from shared.services.message_eraser import MessageEraser
from shared.services.reader import ConversationReader
from shared.services.sequencer import Sequencer, Stored
from shared.services.turns import Turns

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Posted:
    """A stored message, whether it was stored before this call, and whom to tell."""

    message: Message
    repeated: bool
    effects: list[Effect]


@dataclass(frozen=True, slots=True)
class Posting:
    """Posts messages: the architecture's send path, steps 1 to 5."""

    entrance: Entrance
    reader: ConversationReader
    sequencer: Sequencer
    attachments: Attachments
    live: LiveState
    clock: Clock
    ids: Ids
    turns: Turns
    eraser: MessageEraser

    async def post_message(
        self, call: Call, conversation_id: ConversationId, draft: Draft
    ) -> Posted:
        """Store *draft* once and return it with its sequence.

        A repeat of the same client message id returns the original, is pushed again, and stores
        nothing. Costs one request to the store and two round trips to live state.

        The sender may be erased after they were let in, while the message is on its way to the
        store. So live state is asked again when the message is recorded, in the same round trip:
        then the message is emptied here and nobody is told of it. Should this worker die before,
        the change feed empties it (`MessageEraser.empty_late`).

        Raises:
            NotFoundError: No such conversation for this caller, or they were erased meanwhile.
            BlockedError: Either side of a direct conversation blocks the other.
            RateLimitedError: The caller's bucket is empty.
            InvalidError: `replyTo` or an attachment is not there.
            UnavailableError: The store did not answer; the message may be stored: send it again.
        """
        entered = await self.entrance.enter(call, conversation_id)
        conversation, head = entered.conversation, entered.head
        require_unblocked(conversation)
        _check_reply(draft, entered.member, head)
        attachments = await self.attachments.checked(call.user_id, conversation_id, draft)
        message = self._message(conversation, call.user_id, replace(draft, attachments=attachments))
        stored = await self._store(message, head, retry=draft.retry)
        try:
            elsewhere = await self._record(stored.message, conversation, call.connection_id)
        except SenderErasedError as error:
            await self.eraser.empty([stored.message])
            raise NotFoundError("no such conversation") from error
        pushes = _pushes(stored.message, conversation, elsewhere=elsewhere)
        _log(stored, pushes)
        return Posted(stored.message, stored.repeated, entered.effects + pushes)

    async def post_system_message(
        self, conversation: Conversation, *, actor: UserId, body: str
    ) -> Posted:
        """Store who did what to *conversation*, as a message of kind `system`."""
        head = await self.entrance.head(conversation)
        draft = Draft(self.ids.new_client_message_id(), body)
        message = replace(self._message(conversation, actor, draft), kind="system")
        stored = await self._store(message, head, retry=False)
        try:
            elsewhere = await self._record(stored.message, conversation, None)
        except SenderErasedError:
            await self.eraser.empty([stored.message])
            return Posted(erase(stored.message), stored.repeated, [])
        effects = _pushes(stored.message, conversation, elsewhere=elsewhere)
        return Posted(stored.message, stored.repeated, effects)

    async def _store(self, message: Message, head: Head, *, retry: bool) -> Stored:
        async with self.turns.of(message.conversation_id):
            newest = max(head.sequence, self.reader.local_head(message.conversation_id))
            stored = await self.sequencer.store(message, head=Sequence(newest), retry=retry)
            self.reader.raise_head(message.conversation_id, stored.message.sequence)
            return stored

    async def _record(
        self, message: Message, conversation: Conversation, connection_id: ConnectionId | None
    ) -> bool:
        """Tell live state; return whether the sender may be connected elsewhere too."""
        members = conversation.member_ids
        try:
            return await self.live.record_sent(message, members, connection_id=connection_id)
        except UnavailableError:
            # Members find the message by sync and by notification; heads are hints.
            logger.warning("message stored, live state not told: %s", message.conversation_id)
            return True

    def _message(self, conversation: Conversation, sender: UserId, draft: Draft) -> Message:
        return Message(
            conversation_id=conversation.id,
            sequence=NO_SEQUENCE,
            sender_id=sender,
            client_message_id=draft.client_message_id,
            kind="text",
            body=draft.body,
            attachments=draft.attachments,
            reply_to=draft.reply_to,
            sent_at=self.clock.now(),
            trace=telemetry.traceparent(),
        )


def _log(stored: Stored, pushes: list[Effect]) -> None:
    logger.info(
        "stored conversation=%s sequence=%d client_message_id=%s repeated=%s pushed=%d",
        stored.message.conversation_id,
        stored.message.sequence,
        stored.message.client_message_id,
        stored.repeated,
        len(pushes),
    )


def _check_reply(draft: Draft, member: Member, head: Head) -> None:
    if draft.reply_to is None:
        return
    if not member.history_from <= draft.reply_to <= head.sequence:
        raise InvalidError("replyTo: there is no such message")


def _pushes(message: Message, conversation: Conversation, *, elsewhere: bool) -> list[Effect]:
    event = MessagePosted(message)
    if conversation.kind == "group":
        return [Push(event, ToGroup(conversation_group(conversation.id)))]
    pushes: list[Effect] = [
        Push(event, ToUser(other)) for other in conversation.others(message.sender_id)
    ]
    if elsewhere:
        pushes.append(Push(event, ToUser(message.sender_id)))
    return pushes
