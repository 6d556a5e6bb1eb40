"""Telling whether Redis still has all it was told: the epoch.

Redis can come back older: a failover to a replica that lagged, a file restored. Then heads, inboxes
and receipts are old, and nothing in them shows it. But a Redis process
never goes back in time by itself: whenever data is older, another process serves it, and each has a
random `run_id` of its own. So the data names the process that it was written in, under `epoch`. If
the process that answers is another one, or the key is not there because everything is lost, a new
epoch begins, in one atomic step, and what was confirmed in an earlier epoch counts as unknown until
the store has confirmed it again. Nobody has to remember anything: it holds when all workers die
together with Redis.
"""

import secrets
from typing import Final, override

from shared.adapters.redis import keys
from shared.adapters.redis.client import Entry, call
from shared.adapters.redis.script import Script
from shared.adapters.redis.users.calls import RedisPart
from shared.domain.live import Epoch
from shared.ports import Epochs

# A score of a sorted set holds it exactly, and above those that are moments; 1 is no epoch. See
# `users/inbox_scripts.py`.
_BITS: Final = 39

# KEYS epoch; ARGV a name for a new epoch. Returns the epoch's name.
#
# Two workers may ask at the same moment after a loss. The look and the write are one step, so the
# first names the epoch and the second reads that name: there are never two epochs at one time.
# Proved by test_epoch_port.py
# (`test_whoever_asks_first_of_an_empty_live_state_begins_the_epoch_of_all`,
# `test_a_redis_of_older_files_begins_a_new_epoch_though_nobody_remembers`).
EPOCH: Final = Script(
    """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
local current = redis.call('HMGET', KEYS[1], 'id', 'run')
if current[1] and current[2] == run then return current[1] end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'run', run)
return ARGV[1]
"""
)


def read_epoch() -> Entry:
    """Return the entry that asks for the epoch, and begins one where Redis has lost the last.

    It speaks for the process that answers it: put it into the pipeline whose answers it is for.
    """
    return call(EPOCH, (keys.epoch(),), secrets.randbits(_BITS) + 2)


def epoch_of(answer: bytes) -> Epoch:
    return Epoch(answer.decode())


class RedisEpochs(RedisPart, Epochs):
    """Fulfils `Epochs`."""

    @override
    async def epoch(self) -> Epoch:
        (answer,) = await self._client.run(read_epoch())
        return epoch_of(answer)
