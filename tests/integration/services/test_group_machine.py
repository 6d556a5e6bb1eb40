"""SignalR groups follow their conversations, whoever changes and connects at the same time.

Members are added and removed and their connections come and go, several at once and in any order of
the calls below. Connections are lost without a word, the service remembers few groups of a user,
and it fails now and then. In the end, when the change feed has been through, a connection hears
exactly the groups its user is in, and no push was stopped by a connection that was gone.
"""

import asyncio
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.conversations import group_memberships
from shared.domain.errors import ChatError, UnavailableError
from shared.domain.ids import ConnectionId, ConversationId, UserId
from tests.integration.services.world import Worker, World, by, run, start
from tests.twins import hub as twin_hub
from tests.unit.things import ANN, BOB, CAT

GROUPS = 6
SERVICE_REMEMBERS = 5
WE_COUNT_ON = 2
AT_ONCE = 4
PEOPLE = (BOB, CAT)

steps = st.tuples(
    st.sampled_from(
        ["add", "remove", "connect", "add", "remove", "connect", "lose", "close", "restart", "deaf"]
    ),
    st.sampled_from((BOB, BOB, BOB, CAT)),
    st.sampled_from((0, 0, 0, 1, GROUPS - 1)),  # mostly the one that the service forgets first
)
rounds = st.lists(st.lists(steps, min_size=2, max_size=AT_ONCE), min_size=2, max_size=10)


@dataclass
class Machine:
    """Two workers and a service, whose calls take a while of chance each."""

    chance: random.Random
    world: World = field(default_factory=World)
    groups: list[ConversationId] = field(default_factory=list)
    count: int = 0

    async def begin(self) -> None:
        self.workers = [self.world.worker() for _ in range(2)]
        for number in range(GROUPS):
            members = PEOPLE if number else ()
            self.groups.append((await start(self.workers[0], ANN, *members)).conversation.id)
            self.world.clock.advance(1)
        for link in (self.world.redis_link, self.world.hub.link, self.world.memberships.link):
            link.pause = self._wait
        for worker in self.workers:
            worker.conversations.link.pause = self._wait

    async def step(self, what: str, user: UserId, number: int) -> None:
        worker, group = self.chance.choice(self.workers), self.groups[number]
        self.world.clock.advance(1)
        if what in {"add", "remove"}:
            await self._change(worker, what, user, group)
        elif what == "connect":
            await self._connect(worker, user)
        elif what == "restart":
            self.world.hub.connections.clear()
        elif what == "deaf":
            self.world.hub.link.fail("leave", when=self.chance.choice(["before", "after"]))
        else:
            await self._end(worker, user, told=what == "close")

    async def settle(self) -> None:
        """Let the change feed bring each conversation as it is now, until it is taken."""
        self.world.hub.link.clear()
        for group in self.groups:
            worker = self.chance.choice(self.workers)
            stored = self.world.conversation_table.logs[group][-1].conversation
            await worker.chat.membership.reconcile(stored)

    async def _change(self, worker: Worker, what: str, user: UserId, group: ConversationId) -> None:
        conversations = worker.chat.conversations
        try:
            if what == "add":
                done = await conversations.add_members(by(ANN), group, user_ids=[user])
            else:
                done = await conversations.remove_member(by(ANN), group, user_id=user)
        except ChatError:
            return  # not a member, or a service failed: the change feed comes
        await self._send(done.effects)

    async def _connect(self, worker: Worker, user: UserId) -> None:
        self.count += 1
        connection = ConnectionId(f"{user}-{self.count}")
        self.world.hub.connect(user, connection)
        await self._send(await worker.chat.connections.connected(by(user, connection), connection))

    async def _end(self, worker: Worker, user: UserId, *, told: bool) -> None:
        mine = [one for one, (who, _) in self.world.hub.connections.items() if who == user]
        if mine:
            connection = self.chance.choice(mine)
            self.world.hub.disconnect(connection)
            if told:
                await worker.chat.connections.disconnected(user, connection)

    async def _send(self, effects: list) -> None:  # type: ignore[type-arg]
        try:
            await self.world.hub.send(effects)
        except UnavailableError:
            return

    async def _wait(self, _name: str) -> None:
        await asyncio.sleep(self.chance.random() ** 8)  # mostly soon, sometimes late


@settings(max_examples=150, deadline=None)
@given(rounds=rounds, seed=st.integers(0, 2**32))
def test_who_hears_a_group_is_who_is_in_it(
    rounds: list[list[tuple[str, UserId, int]]], seed: int
) -> None:
    async def check() -> None:
        machine = Machine(random.Random(seed))
        await machine.begin()
        for round_ in rounds:
            await asyncio.gather(*(machine.step(*step) for step in round_))
        await machine.settle()
        # Whoever connects now hears all of it too, though the service forgot some groups.
        for user in PEOPLE:
            await machine.step("connect", user, 0)
        for group in machine.groups:
            members = machine.world.conversation_table.logs[group][-1].conversation.member_ids
            alive = machine.world.hub.connections.items()
            due = {one for one, (user, _) in alive if user in members}
            assert machine.world.hub.audience(group) == due

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(twin_hub, "REMEMBERED", SERVICE_REMEMBERS)
        patched.setattr(group_memberships, "REMEMBERED", WE_COUNT_ON)
        run(check())
