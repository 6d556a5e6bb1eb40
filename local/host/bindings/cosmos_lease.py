"""Leases of a change feed: how far each range of a container has been processed.

The documents have the ids and fields of the real change feed processor, except that nobody else
competes for them here: the owner is always this host.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosAccessConditionFailedError, CosmosResourceNotFoundError

FeedRange = dict[str, object]


@dataclass(slots=True)
class Lease:
    """One lease document; `continuation` None means that nothing has been read yet."""

    id: str
    token: str
    feed_range: FeedRange
    continuation: str | None = None
    etag: str | None = None


class Leases:
    """The lease documents of one function, in the leases container.

    Args:
        prefix: Sets apart functions that read one container: leaseContainerPrefix.
        subject: The account, database and container whose feed is read.

    """

    def __init__(self, container: ContainerProxy, prefix: str, subject: str) -> None:
        self._container = container
        self._stem = f"{prefix}{subject}.."

    async def load(self, feed_range: FeedRange) -> Lease:
        """Return the lease of *feed_range*, as stored or new."""
        token = _token(feed_range)
        lease = Lease(f"{self._stem}{token}", token, feed_range)
        try:
            document = await self._container.read_item(lease.id, partition_key=lease.id)
        except CosmosResourceNotFoundError:
            return lease
        lease.continuation, lease.etag = document["ContinuationToken"], document["_etag"]
        return lease

    async def checkpoint(self, lease: Lease, continuation: str) -> None:
        """Store that *lease*'s range has been processed up to *continuation*.

        When the stored lease was changed by another meanwhile, theirs is taken over instead.
        """
        document = {
            "id": lease.id,
            "LeaseToken": lease.token,
            "FeedRange": lease.feed_range,
            "ContinuationToken": continuation,
            "Owner": "functions-host",
            "timestamp": datetime.now(UTC).isoformat(),
            "Mode": "Incremental Feed",
            "version": 1,
        }
        try:
            stored = (
                await self._container.upsert_item(document)
                if lease.etag is None
                else await self._container.replace_item(
                    lease.id,
                    document,
                    etag=lease.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            )
        except (CosmosAccessConditionFailedError, CosmosResourceNotFoundError):
            current = await self.load(lease.feed_range)
            lease.continuation, lease.etag = current.continuation, current.etag
            return
        lease.continuation, lease.etag = continuation, stored["_etag"]


def _token(feed_range: FeedRange) -> str:
    ends = feed_range.get("Range")
    if isinstance(ends, dict) and {"min", "max"} <= ends.keys():
        return f"{ends['min']}-{ends['max']}"
    text = json.dumps(feed_range, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:16]
