"""Sending a message. Once the store has the message it exists, whatever fails after that."""

import logging
from dataclasses import dataclass, replace

from shared import telemetry
from shared.domain.conversations.access import require_unblocked
from shared.domain.conversations.conversation import Conversation, Member
from shared.domain.errors import InvalidError, NotFoundError
from shared.domain.events import Effect, MessagePosted, Push, ToUser, audience
from shared.domain.ids import NO_SEQUENCE, ConversationId, UserId
from shared.domain.live import Head
from shared.domain.messages.message import Draft, Message, erase
from shared.ports import Call, Clock, Ids, SenderErasedError
from shared.services.admission.admission import Admission
from shared.services.conversations.reader import ConversationReader
from shared.services.files.attachments import Attachments
from shared.services.messages.message_writer import MessageWriter
from shared.services.messages.sequencer import Stored

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Posted:
    """A stored message, whether it was stored before this call, and whom to tell."""

    message: Message
    repeated: bool
    effects: list[Effect]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """Posts messages (docs/architecture.md tells a message's whole way)."""

    admission: Admission
    reader: ConversationReader
    attachments: Attachments
    writer: MessageWriter
    clock: Clock
    ids: Ids

    async def post_message(
        self, call: Call, conversation_id: ConversationId, draft: Draft
    ) -> Posted:
        """Store *draft* once and return it with its sequence.

        A repeat of the same client message id returns the original, is pushed again, and stores
        nothing. Costs one request to the store and two round trips to live state.

        Raises:
            NotFoundError: No such conversation for this caller, or they were erased meanwhile.
            BlockedError: Either side of a direct conversation blocks the other.
            RateLimitedError: The caller's bucket is empty.
            InvalidError: `replyTo` or an attachment is not there.
            UnavailableError: The store did not answer; the message may be stored: send it again.
        """
        admitted = await self.admission.admit_to(call, conversation_id)
        conversation, head = admitted.conversation, admitted.head
        require_unblocked(conversation)
        _check_reply(draft, admitted.member, head)
        attachments = await self.attachments.checked(call.user_id, conversation_id, draft)
        message = self._message(conversation, call.user_id, replace(draft, attachments=attachments))
        stored = await self.writer.store(message, head, retry=draft.retry)
        try:
            sender_has_other_connections = await self.writer.record(
                stored.message, conversation, call.connection_id
            )
        except SenderErasedError as error:
            raise NotFoundError("no such conversation") from error
        pushes = _pushes(
            stored.message, conversation, sender_has_other_connections=sender_has_other_connections
        )
        _log(stored, pushes)
        return Posted(stored.message, stored.repeated, admitted.effects + pushes)

    async def post_system_message(
        self, conversation: Conversation, *, actor: UserId, body: str
    ) -> Posted:
        """Store who did what to *conversation*, as a message of kind `system`."""
        head = await self.reader.head(conversation)
        draft = Draft(self.ids.new_client_message_id(), body)
        message = replace(self._message(conversation, actor, draft), kind="system")
        stored = await self.writer.store(message, head, retry=False)
        try:
            sender_has_other_connections = await self.writer.record(
                stored.message, conversation, None
            )
        except SenderErasedError:
            return Posted(erase(stored.message), stored.repeated, [])
        effects = _pushes(
            stored.message, conversation, sender_has_other_connections=sender_has_other_connections
        )
        return Posted(stored.message, stored.repeated, effects)

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


def _pushes(
    message: Message, conversation: Conversation, *, sender_has_other_connections: bool
) -> list[Effect]:
    """Return the pushes of a message. A group is one push, which reaches its sender too."""
    event = MessagePosted(message)
    pushes: list[Effect] = [Push(event, to) for to in audience(conversation, but=message.sender_id)]
    if conversation.kind == "direct" and sender_has_other_connections:
        pushes.append(Push(event, ToUser(message.sender_id)))
    return pushes
