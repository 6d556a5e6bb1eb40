"""Telling whether Redis still has all it was told: the epoch.

Redis can come back older: a failover to a replica that lagged, a file restored. Then heads, inboxes
and receipts say what was true some time ago, and nothing in them shows it. But a Redis process
never goes back in time by itself: whenever data is older, another process serves it, and each has a
random `run_id` of its own. So the data names the process that it was written in, under `epoch`. If
the process that answers is another one, or the key is not there because everything is lost, a new
epoch begins, in one atomic step, and what was confirmed in an earlier epoch counts as unknown until
the store has confirmed it again. Nobody has to remember anything: it holds when all workers die
together with Redis.
"""

import secrets

from shared.adapters import redis_keys as keys
from shared.adapters import redis_scripts as scripts
from shared.adapters.redis_client import Entry, RedisClient, call
from shared.domain.live import Epoch

# A score of a sorted set holds it exactly, and above those that are moments; 1 is no epoch. See
# `redis_inbox_scripts.py`.
_BITS = 39


def read_epoch() -> Entry:
    """Return the entry that asks for the epoch, and begins one where Redis has lost the last.

    It speaks for the process that answers it: put it into the pipeline whose answers it is for.
    """
    return call(scripts.EPOCH, (keys.epoch(),), secrets.randbits(_BITS) + 2)


def epoch_of(answer: bytes) -> Epoch:
    return Epoch(answer.decode())


class RedisEpochs:
    """Fulfils what `LiveState` says of the epoch."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def epoch(self) -> Epoch:
        (answer,) = await self._client.run(read_epoch())
        return epoch_of(answer)
