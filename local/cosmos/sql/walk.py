"""The order in which items are walked, and how a walk goes on after a place in it."""

from collections.abc import Sequence

from local.cosmos.sql.plan import Filter
from local.cosmos.store import SqlValue


class Walk:
    """A total order of a scope's items: by *column* and then number, else by partition and id.

    A place in the walk is the pair of those two.
    """

    def __init__(self, column: str | None, *, descending: bool) -> None:
        self._descending = descending
        self.first = column or "epk"
        self.second = "number" if column else "id"

    @property
    def order(self) -> str:
        turn = " DESC" if self._descending else ""
        return f"{self.first}{turn}, {self.second}{turn}"

    def resume(self, narrowed: Filter, place: Sequence[SqlValue]) -> None:
        """Limit *narrowed* to what comes after *place*. SQLite sorts NULL before everything."""
        if not place:
            return
        value, tie = place
        first, second = self.first, self.second
        if first == "epk":
            # Row values let SQLite seek; neither of the two is ever NULL.
            narrowed.add("(epk, id) > (?, ?)", value, tie)
        elif not self._descending and value is None:
            narrowed.add(f"({first} IS NOT NULL OR {second} > ?)", tie)
        elif not self._descending:
            narrowed.add(f"{first} >= ? AND ({first} > ? OR {second} > ?)", value, value, tie)
        elif value is None:
            narrowed.add(f"{first} IS NULL AND {second} < ?", tie)
        else:
            narrowed.add(
                f"({first} < ? OR {first} IS NULL OR ({first} = ? AND {second} < ?))",
                value, value, tie,
            )  # fmt: skip
