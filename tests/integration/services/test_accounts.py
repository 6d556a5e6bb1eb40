"""The read model of the website's users: fed, blocked, subscribed."""

import asyncio
import itertools
from dataclasses import replace

import pytest

from shared.domain.errors import (
    ForbiddenError,
    InvalidError,
    UnavailableError,
    UserNotFoundError,
)
from shared.domain.ids import ConnectionId, UserId
from shared.domain.people.user import MAX_SUBSCRIPTIONS, Principal, Subscription, User, tombstone
from shared.services.admin.health import HealthCheck
from shared.services.people.accounts import Profile
from tests.integration.services.world import Worker, World, by, device, start_pair
from tests.unit.things import ANN, BOB, CAT, DAN, PAIR

NEW = UserId("new")


def fed(user: UserId, name: str = "Name", **said: tuple[UserId, ...]) -> Profile:
    return Profile(user, name, "https://x/a", said.get("contacts", ()), said.get("blocked", ()))


async def find(world: World, user: UserId) -> User:
    found = await world.users.find(user)
    assert found is not None
    return found


async def test_a_caller_is_made_from_their_proof_once(world: World, worker: Worker) -> None:
    proved = Principal(NEW, "New", "https://x/new")

    first = await worker.chat.accounts.me(by(NEW), proved)
    again = await world.worker().chat.accounts.me(by(NEW), Principal(NEW, "Other"))

    assert (first.display_name, first.avatar_url) == ("New", "https://x/new")
    assert again == first


async def test_a_proof_without_a_name_is_called_by_its_id(worker: Worker) -> None:
    assert (await worker.chat.accounts.ensure(Principal(NEW))).display_name == NEW


async def test_two_calls_at_once_make_one_user(world: World, worker: Worker) -> None:
    made = await asyncio.gather(*(worker.chat.accounts.ensure(Principal(NEW)) for _ in range(3)))

    assert len({user.etag for user in made}) == 1


async def test_contacts_come_with_their_presence_in_the_sites_order(worker: Worker) -> None:
    await worker.chat.connections.connected(by(CAT, "tv"), ConnectionId("tv"))
    await worker.chat.accounts.feed([fed(ANN, contacts=(DAN, UserId("ghost"), CAT, BOB))])
    await worker.chat.accounts.block(by(BOB), ANN, blocked=True)

    contacts = await worker.chat.accounts.contacts(by(ANN))

    assert [(one.user.id, one.presence.status) for one in contacts] == [
        (DAN, "offline"),
        (CAT, "online"),
        (BOB, "offline"),
    ]


async def test_contacts_are_shown_without_live_state(world: World, worker: Worker) -> None:
    world.redis_link.down = True

    assert len(await worker.chat.accounts.contacts(by(ANN))) == 3
    assert await worker.chat.accounts.contacts(by(NEW)) == []


async def test_the_site_writes_what_is_its_own_and_nothing_else(
    world: World, worker: Worker
) -> None:
    await worker.chat.accounts.set_preview(by(ANN), "text")
    await worker.chat.accounts.block(by(ANN), DAN, blocked=True)

    await worker.chat.accounts.feed([fed(ANN, "Anna", contacts=(BOB,), blocked=(CAT,)), fed(NEW)])

    ann = await find(world, ANN)
    assert (ann.display_name, ann.contacts, ann.preview) == ("Anna", (BOB,), "text")
    assert set(ann.blocked) == {CAT, DAN}
    assert [one.id for one in ann.subscriptions] == ["ann-phone"]
    assert (await find(world, NEW)).display_name == "Name"


async def test_a_block_of_the_site_closes_the_conversation(world: World, worker: Worker) -> None:
    await start_pair(worker)

    await worker.chat.accounts.feed([fed(BOB, blocked=(ANN,))])

    conversation = await worker.conversations.find(PAIR)
    assert conversation is not None
    assert conversation.blocked_by == (BOB,)


async def test_nobody_blocks_themselves_or_a_ghost(worker: Worker) -> None:
    with pytest.raises(InvalidError, match="userId"):
        await worker.chat.accounts.block(by(ANN), ANN, blocked=True)
    with pytest.raises(UserNotFoundError):
        await worker.chat.accounts.block(by(ANN), UserId("ghost"), blocked=True)


async def test_a_block_twice_is_one_and_is_lifted_whole(world: World, worker: Worker) -> None:
    for _ in range(2):
        await worker.chat.accounts.block(by(NEW), BOB, blocked=True)
    assert (await find(world, NEW)).blocked == (BOB,)

    await worker.chat.accounts.block(by(NEW), BOB, blocked=False)

    assert (await find(world, NEW)).blocked == ()


async def test_a_block_holds_though_nobody_knows_who_watches(world: World, worker: Worker) -> None:
    world.redis_link.down = True

    assert await worker.chat.accounts.block(by(ANN), BOB, blocked=True) == []
    assert (await find(world, ANN)).blocked == (BOB,)


async def test_a_device_is_kept_once_under_its_latest_id(world: World, worker: Worker) -> None:
    for name in ("one", "two", "one"):
        await worker.chat.devices.subscribe(
            by(DAN), Subscription(name, "https://push.example/same", name, "auth")
        )

    assert [(one.id, one.p256dh) for one in (await find(world, DAN)).subscriptions] == [
        ("one", "one")
    ]


def shared_browser(name: str) -> Subscription:
    return Subscription(name, "https://push.example/shared", "p256dh", "auth")


async def endpoints(world: World, user: UserId) -> list[str]:
    return [one.endpoint for one in (await find(world, user)).subscriptions]


async def test_an_endpoint_belongs_to_whoever_subscribed_it_last(
    world: World, worker: Worker
) -> None:
    devices, shared = worker.chat.devices, shared_browser("b").endpoint
    await devices.subscribe(by(ANN), shared_browser("b"))
    await devices.subscribe(by(DAN), shared_browser("other id"))

    assert await endpoints(world, ANN) == ["https://push.example/ann-phone"]
    assert await endpoints(world, DAN) == [shared]
    await devices.unsubscribe(by(ANN), "b")
    assert await endpoints(world, DAN) == [shared]
    await devices.subscribe(by(ANN), shared_browser("b"))
    assert await endpoints(world, DAN) == []


async def test_the_same_device_again_is_written_once(world: World, worker: Worker) -> None:
    for _ in range(2):
        await worker.chat.devices.subscribe(by(DAN), shared_browser("b"))
    before = world.users.link.calls.copy()

    await worker.chat.devices.subscribe(by(DAN), shared_browser("b"))

    written = {"replace", "add", "claim_endpoint", "release_endpoint"}
    assert not written & (world.users.link.calls - before).keys()


async def test_two_who_subscribe_one_endpoint_at_once_do_not_both_have_it(
    world: World, worker: Worker
) -> None:
    for number in range(20):
        device = replace(shared_browser("b"), endpoint=f"https://push.example/{number}")
        await asyncio.gather(
            *(world.worker().chat.devices.subscribe(by(one), device) for one in (ANN, BOB, CAT))
        )

        owner = world.users.owners[device.endpoint]
        having = [one for one in (ANN, BOB, CAT) if device.endpoint in await endpoints(world, one)]
        assert having in ([owner], [])


async def test_a_former_owner_who_subscribes_meanwhile_is_taken_off(
    world: World, worker: Worker
) -> None:
    await worker.chat.devices.subscribe(by(ANN), shared_browser("b"))

    async def ann_again(name: str) -> None:
        if name == "claim_endpoint":
            world.users.link.pause = quietly
            await world.worker().chat.devices.subscribe(by(ANN), shared_browser("b2"))

    async def quietly(_name: str) -> None:
        return

    world.users.link.pause = ann_again
    await worker.chat.devices.subscribe(by(DAN), shared_browser("b"))

    assert await endpoints(world, ANN) == ["https://push.example/ann-phone"]
    assert await endpoints(world, DAN) == [shared_browser("b").endpoint]


async def test_an_endpoint_that_others_keep_claiming_is_unavailable(
    world: World, worker: Worker
) -> None:
    numbers = itertools.count()

    async def another_is_quicker(name: str) -> None:
        if name == "claim_endpoint":
            world.users.owners[shared_browser("b").endpoint] = UserId(f"u-{next(numbers)}")

    world.users.link.pause = another_is_quicker

    with pytest.raises(UnavailableError, match="the device"):
        await worker.chat.devices.subscribe(by(DAN), shared_browser("b"))


async def test_a_device_that_is_forgotten_leaves_no_owner(world: World, worker: Worker) -> None:
    devices = worker.chat.devices
    await devices.subscribe(by(DAN), shared_browser("b"))
    await devices.subscribe(
        by(DAN), replace(shared_browser("b"), endpoint="https://push.example/new")
    )
    for number in range(MAX_SUBSCRIPTIONS):
        await devices.subscribe(by(DAN), device(f"d{number}"))
    await devices.unsubscribe(by(DAN), "d1")

    owned = set(world.users.owners)

    assert owned == set(await endpoints(world, DAN))
    assert len(owned) == MAX_SUBSCRIPTIONS - 1


async def test_who_is_erased_while_subscribing_has_no_device(world: World, worker: Worker) -> None:
    async def erase(name: str) -> None:
        if name == "claim_endpoint":
            world.users.link.pause = quietly
            await world.users.replace(tombstone(await find(world, DAN)))

    async def quietly(_name: str) -> None:
        return

    world.users.link.pause = erase

    with pytest.raises(ForbiddenError, match="erased"):
        await worker.chat.devices.subscribe(by(DAN), shared_browser("b"))

    assert await endpoints(world, DAN) == []
    assert world.users.owners == {}


async def test_the_oldest_of_too_many_devices_is_forgotten(world: World, worker: Worker) -> None:
    for number in range(MAX_SUBSCRIPTIONS + 3):
        await worker.chat.devices.subscribe(by(DAN), device(f"d{number}"))

    kept = [one.id for one in (await find(world, DAN)).subscriptions]
    assert kept == [f"d{number}" for number in range(3, MAX_SUBSCRIPTIONS + 3)]


async def test_a_device_is_forgotten_by_its_id(world: World, worker: Worker) -> None:
    before = await find(world, ANN)
    await worker.chat.devices.unsubscribe(by(ANN), "no-such")
    unchanged = await find(world, ANN)
    await worker.chat.devices.unsubscribe(by(ANN), "ann-phone")
    await worker.chat.devices.unsubscribe(by(NEW), "ann-phone")

    assert unchanged == before
    assert (await find(world, ANN)).subscriptions == ()


async def test_changes_at_once_are_all_kept(world: World, worker: Worker) -> None:
    await asyncio.gather(
        *(worker.chat.devices.subscribe(by(DAN), device(f"d{n}")) for n in range(5)),
        worker.chat.accounts.block(by(DAN), BOB, blocked=True),
    )

    dan = await find(world, DAN)
    assert len(dan.subscriptions) == 5
    assert dan.blocked == (BOB,)


async def test_a_user_who_is_always_changed_by_others_is_unavailable(
    world: World, worker: Worker
) -> None:
    async def another_is_quicker(name: str) -> None:
        if name == "replace":
            world.users.write(await world.users.find(ANN) or User(ANN, "Ann"))

    world.users.link.pause = another_is_quicker

    with pytest.raises(UnavailableError, match="being changed"):
        await worker.chat.accounts.set_preview(by(ANN), "text")


async def test_a_user_who_vanishes_meanwhile_is_not_found(world: World, worker: Worker) -> None:
    async def vanish(name: str) -> None:
        if name == "replace":
            world.users.stored.pop(ANN, None)

    world.users.link.pause = vanish

    with pytest.raises(UserNotFoundError):
        await worker.chat.accounts.set_preview(by(ANN), "text")


@pytest.mark.parametrize(
    ("down", "status"),
    [
        ([], "ok"),
        (["redis"], "degraded"),
        (["serviceBus", "blob"], "degraded"),
        (["cosmos"], "unavailable"),
        (["signalr", "redis"], "unavailable"),
    ],
)
async def test_health_tells_what_is_poorer_from_what_is_down(
    world: World, worker: Worker, down: list[str], status: str
) -> None:
    for name in down:
        world.probes[name].link.down = True

    health = await worker.chat.health()

    assert health.status == status
    assert {name for name, state in health.checks.items() if state == "unavailable"} == set(down)


async def test_health_answers_within_two_seconds_whatever_is_stuck(
    world: World, worker: Worker
) -> None:
    async def stuck(_name: str) -> None:
        while len(ended) < 3:  # however often it is cancelled
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ended.append("not yet")

    ended: list[str] = []
    world.probes["blob"].link.pause = stuck
    loop = asyncio.get_running_loop()
    health = HealthCheck(worker.chat.probes, loop.time)
    began = loop.time()

    first = await health()
    took_s = loop.time() - began
    await asyncio.sleep(1)
    second = await health()

    assert first.checks["blob"] == second.checks["blob"] == "unavailable"
    assert first.status == "degraded"
    assert took_s < 2
    assert world.probes["blob"].link.calls["check"] == 1  # the one that is stuck stands for all
    assert world.probes["cosmos"].link.calls["check"] == 2
    await asyncio.sleep(1)
    await health()  # the third time it gives in
    await asyncio.sleep(0)


async def test_health_is_asked_for_once_a_second_for_all_who_want_it(
    world: World, worker: Worker
) -> None:
    loop = asyncio.get_running_loop()
    health = HealthCheck(worker.chat.probes, loop.time)
    probe = world.probes["cosmos"]

    together = await asyncio.gather(*(health() for _ in range(50)))
    probe.link.down = True
    soon = await health()
    await asyncio.sleep(1)
    later = await health()

    assert {one.status for one in (*together, soon)} == {"ok"}
    assert later.status == "unavailable"
    assert probe.link.calls["check"] == 2


async def test_a_caller_of_health_who_goes_away_keeps_the_answer_from_nobody(
    worker: Worker,
) -> None:
    health = HealthCheck(worker.chat.probes)
    one, other = asyncio.create_task(health()), asyncio.create_task(health())
    await asyncio.sleep(0)

    one.cancel()

    assert (await other).status == "ok"
