"""Live state in Redis: heads, receipts, seats, limits. One pipeline per method."""

from collections.abc import Iterable
from collections.abc import Sequence as Series
from dataclasses import fields
from datetime import datetime
from typing import Final, override

from shared.adapters import redis_inbox_scripts as inbox
from shared.adapters import redis_keys as keys
from shared.adapters import redis_scripts as scripts
from shared.adapters.items import message_text
from shared.adapters.redis_client import Argument, Entry, RedisClient, call
from shared.adapters.redis_codec import (
    COUNT,
    HEAD_FIELDS,
    READY,
    fields_of,
    head_and_receipts,
    head_of,
    seats_of,
    summary_of,
)
from shared.adapters.redis_epoch import RedisEpochs, epoch_of, read_epoch
from shared.adapters.redis_flush import RedisFlushes
from shared.adapters.redis_inbox import RedisInboxes, touching
from shared.adapters.redis_mutes import mute_of
from shared.config import Limits
from shared.domain.conversation import Conversation
from shared.domain.ids import ConnectionId, ConversationId, Sequence, UserId
from shared.domain.live import NO_EPOCH, Epoch, Head
from shared.domain.message import Message
from shared.domain.receipt import Receipt
from shared.domain.seats import Seat
from shared.domain.times import optional_from_ms, to_ms
from shared.ports import (
    AccountState,
    Acknowledged,
    Call,
    CallState,
    LiveState,
    LiveSummary,
    SenderErasedError,
)

_BUCKETS = ("none", *(field.name for field in fields(Limits)))
# Keys of one user alone; what lives for seconds goes by itself.
_PERSONAL = (
    *(keys.inbox, keys.seats, keys.unsure, keys.presence),
    *(keys.opened, keys.seen, keys.closed, keys.quota, keys.uploads, keys.marks),
    keys.mutes,
)
_ACCOUNT_STATES: Final[tuple[AccountState, ...]] = ("open", "erased", "unknown")
_DAY_MS = 24 * 3600 * 1000
_REPAIRED_KEEP_MS = 30 * _DAY_MS


class RedisLiveState(RedisEpochs, RedisInboxes, RedisFlushes, LiveState):
    """Fulfils `LiveState`. Losing all of it loses speed, never truth."""

    def __init__(self, client: RedisClient, *, lease_s: int) -> None:
        super().__init__(client)
        self._lease_ms = lease_s * 1000

    def entering(self, call_: Call) -> list[Entry]:
        """Return the pipeline entries that begin every call; `entered` reads their answers."""
        user, (what, limit) = call_.user_id, call_.limit or ("none", None)
        entries: list[Entry] = [
            call(
                scripts.ENTER,
                (
                    *(keys.presence(user), keys.seen(user), keys.closed(user)),
                    *(keys.bucket(user, what), keys.account(user)),
                ),
                call_.connection_id or "",
                self._lease_ms,
                limit.per_second if limit else 0,
                limit.burst if limit else 0,
            )
        ]
        if call_.connection_id:
            index = keys.leases(keys.shard_of(user))
            entries.append(call(scripts.NOTE_LEASE, (index,), user, self._lease_ms))
        return entries

    @staticmethod
    def entered(answer: list[int]) -> CallState:
        wait_ms, came, others, account = answer
        return CallState(
            wait_ms,
            came_online=came == 1,
            has_other_connections=others > 0,
            account=_ACCOUNT_STATES[account],
        )

    @override
    async def enter(self, call: Call) -> CallState:
        answers = await self._client.run(*self.entering(call))
        return self.entered(answers[0])

    @override
    async def take_quota(self, user_id: UserId, amount: int, *, most: int) -> int:
        (wait_ms,) = await self._client.run(
            call(scripts.QUOTA, (keys.quota(user_id),), amount, most, _DAY_MS)
        )
        return int(wait_ms)

    @override
    async def enter_conversation(
        self, call: Call, conversation_id: ConversationId
    ) -> tuple[CallState, Head]:
        answers = await self._client.run(*self.entering(call), *_read_head(conversation_id))
        return self.entered(answers[0]), head_of(answers[-1], epoch_of(answers[-2]))

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
        (elsewhere, erased), *_ = await self._client.run(
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
            _mark_dirty(conversation_id),
            *(call(inbox.BUMP, (keys.inbox(user),), conversation_id, at) for user in members),
            call(scripts.TOLD, (keys.conversation(conversation_id),), message.sequence),
        )
        if erased and not message.is_erased:
            raise SenderErasedError
        return bool(elsewhere)

    @override
    async def raise_heads(self, newest: Series[Message]) -> list[bool]:
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
    async def heartbeat(self, call: Call) -> tuple[CallState, int]:
        answers = await self._client.run(
            *self.entering(call), ("ZSCORE", keys.inbox(call.user_id), COUNT)
        )
        return self.entered(answers[0]), -int(float(answers[-1] or 0))

    @override
    async def acknowledge(
        self,
        call: Call,
        conversation: Conversation,
        *,
        delivered: Sequence,
        read: Sequence,
        now: datetime,
    ) -> tuple[CallState, Acknowledged]:
        entering = self.entering(call)
        answers = await self._client.run(
            *entering,
            _acknowledge(conversation, call.user_id, delivered, read, now),
            _mark_dirty(conversation.id),
            *(
                touching(user, conversation.id)
                for user in _told_at_once(conversation, call.user_id)
            ),
        )
        outcome, got_delivered, got_read, moved_ms, head = answers[len(entering)]
        receipt = Receipt(
            conversation.id,
            call.user_id,
            Sequence(got_delivered),
            Sequence(got_read),
            optional_from_ms(moved_ms),
        )
        return self.entered(answers[0]), Acknowledged(outcome.decode(), receipt, Sequence(head))

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
        self, ids: Series[ConversationId]
    ) -> list[tuple[Head, dict[UserId, Receipt]]]:
        first, *answers = await self._client.run(
            read_epoch(), *(("HGETALL", keys.conversation(one)) for one in ids)
        )
        epoch = epoch_of(first)
        return [
            head_and_receipts(one, fields_of(row), epoch)
            for one, row in zip(ids, answers, strict=True)
        ]

    @override
    async def summaries(self, user_id: UserId, ids: Series[ConversationId]) -> list[LiveSummary]:
        own = (f"d:{user_id}", f"r:{user_id}", f"t:{user_id}")
        first, *answers = await self._client.run(
            read_epoch(),
            *(("HMGET", keys.conversation(one), *HEAD_FIELDS, "last", *own) for one in ids),
            *([("HMGET", keys.mutes(user_id), *ids)] if ids else []),
        )
        epoch = epoch_of(first)
        mutes = [mute_of(kept, epoch) for kept in (answers.pop() if ids else [])]
        rows = zip(ids, answers, mutes, strict=True)
        return [summary_of(one, user_id, row, epoch, mute) for one, row, mute in rows]

    @override
    async def set_version(self, conversation_id: ConversationId, version: int) -> None:
        key = keys.conversation(conversation_id)
        await self._client.run(call(scripts.SET_VERSION, (key,), version))

    @override
    async def repaired_version(self, conversation_id: ConversationId) -> int:
        (version,) = await self._client.run(("GET", keys.repaired(conversation_id)))
        return int(version or 0)

    @override
    async def mark_repaired(
        self, conversation_id: ConversationId, version: int, *, follows: int | None = None
    ) -> None:
        key, before = keys.repaired(conversation_id), "" if follows is None else follows
        await self._client.run(
            call(scripts.MARK_REPAIRED, (key,), version, before, _REPAIRED_KEEP_MS)
        )

    @override
    async def enter_connection(self, call: Call) -> tuple[CallState, list[Seat] | None]:
        answers = await self._client.run(*self.entering(call), *_read_seats(call.user_id))
        return self.entered(answers[0]), seats_of(answers[-2], answers[-1])

    @override
    async def fill_seats(self, user_id: UserId, seats: Iterable[Seat]) -> None:
        await self._client.run(("ZADD", keys.seats(user_id), "GT", -1, READY, *_scored(seats)))

    @override
    async def take_seat(self, user_ids: Iterable[UserId], seat: Seat) -> None:
        taken = (seat.conversation_id, to_ms(seat.taken_at))
        entries: list[Entry] = []
        for user in user_ids:
            entries.append(call(scripts.ADD_IF_BEGUN, (keys.seats(user),), *taken))
            entries.append(("SADD", keys.unsure(user), seat.conversation_id))
        await self._client.run(*entries)

    @override
    async def renew_seats(self, user_id: UserId, seats: Iterable[Seat]) -> list[Seat] | None:
        scored, entries = _scored(seats), list[Entry]()
        if scored:  # XX: a seat that was dropped meanwhile must not come back
            entries.append(("ZADD", keys.seats(user_id), "XX", "GT", *scored))
            entries.append(("SREM", keys.unsure(user_id), *scored[1::2]))
        answers = await self._client.run(*entries, *_read_seats(user_id))
        return seats_of(answers[-2], answers[-1])

    @override
    async def forget(self, user_id: UserId) -> int:
        index = keys.leases(keys.shard_of(user_id))
        buckets = [keys.bucket(user_id, kind) for kind in _BUCKETS]
        deleted, _ = await self._client.run(
            ("UNLINK", *(name(user_id) for name in _PERSONAL), *buckets), ("ZREM", index, user_id)
        )
        return int(deleted)


def _scored(seats: Iterable[Seat]) -> list[Argument]:
    return [part for seat in seats for part in (to_ms(seat.taken_at), seat.conversation_id)]


def _read_seats(user_id: UserId) -> tuple[Entry, Entry]:
    return ("ZRANGE", keys.seats(user_id), 0, -1, "WITHSCORES"), ("SMEMBERS", keys.unsure(user_id))


def _read_head(conversation_id: ConversationId) -> tuple[Entry, Entry]:
    return read_epoch(), ("HMGET", keys.conversation(conversation_id), *HEAD_FIELDS)


def _mark_dirty(conversation_id: ConversationId) -> Entry:
    shard = keys.dirty(keys.shard_of(conversation_id))
    return call(scripts.MARK_DIRTY, (shard,), conversation_id)


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
