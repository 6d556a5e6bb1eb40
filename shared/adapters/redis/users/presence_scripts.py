"""The Lua scripts of presence: leases, opened connections, watching and typing."""

from typing import Final

from shared.adapters.redis.script import KEEP_MS, NOW, Script

# KEYS presence, seen, closed, account; ARGV connection, lease ms. Returns 1 if the user went
# offline.
#
# A user has two devices, and both end at the same time: exactly one of the calls must report that
# the user went offline. Removing the lease, counting the rest and writing the status are one step,
# so the second call finds `offline` and reports nothing. `disconnected` may overtake a last call of
# its connection: the connection stays closed for a lease, and ENTER gives it none. A status that
# was lost counts as online, for somebody may have seen the user online before the loss. Nothing is
# written of an erased user.
# Proved by test_presence_port.py (`test_only_the_end_of_the_last_lease_takes_a_user_offline`,
# `test_an_ended_connection_is_not_revived_by_what_comes_late`,
# `test_a_connection_that_ends_after_a_loss_is_news`).
CLOSE: Final = Script(
    NOW
    + f"""
if (redis.call('GET', KEYS[4]) or 'open') ~= 'open' then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - ARGV[2])
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) > 0 then return 0 end
if redis.call('HGET', KEYS[2], 'status') == 'offline' then return 0 end
redis.call('HSET', KEYS[2], 'status', 'offline', 'at', now)
redis.call('PEXPIRE', KEYS[2], {KEEP_MS})
return 1
"""
)

# KEYS opened, presence, closed; ARGV connection, most, lease ms. Returns the connections to close:
# the oldest of too many.
#
# Many connections of one user may open at the same time, at several workers. Each call adds its own
# and ends the surplus in one step, so no two calls end the same connection and never more than
# *most* keep a lease. The ended ones go into `closed` in that step: their calls renew nothing. A
# connection that has a lease but is not noted as opened (its `connected` is late, or the set was
# lost) counts as the oldest.
# Proved by test_presence_port.py
# (`test_a_new_connection_ends_the_lease_of_the_oldest_above_the_most`,
# `test_a_connection_whose_opening_was_missed_is_the_oldest`).
OPEN: Final = Script(
    f"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then return {{}} end
for _, connection in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if not redis.call('ZSCORE', KEYS[2], connection) then redis.call('ZREM', KEYS[1], connection) end
end
redis.call('ZADD', KEYS[1], 'NX', now, ARGV[1])
for _, connection in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  redis.call('ZADD', KEYS[1], 'NX', 0, connection)
end
redis.call('PEXPIRE', KEYS[1], {KEEP_MS})
local surplus = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[2])
if surplus <= 0 then return {{}} end
local ended = redis.call('ZRANGE', KEYS[1], 0, surplus - 1)
for _, connection in ipairs(ended) do
  redis.call('ZREM', KEYS[1], connection)
  redis.call('ZREM', KEYS[2], connection)
  redis.call('ZADD', KEYS[3], math.floor(now / 1000), connection)
end
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return ended
"""
)

# KEYS presence, seen, account. Returns {went offline, last seen ms, next expiry ms or 0}.
#
# A user's lease lapses while their next call arrives. Either the call comes first, and this script
# finds its lease and returns when that one lapses; or this script comes first and reports the user
# offline, and the call reports them online again. Several workers sweep: the status is compared and
# written in one step, so one of them reports it.
# Proved by test_presence_port.py (`test_a_lease_lapses_without_a_sign_and_that_is_found_once`,
# `test_a_renewed_lease_does_not_lapse`, `test_who_left_does_not_lapse_too`).
LAPSE: Final = Script(
    NOW
    + """
if (redis.call('GET', KEYS[3]) or 'open') ~= 'open' then return {0, now, 0} end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local at = tonumber(redis.call('HGET', KEYS[2], 'at')) or now
local next = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if next[2] then return {0, at, tonumber(next[2])} end
if redis.call('HGET', KEYS[2], 'status') == 'offline' then return {0, at, 0} end
redis.call('HSET', KEYS[2], 'status', 'offline')
return {1, at, 0}
"""
)

# KEYS leases; ARGV the most users to return. Returns {now in ms, users whose lease has lapsed}.
#
# Reads alone; the script is for Redis's clock, which the leases were written by.
LAPSED: Final = Script(
    NOW
    + """
return {now, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])}
"""
)

# KEYS leases; ARGV user, ms.
#
# Between LAPSE, on the user's own keys, and this script, on the index, a call may note a new lease.
# Only an entry that is as old as the look at the index is removed; a newer one stays.
# Proved by test_presence_port.py (`test_a_renewed_lease_lapses_in_the_end`).
FORGET_LEASE: Final = Script(
    """
local at = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]))
if at and at <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
"""
)

# KEYS presence, seen. Returns {online, last seen ms or 0}.
#
# Reads alone; leases that have lapsed are not counted, whether a sweep has removed them or not.
PRESENCE: Final = Script(
    NOW
    + """
local live = redis.call('ZCOUNT', KEYS[1], now, '+inf')
return {live > 0 and 1 or 0, tonumber(redis.call('HGET', KEYS[2], 'at')) or 0}
"""
)

# KEYS watched; ARGV ms to keep, then the users watched from now on. Returns those before.
#
# Two calls of one connection may set two lists. Each returns the list that it replaced, so the
# groups that are left and joined by the two calls follow one another, and the last list holds.
# Proved by test_presence_port.py (`test_watching_tells_what_was_watched_before`).
WATCH: Final = Script(
    """
local before = redis.call('SMEMBERS', KEYS[1])
redis.call('DEL', KEYS[1])
for i = 2, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end
if #ARGV > 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return before
"""
)

# KEYS typing; ARGV 1 or 0, ms. Returns 1 if the signal is news and may be passed on.
#
# Each value has its own pause, or true and false in turn would pass as often as a client says them.
# A `false` is news only after a `true` that was passed on; the key is kept longer than the 3 s
# after which a client repeats. Proved by test_presence_port.py
# (`test_typing_is_news_once_in_a_while`, `test_typing_cannot_be_toggled_into_a_flood`).
TYPING: Final = Script(
    NOW
    + """
local before = redis.call('HMGET', KEYS[1], 'said', '1', '0')
if ARGV[1] == '0' and before[1] ~= '1' then return 0 end
local last = tonumber(before[ARGV[1] == '1' and 2 or 3])
if last and now - last < tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'said', ARGV[1], ARGV[1], now)
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 4)
return 1
"""
)
