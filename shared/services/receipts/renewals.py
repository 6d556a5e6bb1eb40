"""Renewing what memberships say of a conversation's activity, before a flush records more of it.

The order makes the bound hold (`domain/activity.py`): first the memberships of all members are
raised, then the flush is recorded together with the new moment. A worker that dies in between has
raised some memberships and recorded nothing, so the next flush does it all again. A member who
joins meanwhile brings a moment of their own; the membership of one who left is not there any more,
and none is added for them. Two workers that renew at once raise, and never lower.
Shown by tests/integration/services/test_renewals.py.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.domain.conversations.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.ids import UserId
from shared.ports import (
    ConversationStore,
    LiveConversation,
    MembershipStore,
    VersionConflictError,
)

logger = logging.getLogger(__name__)

_WRITERS: Final = 16
_WITHIN_S: Final = 4.0  # for all renewals of one batch: a flush follows every few seconds


@dataclass(frozen=True, slots=True)
class Renewal:
    """A flush that is due together with a renewal.

    Args:
        state: What the flush took from live state.
        conversation: As it was read after that.
        active_from: What the memberships shall say: when the newest message of *state* was sent.
    """

    state: LiveConversation
    conversation: Conversation
    active_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewals:
    """Renews memberships, and records the flushes that waited for it."""

    memberships: MembershipStore
    store: ConversationStore

    async def run(self, due: Iterable[Renewal]) -> list[LiveConversation]:
        """Carry out what is due within four seconds; return what was recorded.

        The rest stays marked in live state and is tried again at the next flush.
        """
        slots = asyncio.Semaphore(_WRITERS)
        recorded: list[LiveConversation] = []

        async def one(renewal: Renewal) -> None:
            try:
                await self._renew(renewal, slots)
            except (UnavailableError, VersionConflictError) as error:
                identifier = renewal.state.conversation_id
                logger.warning("flush of %s put off: %s", identifier, error or "changed meanwhile")
            else:
                recorded.append(renewal.state)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WITHIN_S):
                await asyncio.gather(*map(one, due))
        return recorded

    async def _renew(self, renewal: Renewal, slots: asyncio.Semaphore) -> None:
        conversation, active_from = renewal.conversation, renewal.active_from

        async def member(user_id: UserId) -> None:
            async with slots:
                await self.memberships.renew(user_id, conversation.id, active_from)

        await asyncio.gather(*map(member, conversation.member_ids))
        await self.store.save_state(renewal.state, active_from=active_from)
