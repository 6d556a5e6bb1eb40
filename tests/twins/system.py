"""The twins of the clock, the source of ids, the token check and a service's sign of life."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import override

from shared.domain.errors import ForbiddenError, UnauthenticatedError
from shared.domain.ids import (
    AttachmentId,
    ClientMessageId,
    ConversationId,
    attachment_id,
    group_conversation_id,
)
from shared.domain.people.user import Principal
from shared.ports import Clock, Ids, Probe, TokenVerifier
from tests.twins.faulty_link import FaultyLink

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class SettableClock(Clock):
    """Fulfils `Clock`: stands still until it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        self._at = at
        self._elapsed_s = 0.0

    @override
    def now(self) -> datetime:
        return self._at

    @override
    def elapsed_s(self) -> float:
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._at += timedelta(milliseconds=round(seconds * 1000))
        self._elapsed_s += seconds


class WrongClock(Clock):
    """Fulfils `Clock`: as much ahead of *true* as it is told, or behind; time passes as it does."""

    def __init__(self, true: Clock, *, ahead_s: float) -> None:
        self._true = true
        self._ahead = timedelta(seconds=ahead_s)

    @override
    def now(self) -> datetime:
        return self._true.now() + self._ahead

    @override
    def elapsed_s(self) -> float:
        return self._true.elapsed_s()


class CountingIds(Ids):
    """Fulfils `Ids`: the same ids in each run."""

    def __init__(self) -> None:
        self._count = 0

    @override
    def new_conversation_id(self) -> ConversationId:
        return group_conversation_id(self._next())

    @override
    def new_attachment_id(self) -> AttachmentId:
        return attachment_id(self._next())

    @override
    def new_client_message_id(self) -> ClientMessageId:
        return ClientMessageId(str(self._next()))

    def _next(self) -> uuid.UUID:
        self._count += 1
        return uuid.UUID(int=self._count << 64)  # far from the small ones that tests count


@dataclass(slots=True)
class MemoryVerifier(TokenVerifier):
    """Fulfils `TokenVerifier`: knows the tokens it was given.

    Args:
        sites: Those among them that are for the website's own calls.
    """

    principals: dict[str, Principal] = field(default_factory=dict)
    sites: frozenset[str] = frozenset()

    @override
    async def verify(self, token: str) -> Principal:
        if token not in self.principals or token in self.sites:
            raise UnauthenticatedError("the token is not valid")
        return self.principals[token]

    @override
    async def verify_site(self, token: str) -> Principal:
        if token in self.principals and token not in self.sites:
            raise ForbiddenError("only the website itself may call this")
        if token not in self.sites:
            raise UnauthenticatedError("the token is not valid")
        return self.principals[token]


@dataclass(slots=True)
class MemoryProbe(Probe):
    """Fulfils `Probe`: answers while its link does."""

    link: FaultyLink = field(default_factory=FaultyLink)

    @override
    async def check(self) -> None:
        async with self.link.call("check"):
            pass
