"""What every call of a user does first in Redis: take a token of the limiter and renew the lease.

Other methods of live state begin with the same pipeline entries, so that a call costs one round
trip whatever else it asks for.
"""

from dataclasses import fields
from typing import Final, override

from shared.adapters.redis import keys
from shared.adapters.redis.client import Entry, RedisClient, call
from shared.adapters.redis.script import DAY_MS, KEEP_MS, NOW, Script
from shared.config import Limits
from shared.domain.ids import UserId
from shared.ports import AccountState, Call, Callers, CallState

_BUCKETS: Final = ("none", *(field.name for field in fields(Limits)))
# The keys of one user alone. Keys that live for seconds are left out: they expire by themselves.
_PERSONAL: Final = (
    *(keys.inbox, keys.group_memberships, keys.unconfirmed, keys.presence),
    *(keys.opened, keys.seen, keys.closed, keys.quota, keys.uploads, keys.marks),
    keys.mutes,
)
_ACCOUNT_STATES: Final[tuple[AccountState, ...]] = ("open", "erased", "unknown")

# KEYS presence, seen, closed, bucket, account; ARGV connection ('' = none), lease ms, tokens/s (0 =
# no limit), burst. Returns {ms to wait, came online, other live connections, account: 0 open, 1
# erased, 2 unknown}.
#
# Two calls of one user can arrive at the same time, from two devices or by a retry. If each read
# the bucket before the other wrote it, both would spend the same token, and both would report that
# the user came online. The script reads and writes in one step, so one token serves one call and
# one call reports the change. A rate-limited call renews the lease, for its connection is alive,
# but it does not report `came_online`: nobody would send that push, and the status would say that
# it was sent. The user's next accepted call reports it.
#
# The account comes first. A call of an erased user writes nothing, so a call that was on its way
# during the erasure leaves no key behind. A connection that was closed gets no lease again: its
# last call may arrive after its `disconnected`.
#
# Proved by test_presence_port.py (`test_five_hundred_calls_at_once_get_what_the_bucket_holds`,
# `test_a_refused_call_renews_the_lease_and_leaves_its_news_to_the_next`,
# `test_an_ended_connection_is_not_revived_by_what_comes_late`) and test_account_states_port.py.
ENTER: Final = Script(
    NOW
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

# KEYS leases; ARGV user, lease ms. Notes in the shared index when the user's newest lease lapses.
#
# The index and the user's own keys have different hash tags, so two scripts write them. A crash
# between the two leaves a lease without an entry in the index: the user would stay online after the
# lease lapsed. The next call of the connection writes both again, and a presence that is read asks
# the lease itself, not the index. Proved by test_presence_port.py
# (`test_a_renewed_lease_lapses_in_the_end`, `test_a_lost_lease_heals_with_the_next_call`).
NOTE_LEASE: Final = Script(NOW + "redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])")

# KEYS quota; ARGV amount, most, window ms. Returns ms until the window ends if the amount does not
# fit, else 0.
#
# Two uploads at the same time must not both fit into what is left for one. The check and the
# addition are one step. The window begins with the first addition and ends by the key's expiry; the
# script sets the expiry in the same step as it creates the key, so no key stays without one.
# Proved by test_live_port.py (`test_a_quota_is_used_up_and_refuses_without_taking`).
QUOTA: Final = Script(
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


class RedisPart:
    """The base of every part of live state: the client, and the entries that begin every call."""

    def __init__(self, client: RedisClient, *, lease_s: int) -> None:
        self._client = client
        self._lease_ms = lease_s * 1000

    def _entering(self, caller: Call) -> list[Entry]:
        """Return the pipeline entries that begin every call; `entered` reads the first answer."""
        user, (what, limit) = caller.user_id, caller.limit or ("none", None)
        entries: list[Entry] = [
            call(
                ENTER,
                (
                    *(keys.presence(user), keys.seen(user), keys.closed(user)),
                    *(keys.bucket(user, what), keys.account(user)),
                ),
                caller.connection_id or "",
                self._lease_ms,
                limit.per_second if limit else 0,
                limit.burst if limit else 0,
            )
        ]
        if caller.connection_id:
            index = keys.leases(keys.shard_of(user))
            entries.append(call(NOTE_LEASE, (index,), user, self._lease_ms))
        return entries


def entered(answer: list[int]) -> CallState:
    """Return the answer of `ENTER` as a value."""
    wait_ms, came, others, account = answer
    return CallState(
        wait_ms,
        came_online=came == 1,
        has_other_connections=others > 0,
        account=_ACCOUNT_STATES[account],
    )


class RedisCallers(RedisPart, Callers):
    """Fulfils `Callers`."""

    @override
    async def enter(self, call: Call) -> CallState:
        answers = await self._client.run(*self._entering(call))
        return entered(answers[0])

    @override
    async def take_quota(self, user_id: UserId, amount: int, *, most: int) -> int:
        (wait_ms,) = await self._client.run(
            call(QUOTA, (keys.quota(user_id),), amount, most, DAY_MS)
        )
        return int(wait_ms)

    @override
    async def forget(self, user_id: UserId) -> int:
        index = keys.leases(keys.shard_of(user_id))
        buckets = [keys.bucket(user_id, kind) for kind in _BUCKETS]
        deleted, _ = await self._client.run(
            ("UNLINK", *(name(user_id) for name in _PERSONAL), *buckets), ("ZREM", index, user_id)
        )
        return int(deleted)
