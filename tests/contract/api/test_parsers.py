"""The schemas and the app's own parsing take and refuse the same values.

Values come from the schema itself, and from breaking such a value in one place.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.domain import ids
from shared.domain.errors import ChatError
from shared.domain.ids import UserId
from shared.domain.messages.attachment import check_grant
from tests.contract.api import documents as docs
from tests.contract.api.values import neighbours, values
from triggers import cursors, decode, drafts, invocations, profiles, subscriptions

Fields = dict[str, Any]

HOSTS = ("push.example",)
QUICK = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@dataclass(frozen=True, slots=True)
class Parser:
    """The app's reading of values that one schema describes."""

    schema: str
    parse: Callable[[Fields], object]

    def takes(self, value: Fields) -> bool:
        try:
            self.parse(value)
        except ChatError:
            return False
        return True


def _new_conversation(fields: Fields) -> object:
    return (
        decode.kind(fields),
        decode.members(fields, "memberIds"),
        decode.title(fields, default=""),
    )


def _sync(fields: Fields) -> object:
    return (
        decode.positions(fields),
        cursors.parse_since(fields, UserId("ann")),
        decode.whole_number(fields, "limit", low=1, high=100),
    )


def _grant(fields: Fields) -> None:
    check_grant(
        fields.get("fileName", ""), fields.get("contentType", ""), fields.get("sizeBytes", 0)
    )


def _typing(fields: Fields) -> object:
    return _conversation(fields), decode.flag(fields, "typing")


def _conversation(fields: Fields) -> object:
    return decode.conversation_id(fields.get("conversationId"))


def _watched(fields: Fields) -> object:
    asked = invocations.Invocation(ids.UserId("amara"), ids.ConnectionId("c"), [fields])
    return invocations.watched(asked.argument)


def _feed(fields: Fields) -> object:
    return profiles.posted(json.dumps(fields).encode())


PARSERS = [
    Parser("NewMessage", drafts.parse),
    Parser("Acknowledgement", decode.acknowledged),
    Parser("NewConversation", _new_conversation),
    Parser("Rename", decode.title),
    Parser("NewMembers", lambda fields: decode.members(fields, "userIds")),
    Parser("MuteChange", decode.mute_until),
    Parser("SyncRequest", _sync),
    Parser("NewAttachment", _grant),
    Parser("SettingsChange", decode.preview),
    Parser("UserFeed", _feed),
    Parser("SendMessage", lambda fields: (_conversation(fields), drafts.parse(fields))),
    Parser("Acknowledge", lambda fields: (_conversation(fields), decode.acknowledged(fields))),
    Parser("SetTyping", _typing),
    Parser("WatchPresence", _watched),
]
by_schema = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.schema)


@by_schema
def test_what_the_schema_takes_the_app_takes(parser: Parser) -> None:
    schema = docs.schema(parser.schema)

    @QUICK
    @given(values(schema))
    def holds(value: Fields) -> None:
        parser.parse(value)

    holds()


@by_schema
def test_what_the_schema_refuses_the_app_refuses(parser: Parser) -> None:
    schema = docs.schema(parser.schema)
    accepts = docs.accepts(schema)
    seen = set()

    @settings(QUICK, max_examples=6)
    @given(values(schema))
    def holds(value: Fields) -> None:
        for near in neighbours(value, schema):
            seen.add(accepts(near))
            assert parser.takes(near) == accepts(near), near

    holds()
    assert seen == {True, False}


ID_PARSERS: list[tuple[str, Callable[[str], object]]] = [
    ("UserId", lambda text: ids.user_id(text, field="userId")),
    ("ConversationId", decode.conversation_id),
    ("AttachmentId", decode.attachment_id),
    ("SubscriptionId", subscriptions.identifier),
    ("ClientMessageId", ids.client_message_id),
]


@pytest.mark.parametrize(("name", "parse"), ID_PARSERS, ids=[name for name, _ in ID_PARSERS])
def test_ids_are_taken_and_refused_alike(name: str, parse: Callable[[str], object]) -> None:
    schema = docs.schema(name)
    accepts = docs.accepts(schema)
    near = st.builds(
        lambda text, odd, at: text[:at] + odd + text[at + 1 :],
        values(schema),
        st.sampled_from(["", " ", "\n", "/", "é", "G", "zz", "-", "{"]),
        st.integers(0, 140),
    )

    @settings(QUICK, max_examples=150)
    @given(st.one_of(values(schema), near))
    @example("")
    @example("d-" + "0" * 32 + "\n")
    def holds(text: str) -> None:
        try:
            parse(text)
            taken = True
        except ChatError:
            taken = False
        # A pattern's $ stands before a last line feed too, in some dialects of expressions.
        assert taken == (accepts(text) and not text.endswith("\n"))

    holds()


def _point(number: int) -> str:
    key = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    return _base64url(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _web_push(number: int, auth: bytes, padding: str) -> Fields:
    keys = {"p256dh": _point(number), "auth": _base64url(auth) + padding}
    return {"endpoint": "https://push.example/x", "keys": keys}


@QUICK
@given(st.integers(1, 2**200), st.binary(min_size=16, max_size=16), st.sampled_from(["", "=="]))
def test_a_browsers_subscription_is_one_to_schema_and_app(
    number: int, auth: bytes, padding: str
) -> None:
    value = _web_push(number, auth, padding)

    assert docs.accepts(docs.schema("WebPushSubscription"))(value)
    assert subscriptions.parse("laptop", value, HOSTS)


@pytest.mark.parametrize(
    "broken_part",
    [
        {"endpoint": None},
        {"endpoint": "https://push.example/" + "x" * 2_000},
        {"keys": None},
        {"keys": {}},
        {"keys": {"p256dh": _point(7)}},
        {"keys": {"p256dh": _point(7)[:-1], "auth": _base64url(b"0" * 16)}},
        {"keys": {"p256dh": _point(7), "auth": _base64url(b"0" * 15)}},
    ],
)
def test_a_broken_subscription_is_refused_by_schema_and_app(broken_part: Fields) -> None:
    value = {**_web_push(7, b"0" * 16, ""), **broken_part}

    with pytest.raises(ChatError):
        subscriptions.parse("laptop", value, HOSTS)
    assert not docs.accepts(docs.schema("PushSubscription"))(value)


@pytest.mark.parametrize("name", ["ApnsRegistration", "FcmRegistration"])
def test_an_apps_handle_is_one_to_schema_and_app_alike(name: str) -> None:
    schema, every = docs.schema(name), docs.accepts(docs.schema("PushSubscription"))
    parser = Parser(name, lambda fields: subscriptions.parse("phone", fields, HOSTS, apps=True))

    @QUICK
    @given(values(schema))
    def holds(value: Fields) -> None:
        assert parser.takes(value)
        for near in neighbours(value, schema):
            assert parser.takes(near) == every(near), near

    holds()
