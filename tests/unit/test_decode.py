"""JSON from outside: every hostile value is refused by the name of its field."""

import json

import pytest

from shared.domain.errors import InvalidError, NotFoundError, TooLargeError
from shared.domain.ids import MAX_SEQUENCE
from tests.unit.things import GROUP, client_id
from triggers import decode, drafts
from triggers.profiles import profile

DEEP = b"[" * 100_000 + b"]" * 100_000
HUGE = 10**40

NOT_TEXTS = [None, 1, True, 1.5, ["a"], {"a": 1}, "half \ud83d", "x" * 11]
NOT_NUMBERS = [True, False, "7", 1.0, 1.5, float("nan"), float("inf"), -1, HUGE, [1], {"a": 1}]


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"nope", b'{"a":}', b"\xff\xfe", b'{"a": "\xff"}', DEEP),
        b'{"a": ' + DEEP + b"}",
        b'{"a": ' + b"9" * 5000 + b"}",
        *(b"[]", b'"text"', b"7", b"null", b"true", b"NaN"),
    ],
)
def test_a_body_is_a_json_object(body: bytes) -> None:
    with pytest.raises(InvalidError, match="body"):
        decode.json_object(body)


def test_an_absent_body_is_an_empty_object() -> None:
    assert decode.json_object(b"") == {}
    assert decode.json_object(b'{"a": 1}') == {"a": 1}


def test_a_body_has_at_most_256_kb() -> None:
    full = b'{"a": "' + b"x" * (decode.MAX_BODY_BYTES - 9) + b'"}'

    assert len(full) == decode.MAX_BODY_BYTES
    assert decode.json_object(full)
    with pytest.raises(TooLargeError):
        decode.json_object(full + b" ")


@pytest.mark.parametrize("value", NOT_TEXTS)
def test_a_text_is_a_text_of_its_length(value: object) -> None:
    with pytest.raises(InvalidError, match="name"):
        decode.text({"name": value}, "name", longest=10)


def test_an_absent_text_is_its_default_or_refused() -> None:
    assert decode.text({}, "name", longest=10, default="none") == "none"
    with pytest.raises(InvalidError, match="name"):
        decode.text({}, "name", longest=10)


@pytest.mark.parametrize("value", [*NOT_NUMBERS, 11])
def test_a_number_is_whole_and_in_its_range(value: object) -> None:
    with pytest.raises(InvalidError, match="count"):
        decode.whole_number({"count": value}, "count", low=0, high=10)


def test_an_absent_number_is_none() -> None:
    assert decode.whole_number({"count": 10}, "count", low=0, high=10) == 10
    assert decode.whole_number({"count": None}, "count", low=0, high=10) is None
    assert decode.whole_number({}, "count", low=0, high=10) is None


@pytest.mark.parametrize("value", [*NOT_NUMBERS, MAX_SEQUENCE + 1])
def test_a_sequence_is_a_number_that_fits(value: object) -> None:
    with pytest.raises(InvalidError, match="read"):
        decode.sequence({"read": value}, "read")


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", " 1", "1e3", "٣", "x", "11", "9" * 5000, "half \ud83d"]
)
def test_a_number_in_a_query_is_whole_and_in_its_range(text: str) -> None:
    with pytest.raises(InvalidError, match="limit"):
        decode.query_number({"limit": text}, "limit", low=0, high=10)


def test_a_number_in_a_query_may_be_absent_or_padded() -> None:
    assert decode.query_number({}, "limit", low=0, high=10) is None
    assert decode.query_number({"limit": "007"}, "limit", low=0, high=10) == 7


@pytest.mark.parametrize("value", [None, 0, 1, "true", "", [], {}, float("nan")])
def test_a_flag_is_true_or_false(value: object) -> None:
    with pytest.raises(InvalidError, match="typing"):
        decode.flag({"typing": value}, "typing")


def test_an_absent_flag_is_its_default_or_refused() -> None:
    assert decode.flag({}, "retry", default=False) is False
    assert decode.flag({"retry": True}, "retry", default=False) is True
    with pytest.raises(InvalidError, match="retry"):
        decode.flag({}, "retry")


@pytest.mark.parametrize(
    "value", [None, 1, True, "ann", {"ann": 1}, ["a"] * 4, [None], [["ann"]], [1]]
)
def test_user_ids_are_a_list_of_ids_of_its_length(value: object) -> None:
    with pytest.raises(InvalidError, match="userIds"):
        decode.user_ids(value, field="userIds", most=3)


def test_user_ids_come_each_once_in_their_order() -> None:
    assert decode.user_ids(["bob", "ann", "bob"], field="userIds", most=3) == ["bob", "ann"]


@pytest.mark.parametrize("value", [None, 1, True, ["g"], {"g": 1}])
def test_a_conversation_is_named_by_a_text(value: object) -> None:
    with pytest.raises(InvalidError, match="conversationId"):
        decode.conversation_id(value)


@pytest.mark.parametrize("value", ["", "g-1", "../users", "half \ud83d", GROUP + "0"])
def test_no_conversation_has_an_impossible_id(value: str) -> None:
    with pytest.raises(NotFoundError):
        decode.conversation_id(value)


@pytest.mark.parametrize("value", [None, 1, "a-1", ["a"], "a-" + "g" * 32])
def test_no_file_has_an_impossible_id(value: object) -> None:
    with pytest.raises(NotFoundError):
        decode.attachment_id(value)


def test_possible_ids_pass() -> None:
    assert decode.conversation_id(GROUP) == GROUP
    assert decode.attachment_id("a-" + "0" * 32) == "a-" + "0" * 32


FILE = {"attachmentId": "a-" + "0" * 32}
DRAFT = {"clientMessageId": client_id(1), "body": "hello"}


def test_a_draft_is_read_whole() -> None:
    draft = drafts.parse({**DRAFT, "attachments": [FILE, FILE], "replyTo": 3, "retry": True})

    assert (draft.client_message_id, draft.body) == (client_id(1), "hello")
    assert [one.attachment_id for one in draft.attachments] == [FILE["attachmentId"]]
    assert (draft.reply_to, draft.retry) == (3, True)


def test_a_draft_needs_no_more_than_an_id_and_a_body() -> None:
    draft = drafts.parse({**DRAFT, "attachments": None, "replyTo": None, "unknown": 1})

    assert (draft.attachments, draft.reply_to, draft.retry) == ((), None, False)


def test_a_file_may_be_named_by_its_id_alone_and_needs_no_body() -> None:
    draft = drafts.parse({"clientMessageId": client_id(1), "attachments": [FILE["attachmentId"]]})

    assert (draft.body, len(draft.attachments)) == ("", 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("clientMessageId", value) for value in [None, 7, "x", client_id(1) + "0"]),
        *(("body", value) for value in [None, 7, True, ["x"], "", " ", "half \ud83d"]),
        *(("attachments", value) for value in [7, "x", {}, [FILE] * 11, [None], [7], ["x"], [{}]]),
        ("attachments", [{"attachmentId": ["a"]}]),
        *(("replyTo", value) for value in [*NOT_NUMBERS, 0]),
        *(("retry", value) for value in [None, 0, "true"]),
    ],
)
def test_a_wrong_field_of_a_draft_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidError, match=field):
        drafts.parse({**DRAFT, field: value})


def test_a_draft_of_very_many_characters_is_too_large() -> None:
    with pytest.raises(TooLargeError):
        drafts.parse({**DRAFT, "body": "x" * 8_001})


@pytest.mark.parametrize("field", ["delivered", "read"])
@pytest.mark.parametrize("value", NOT_NUMBERS)
def test_a_wrong_watermark_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidError, match=field):
        decode.acknowledged({field: value})


def test_watermarks_are_read_as_they_are() -> None:
    assert decode.acknowledged({"delivered": 0, "read": 7}) == (0, 7)
    assert decode.acknowledged({"read": 7}) == (None, 7)
    with pytest.raises(InvalidError):
        decode.acknowledged({})


PERSON = {"userId": "ann", "displayName": "Ann", "avatarUrl": "https://x/a", "contacts": ["bob"]}


def test_a_profile_is_read_whole() -> None:
    found = profile({**PERSON, "blocked": ["cat"]})

    assert (found.user_id, found.display_name, found.avatar_url) == ("ann", "Ann", "https://x/a")
    assert (found.contacts, found.blocked) == (("bob",), ("cat",))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("userId", value) for value in [None, 7, "", "a b"]),
        *(("displayName", value) for value in [7, ["Ann"], "half \ud83d"]),
        *(("avatarUrl", value) for value in [None, 7, "x" * 2_001, "half \ud83d"]),
        *(("contacts", value) for value in [None, "bob", [7], ["a"] * 5_001]),
        *(("blocked", value) for value in [None, "bob", [None]]),
    ],
)
def test_a_wrong_field_of_a_profile_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidError, match=field):
        profile({**PERSON, field: value})


@pytest.mark.parametrize("value", [None, [], "ann", 7])
def test_a_profile_is_an_object(value: object) -> None:
    with pytest.raises(InvalidError, match="items"):
        profile(value)


def test_numbers_that_are_none_do_no_harm_where_nobody_looks() -> None:
    fields = decode.json_object(json.dumps({"a": float("nan"), "b": -float("inf")}).encode())

    assert decode.whole_number(fields, "c", low=0, high=1) is None


def test_positions_of_what_cannot_be_a_conversation_are_left_out() -> None:
    assert decode.positions({"positions": {GROUP: 7, "x": 3}}) == {GROUP: 7}
    assert decode.positions({}) == {}


@pytest.mark.parametrize(
    "positions", [None, [], {GROUP: None}, {f"g-{n:032x}": 0 for n in range(10_001)}]
)
def test_positions_are_an_object_of_sequences(positions: object) -> None:
    with pytest.raises(InvalidError, match="positions"):
        decode.positions({"positions": positions})
