"""The Lua scripts of conversations' heads and receipts.

The hash of a conversation is derived: the stores decide, and the hash may be lost at any moment. So
each script merges by maximum (a late or repeated call changes nothing), and only `SEED`, which is
given what the store says, makes a conversation known.
"""

from typing import Final

from shared.adapters.redis.script import KEEP_MS, NOW, Script

# KEYS presence, account; ARGV connection ('' = none). Returns {another connection is live, the
# account is erased}.
#
# Both are read after the message was stored. A device of the sender that connects before this read
# is found here and gets the push; one that connects later syncs after it has connected, and the
# message is stored by then. An erasure that began before this read is found here, so the sender's
# worker empties the message; an erasure that begins later finds the message in the store.
# Proved by test_live_port.py (`test_recording_tells_whether_the_sender_is_connected_elsewhere_too`)
# and tests/integration/services/test_erasure_races.py.
ELSEWHERE: Final = Script(
    NOW
    + """
local live = redis.call('ZCOUNT', KEYS[1], now, '+inf')
local own = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])) or 0
if own >= now then live = live - 1 end
return {live > 0 and 1 or 0, (redis.call('GET', KEYS[2]) or 'open') ~= 'open' and 1 or 0}
"""
)

# KEYS conversation, changed; ARGV sequence, sent-at ms, message JSON, sender.
#
# Two workers store messages 7 and 8 and may record them as 8, 7. The head is raised only if the
# sequence is higher, so the late 7 does not take the head back. The sender has read their own
# message; the receipt is raised in the same step, and its `delivered` stays where a later message
# has moved it. The user goes into `changed` in that step too: a flush between two steps would write
# the receipt without telling anybody, or tell them of a receipt that it did not write.
# Proved by test_live_port.py
# (`test_a_message_recorded_late_takes_back_nothing_of_its_senders_receipt`).
SENT: Final = Script(
    f"""
local sequence = tonumber(ARGV[1])
local current = redis.call('HMGET', KEYS[1], 'head', 'r:' .. ARGV[4], 'd:' .. ARGV[4])
if sequence > (tonumber(current[1]) or 0) then
  redis.call('HSET', KEYS[1], 'head', sequence, 'at', ARGV[2], 'last', ARGV[3])
end
if sequence > (tonumber(current[2]) or 0) then
  local delivered = math.max(sequence, tonumber(current[3]) or 0)
  redis.call('HSET', KEYS[1], 'd:' .. ARGV[4], delivered, 'r:' .. ARGV[4], sequence,
    't:' .. ARGV[4], ARGV[2])
  redis.call('SADD', KEYS[2], ARGV[4])
end
redis.call('PEXPIRE', KEYS[1], {KEEP_MS})
"""
)

# KEYS conversation; ARGV sequence. Notes that the inbox of every member was told of the message.
#
# The inboxes have other hash tags than the conversation, so other commands of the pipeline write
# them, and a worker or Redis may die between. This script comes last in the pipeline: `told` is
# below the head exactly when a part of the members may not know of the message. RAISE_HEAD finds
# that from the change feed. Proved by test_inbox_port.py
# (`test_members_who_were_not_told_are_told_again`).
TOLD: Final = Script(
    """
if tonumber(ARGV[1]) > (tonumber(redis.call('HGET', KEYS[1], 'told')) or 0) then
  redis.call('HSET', KEYS[1], 'told', ARGV[1])
end
"""
)

# KEYS conversation; ARGV sequence, sent-at ms, message JSON. Returns 1 if the head was behind, or
# the members were not all told: the caller records the message then.
#
# The change feed brings each stored message to this script, also one whose worker died before it
# recorded it. A conversation that is not known is left alone: whoever reads it seeds it from the
# store, and a head alone would pass for all there is. A sender's worker may record the message at
# the same time; then both tell the members, and telling them twice raises nothing twice but their
# count of messages. Proved by test_live_port.py
# (`test_heads_are_raised_where_they_are_known_and_behind`) and
# tests/integration/services/test_head_reconciler.py.
RAISE_HEAD: Final = Script(
    """
local current = redis.call('HMGET', KEYS[1], 'ready', 'head', 'told')
local sequence = tonumber(ARGV[1])
if not current[1] then return 0 end
if sequence > (tonumber(current[2]) or 0) then
  redis.call('HSET', KEYS[1], 'head', ARGV[1], 'at', ARGV[2], 'last', ARGV[3])
  return 1
end
-- A message that was recorded before members were counted has no such field.
return current[3] and sequence > tonumber(current[3]) and 1 or 0
"""
)

# KEYS conversation, changed; ARGV user, version, delivered, read, now ms.
# Returns {outcome, delivered, read, moved-at ms, head}.
#
# A caller decides with a cached copy of the conversation. The script compares the version in the
# same step as it writes, so a member who was removed meanwhile moves no receipt: the outcome is
# `stale`, and the caller reads the conversation again. A watermark past the head is refused
# (`beyond`), for the head may be behind the store; the caller looks there. Two devices of one user
# may acknowledge in any order: watermarks merge by maximum. `acknowledged` takes Redis's own time,
# so a flush can tell an acknowledgement that came after its snapshot.
# Proved by test_live_port.py (`test_watermarks_move_forward_only`,
# `test_what_lies_past_the_head_moves_nothing`, `test_an_older_copy_of_the_conversation_is_stale`).
ACKNOWLEDGE: Final = Script(
    """
local user = ARGV[1]
local current = redis.call('HMGET', KEYS[1], 'ready', 'version', 'head',
  'd:' .. user, 'r:' .. user, 't:' .. user)
if not current[1] then return {'unknown', 0, 0, 0, 0} end
local head = tonumber(current[3]) or 0
local d, r = tonumber(current[4]) or 0, tonumber(current[5]) or 0
local moved_at = tonumber(current[6]) or 0
if (tonumber(current[2]) or 0) > tonumber(ARGV[2]) then return {'stale', d, r, moved_at, head} end
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
# stamp or 0, epoch or '', then user, delivered, read, moved-at ms for each receipt.
#
# What the caller read from the store may be older than what is here by now: others send and
# acknowledge while it reads. So every number is only raised, and the newest message is replaced
# only where the head is not past it. The flush is an exception: what the store recorded counts,
# even where live state remembers a later flush, for the store may have been restored from a backup.
# The caller read the epoch before the store. If Redis lost its data between, the conversation is
# marked with the epoch before, and so stays unknown in the new one.
# Proved by test_live_port.py (`test_seeding_again_never_moves_anything_back`) and
# test_epoch_port.py (`test_what_was_read_before_a_new_epoch_confirms_nothing_in_it`).
SEED: Final = Script(
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

# KEYS conversation; ARGV version.
#
# Two changes may tell their versions in either order: the higher one stays. A conversation that is
# not there is left alone, for a version without a head would pass for a conversation that was
# seeded. Proved by test_live_port.py (`test_a_version_is_only_raised_and_only_where_it_is_known`).
SET_VERSION: Final = Script(
    """
if redis.call('EXISTS', KEYS[1]) == 1
  and tonumber(ARGV[1]) > (tonumber(redis.call('HGET', KEYS[1], 'version')) or 0) then
  redis.call('HSET', KEYS[1], 'version', ARGV[1])
end
"""
)
