"""Which paths of an item a container's indexing policy indexes.

Source: learn.microsoft.com/azure/cosmos-db/index-policy: the more precise of two matching paths
wins; `id` and `_ts` are always indexed while the mode is consistent.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from local.cosmos.json_values import UNDEFINED, Json, JsonPath, at_path

type Pattern = tuple[JsonPath, bool]

_SYSTEM = frozenset({"_rid", "_self", "_etag", "_attachments", "_ts"})
DEFAULT_POLICY: dict[str, Json] = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/*"}],
    "excludedPaths": [{"path": '/"_etag"/?'}],
}


class IndexingPolicy:
    """A parsed indexing policy. Raises ValueError when a path is malformed."""

    def __init__(self, policy: Mapping[str, Json]) -> None:
        mode = policy.get("indexingMode", "consistent")
        self._on = isinstance(mode, str) and mode.lower() == "consistent"
        self._rules = [
            *((pattern, True) for pattern in _patterns(policy.get("includedPaths"))),
            *((pattern, False) for pattern in _patterns(policy.get("excludedPaths"))),
        ]
        self._only_exact = self._on and not any(
            included and (open_end or "[]" in path) for (path, open_end), included in self._rules
        )
        self.covers = lru_cache(maxsize=1024)(self._covers)

    def exact_paths(self) -> list[JsonPath]:
        """Return the included paths that name one property each."""
        if not self._on:
            return []
        return [path for (path, open_end), included in self._rules if included and not open_end]

    def count(self, item: Json) -> int:
        """Return how many values of *item* the policy puts into the index."""
        if self._only_exact:
            return 1 + sum(at_path(item, path) is not UNDEFINED for path in self.exact_paths())
        return sum(1 for path in _leaves(item, ()) if self.covers(path))

    def _covers(self, path: JsonPath) -> bool:
        if not self._on:
            return False
        if path in {("id",), ("_ts",)}:
            return True
        best, verdict = -1, False
        for (pattern, open_end), included in self._rules:
            precision = 2 * len(pattern) + (not open_end)
            if precision > best and _matches(pattern, path, open_end=open_end):
                best, verdict = precision, included
        return verdict


def path_of(text: str) -> JsonPath:
    """Split `/a/"b c"/?` style path text into names; `[]` stands for the items of an array.

    Raises:
        ValueError: *text* does not start with a slash.

    """
    if not text.startswith("/"):
        sentence = f"The path '{text}' could not be accepted: it must start with '/'."
        raise ValueError(sentence)
    return tuple(part.strip('"') for part in text[1:].split("/") if part)


def _patterns(entries: Json | None) -> Iterator[Pattern]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("path"), str):
            path = path_of(str(entry["path"]))
            ending = path[-1] if path else ""
            yield (path[:-1], ending == "*") if ending in {"*", "?"} else (path, False)


def _matches(pattern: JsonPath, path: JsonPath, *, open_end: bool) -> bool:
    return path[: len(pattern)] == pattern if open_end else path == pattern


def _leaves(value: Json, path: JsonPath) -> Iterator[JsonPath]:
    if isinstance(value, dict):
        for name, member in value.items():
            if path or name not in _SYSTEM:
                yield from _leaves(member, (*path, name))
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, (*path, "[]"))
    else:
        yield path
