"""Request units: what a call would cost, by the published figures where there are any.

| Operation | Model | Published? |
|---|---|---|
| point read of s KB | 1 + (s - 1) x 9/99, at least 1 | 1 KB: 1 RU, 100 KB: 10 RU; a line between |
| create, delete | 5.5 x read(s) + 0.15 per indexed value + 0.5 per unique key | only the 5.5 |
| replace, upsert over an item, patch | 2 x create(new item) | yes for replace; patch assumed |
| batch | the sum of its operations | assumed |
| query page | 2.8 + 0.3 per KB of every item loaded, returned or not | assumed |
| change feed page | 1 + 0.3 per KB returned | assumed |
| refused write, missing item | 1 | assumed |

An item that an indexed condition rules out is not loaded. Not modelled: consistency stronger than
session (doubles reads), several regions, minimum RU of a stored size, the cost of an index look-up
itself. A real account tells the truth in `x-ms-request-charge`; use these to compare two designs,
not to pay a bill.

Source: learn.microsoft.com/azure/cosmos-db/optimize-cost-reads-writes and key-value-store-cost.
"""

REFUSED = 1.0
_INDEXED_VALUE = 0.15
_UNIQUE_KEY = 0.5
_QUERY = 2.8
_FEED = 1.0
_LOADED_KB = 0.3
_PUT_FACTOR = 2.0


def point_read(size_bytes: int) -> float:
    return round(1 + max(size_bytes / 1024 - 1, 0) * 9 / 99, 2)


def insert(size_bytes: int, indexed_count: int, unique_key_count: int) -> float:
    """Return the charge of a create or a delete."""
    stored = 5.5 * point_read(size_bytes)
    return round(stored + _INDEXED_VALUE * indexed_count + _UNIQUE_KEY * unique_key_count, 2)


def put(size_bytes: int, indexed_count: int, unique_key_count: int) -> float:
    """Return the charge of a replace or a patch that leaves an item of *size_bytes*."""
    return round(_PUT_FACTOR * insert(size_bytes, indexed_count, unique_key_count), 2)


def query_page(loaded_bytes: int) -> float:
    return round(_QUERY + _LOADED_KB * loaded_bytes / 1024, 2)


def feed_page(returned_bytes: int) -> float:
    return round(_FEED + _LOADED_KB * returned_bytes / 1024, 2)
