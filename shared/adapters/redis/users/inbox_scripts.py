"""The Lua scripts of inboxes. One sorted set per user holds everything, so that it is lost as one.

| Member | Score | Says |
|---|---|---|
| a conversation's id | ms of its last activity | where it stands in the list |
| empty | minus an epoch | the list is complete, as confirmed in that epoch |
| `!` | minus an epoch | a rebuild of the list has begun in that epoch |
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

# KEYS inbox; ARGV conversation, sent-at ms. A list that nobody has begun is not added to: it would
# pass for complete; reading it fills it. One key, for size: Redis reads 16 to 20 KB at once, and a
# send to 100 members says this 100 times.
BUMP = Script(
    _TOUCH
    + _ENTER
    + """
redis.call('ZINCRBY', KEYS[1], -1, '#')
touch(KEYS[1], ARGV[1])
"""
    + f"if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], {KEEP_MS}) end"
)

# KEYS inbox; ARGV conversation, ms. Puts a conversation into the list, where there is one.
PUT = Script(_TOUCH + _ENTER + "touch(KEYS[1], ARGV[1])")

# KEYS inbox; ARGV epoch, ms to keep. Begins a rebuild, or joins the one that is under way. Returns
# what the list holds already. A list of an earlier epoch may hold what its user has left since.
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
# or 0 when the set was lost since the rebuild began in that epoch: then nothing is added.
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

# KEYS inbox; ARGV conversation. Takes it out of the list; the touch tells clients that it left.
DROP = Script(
    _TOUCH
    + """
redis.call('ZREM', KEYS[1], ARGV[1])
touch(KEYS[1], ARGV[1])
"""
)

# KEYS inbox; ARGV conversation.
TOUCH = Script(_TOUCH + "touch(KEYS[1], ARGV[1])")

# KEYS inbox; ARGV moment in microseconds or -1 to ask for none, how many at most, how long touches
# are kept in microseconds, how long the set is kept in ms. Returns {1 if that moment can be
# honoured, the newest moment, {conversation, score ...} of the first touches after the asked one}.
# Old touches are dropped here, and the floor rises with them, so the set stays bounded.
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
local found = redis.call('ZREVRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', -since), '-inf',
  'WITHSCORES', 'LIMIT', 0, ARGV[2])
return {1, newest, found}
"""
)
