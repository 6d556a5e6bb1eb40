"""A container: its definition, and the counters every write moves."""

import base64
import math
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from local.cosmos.indexing import DEFAULT_POLICY, IndexingPolicy, path_of
from local.cosmos.json_values import (
    EXACT,
    UNDEFINED,
    Json,
    JsonPath,
    Value,
    at_path,
    canonical,
    dump,
    load,
    plain_number,
)
from local.cosmos.partition import effective_key
from local.cosmos.protocol import BadRequestError

_FOREVER = -1
_MAX_KEY_LEVELS = 3
_MAX_UNIQUE_KEYS = 10
_UNSERVED = (
    "computedProperties",
    "conflictResolutionPolicy",
    "fullTextPolicy",
    "vectorEmbeddingPolicy",
)


class Key:
    """A partition key as a call gives it: its components and its position in the hash space."""

    __slots__ = ("components", "epk")

    def __init__(self, components: tuple[Value, ...]) -> None:
        self.components = components
        self.epk = effective_key(components)


class Container:
    """One container.

    Attributes:
        number: Its number in the database file; its items live in the table `items_<number>`.
        lsn: The position of the newest change; it only grows.
        last_ts: The largest `_ts` given out, so that `_ts` never falls while the position rises.
        next_expiry: Epoch seconds at which the first item expires; infinity when none does.
        ordered_paths: Paths that have an SQLite index of their own inside each partition.
        mixed_paths: Paths that hold, or held, values SQLite orders otherwise than Cosmos does.

    """

    def __init__(self, database: str, number: int, rid: str, definition: dict[str, Json]) -> None:
        """Read *definition*, which `normalised` has checked."""
        self.database = database
        self.number = number
        self.rid = rid
        self.definition = definition
        self.id = str(definition["id"])
        self.link = f"dbs/{database}/colls/{self.id}"
        self.quoted_link = quote(self.link)
        self.table = f"items_{number}"
        self.key_paths = _key_paths(definition)
        self.unique_keys = _unique_keys(definition)
        self.policy = _policy(definition)
        self.default_ttl = _default_ttl(definition)
        self._stamp = rid[4:8].encode().hex()
        self.lsn = 0
        self.last_ts = 0
        self.next_expiry = math.inf
        self.mixed_paths: set[JsonPath] = set()
        unique = {path for paths in self.unique_keys for path in paths}
        self.ordered_paths = [path for path in self.policy.exact_paths() if path not in unique]
        self.key_of_header = lru_cache(maxsize=4096)(self._key_of_header)

    def etag(self, lsn: int) -> str:
        return f'"{self._stamp}-0000-0000-0000-{lsn:012x}"'

    def item_rid(self, number: int) -> str:
        return _text(_bytes(self.rid) + number.to_bytes(8, "little"))

    def key_of(self, item: Mapping[str, Json]) -> tuple[Value, ...]:
        """Return the partition key *item* carries, absent components as UNDEFINED."""
        return tuple(_component(at_path(item, path)) for path in self.key_paths)  # type: ignore[arg-type]

    def unique_texts(self, item: dict[str, Json]) -> list[str]:
        """Return one text per unique key; an absent value counts as null, as in Cosmos."""
        return [
            self.unique_text([at_path(item, path) for path in paths]) for paths in self.unique_keys
        ]

    @staticmethod
    def unique_text(values: list[Value]) -> str:
        return canonical([None if value is UNDEFINED else value for value in values])

    def expiry(self, item: Mapping[str, Json], ts: int) -> int | None:
        """Return the epoch second at which *item* expires; None when it does not."""
        if self.default_ttl is None:
            return None
        own = item.get("ttl")
        seconds = own if isinstance(own, int) and not isinstance(own, bool) else self.default_ttl
        return None if seconds == _FOREVER else ts + seconds

    def _key_of_header(self, header: str) -> Key:
        try:
            parsed = load(header)
        except ValueError:
            parsed = None
        if not isinstance(parsed, list) or not 1 <= len(parsed) <= len(self.key_paths):
            raise BadRequestError(f"The partition key supplied, {header}, is invalid.")
        try:
            return Key(tuple(_component(UNDEFINED if part == {} else part) for part in parsed))
        except (TypeError, UnicodeEncodeError, OverflowError) as error:
            raise BadRequestError(f"The partition key supplied, {header}, is invalid.") from error


def normalised(requested: Json) -> dict[str, Json]:
    """Return the definition that *requested* stands for, defaults filled in.

    Raises:
        BadRequestError: A field is missing, malformed, or beyond what the stand-in models.

    """
    if (
        not isinstance(requested, dict)
        or not isinstance(requested.get("id"), str)
        or not requested["id"]
    ):
        raise BadRequestError("The required property 'id' is missing or invalid.")
    for unsupported in _UNSERVED:
        if requested.get(unsupported):
            raise BadRequestError(f"'{unsupported}' is not supported by the local stand-in.")
    own_fields = {name: value for name, value in requested.items() if not name.startswith("_")}
    definition = {
        **own_fields,
        "indexingPolicy": own_fields.get("indexingPolicy") or DEFAULT_POLICY,
    }
    if definition.get("defaultTtl") is None:
        definition.pop("defaultTtl", None)
    Container("", 0, "", definition)
    return definition


def sorts_alike(value: Value) -> bool:
    """Tell whether SQLite's order and comparisons, applied to *value*, are Cosmos' too."""
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return abs(value) <= EXACT
    return value is UNDEFINED


def new_database_rid(number: int) -> str:
    return _text(number.to_bytes(4, "big"))


def new_container_rid(database_rid: str, stamp: bytes) -> str:
    """Return the rid of a container; *stamp* is 4 random bytes, so that a new one differs."""
    return _text(_bytes(database_rid) + bytes([stamp[0] | 0x80]) + stamp[1:4])


def _text(raw: bytes) -> str:
    return base64.b64encode(raw, altchars=b"+-").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, altchars=b"+-")


def _component(value: Value) -> Value:
    return plain_number(value) if isinstance(value, float) else value


def _key_paths(definition: Mapping[str, Json]) -> tuple[JsonPath, ...]:
    key = definition.get("partitionKey")
    if not isinstance(key, dict) or key.get("version") != 2:
        raise BadRequestError("A partitionKey definition of version 2 is required.")
    paths = _paths(key.get("paths"), "partitionKey")
    levels = _MAX_KEY_LEVELS if key.get("kind") == "MultiHash" else 1
    if key.get("kind") not in {"Hash", "MultiHash"} or not 1 <= len(paths) <= levels:
        raise BadRequestError("The partitionKey has an unknown kind or a wrong number of paths.")
    return paths


def _unique_keys(definition: Mapping[str, Json]) -> tuple[tuple[JsonPath, ...], ...]:
    policy = definition.get("uniqueKeyPolicy") or {}
    keys = policy.get("uniqueKeys", []) if isinstance(policy, dict) else None
    if not isinstance(keys, list) or len(keys) > _MAX_UNIQUE_KEYS:
        raise BadRequestError("The uniqueKeyPolicy is invalid.")
    return tuple(
        _paths(key.get("paths") if isinstance(key, dict) else None, "uniqueKeyPolicy")
        for key in keys
    )


def _paths(entries: Json, owner: str) -> tuple[JsonPath, ...]:
    if not isinstance(entries, list) or not entries:
        raise BadRequestError(f"The {owner} needs a list of paths.")
    try:
        return tuple(path_of(str(entry)) for entry in entries)
    except ValueError as error:
        raise BadRequestError(str(error)) from error


def _policy(definition: Mapping[str, Json]) -> IndexingPolicy:
    policy = definition.get("indexingPolicy", DEFAULT_POLICY)
    if not isinstance(policy, dict):
        raise BadRequestError("The indexingPolicy is invalid.")
    try:
        return IndexingPolicy(policy)
    except ValueError as error:
        raise BadRequestError(str(error)) from error


def _default_ttl(definition: Mapping[str, Json]) -> int | None:
    ttl = definition.get("defaultTtl")
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, int) or (ttl < 1 and ttl != _FOREVER):
        raise BadRequestError(f"The defaultTtl {dump(ttl)} is invalid: -1 or a positive integer.")
    return ttl
