"""Storing a message once, at the next sequence, without a counter.

A writer *proposes* head + 1 and creates the item under that id. The store accepts one writer per
id, so there are no gaps and no repeats; the losing writer looks again. A pair (sender, client
message id) is unique inside a bucket by the store's own unique key. Nothing enforces that across
the end of a bucket, so two attempts at one message could be stored on either side of it. That
cannot happen, because:

1. Sequences have no gaps. So a writer that proposes in bucket b knows that b - 1 is full and that
   nothing can be stored there any more. What a look into b - 1 finds from then on is final.
2. Reads may lag, so the look asks for the last message of b - 1 in the same query. Writes in one
   partition become visible in order: when the last message is visible, the whole bucket is.
3. The look is left out only for a first attempt in a bucket that opened longer ago than any
   attempt can be under way. Then every other attempt is a retry, and retries always look. The
   store says how long ago the bucket opened; no worker's clock does.

So of two attempts, the one that stores later sees the other one: in its own bucket by the unique
key, or in the bucket before by the look. See docs/decisions/0005-sequence-by-proposal.md. Proved by
tests/integration/services/test_sequencer_machine.py, which also finds sequencers with one of these
rules left out.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, SequenceNumber
from shared.domain.messages.message import Message, bucket_of
from shared.ports import Clock, MessageStore, Original, SequenceTakenError

# Longer than any attempt takes: HTTP ends after 230 s (App Service's load balancer).
ATTEMPT_LIFETIME_S: Final = 15 * 60

_TRIES: Final = 30
_LAG_S: Final = 0.01
_MAX_CACHED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in the store, and whether an earlier attempt had stored it."""

    message: Message
    repeated: bool


class Sequencer:
    """Stores messages. A send is one request to the store unless another writer is quicker."""

    def __init__(self, messages: MessageStore, clock: Clock, *, bucket_size: int) -> None:
        self._messages = messages
        self._clock = clock
        self._bucket_size = bucket_size
        self._opened_s: OrderedDict[tuple[ConversationId, int], float] = OrderedDict()

    async def store(self, draft: Message, *, head: SequenceNumber, retry: bool) -> Stored:
        """Store *draft* at the first free sequence after *head*, or find it stored already.

        Args:
            draft: The message; its own sequence does not count.
            head: A sequence that is stored, the newest known. It may lag, and must never lead.
            retry: An earlier attempt may have stored it, in any bucket.

        Raises:
            UnavailableError: The store did not answer, or other writers were quicker every time.
        """
        looked_before, first = -1, self._bucket(head + 1)
        for attempt in range(_TRIES):
            message = replace(draft, sequence=SequenceNumber(head + 1))
            bucket = self._bucket(message.sequence)
            if looked_before != bucket and await self._must_look(message, retry or bucket != first):
                original = await self._look_before(message, bucket)
                if original:
                    return Stored(original, repeated=True)
                looked_before = bucket
            try:
                await self._messages.append(message)
            except SequenceTakenError:
                outcome = await self._after_conflict(message, bucket, attempt)
                if isinstance(outcome, Message):
                    return Stored(outcome, repeated=True)
                head = outcome
            else:
                return Stored(message, repeated=False)
        raise UnavailableError("the conversation is very busy")

    async def _must_look(self, message: Message, suspicious: bool) -> bool:
        bucket = self._bucket(message.sequence)
        if bucket == 0:
            return False
        return suspicious or await self._is_young(message.conversation_id, bucket)

    async def _is_young(self, conversation_id: ConversationId, bucket: int) -> bool:
        """Tell whether the bucket opened so lately that an earlier attempt may still be under way.

        Workers' clocks differ by minutes or hours. So the store says how old the bucket's first
        message is by its own clock, and from then on this process counts the seconds that pass.
        """
        opened_s = self._opened_s.get((conversation_id, bucket))
        if opened_s is None:
            first = SequenceNumber(bucket * self._bucket_size + 1)
            age_s = await self._messages.age_s(conversation_id, first)
            if age_s is None:
                return True
            opened_s = self._opened_s[conversation_id, bucket] = self._clock.elapsed_s() - age_s
            if len(self._opened_s) > _MAX_CACHED:
                self._opened_s.popitem(last=False)
        return self._clock.elapsed_s() - opened_s < ATTEMPT_LIFETIME_S

    async def _look_before(self, message: Message, bucket: int) -> Message | None:
        last = SequenceNumber(bucket * self._bucket_size)
        for attempt in range(_TRIES):
            answer: Original = await self._messages.find_original(message, bucket=None, proof=last)
            if answer.message or answer.proven:
                return answer.message
            await _wait(attempt)
        raise UnavailableError("the store lags behind")

    async def _after_conflict(
        self, message: Message, bucket: int, attempt: int
    ) -> Message | SequenceNumber:
        """Return the original if this message is stored already, else the head to propose after."""
        answer = await self._messages.find_original(message, bucket=bucket, proof=message.sequence)
        if answer.message:
            return answer.message
        if not answer.proven:  # the reason of the conflict is not visible yet
            await _wait(attempt)
            return SequenceNumber(message.sequence - 1)
        newest = await self._messages.find_newest(
            message.conversation_id, at_least=message.sequence
        )
        return SequenceNumber(max(message.sequence, newest.sequence if newest else 0))

    def _bucket(self, sequence: int) -> int:
        return bucket_of(SequenceNumber(sequence), size=self._bucket_size)


async def _wait(attempt: int) -> None:
    await asyncio.sleep(_LAG_S * 2 ** min(attempt, 5))
