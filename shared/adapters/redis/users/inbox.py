"""Inboxes in Redis: the order of each user's conversations. One pipeline per method."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import batched
from typing import override

from shared.adapters.redis import keys
from shared.adapters.redis.client import Entry, call
from shared.adapters.redis.conversations.codec import (
    COUNT,
    HEAD_FIELDS,
    READY,
    follows,
    pairs_of,
    summary_of,
    text_of,
)
from shared.adapters.redis.epoch import RedisEpochs, epoch_of, read_epoch
from shared.adapters.redis.users import inbox_scripts as scripts
from shared.adapters.redis.users.calls import entered
from shared.adapters.redis.users.mutes import mute_of, remembering
from shared.domain.conversations.mute import Mute
from shared.domain.ids import ConversationId, UserId
from shared.domain.live import Epoch
from shared.ports import Call, CallState, InboxEntry, InboxState, LiveSummary, Touches

_KEEP_MS = 30 * 24 * 3600 * 1000
_TOUCHES_KEEP_US = _KEEP_MS * 1000
_BEGUN = "!"  # see `redis_inbox_scripts.py`
_ENTRIES = 500  # in one command or pipeline


class RedisInboxes(RedisEpochs, InboxState):
    """Fulfils `InboxState`."""

    @override
    async def heartbeat(self, call: Call) -> tuple[CallState, int]:
        answers = await self._client.run(
            *self._entering(call), ("ZSCORE", keys.inbox(call.user_id), COUNT)
        )
        return entered(answers[0]), -int(float(answers[-1] or 0))

    @override
    async def inbox_page(
        self,
        user_id: UserId,
        *,
        limit: int,
        after: InboxEntry | None,
        begun: Epoch | None = None,
    ) -> list[InboxEntry] | None:
        key, top = keys.inbox(user_id), after.activity_ms if after else "+inf"
        # Entries of one millisecond share a score: all of the cursor's own, then those below it.
        epoch, (ready, reconciled), tied, below, _ = await self._client.run(
            read_epoch(),
            ("ZMSCORE", key, READY, _BEGUN),
            ("ZREVRANGEBYSCORE", key, top, top, "WITHSCORES"),
            ("ZREVRANGEBYSCORE", key, f"({top}", 0, "WITHSCORES", "LIMIT", 0, limit),
            ("PEXPIRE", key, _KEEP_MS),
        )
        complete = ready is not None and float(ready) == -float(epoch)
        unfinished = reconciled is not None and float(reconciled) == -float(epoch)
        if not complete and not (unfinished and begun == epoch_of(epoch)):
            return None
        entries = _entries([*tied, *below])
        return [e for e in entries if after is None or follows(e, after)][:limit]

    @override
    async def begin_inbox(self, user_id: UserId, *, epoch: Epoch) -> list[InboxEntry]:
        (listed,) = await self._client.run(
            call(scripts.BEGIN, (keys.inbox(user_id),), epoch, _KEEP_MS)
        )
        return _entries(listed)

    @override
    async def fill_inbox(
        self, user_id: UserId, entries: Iterable[InboxEntry], *, epoch: Epoch, complete: bool
    ) -> bool:
        scored = [part for entry in entries for part in (entry.activity_ms, entry.conversation_id)]
        (filled,) = await self._client.run(
            call(scripts.FILL, (keys.inbox(user_id),), epoch, int(complete), *scored)
        )
        return bool(filled)

    @override
    async def put_inbox(self, user_ids: Iterable[UserId], entry: InboxEntry) -> None:
        put = entry.conversation_id, entry.activity_ms
        await self._client.run(*(call(scripts.PUT, (keys.inbox(u),), *put) for u in user_ids))

    @override
    async def summaries(self, user_id: UserId, ids: Sequence[ConversationId]) -> list[LiveSummary]:
        own = (f"d:{user_id}", f"r:{user_id}", f"t:{user_id}")
        first, *answers = await self._client.run(
            read_epoch(),
            *(
                ("HMGET", keys.conversation(conversation_id), *HEAD_FIELDS, "last", *own)
                for conversation_id in ids
            ),
            *([("HMGET", keys.mutes(user_id), *ids)] if ids else []),
        )
        epoch = epoch_of(first)
        mutes = [mute_of(kept, epoch) for kept in (answers.pop() if ids else [])]
        rows = zip(ids, answers, mutes, strict=True)
        return [
            summary_of(conversation_id, user_id, row, epoch, mute)
            for conversation_id, row, mute in rows
        ]

    @override
    async def remember_mutes(
        self, user_id: UserId, mutes: Mapping[ConversationId, Mute], *, epoch: Epoch
    ) -> None:
        await self._client.run(remembering(user_id, dict(mutes), epoch))

    @override
    async def drop_inbox(self, user_id: UserId, conversation_id: ConversationId) -> None:
        await self._client.run(
            ("ZREM", keys.group_memberships(user_id), conversation_id),
            ("SREM", keys.unconfirmed(user_id), conversation_id),
            ("HDEL", keys.mutes(user_id), conversation_id),
            call(scripts.DROP, (keys.inbox(user_id),), conversation_id),
        )

    @override
    async def touch(self, touched: Iterable[tuple[UserId, ConversationId]]) -> None:
        for some in batched(touched, _ENTRIES, strict=False):
            await self._client.run(
                *(touching(user, conversation_id) for user, conversation_id in some)
            )

    @override
    async def touches(self, user_id: UserId, *, since: int | None, limit: int) -> Touches:
        after = -1 if since is None else since
        epoch, (honoured, newest, flat) = await self._client.run(
            read_epoch(),
            call(scripts.CHANGES, (keys.inbox(user_id),), after, limit, _TOUCHES_KEEP_US, _KEEP_MS),
        )
        moments = ((text_of(member)[1:], -int(float(score))) for member, score in pairs_of(flat))
        touched = tuple((ConversationId(conversation_id), at) for conversation_id, at in moments)
        return Touches(bool(honoured), newest, touched, epoch_of(epoch))


def touching(user_id: UserId, conversation_id: ConversationId) -> Entry:
    """Return the pipeline entry that touches a conversation for a user."""
    return call(scripts.TOUCH, (keys.inbox(user_id),), conversation_id)


def _entries(flat: list[bytes]) -> list[InboxEntry]:
    return [InboxEntry(ConversationId(text_of(m)), int(float(s))) for m, s in pairs_of(flat)]
