"""The Lua scripts: what must be atomic in Redis.

Every key a script touches carries one hash tag, so that a clustered Redis serves. Time is Redis's
own (`TIME`), never a worker's: workers' clocks differ. Scripts return small integers and strings.
"""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the digest Redis knows it by."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

KEEP_MS = 90 * 24 * 3600 * 1000  # idle live state is dropped after 90 days; it can be rebuilt

# KEYS epoch; ARGV a name for a new epoch. Returns the epoch's name. A process forgets nothing:
# a Redis that lost something is another process than its own data names, or lacks the key.
EPOCH = Script(
    """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
local is = redis.call('HMGET', KEYS[1], 'id', 'run')
if is[1] and is[2] == run then return is[1] end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'run', run)
return ARGV[1]
"""
)

# KEYS presence, seen, closed, bucket, account; ARGV connection ('' = none), lease ms, tokens/s (0 =
# no limit), burst. Returns {ms to wait, came online, other live connections, account: 0 open, 1
# erased, 2 unknown}. A call that must wait is refused, and its news with it: so the next one brings
# them. Of an erased user nothing is written, so that no key comes back after an erasure.
ENTER = Script(
    _NOW
    + f"""
local account = redis.call('GET', KEYS[5])
if account and account ~= 'open' then return {{0, 0, 0, 1}} end
account = account and 0 or 2
local rate, burst, wait = tonumber(ARGV[3]), tonumber(ARGV[4]), 0
if rate > 0 then
  local bucket = redis.call('HMGET', KEYS[4], 'tokens', 'at')
  local tokens = tonumber(bucket[1]) or burst
  local gained = math.max(0, now - (tonumber(bucket[2]) or now)) * rate / 1000
  tokens = math.min(burst, tokens + gained)
  if tokens >= 1 then tokens = tokens - 1 else wait = math.ceil((1 - tokens) / rate * 1000) end
  redis.call('HSET', KEYS[4], 'tokens', tostring(tokens), 'at', now)
  redis.call('PEXPIRE', KEYS[4], math.ceil(burst / rate * 1000) + 1000)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local live, came = redis.call('ZCARD', KEYS[1]), 0
if ARGV[1] == '' or redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  return {{wait, 0, live, account}}
end
local added = redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], 'at', now)
if wait == 0 and redis.call('HGET', KEYS[2], 'status') ~= 'online' then
  came = 1
  redis.call('HSET', KEYS[2], 'status', 'online')
end
redis.call('PEXPIRE', KEYS[2], {KEEP_MS})
return {{wait, came, live + added - 1, account}}
"""
)

# KEYS presence, seen, closed, account; ARGV connection, lease ms. Returns 1 if the user went
# offline.
# Of an erased user nothing is written.
# The connection stays closed for a lease: a `connected` that arrives late does not revive it.
# An unknown status counts as online here: it was lost, and somebody may have seen it.
CLOSE = Script(
    _NOW
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
# the oldest of too many. Their leases end in this step and are not renewed. A connection that has
# a lease but is not noted as opened (its `connected` is late, or the set was lost) is the oldest.
OPEN = Script(
    f"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then return {{}} end
for _, one in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if not redis.call('ZSCORE', KEYS[2], one) then redis.call('ZREM', KEYS[1], one) end
end
redis.call('ZADD', KEYS[1], 'NX', now, ARGV[1])
for _, one in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  redis.call('ZADD', KEYS[1], 'NX', 0, one)
end
redis.call('PEXPIRE', KEYS[1], {KEEP_MS})
local surplus = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[2])
if surplus <= 0 then return {{}} end
local ended = redis.call('ZRANGE', KEYS[1], 0, surplus - 1)
for _, one in ipairs(ended) do
  redis.call('ZREM', KEYS[1], one)
  redis.call('ZREM', KEYS[2], one)
  redis.call('ZADD', KEYS[3], math.floor(now / 1000), one)
end
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return ended
"""
)

# KEYS presence, seen, account. Returns {went offline, last seen ms, next expiry ms or 0}.
LAPSE = Script(
    _NOW
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

# KEYS leases; ARGV user, lease ms.
NOTE_LEASE = Script(_NOW + "redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])")

# KEYS leases; ARGV the most users to return. Returns {now in ms, users whose lease has lapsed}.
LAPSED = Script(
    _NOW
    + """
return {now, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])}
"""
)

# KEYS leases; ARGV user, ms. What was noted after that moment stays.
FORGET_LEASE = Script(
    """
local at = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]))
if at and at <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
"""
)

# KEYS account; ARGV ms to keep. What is erased stays so.
ERASING = Script(
    """
if redis.call('GET', KEYS[1]) ~= 'erased' then
  redis.call('SET', KEYS[1], 'erasing', 'PX', ARGV[1])
end
"""
)

# KEYS presence, account; ARGV connection ('' = none). Returns {another connection is live, the
# account is erased}.
ELSEWHERE = Script(
    _NOW
    + """
local live = redis.call('ZCOUNT', KEYS[1], now, '+inf')
local own = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])) or 0
if own >= now then live = live - 1 end
return {live > 0 and 1 or 0, (redis.call('GET', KEYS[2]) or 'open') ~= 'open' and 1 or 0}
"""
)

# KEYS presence, seen. Returns {online, last seen ms or 0}.
PRESENCE = Script(
    _NOW
    + """
local live = redis.call('ZCOUNT', KEYS[1], now, '+inf')
return {live > 0 and 1 or 0, tonumber(redis.call('HGET', KEYS[2], 'at')) or 0}
"""
)

# KEYS conversation, changed; ARGV sequence, sent-at ms, message JSON, sender.
SENT = Script(
    f"""
local sequence = tonumber(ARGV[1])
local known = redis.call('HMGET', KEYS[1], 'head', 'r:' .. ARGV[4], 'd:' .. ARGV[4])
if sequence > (tonumber(known[1]) or 0) then
  redis.call('HSET', KEYS[1], 'head', sequence, 'at', ARGV[2], 'last', ARGV[3])
end
if sequence > (tonumber(known[2]) or 0) then
  -- It may be recorded late: what others wrote after it can have been delivered meanwhile.
  local delivered = math.max(sequence, tonumber(known[3]) or 0)
  redis.call('HSET', KEYS[1], 'd:' .. ARGV[4], delivered, 'r:' .. ARGV[4], sequence,
    't:' .. ARGV[4], ARGV[2])
  redis.call('SADD', KEYS[2], ARGV[4])
end
redis.call('PEXPIRE', KEYS[1], {KEEP_MS})
"""
)

# KEYS conversation; ARGV sequence. Notes that every member's inbox was told of it.
TOLD = Script(
    """
if tonumber(ARGV[1]) > (tonumber(redis.call('HGET', KEYS[1], 'told')) or 0) then
  redis.call('HSET', KEYS[1], 'told', ARGV[1])
end
"""
)

# KEYS conversation; ARGV sequence, sent-at ms, message JSON. Returns 1 if the head was behind, or
# the members were not all told: a worker or Redis died between the one and the other.
RAISE_HEAD = Script(
    """
local known = redis.call('HMGET', KEYS[1], 'ready', 'head', 'told')
local sequence = tonumber(ARGV[1])
if not known[1] then return 0 end
if sequence > (tonumber(known[2]) or 0) then
  redis.call('HSET', KEYS[1], 'head', ARGV[1], 'at', ARGV[2], 'last', ARGV[3])
  return 1
end
-- One that was recorded before members were counted has no such field.
return known[3] and sequence > tonumber(known[3]) and 1 or 0
"""
)

# KEYS seats; ARGV conversation, ms. Adds to a complete set alone: another would pass for complete.
ADD_IF_BEGUN = Script(
    """
if redis.call('ZSCORE', KEYS[1], '') then redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1]) end
"""
)

# KEYS conversation, changed; ARGV user, version, delivered, read, now ms.
# Returns {outcome, delivered, read, moved-at ms, head}.
ACKNOWLEDGE = Script(
    """
local user = ARGV[1]
local is = redis.call('HMGET', KEYS[1], 'ready', 'version', 'head',
  'd:' .. user, 'r:' .. user, 't:' .. user)
if not is[1] then return {'unknown', 0, 0, 0, 0} end
local head, d, r = tonumber(is[3]) or 0, tonumber(is[4]) or 0, tonumber(is[5]) or 0
local moved_at = tonumber(is[6]) or 0
if (tonumber(is[2]) or 0) > tonumber(ARGV[2]) then return {'stale', d, r, moved_at, head} end
local read = math.max(r, tonumber(ARGV[4]))
local delivered = math.max(d, read, tonumber(ARGV[3]))
if delivered > head and delivered > d then return {'beyond', d, r, moved_at, head} end
if delivered == d and read == r then return {'unchanged', d, r, moved_at, head} end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'd:' .. user, delivered, 'r:' .. user, read, 't:' .. user, ARGV[5],
  'acknowledged', time[1] * 1000000 + time[2])
redis.call('SADD', KEYS[2], user)
return {'moved', delivered, read, tonumber(ARGV[5]), head}
"""
)

# KEYS conversation; ARGV version, head, head-at ms, newest message JSON or '', recorded flush's
# stamp or 0, epoch or '', then user, delivered, read, moved-at ms for each receipt. Merges by
# maximum; marks it as known in that epoch.
SEED = Script(
    f"""
local function raise(name, value)
  if tonumber(value) > (tonumber(redis.call('HGET', KEYS[1], name)) or -1) then
    redis.call('HSET', KEYS[1], name, value)
  end
end
raise('version', ARGV[1])
local head = tonumber(redis.call('HGET', KEYS[1], 'head')) or 0
if ARGV[4] ~= '' and tonumber(ARGV[2]) >= head then
  redis.call('HSET', KEYS[1], 'last', ARGV[4])
end
raise('head', ARGV[2])
raise('at', ARGV[3])
-- What is recorded counts, even where live state remembers a later flush: a restored store.
if ARGV[5] ~= '0' then redis.call('HSET', KEYS[1], 'flushed', ARGV[5]) end
for i = 7, #ARGV, 4 do
  raise('d:' .. ARGV[i], ARGV[i + 1])
  raise('r:' .. ARGV[i], ARGV[i + 2])
  raise('t:' .. ARGV[i], ARGV[i + 3])
end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], 'ready', ARGV[6]) end
redis.call('PEXPIRE', KEYS[1], {KEEP_MS})
"""
)

# KEYS conversation; ARGV version. Only raises, and only what is known.
SET_VERSION = Script(
    """
if redis.call('EXISTS', KEYS[1]) == 1
  and tonumber(ARGV[1]) > (tonumber(redis.call('HGET', KEYS[1], 'version')) or 0) then
  redis.call('HSET', KEYS[1], 'version', ARGV[1])
end
"""
)

# KEYS dirty; ARGV conversation. The score is the moment, in microseconds.
MARK_DIRTY = Script(
    """
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000000 + time[2], ARGV[1])
"""
)

# KEYS dirty; ARGV conversation, snapshot's moment. What was marked later stays dirty.
UNMARK = Script(
    """
local marked = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]))
if marked and marked < tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
"""
)

# KEYS conversation; ARGV stamp. Remembers a flush of what is known.
FLUSHED = Script(
    """
if redis.call('HEXISTS', KEYS[1], 'ready') == 1
  and tonumber(ARGV[1]) > (tonumber(redis.call('HGET', KEYS[1], 'flushed')) or 0) then
  redis.call('HSET', KEYS[1], 'flushed', ARGV[1])
end
local acknowledged = tonumber(redis.call('HGET', KEYS[1], 'acknowledged'))
if acknowledged and acknowledged < tonumber(ARGV[1]) then
  redis.call('HDEL', KEYS[1], 'acknowledged')
end
"""
)

# KEYS conversation, changed. Returns {fields and values, changed users, moment in microseconds}.
SNAPSHOT = Script(
    """
local time = redis.call('TIME')
local changed = redis.call('SMEMBERS', KEYS[2])
redis.call('DEL', KEYS[2])
return {redis.call('HGETALL', KEYS[1]), changed, time[1] * 1000000 + time[2]}
"""
)

# KEYS watched; ARGV ms to keep, then the users watched from now on. Returns those before.
WATCH = Script(
    """
local before = redis.call('SMEMBERS', KEYS[1])
redis.call('DEL', KEYS[1])
for i = 2, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end
if #ARGV > 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return before
"""
)

# KEYS quota; ARGV amount, most, window ms. Returns ms until the window ends if it does not fit.
QUOTA = Script(
    """
local used = tonumber(redis.call('GET', KEYS[1])) or 0
if used + tonumber(ARGV[1]) > tonumber(ARGV[2]) then
  return math.max(1, redis.call('PTTL', KEYS[1]))
end
if redis.call('INCRBY', KEYS[1], ARGV[1]) == tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 0
"""
)

# KEYS typing; ARGV 1 or 0, ms. Returns 1 if the signal is news and may be passed on. Each value has
# its own pause, or true and false in turn would pass as often as they are said. A `false` is news
# only after a `true` that was passed on; it is remembered longer than a client's 3 s.
TYPING = Script(
    _NOW
    + """
local is = redis.call('HMGET', KEYS[1], 'said', '1', '0')
if ARGV[1] == '0' and is[1] ~= '1' then return 0 end
local last = tonumber(is[ARGV[1] == '1' and 2 or 3])
if last and now - last < tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'said', ARGV[1], ARGV[1], now)
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 4)
return 1
"""
)

# KEYS marks; ARGV conversation, up to, claimant. Returns 1 if that is news and nobody else's claim.
CLAIM = Script(
    f"""
local up_to = tonumber(ARGV[2])
local is = redis.call('HMGET', KEYS[1], ARGV[1], 'claim:' .. ARGV[1], 'by:' .. ARGV[1])
if up_to <= (tonumber(is[1]) or 0) then return 0 end
if up_to <= (tonumber(is[2]) or 0) and is[3] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'claim:' .. ARGV[1], up_to, 'by:' .. ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], {KEEP_MS})
return 1
"""
)

# KEYS marks; ARGV conversation, up to. What was claimed is notified.
CONFIRM = Script(
    """
if tonumber(ARGV[2]) > (tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
if redis.call('HGET', KEYS[1], 'claim:' .. ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'claim:' .. ARGV[1], 'by:' .. ARGV[1])
end
"""
)

# KEYS marks; ARGV conversation, up to. Takes back only that very claim, or that very mark.
RELEASE = Script(
    """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
if redis.call('HGET', KEYS[1], 'claim:' .. ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'claim:' .. ARGV[1], 'by:' .. ARGV[1])
end
"""
)

# KEYS repaired; ARGV version, version it follows or '', ms to keep.
MARK_REPAIRED = Script(
    """
local known = redis.call('GET', KEYS[1]) or '0'
if ARGV[2] ~= '' and known ~= ARGV[2] then return end
if tonumber(known) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3]) end
"""
)
