"""The order of an inbox: kept in live state, reconciled from the store where that was lost.

A reconciliation reads one query of the user's memberships and one request to the store for each 200
conversations, and looks past the recorded head of the 100 that were active last. It goes on where
an earlier one ended, so it ends, however often it is cut short. A list that is not complete is
shown to nobody, but for its first page.

The first page does not wait for the rest. Each membership bounds how late its conversation was
active (`domain/activity.py`). So the conversations with the latest bounds are read, until as many
as the page shows were active at or after the bound of every conversation that was not read: none of
those belongs on the page. The rest is reconciled behind the answer. While it is, messages raise the
list as they do a complete one, so the same first page can be served from it again.
tests/integration/services/test_inbox_first_page.py shows that it equals that of the whole list.

Messages go on while the store is read. So the reconciliation is noted *before* its first read: from
then on each message raises its entry, and an entry only ever rises. What was posted before that
note stands in the store, or in the conversation's head in live state, when it is read afterwards.
An inbox that is lost again meanwhile, with the note, refuses what the older reconciliation adds:
half a list never passes for a whole one. Both are proved in
tests/integration/services/test_inbox_reconciliation.py.

The recorded head of a conversation is that of its last flush. With live state, messages of the
seconds since can be lost from it, though never from the store. They are looked for where they are
likely, in the conversations that were active last; anywhere else, the reconciliation of heads with
the change feed brings them.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import batched
from typing import Final

from shared.domain.conversations.activity import latest_inactive
from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.live import Epoch
from shared.domain.times import from_ms
from shared.ports import InboxEntry, InboxState, MembershipStore
from shared.services.inbox.background_reconciliation import BackgroundReconciliation
from shared.services.inbox.recorded_activity import Activity, RecordedActivity
from shared.services.locks import UserLocks

_AT_ONCE: Final = 200  # conversations in one step; what is done of them is kept
_STEPS: Final = 4
_LOOKED_PAST: Final = 100
_FIRST_PAGE: Final = 101  # the largest page of the API, and one to tell whether there is more
_TRIES: Final = 4
_UNSEEN: Final = SequenceNumber(-1)  # a conversation that the client has no position for

type Entries = dict[ConversationId, InboxEntry]
type Activities = dict[ConversationId, Activity]
type Keep = Callable[[list[InboxEntry]], Awaitable[None]]


class _LostAgainError(UnavailableError):
    """The inbox was lost after its reconciliation had begun: begin anew."""


@dataclass(frozen=True, slots=True)
class InboxOrder:
    """Says in which order a user's conversations stand."""

    live: InboxState
    memberships: MembershipStore
    recorded: RecordedActivity
    locks: UserLocks
    background: BackgroundReconciliation

    async def entries(
        self, user_id: UserId, *, limit: int, after: InboxEntry | None
    ) -> list[InboxEntry]:
        """Return up to *limit* entries after one, newest activity first.

        Raises:
            UnavailableError: The store did not answer. What was reconciled so far is kept.
        """
        try:
            page = await self.live.inbox_page(user_id, limit=limit, after=after)
        except UnavailableError:
            return await self._page_from_store(user_id, limit, after)
        for _ in range(_TRIES):
            if page is not None:
                return page
            with contextlib.suppress(_LostAgainError):
                if after is None and limit <= _FIRST_PAGE:
                    page = await self._first_page(user_id, limit)
                else:
                    page = await self._whole_page(user_id, limit, after)
        if page is not None:
            return page
        return await self._page_from_store(user_id, limit, after)

    async def heads(
        self,
        user_id: UserId,
        ids: Sequence[ConversationId],
        positions: Mapping[ConversationId, SequenceNumber],
    ) -> dict[ConversationId, SequenceNumber]:
        """Return the heads of those that exist, or one past a position that they have passed.

        Where live state knows none, it is the recorded head, and whoever has that is looked past.
        """
        try:
            summaries = await self.live.summaries(user_id, ids)
        except UnavailableError:
            summaries = []
        heads = {one.receipt.conversation_id: one.head for one in summaries}
        known = {one: head.sequence for one, head in heads.items() if head.is_cached}
        found = await self.recorded.read(user_id, [one for one in ids if one not in known])
        recorded = {one: activity.head for one, activity in found.items()}
        # The client may be past what was recorded: what it lacks lies past its own position.
        level = [
            replace(activity, head=position)
            for one, activity in found.items()
            if activity.head <= (position := positions.get(one, _UNSEEN))
        ]
        risen = await self.recorded.risen(level)
        past = {
            one.conversation_id: SequenceNumber(positions[one.conversation_id] + 1) for one in risen
        }
        return known | recorded | past

    async def reconcile(self, user_id: UserId, *, anew: bool = False) -> None:
        """Fill the user's inbox from the store, beside whatever is in it already.

        Args:
            anew: Read also what an earlier, unfinished reconciliation has put there.

        Raises:
            UnavailableError: The store or live state did not answer, or live state was lost
                meanwhile.
        """
        epoch = await self.live.epoch()
        listed = await self.live.begin_inbox(user_id, epoch=epoch)
        await self._complete(user_id, epoch, {} if anew else _by_id(listed))

    async def aclose(self) -> None:
        """End the reconciliations that go on behind first pages."""
        await self.background.aclose()

    async def _first_page(self, user_id: UserId, limit: int) -> list[InboxEntry] | None:
        """Return the first page of a list that is lost or being reconciled, and see to the rest."""
        async with self.locks.hold(f"first page of {user_id}"):  # of many callers one reads
            begun = self.background.begun(user_id, limit=limit)
            page = await self.live.inbox_page(user_id, limit=limit, after=None, begun=begun)
            if page is not None:
                return page
            epoch = await self.live.epoch()
            listed = _by_id(await self.live.begin_inbox(user_id, epoch=epoch))
            keep = partial(self._fill, user_id, epoch)
            newest = await self._newest(user_id, limit, listed, keep)
            if newest is None:
                return await self._whole_page(user_id, limit, None)
            entries, is_whole = newest
            if is_whole:
                await self._fill(user_id, epoch, [], complete=True)
            else:
                rest = partial(self._rest, user_id, epoch, entries)
                self.background.start(user_id, epoch, limit, rest)
            # As messages have raised it meanwhile.
            return await self.live.inbox_page(user_id, limit=limit, after=None, begun=epoch)

    async def _whole_page(
        self, user_id: UserId, limit: int, after: InboxEntry | None
    ) -> list[InboxEntry] | None:
        async with self.locks.hold(user_id):  # one caller reconciles, the others wait
            page = await self.live.inbox_page(user_id, limit=limit, after=after)
            if page is None:
                await self.reconcile(user_id)
                page = await self.live.inbox_page(user_id, limit=limit, after=after)
            return page

    async def _page_from_store(
        self, user_id: UserId, limit: int, after: InboxEntry | None
    ) -> list[InboxEntry]:
        newest = None
        if after is None and limit <= _FIRST_PAGE:
            newest = await self._newest(user_id, limit, {}, _keep_nothing)
        if newest is not None:
            entries, _ = newest
        else:
            ids = list(await self.memberships.list_all(user_id))
            read = await self._read(user_id, ids, _keep_nothing)
            entries = _entries_of(read)
            entries |= await self._look_past(user_id, entries, read, _keep_nothing)
        listed = sorted(entries.values(), key=order, reverse=True)
        return [one for one in listed if after is None or order(one) < order(after)][:limit]

    async def _rest(self, user_id: UserId, epoch: Epoch, listed: Entries) -> None:
        async with self.locks.hold(user_id):
            if await self.live.inbox_page(user_id, limit=1, after=None) is None:
                await self._complete(user_id, epoch, listed)

    async def _complete(self, user_id: UserId, epoch: Epoch, listed: Entries) -> None:
        """Read all that is not *listed*, and complete the list that was begun in *epoch*."""
        keep = partial(self._fill, user_id, epoch)
        lacking = [one for one in await self.memberships.list_all(user_id) if one not in listed]
        read = await self._read(user_id, lacking, keep)
        await self._look_past(user_id, listed | _entries_of(read), read, keep)
        await self._fill(user_id, epoch, [], complete=True)

    async def _newest(
        self, user_id: UserId, limit: int, listed: Entries, keep: Keep
    ) -> tuple[Entries, bool] | None:
        """Return entries that hold the *limit* newest of all, and whether they are all there are.

        None when a membership has no bound: then only reading everything can tell.
        """
        asked = max(limit, _LOOKED_PAST)
        newest = await self.memberships.list_newest(user_id, limit=asked)
        if newest is None:
            return None
        read = await self._read(user_id, [one for one, _ in newest if one not in listed], keep)
        entries = listed | _entries_of(read)
        if len(newest) == asked:
            # Only these can be as new as the last one of the page: the rest has earlier bounds.
            least = sorted((one.activity_ms for one in entries.values()), reverse=True)[:limit]
            floor = latest_inactive(from_ms(least[-1])) if len(least) == limit else from_ms(0)
            if newest[-1][1] > floor:
                active = await self.memberships.list_active(user_id, after=floor)
                read |= await self._read(user_id, [x for x in active if x not in entries], keep)
                entries |= _entries_of(read)
        entries |= await self._look_past(user_id, entries, read, keep)
        return entries, len(newest) < asked

    async def _read(self, user_id: UserId, ids: Sequence[ConversationId], keep: Keep) -> Activities:
        slots = asyncio.Semaphore(_STEPS)

        async def step(some: tuple[ConversationId, ...]) -> Activities:
            async with slots:
                found = await self.recorded.read(user_id, some)
                await keep([one.entry for one in found.values()])
                return found

        steps = await asyncio.gather(*map(step, batched(ids, _AT_ONCE, strict=False)))
        return {one: activity for found in steps for one, activity in found.items()}

    async def _look_past(
        self, user_id: UserId, entries: Entries, read: Activities, keep: Keep
    ) -> Entries:
        """Return those of the newest *entries* that a message past what was recorded raises."""
        newest = sorted(entries.values(), key=order, reverse=True)[:_LOOKED_PAST]
        ids = [one.conversation_id for one in newest]
        read = read | await self.recorded.read(user_id, [one for one in ids if one not in read])
        activities = [read[one] for one in ids if one in read]
        risen = _by_id(one.entry for one in activities) | _by_id(
            await self.recorded.risen(activities)
        )
        await keep(list(risen.values()))
        return risen

    async def _fill(
        self, user_id: UserId, epoch: Epoch, entries: list[InboxEntry], *, complete: bool = False
    ) -> None:
        if not await self.live.fill_inbox(user_id, entries, epoch=epoch, complete=complete):
            raise _LostAgainError("live state was lost while the inbox was reconciled")


def order(entry: InboxEntry) -> tuple[int, str]:
    """Return what inboxes are sorted by, the greatest first."""
    return entry.activity_ms, entry.conversation_id


def _by_id(entries: Iterable[InboxEntry]) -> Entries:
    return {one.conversation_id: one for one in entries}


def _entries_of(read: Activities) -> Entries:
    return {one: activity.entry for one, activity in read.items()}


async def _keep_nothing(_entries: list[InboxEntry]) -> None:
    """Keep nothing: live state is away."""
