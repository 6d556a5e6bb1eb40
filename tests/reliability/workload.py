"""One run: people talk while the nemesis strikes; then all is counted and checked."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import aiohttp

from tests.reliability import final_state
from tests.reliability.beside import Beside
from tests.reliability.caller import Caller
from tests.reliability.checker import check
from tests.reliability.history import (
    Event,
    History,
    Holds,
    Inbox,
    Left,
    Member,
    Notified,
    Presence,
    Refused,
    Said,
    Watermark,
)
from tests.reliability.inboxes import inbox_of
from tests.reliability.nemesis import Nemesis
from tests.reliability.participants import Participants
from tests.reliability.plan import Outcome, Plan
from tests.reliability.schedule import Line, lines, strikes
from tests.stack import Stack

# Live state catches up with the store through the change feed: a look a second, a retry in five.
_HEALED_S = 8.0

TALKERS = 4  # with the SDK; the first of them leaves in the end
IMPATIENT = TALKERS
_PLACES = [[0, 1], [2, 3], [1, 4], [0, 1, 2, 3, 4]]
_AWAY = {2: "away", 3: "away"}  # conversations with a member who never comes


class Workload:
    """A run on *stack*, with people of its own."""

    def __init__(self, stack: Stack, session: aiohttp.ClientSession, plan: Plan) -> None:
        self._stack = stack
        self._session = session
        self._plan = plan
        self._names = [f"p{plan.seed}-{number}" for number in range(TALKERS + 1)]
        self._away = f"p{plan.seed}-away"
        self._readers: dict[str, final_state.Reader] = {}
        self._tokens: dict[str, str] = {}
        self._places: list[str] = []
        self._beside: Beside | None = None
        self.history: History = []

    async def run(self) -> Outcome:
        """Talk, be struck, wait for all to settle, and check."""
        await self._meet()
        participants = await Participants.gather(self._stack.base_url, self.history)
        nemesis = Nemesis(self._stack, self._session, self.history)
        try:
            await self._sit_down(participants)
            await self._gather_beside()
            await self._go_on(participants, nemesis)
            await nemesis.relent()
            await self._stack.healthy()
            await self._settle(participants)
            await self._count()
        finally:
            await nemesis.relent()
            await participants.part()
        return Outcome(self._plan, self.history, check(self.history))

    async def _gather_beside(self) -> None:
        plan = self._plan
        if plan.beside:
            self._beside = await Beside.gather(self._stack, self._session, self.history, plan)

    async def _go_on(self, participants: Participants, nemesis: Nemesis) -> None:
        plan = self._plan
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(self._speak(participants))
            if self._beside is not None:
                looker, conversation = self._caller(self._names[1]), self._places[-1]
                group.create_task(
                    self._beside.run(plan.seconds, ended, looker, conversation),
                )
            await nemesis.follow(strikes(plan.seed, plan.faults, plan.seconds))
            await speaking
            ended.set()

    def _caller(self, who: str) -> Caller:
        return Caller(who, self._tokens[who], self._session, self._stack, self.history)

    async def _meet(self) -> None:
        for who in [*self._names, self._away]:
            self._tokens[who] = await self._stack.token(who)
            self._readers[who] = final_state.Reader(
                self._session, self._stack, who, self._tokens[who], patience_s=self._plan.patience_s
            )
        for who in self._subscribed:
            await self._subscribe(who)
        for number, place in enumerate(_PLACES):
            members = [self._names[who] for who in place]
            if number in _AWAY:
                members.append(self._away)
            kind = "direct" if len(members) == 2 else "group"
            asked = {"kind": kind, "memberIds": members[1:], "title": ""}
            reader = self._readers[members[0]]
            made = await reader.call("POST", "/conversations", asked)
            self._places.append(str(made["id"]))
            self.history += [Member(final_state.now_ms(), who, made["id"]) for who in members]

    @property
    def _subscribed(self) -> list[str]:
        """Who has a device: one who never comes, one who is here, one who only posts."""
        return [self._away, self._names[1], self._names[IMPATIENT]]

    async def _subscribe(self, who: str) -> None:
        reply = await self._stack.call("POST", "/dev/push-subscription", {"userId": who})
        subscription = {name: reply.json[name] for name in ("endpoint", "keys")}
        await self._readers[who].call("PUT", f"/push-subscriptions/{who}", subscription)
        # So that a notification says which message it is about.
        await self._readers[who].call("PATCH", "/me/settings", {"preview": "text"})

    async def _sit_down(self, participants: Participants) -> None:
        for who in self._names:
            participants.do(
                "join",
                who=who,
                token=self._tokens[who],
                conversations=self._places_of(who),
                online=who != self._names[IMPATIENT],
            )
        online = {"online", "away"}
        await _until(participants, lambda people: all(one["phase"] in online for one in people), 30)

    async def _speak(self, participants: Participants) -> None:
        plan = self._plan
        script = lines(
            plan.seed, plan.seconds, rate=plan.rate, people=len(self._names), places=_PLACES
        )
        chance = random.Random(f"read {plan.seed}")
        begun = time.monotonic()
        for number, line in enumerate(script):
            await asyncio.sleep(max(0.0, begun + line.at_s - time.monotonic()))
            self._utter(participants, line, f"{plan.seed}:{number}")
            if chance.random() < 0.3:
                reader = chance.choice([who for who in _PLACES[line.place] if who != IMPATIENT])
                participants.do(
                    "read", who=self._names[reader], conversation=self._places[line.place]
                )

    def _utter(self, participants: Participants, line: Line, body: str) -> None:
        said = {"who": self._names[line.who], "conversation": self._places[line.place]}
        if line.patience_ms:
            participants.do("post", **said, body=body, patienceMs=line.patience_ms)
        else:
            participants.do("say", **said, body=body)

    async def _settle(self, participants: Participants) -> None:
        people = await _until(
            participants,
            lambda people: not any(one["pending"] for one in people),
            self._plan.patience_s,
            lambda people: sum(one["pending"] for one in people),
        )
        self.history += [Left(final_state.now_ms(), one["who"], one["pending"]) for one in people]
        participants.do("leave", who=self._names[0])
        heads = await self._heads()
        await _until(
            participants,
            lambda people: all(
                last == heads[place] for one in people for place, last in one["last"].items()
            ),
            self._plan.patience_s / 2,
        )
        await participants.ask("show")

    async def _heads(self) -> dict[str, int]:
        heads = dict.fromkeys(self._places, 0)
        for one in await final_state.stored(self._stack, self._places):
            heads[one.conversation] = max(heads[one.conversation], one.sequence)
        return heads

    async def _count(self) -> None:
        beside = self._beside.conversations if self._beside else []
        self.history += await final_state.stored(self._stack, [*self._places, *beside])
        try:
            await self._at_last(self._synced, {"incomplete"}, min(_HEALED_S, self._plan.patience_s))
        except final_state.RefusedError as error:
            self.history.append(Refused(final_state.now_ms(), "all", error.what, error.status))
            return
        await self._at_last(self._presences, {"presence"})
        await self._at_last(self._watermarks, {"receipt"})
        await self._at_last(self._inboxes, {"inbox", "unread", "disorder"})
        await self._at_last(self._notifications, {"unnotified"})
        if self._beside is not None:
            await self._at_last(self._beside.files, {"file"})
            self.history += await self._beside.remains(self._plan.patience_s)

    async def _at_last(
        self,
        look: Callable[[], Awaitable[Iterable[Event]]],
        rules: set[str],
        within_s: float | None = None,
    ) -> None:
        """Look until *rules* hold or patience ends, and keep what was seen last."""
        deadline = time.monotonic() + (within_s or self._plan.patience_s)
        while True:
            seen = list(await look())
            wrong = {violation.rule for violation in check([*self.history, *seen])} & rules
            if not wrong or time.monotonic() > deadline:
                self.history += seen
                return
            await asyncio.sleep(0.5)

    async def _synced(self) -> list[Holds]:
        return [one for reader in self._readers.values() async for one in reader.synced()]

    async def _watermarks(self) -> list[Watermark]:
        return [
            mark
            for place, numbers in zip(self._places, _PLACES, strict=True)
            for mark in await self._readers[self._names[numbers[0]]].watermarks(place)
        ]

    async def _presences(self) -> list[Presence]:
        truth_now = {
            who: "online" if number in range(1, TALKERS) else "offline"
            for number, who in enumerate(self._names)
        }
        return await self._readers[self._names[1]].presences(truth_now)

    async def _notifications(self) -> list[Notified]:
        ids = {one.body: one.id for one in self.history if isinstance(one, Said)}
        return [
            one
            for who in self._subscribed
            for one in await final_state.notified(self._session, self._stack, who, ids)
        ]

    async def _inboxes(self) -> list[Inbox]:
        looks = [inbox_of(self._caller(who), final=True) for who in [*self._names, self._away]]
        return [inbox for look in looks for inbox in await look]

    def _places_of(self, who: str) -> list[str]:
        number = self._names.index(who)
        return [
            place for place, members in zip(self._places, _PLACES, strict=True) if number in members
        ]


async def _until(
    participants: Participants,
    holds: Callable[[list[dict[str, Any]]], bool],
    within_s: float,
    left: Callable[[list[dict[str, Any]]], int] = lambda _: 0,
) -> list[dict[str, Any]]:
    """Return the people's state once it holds, or as it is when time is up.

    Args:
        left: How much is left to do. Time begins anew with every bit done, for up to four times as
            long in all: a machine that is slow is not one that stands still.

    """
    begun = done_at = time.monotonic()
    least: int | None = None
    while True:
        people: list[dict[str, Any]] = (await participants.ask("state"))["people"]
        now = time.monotonic()
        if least is None or left(people) < least:
            least, done_at = left(people), now
        if holds(people) or now > min(done_at + within_s, begun + 4 * within_s):
            return people
        await asyncio.sleep(0.1)
