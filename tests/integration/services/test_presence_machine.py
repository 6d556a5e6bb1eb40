"""Connections that come, go, lapse and are told of late, twice or never: presence settles."""

import asyncio
from collections.abc import Coroutine
from typing import Any, override

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.domain.errors import RateLimitedError
from shared.domain.events import Effect, PresenceChanged, Push
from shared.domain.ids import ConnectionId
from shared.domain.limits import Limit
from shared.domain.people.presence import PresenceStatus
from shared.ports import Call
from tests.integration.services.world import LEASE_S, FastLoop, World, by
from tests.unit.things import ANN, BOB

HEARTBEAT_S = 120
SWEEP_S = 10
NEVER = ("other", Limit(per_second=1e-9, burst=1))


class Connections(RuleBasedStateMachine):
    """Ann's connections; bob watches. What the service says of a connection waits in `told`."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=FastLoop)
        self.world = World(settings={"CHAT_LIMIT_CONNECTIONS": "100"})  # no run opens as many
        chat = self.world.worker().chat
        self.connections, self.presences = chat.connections, chat.presences
        self.alive: list[ConnectionId] = []
        self.told: list[tuple[str, ConnectionId]] = []
        self.count = 0
        self.seen_by_watchers: PresenceStatus = "offline"
        self.forgotten = False

    @rule(late=st.booleans())
    def connect(self, late: bool) -> None:
        self.count += 1
        connection = ConnectionId(f"c{self.count}")
        self.alive.append(connection)
        self.told.append(("connected", connection))
        if not late:
            self.tell(len(self.told) - 1, again=False)

    @precondition(lambda self: self.alive)
    @rule(pick=st.integers(0, 5), late=st.booleans())
    def close(self, pick: int, late: bool) -> None:
        connection = self.alive.pop(pick % len(self.alive))
        self.told.append(("disconnected", connection))
        if not late:
            self.tell(len(self.told) - 1, again=False)

    @precondition(lambda self: self.told)
    @rule(pick=st.integers(0, 9), again=st.booleans())
    def tell(self, pick: int, again: bool) -> None:
        place = pick % len(self.told)
        what, connection = self.told[place] if again else self.told.pop(place)
        if what == "connected":
            self._take(self.connections.connected(by(ANN, connection), connection))
        else:
            self._take(self.connections.disconnected(ANN, connection))

    @precondition(lambda self: self.told)
    @rule(pick=st.integers(0, 9))
    def forget_to_tell(self, pick: int) -> None:
        self.told.pop(pick % len(self.told))

    @precondition(lambda self: self.alive)
    @rule(pick=st.integers(0, 5))
    def call(self, pick: int) -> None:
        connection = self.alive[pick % len(self.alive)]
        self._take(self._beat(Call(ANN, connection)))

    @precondition(lambda self: self.alive)
    @rule(pick=st.integers(0, 5))
    def call_too_often(self, pick: int) -> None:
        connection = self.alive[pick % len(self.alive)]
        for _ in range(2):
            self._take(self._beat(Call(ANN, connection, NEVER)))

    @rule(seconds=st.integers(1, 3 * LEASE_S))
    def wait(self, seconds: int) -> None:
        for second in range(0, seconds, SWEEP_S):
            self.world.clock.advance(SWEEP_S)
            if second % HEARTBEAT_S == 0:
                for connection in self.alive:
                    self._take(self._beat(Call(ANN, connection)))
            self._take(self.presences.sweep(), heard=False)

    @rule()
    def lose_live_state(self) -> None:
        # Who is not heard of any more is not known to be gone; who asks is told the truth though.
        self.forgotten = self.seen_by_watchers == "online"
        self.world.redis.flush()

    @invariant()
    def who_was_just_heard_of_is_online(self) -> None:
        if self.world.redis.live(ANN):
            assert self._status() == "online"

    @override
    def teardown(self) -> None:
        try:
            self.wait(3 * LEASE_S)
            truth: PresenceStatus = "online" if self.alive else "offline"
            assert self._status() == truth
            if not self.forgotten:
                assert self.seen_by_watchers == truth
        finally:
            self.runner.close()

    def _status(self) -> PresenceStatus:
        (presence,) = self.runner.run(self.presences.list_presences(by(BOB), [ANN]))
        return presence.status

    async def _beat(self, call: Call) -> list[Effect]:
        try:
            _, effects = await self.presences.heartbeat(call)
        except RateLimitedError:
            return list(call.token.effects)  # the edge sends it beside the refusal
        return effects

    def _take(self, effects: Coroutine[Any, Any, list[Effect]], *, heard: bool = True) -> None:
        self.forgotten &= not heard
        for one in self.runner.run(effects):
            if isinstance(one, Push) and isinstance(one.event, PresenceChanged):
                (presence,) = one.event.presences
                self.seen_by_watchers = presence.status


TestConnections = Connections.TestCase
TestConnections.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
