"""Up to which version the derived state of a conversation is reconciled: a part of live state."""

from typing import Protocol

from shared.domain.ids import ConversationId


class ReconciledVersions(Protocol):
    """Saves repeated work after a change of members. Each method is one round trip.

    A lost mark costs one more reconciliation, which changes nothing.
    """

    async def reconciled_version(self, conversation_id: ConversationId) -> int:
        """Return the newest version whose derived state was completed; 0 when none is known."""
        ...

    async def mark_reconciled(
        self, conversation_id: ConversationId, version: int, *, follows: int | None = None
    ) -> None:
        """Note that all derived state of *version* is complete.

        Args:
            follows: Note it only if this version is noted now; None notes it in any case. A caller
                that completed one change alone gives the version before that change: otherwise
                the unfinished part of an earlier change would pass for done.
        """
        ...
