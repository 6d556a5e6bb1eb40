"""Heads and receipts of conversations in Redis. One pipeline per method."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import override

from shared.adapters.items import message_text
from shared.adapters.redis import keys
from shared.adapters.redis.client import Entry, call
from shared.adapters.redis.conversations import head_scripts as scripts
from shared.adapters.redis.conversations.codec import (
    HEAD_FIELDS,
    fields_of,
    head_and_receipts,
    head_of,
)
from shared.adapters.redis.conversations.flush import mark_dirty
from shared.adapters.redis.epoch import RedisEpochs, epoch_of, read_epoch
from shared.adapters.redis.users import inbox_scripts as inbox
from shared.adapters.redis.users.calls import entered
from shared.adapters.redis.users.inbox import touching
from shared.domain.conversations.conversation import Conversation
from shared.domain.ids import ConnectionId, ConversationId, SequenceNumber, UserId
from shared.domain.live import NO_EPOCH, Epoch, Head
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt
from shared.domain.times import optional_from_ms, to_ms
from shared.ports import (
    Acknowledged,
    Call,
    CallState,
    ConversationHeads,
    SenderErasedError,
)


class RedisHeads(RedisEpochs, ConversationHeads):
    """Fulfils `ConversationHeads`."""

    @override
    async def enter_conversation(
        self, call: Call, conversation_id: ConversationId
    ) -> tuple[CallState, Head]:
        answers = await self._client.run(*self._entering(call), *_read_head(conversation_id))
        return entered(answers[0]), head_of(answers[-1], epoch_of(answers[-2]))

    @override
    async def record_sent(
        self,
        message: Message,
        members: Iterable[UserId],
        *,
        connection_id: ConnectionId | None = None,
    ) -> bool:
        conversation_id, at = message.conversation_id, to_ms(message.sent_at)
        sender = message.sender_id
        (has_other_connections, erased), *_ = await self._client.run(
            call(
                scripts.ELSEWHERE,
                (keys.presence(sender), keys.account(sender)),
                connection_id or "",
            ),
            call(
                scripts.SENT,
                (keys.conversation(conversation_id), keys.changed(conversation_id)),
                message.sequence,
                at,
                message_text(message),
                message.sender_id,
            ),
            mark_dirty(conversation_id),
            *(call(inbox.BUMP, (keys.inbox(user),), conversation_id, at) for user in members),
            call(scripts.TOLD, (keys.conversation(conversation_id),), message.sequence),
        )
        if erased and not message.is_erased:
            raise SenderErasedError
        return bool(has_other_connections)

    @override
    async def raise_heads(self, newest: Sequence[Message]) -> list[bool]:
        answers = await self._client.run(
            *(
                call(
                    scripts.RAISE_HEAD,
                    (keys.conversation(message.conversation_id),),
                    message.sequence,
                    to_ms(message.sent_at),
                    message_text(message),
                )
                for message in newest
            )
        )
        return [bool(answer) for answer in answers]

    @override
    async def acknowledge(
        self,
        call: Call,
        conversation: Conversation,
        *,
        delivered: SequenceNumber,
        read: SequenceNumber,
        now: datetime,
    ) -> tuple[CallState, Acknowledged]:
        entering = self._entering(call)
        answers = await self._client.run(
            *entering,
            _acknowledge(conversation, call.user_id, delivered, read, now),
            mark_dirty(conversation.id),
            *(
                touching(user, conversation.id)
                for user in _told_at_once(conversation, call.user_id)
            ),
        )
        outcome, got_delivered, got_read, moved_ms, head = answers[len(entering)]
        receipt = Receipt(
            conversation.id,
            call.user_id,
            SequenceNumber(got_delivered),
            SequenceNumber(got_read),
            optional_from_ms(moved_ms),
        )
        return entered(answers[0]), Acknowledged(outcome.decode(), receipt, SequenceNumber(head))

    @override
    async def seed(
        self,
        conversation: Conversation,
        newest: Message | None,
        receipts: Iterable[Receipt],
        *,
        flushed: int = 0,
        epoch: Epoch = NO_EPOCH,
    ) -> None:
        flat: list[str | int] = []
        for receipt in receipts:
            moved_at = to_ms(receipt.updated_at) if receipt.updated_at else 0
            flat += [receipt.user_id, receipt.delivered, receipt.read, moved_at]
        await self._client.run(
            call(
                scripts.SEED,
                (keys.conversation(conversation.id),),
                conversation.version,
                newest.sequence if newest else 0,
                to_ms(newest.sent_at if newest else conversation.created_at),
                message_text(newest) if newest else "",
                flushed,
                epoch,
                *flat,
            )
        )

    @override
    async def head(self, conversation_id: ConversationId) -> Head:
        epoch, answer = await self._client.run(*_read_head(conversation_id))
        return head_of(answer, epoch_of(epoch))

    @override
    async def receipts(
        self, ids: Sequence[ConversationId]
    ) -> list[tuple[Head, dict[UserId, Receipt]]]:
        first, *answers = await self._client.run(
            read_epoch(),
            *(("HGETALL", keys.conversation(conversation_id)) for conversation_id in ids),
        )
        epoch = epoch_of(first)
        return [
            head_and_receipts(conversation_id, fields_of(row), epoch)
            for conversation_id, row in zip(ids, answers, strict=True)
        ]

    @override
    async def set_version(self, conversation_id: ConversationId, version: int) -> None:
        key = keys.conversation(conversation_id)
        await self._client.run(call(scripts.SET_VERSION, (key,), version))


def _read_head(conversation_id: ConversationId) -> tuple[Entry, Entry]:
    return read_epoch(), ("HMGET", keys.conversation(conversation_id), *HEAD_FIELDS)


def _told_at_once(conversation: Conversation, user: UserId) -> tuple[UserId, ...]:
    # Of a group, the others are told at the next flush, as by the push.
    return conversation.member_ids if conversation.kind == "direct" else (user,)


def _acknowledge(
    conversation: Conversation, user: UserId, delivered: int, read: int, now: datetime
) -> Entry:
    return call(
        scripts.ACKNOWLEDGE,
        (keys.conversation(conversation.id), keys.changed(conversation.id)),
        user,
        conversation.version,
        delivered,
        read,
        to_ms(now),
    )
