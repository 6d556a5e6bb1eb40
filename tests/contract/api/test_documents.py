"""The documents and the app name the same things, and the documents are well-formed."""

import json
import re
from collections.abc import Iterator
from typing import Any, override

import pytest
import yaml
from jsonschema import Draft7Validator
from openapi_spec_validator import validate

from shared.domain import errors, ids
from shared.domain.conversations import conversation
from shared.domain.messages import attachment, file_name, message
from shared.domain.people import presence, user
from tests.contract.api import documents as docs
from tests.functions import triggered_by
from tests.stack import ROOT
from tools import contract_types

META_SCHEMA = ROOT / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"


def test_every_route_is_described_and_every_path_is_served() -> None:
    served = {
        (method.value, f"/{trigger['route']}")
        for _, trigger in triggered_by("httpTrigger")
        for method in trigger["methods"]
    }

    described = {(method, path) for method, path, _ in docs.operations()}

    assert described == served


def test_an_operation_has_the_name_of_its_function() -> None:
    names = {name for name, _ in triggered_by("httpTrigger")}

    described = {operation["operationId"] for _, _, operation in docs.operations()}

    assert described - {"unblock_user"} == names  # block_user serves both methods


def test_every_hub_method_is_described_and_every_one_described_is_served() -> None:
    served = {
        trigger["event"]
        for _, trigger in triggered_by("signalRTrigger")
        if trigger["category"] == "messages"
    }

    assert set(docs.methods()) == served


def test_every_event_is_described_and_every_one_described_is_sent() -> None:
    source = (ROOT / "triggers/encode.py").read_text(encoding="utf-8")

    sent = set(re.findall(r'return "([a-zA-Z]+)", \{', source))

    assert set(docs.events()) == sent


def test_every_hub_method_says_what_it_returns() -> None:
    for name, method in docs.methods().items():
        (argument,) = method["messages"]
        (result,) = method["reply"]["messages"]

        assert argument["$ref"].endswith(f"/{name}")
        assert result["$ref"].endswith(f"/{name}Result")


def test_the_openapi_document_is_one() -> None:
    validate(docs.openapi())


def test_the_asyncapi_document_is_one() -> None:
    if not META_SCHEMA.exists():
        pytest.skip("the npm packages are not installed (make setup)")
    meta_schema = json.loads(META_SCHEMA.read_text(encoding="utf-8"))

    found = [
        f"{one.json_path}: {one.message}"
        for one in Draft7Validator(meta_schema).iter_errors(docs.asyncapi())
    ]

    assert found == []


def test_every_reference_leads_somewhere() -> None:
    for name in ("openapi.yaml", "asyncapi.yaml"):
        docs.inlined(docs.document(name), name)


def test_every_schema_is_used() -> None:
    text = "".join(
        (ROOT / "docs" / name).read_text(encoding="utf-8")
        for name in ("openapi.yaml", "asyncapi.yaml")
    )
    names = {
        name for file in (docs.openapi(), docs.asyncapi()) for name in file["components"]["schemas"]
    }

    unused = {name for name in names if f"schemas/{name}'" not in text}

    assert unused == set()


def http_examples() -> Iterator[tuple[str, object, docs.Json]]:
    for method, path, operation in docs.operations():
        bodies = [operation.get("requestBody", {}), *map(docs.resolve, every(operation))]
        for body in bodies:
            for media in body.get("content", {}).values():
                for example in examples_of(media):
                    yield f"{method} {path}", example, docs.inlined(media["schema"], "openapi.yaml")


def every(operation: docs.Json) -> Iterator[docs.Json]:
    yield from operation["responses"].values()


def examples_of(media: docs.Json) -> Iterator[object]:
    if "example" in media:
        yield media["example"]
    for one in media.get("examples", {}).values():
        yield docs.resolve(one)["value"]


def test_the_examples_of_http_are_as_their_schemas_say() -> None:
    examples = list(http_examples())

    for what, example, asked in examples:
        docs.check(example, asked, what=what)
    assert len(examples) > 40


def test_the_examples_of_the_hub_are_as_their_schemas_say() -> None:
    for name, said in docs.asyncapi()["components"]["messages"].items():
        for example in said.get("examples", []):
            value = example["payload"]
            assert docs.accepts(docs.payload(said))(value), f"{name}: {value}"


def test_the_codes_are_those_of_the_app() -> None:
    def leaves(kind: type[errors.ChatError]) -> Iterator[str]:
        yield kind.code
        for leaf in kind.__subclasses__():
            yield from leaves(leaf)

    codes = set(leaves(errors.ChatError)) - {
        "internal",
        "conflict",
    }  # bases, raised as such by no path

    assert set(docs.schema("Code")["enum"]) == codes


@pytest.mark.parametrize("name", ["openapi.yaml", "asyncapi.yaml"])
def test_a_document_names_nothing_twice(name: str) -> None:
    class Strict(yaml.SafeLoader):
        @override
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            names = [self.construct_object(key, deep=True) for key, _ in node.value]
            assert len(names) == len(set(names)), f"{node.start_mark}: {names}"
            return super().construct_mapping(node, deep=deep)

    text = (ROOT / "docs" / name).read_text(encoding="utf-8")

    assert yaml.load(text, Strict)  # a SafeLoader itself


def test_the_limits_are_those_of_the_app() -> None:
    new_message, grant = docs.schema("NewMessage"), docs.schema("NewAttachment")
    found = {
        "body": new_message["properties"]["body"]["maxLength"],
        "attachments": new_message["properties"]["attachments"]["maxItems"],
        "sequence": docs.schema("Sequence")["maximum"],
        "members": docs.schema("Conversation")["properties"]["members"]["maxItems"],
        "title": docs.schema("Rename")["properties"]["title"]["maxLength"],
        "watched": docs.schema("WatchPresence")["properties"]["userIds"]["maxItems"],
        "asked": docs.schema("Presences")["properties"]["items"]["maxItems"],
        "bytes": grant["properties"]["sizeBytes"]["maximum"],
        "file name": grant["properties"]["fileName"]["maxLength"],
        "name": docs.schema("Me")["properties"]["displayName"]["maxLength"],
        "url": docs.schema("FedUser")["properties"]["avatarUrl"]["maxLength"],
        "preview": docs.schema("PreviewLevel")["enum"],
    }

    assert found == {
        "body": message.MAX_BODY_CHARACTERS,
        "attachments": message.MAX_ATTACHMENTS,
        "sequence": ids.MAX_SEQUENCE,
        "members": conversation.MAX_MEMBERS,
        "title": conversation.MAX_TITLE_CHARACTERS,
        "watched": presence.MAX_WATCHED,
        "asked": presence.MAX_ASKED,
        "bytes": attachment.MAX_BYTES,
        "file name": file_name.MAX_CHARACTERS,
        "name": user.MAX_NAME_CHARACTERS,
        "url": user.MAX_URL_CHARACTERS,
        "preview": list(user.PREVIEW_LEVELS),
    }


def test_the_sdks_types_are_made_from_these_documents() -> None:
    written = contract_types.TARGET.read_text(encoding="utf-8")

    assert written == contract_types.contract(), "run `make types`"
