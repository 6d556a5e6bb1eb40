"""The composition root: built once, at first use, over services it does not wait for."""

import asyncio
import gc
import re
from collections.abc import Iterator

import pytest
from py_vapid import Vapid02

from shared import bootstrap
from shared.adapters.signalr.health import SignalRHealth
from shared.adapters.system import RandomIds, SystemClock
from shared.config import Endpoint
from shared.domain.errors import UnavailableError
from shared.domain.ids import client_message_id, is_attachment_id, is_conversation_id
from shared.env import SettingError
from triggers.lazy import lazy_import

ENV = {
    "CHAT_JWT_ISSUER": "https://site.example",
    "CHAT_JWT_AUDIENCE": "parley",
    "CHAT_JWT_JWKS_URL": "https://site.example/keys",
    "CosmosConnection": "AccountEndpoint=http://127.0.0.1:9;AccountKey=c2VjcmV0;",
    "ServiceBusConnection": (
        "Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=k;SharedAccessKey=c2VjcmV0;"
        "UseDevelopmentEmulator=true;"
    ),
    "BlobConnection": (
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0;"
        "BlobEndpoint=http://127.0.0.1:9/a;"
    ),
    "AzureSignalRConnectionString": "Endpoint=http://127.0.0.1;Port=9;AccessKey=k;",
    "CHAT_REDIS_URL": "redis://127.0.0.1:9/0",
    "CHAT_VAPID_SUBJECT": "mailto:a@example.org",
}


@pytest.fixture(autouse=True)
def _unbuilt() -> Iterator[None]:
    bootstrap.use(None)
    yield
    bootstrap.use(None)


def vapid_key() -> str:
    vapid = Vapid02()
    vapid.generate_keys()
    text = vapid.private_pem().decode()
    return "".join(line for line in text.splitlines() if not line.startswith("-"))


async def test_a_worker_builds_one_chat(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**ENV, "CHAT_VAPID_PRIVATE_KEY": vapid_key()}.items():
        monkeypatch.setenv(name, value)

    one, other = await asyncio.gather(bootstrap.chat(), bootstrap.chat())

    assert one is other
    assert set(one.probes) == {"cosmos", "redis", "signalr", "serviceBus", "blob"}
    assert re.fullmatch(r"[A-Za-z0-9_-]{87}", one.push_public_key)


async def test_what_was_opened_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**ENV, "CHAT_VAPID_PRIVATE_KEY": vapid_key()}.items():
        monkeypatch.setenv(name, value)
    chat = await bootstrap.chat()
    left_open: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: left_open.append(context["message"]))
    asking = asyncio.create_task(chat.health())  # opens a client of each service
    await asyncio.sleep(0.1)

    await chat.aclose()
    await chat.aclose()

    with pytest.raises(asyncio.CancelledError):
        await asking
    del chat, asking
    bootstrap.use(None)
    gc.collect()
    assert left_open == []


async def test_a_wrong_setting_is_told_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CHAT_BUCKET_SIZE", "none")

    for _ in range(2):
        with pytest.raises(SettingError, match="CHAT_BUCKET_SIZE"):
            await bootstrap.chat()


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint("Endpoint=http://127.0.0.1;Port=9;AccessKey=k;", "", ""),
        Endpoint("", "http://127.0.0.1:9/", ""),
    ],
)
async def test_a_service_that_is_not_there_gives_no_sign_of_life(endpoint: Endpoint) -> None:
    with pytest.raises(UnavailableError):
        await SignalRHealth(endpoint).check()


def test_made_ids_are_ids_and_never_the_same() -> None:
    ids = RandomIds()

    assert is_conversation_id(ids.new_conversation_id())
    assert is_attachment_id(ids.new_attachment_id())
    made = {ids.new_client_message_id() for _ in range(100)}
    assert len({client_message_id(one) for one in made}) == 100


def test_the_clock_counts_whole_milliseconds_in_utc() -> None:
    now = SystemClock().now()

    assert now.microsecond % 1000 == 0
    assert now.utcoffset() is not None


def test_a_module_that_is_not_there_is_missed_at_once() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        lazy_import("triggers.no_such")
