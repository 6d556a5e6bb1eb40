"""A user's mutes in Redis: what their memberships say, kept for the rows of the inbox.

A mute is believed in the epoch it was read in alone. It is kept for an hour: by then Redis is right
again where a worker stored a mute and could not write it here.
"""

from shared.adapters.redis import keys
from shared.adapters.redis.client import Entry, call
from shared.adapters.redis.conversations.codec import text_of
from shared.adapters.redis.script import Script
from shared.domain.conversations.mute import Mute
from shared.domain.ids import ConversationId, UserId
from shared.domain.live import Epoch
from shared.domain.times import from_ms, to_ms

_KEEP_MS = 3600 * 1000

# KEYS mutes; ARGV epoch, ms to keep, then conversation, order, until for each.
#
# Two workers may write what they read from the store, in either order, and one of them may have
# read it before the user's latest change. The store counts a user's changes of each mute: of two
# values of one epoch, the one with the greater count stays, compared and written in one step.
# Proved by test_live_port.py (`test_mutes_are_remembered_in_their_epoch_and_the_newer_stays`).
REMEMBER = Script("""
for i = 3, #ARGV, 3 do
  local epoch, order = string.match(redis.call('HGET', KEYS[1], ARGV[i]) or '', '^(.*):(%d+):')
  if epoch ~= ARGV[1] or tonumber(order) <= tonumber(ARGV[i + 1]) then
    local value = ARGV[1] .. ':' .. ARGV[i + 1] .. ':' .. ARGV[i + 2]
    redis.call('HSET', KEYS[1], ARGV[i], value)
  end
end
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
""")


def remembering(user_id: UserId, mutes: dict[ConversationId, Mute], epoch: Epoch) -> Entry:
    """Return the pipeline entry that keeps *mutes*."""
    flat = [
        part
        for conversation_id, mute in mutes.items()
        for part in (conversation_id, mute.order, to_ms(mute.until) if mute.until else "")
    ]
    return call(REMEMBER, (keys.mutes(user_id),), epoch, _KEEP_MS, *flat)


def mute_of(kept: bytes | None, epoch: Epoch) -> Mute | None:
    """Return a kept mute, if it is of this epoch."""
    if kept is None:
        return None
    kept_epoch, order, until = text_of(kept).split(":")
    if not kept_epoch or kept_epoch != epoch:
        return None
    return Mute(from_ms(int(until)) if until else None, int(order))
