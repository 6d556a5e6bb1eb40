"""The Lua scripts of inboxes. One sorted set per user holds everything, so that it is lost as one.

| Member | Score | Says |
|---|---|---|
| a conversation's id | ms of its last activity | where it stands in the list |
| empty | minus an epoch | the list is complete, as confirmed in that epoch |
| `!` | minus an epoch | a reconciliation of the list has begun in that epoch |
| `#` | below zero | how many messages there were to this user |
| `~` and a conversation's id | minus a moment in microseconds | when it was last touched |
| `^` | minus a moment in microseconds | all touches since then are kept |

A *touch* says that something a client shows of a conversation has changed for this user: a
message, a receipt, the user's own state, its members. `/sync` with a cursor asks for the touches
after one moment (docs/decisions/0016-sync-costs-what-changed.md).

No touch hides behind a cursor. Scripts on one key run one after the other, and each touch takes a
moment later than every touch before it, whatever Redis's clock does. So all touches up to the
newest are there when CHANGES reads, and whatever comes later has a later moment. A touch comes
after what it tells of is visible: whoever reads after CHANGES sees that. When the set is lost, `^`
begins anew, and a cursor from before it is refused. Epochs and counts stay above -1e12, moments lie
below.
"""

from shared.adapters.redis.script import KEEP_MS, Script

# Touches are kept once somebody has asked for a cursor, which lays the floor. The newest touch has
# the lowest score of the set.
_TOUCH = """
local function touch(key, conversation)
  if not redis.call('ZSCORE', key, '^') then return end
  local time = redis.call('TIME')
  local newest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  local at = math.max(time[1] * 1000000 + time[2], 1 - tonumber(newest))
  redis.call('ZADD', key, -at, '~' .. conversation)
end
"""

_ENTER = """
local begun = redis.call('ZMSCORE', KEYS[1], '', '!')
if begun[1] or begun[2] then redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1]) end
"""

# KEYS inbox; ARGV conversation, sent-at ms.
#
# A send raises the conversation in every member's list, while others read or reconcile the list. A
# list that nobody has begun gets no entry: a list with one entry would pass for complete. Reading
# it reconciles it, and the reconciliation begins before it reads the store, so a message that is
# stored after that read finds a list to raise. Scores only rise, so messages may be told in any
# order. The script takes one key and short arguments: Redis reads 16 to 20 KB at once, and a send
# to 100 members runs it 100 times. Proved by test_live_port.py
# (`test_activity_only_raises_an_entry`) and test_inbox_port.py
# (`test_messages_raise_an_inbox_that_is_being_rebuilt`).
BUMP = Script(
    _TOUCH
    + _ENTER
    + """
redis.call('ZINCRBY', KEYS[1], -1, '#')
touch(KEYS[1], ARGV[1])
"""
    + f"if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], {KEEP_MS}) end"
)

# KEYS inbox; ARGV conversation, ms. Puts a conversation into the list, where there is one: as BUMP,
# without a message to count.
PUT = Script(_TOUCH + _ENTER + "touch(KEYS[1], ARGV[1])")

# KEYS inbox; ARGV epoch, ms to keep. Begins a reconciliation, or joins the one that is under way.
# Returns what the list holds already.
#
# Two workers may reconcile one inbox at the same time, or a worker may die in the middle. All of
# them begin in the same epoch, so the second keeps what the first has filled. A list of an earlier
# epoch is emptied first, in the same step as the mark is set: it may hold a conversation that its
# user has left since. Proved by test_inbox_port.py
# (`test_a_reconciliation_that_was_cut_short_is_joined`) and test_epoch_port.py
# (`test_an_inbox_of_an_earlier_epoch_is_filled_anew`).
BEGIN = Script(
    """
local epoch = -tonumber(ARGV[1])
local is = redis.call('ZMSCORE', KEYS[1], '', '!')
if tonumber(is[1] or epoch) ~= epoch or tonumber(is[2] or epoch) ~= epoch then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, '+inf')
  redis.call('ZREM', KEYS[1], '')
end
redis.call('ZADD', KEYS[1], epoch, '!')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGEBYSCORE', KEYS[1], 0, '+inf', 'WITHSCORES')
"""
)

# KEYS inbox; ARGV epoch, 1 to complete the list, then ms and conversation of each entry. Returns 1,
# or 0 when the set was lost since the reconciliation began in that epoch: then nothing is added.
#
# Redis may lose the set between BEGIN and FILL. Portions that were filled before are gone then, and
# completing the list would hide them for ever. The mark of the reconciliation is compared in the
# same step as the entries are written: it is gone too, so the caller begins anew. Entries only
# rise, so a message that came during the reconciliation stays where it is. Proved by
# test_inbox_port.py (`test_a_reconciliation_adds_nothing_to_an_inbox_that_was_lost_since`).
FILL = Script(
    """
local epoch = -tonumber(ARGV[1])
if tonumber(redis.call('ZSCORE', KEYS[1], '!') or 0) ~= epoch then return 0 end
if #ARGV > 2 then redis.call('ZADD', KEYS[1], 'GT', unpack(ARGV, 3)) end
if ARGV[2] == '1' then
  redis.call('ZADD', KEYS[1], epoch, '')
  redis.call('ZREM', KEYS[1], '!')
end
return 1
"""
)

# KEYS inbox; ARGV conversation. Takes the conversation out of the list; the touch tells clients.
#
# A message that was on its way may raise the conversation again afterwards. A page of the inbox
# shows only conversations that its reader is a member of, so such an entry is not shown.
# Proved by test_live_port.py (`test_a_dropped_entry_is_gone`) and
# tests/integration/services/test_members.py.
DROP = Script(
    _TOUCH
    + """
redis.call('ZREM', KEYS[1], ARGV[1])
touch(KEYS[1], ARGV[1])
"""
)

# KEYS inbox; ARGV conversation. Why no touch is missed: see the first lines of this module.
TOUCH = Script(_TOUCH + "touch(KEYS[1], ARGV[1])")

# KEYS inbox; ARGV moment in microseconds or -1 to ask for none, how many at most, how long touches
# are kept in microseconds, how long the set is kept in ms. Returns {1 if that moment can be
# honoured, the newest moment, {conversation, score ...} of the first touches after that moment}.
#
# Old touches are dropped here, so the set stays bounded. The floor rises in the same step: a cursor
# from before the floor is refused, so no client takes "nothing since then" for an answer about
# touches that were dropped. Proved by test_inbox_port.py
# (`test_what_is_touched_after_a_moment_is_listed_once`,
# `test_a_moment_before_a_loss_or_ahead_is_not_honoured`).
CHANGES = Script(
    """
local time = redis.call('TIME')
local oldest = time[1] * 1000000 + time[2] - ARGV[3]
if redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', -oldest), -1e12) > 0 then
  redis.call('ZADD', KEYS[1], 'NX', -oldest, '^')
end
redis.call('ZADD', KEYS[1], 'NX', -(oldest + ARGV[3]), '^')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local floor = -redis.call('ZSCORE', KEYS[1], '^')
local newest = -redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
local since = tonumber(ARGV[1])
if since < floor or since > newest then return {0, newest, {}} end
local below = '(' .. string.format('%.0f', -since)
local touched = redis.call('ZREVRANGEBYSCORE', KEYS[1], below, '-inf',
  'WITHSCORES', 'LIMIT', 0, ARGV[2])
return {1, newest, touched}
"""
)
