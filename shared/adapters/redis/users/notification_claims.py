"""What was notified already, in Redis: for each user and conversation, up to which sequence."""

from collections.abc import Sequence
from typing import Final, override

from shared.adapters.redis import keys
from shared.adapters.redis.client import RedisClient, call
from shared.adapters.redis.script import KEEP_MS, Script
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.ports import NotificationClaims

# KEYS marks; ARGV conversation, up to, claimant. Returns 1 if the sequence is not notified yet and
# no other notification job has claimed it.
#
# The queue may deliver two notification jobs about one message at the same time, to two workers.
# The look and the claim are one step, so only one of them rings. A worker that dies after the claim
# has notified nobody: its notification job comes again from the queue, and a claim lets its own
# claimant through. The mark (`CONFIRM`) follows the delivery, so a crash between the two rings
# twice rather than never. Proved by test_presence_port.py (`test_a_mark_is_claimed_once`,
# `test_a_claim_that_was_never_confirmed_is_its_own_notices_again`).
CLAIM: Final = Script(
    f"""
local up_to = tonumber(ARGV[2])
local marked = redis.call('HMGET', KEYS[1], ARGV[1], 'claim:' .. ARGV[1], 'by:' .. ARGV[1])
if up_to <= (tonumber(marked[1]) or 0) then return 0 end
if up_to <= (tonumber(marked[2]) or 0) and marked[3] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'claim:' .. ARGV[1], up_to, 'by:' .. ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], {KEEP_MS})
return 1
"""
)

# KEYS marks; ARGV conversation, up to. Marks the claimed sequence as notified.
#
# A later notification job may have claimed or marked more meanwhile: the mark is only raised, and
# only this very claim is taken away. Proved by test_presence_port.py
# (`test_a_confirmed_mark_never_goes_back`).
CONFIRM: Final = Script(
    """
if tonumber(ARGV[2]) > (tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
if redis.call('HGET', KEYS[1], 'claim:' .. ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'claim:' .. ARGV[1], 'by:' .. ARGV[1])
end
"""
)

# KEYS marks; ARGV conversation, up to. Takes back this very claim, or this very mark.
#
# A delivery that failed, or a notification that was dismissed, is taken back while a later
# notification job may be delivered: what is higher than *up to* belongs to the later notification
# job and stays. Proved by tests/integration/services/test_dismissal.py
# (`test_a_later_notification_is_not_taken_back`).
RELEASE: Final = Script(
    """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
if redis.call('HGET', KEYS[1], 'claim:' .. ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'claim:' .. ARGV[1], 'by:' .. ARGV[1])
end
"""
)


class RedisNotificationClaims(NotificationClaims):
    """Fulfils `NotificationClaims`."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    @override
    async def claim(
        self, user_id: UserId, conversation_id: ConversationId, up_to: SequenceNumber, *, by: str
    ) -> bool:
        (is_new,) = await self._client.run(
            call(CLAIM, (keys.marks(user_id),), conversation_id, up_to, by)
        )
        return bool(is_new)

    @override
    async def confirm(
        self, user_id: UserId, conversation_id: ConversationId, up_to: SequenceNumber
    ) -> None:
        await self._client.run(call(CONFIRM, (keys.marks(user_id),), conversation_id, up_to))

    @override
    async def release(
        self, user_id: UserId, conversation_id: ConversationId, up_to: SequenceNumber
    ) -> None:
        await self._client.run(call(RELEASE, (keys.marks(user_id),), conversation_id, up_to))

    @override
    async def list_notified(
        self, pairs: Sequence[tuple[UserId, ConversationId]]
    ) -> list[SequenceNumber]:
        if not pairs:
            return []
        answers = await self._client.run(
            *(("HGET", keys.marks(user), conversation) for user, conversation in pairs)
        )
        return [SequenceNumber(int(answer or 0)) for answer in answers]
