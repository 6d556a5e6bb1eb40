"""The site's tokens, keys and directory (contract §6)."""

import colorsys
import re
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from local.site.avatars import avatar_svg
from tests.site_harness import Site, running_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path) as running:
        yield running


async def verified(site: Site, token: str) -> dict[str, Any]:
    _, key_set = await site.json("GET", "/dev/jwks")
    key = jwt.PyJWKSet.from_dict(key_set)[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["ES256"], audience="parley", issuer=site.url
    )
    return claims


async def test_a_token_verifies_against_the_published_keys(site: Site) -> None:
    _, answer = await site.json("POST", "/dev/token", {"userId": "amara"})

    claims = await verified(site, answer["token"])

    assert claims["sub"] == "amara"
    assert claims["name"] == "Amara Okafor"
    assert claims["picture"] == f"{site.url}/avatars/amara.svg"
    assert claims["exp"] - claims["iat"] == 3600
    assert abs(claims["iat"] - time.time()) < 5


async def test_a_token_lasts_as_long_as_asked_and_bears_the_name_asked(site: Site) -> None:
    asked = {"userId": "guest:1", "name": " Guest One ", "expiresInS": 60}

    _, answer = await site.json("POST", "/dev/token", asked)

    claims = await verified(site, answer["token"])
    assert claims["name"] == "Guest One"
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "userId"),
        ({"userId": None}, "userId"),
        ({"userId": 7}, "userId"),
        ({"userId": ""}, "userId"),
        ({"userId": "a" * 129}, "userId"),
        ({"userId": "has space"}, "userId"),
        ({"userId": "new\nline"}, "userId"),
        ({"userId": "amara\n"}, "userId"),
        ({"userId": "../etc"}, "userId"),
        ({"userId": ".."}, "userId"),
        ({"userId": "ünïcode"}, "userId"),
        ({"userId": ["amara"]}, "userId"),
        ({"userId": "site"}, "userId"),
        ({"userId": "a", "name": ""}, "name"),
        ({"userId": "a", "name": 5}, "name"),
        ({"userId": "a", "name": "x" * 101}, "name"),
        ({"userId": "a", "name": "a\x00b"}, "name"),
        ({"userId": "a", "expiresInS": 0}, "expiresInS"),
        ({"userId": "a", "expiresInS": 86_401}, "expiresInS"),
        ({"userId": "a", "expiresInS": 1.5}, "expiresInS"),
        ({"userId": "a", "expiresInS": True}, "expiresInS"),
        ({"userId": "a", "expiresInS": "60"}, "expiresInS"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
    ],
)
async def test_a_bad_request_for_a_token_is_refused_by_the_fields_name(
    site: Site, body: object, field: str
) -> None:
    status, problem = await site.json("POST", "/dev/token", body)

    assert (status, problem["code"]) == (400, "invalid")
    assert problem["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe", b'{"userId": NaN}', b"[" * 30_000, b'{"a":1}{"b":2}']
)
async def test_a_body_that_is_no_json_is_refused(site: Site, raw: bytes) -> None:
    async with site.session.post(f"{site.url}/dev/token", data=raw) as reply:
        problem = await reply.json()

    assert reply.status == 400
    assert reply.content_type == "application/problem+json"
    assert problem["code"] == "invalid"


async def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    async with site.session.post(f"{site.url}/dev/token", data=b"x" * 70_000) as reply:
        problem = await reply.json()

    assert (reply.status, problem["code"]) == (413, "too_large")


async def test_the_directory_shows_people_with_names_pictures_and_mutual_contacts(
    site: Site,
) -> None:
    _, directory = await site.json("GET", "/dev/users")

    people = {person["userId"]: person for person in directory["items"]}
    assert len(people) >= 8
    for user_id, person in people.items():
        assert " " in person["displayName"]
        assert len(person["contacts"]) >= 2
        assert all(user_id in people[contact]["contacts"] for contact in person["contacts"])


async def test_every_avatar_is_an_svg_picture(site: Site) -> None:
    _, directory = await site.json("GET", "/dev/users")

    for person in directory["items"]:
        async with site.session.get(person["avatarUrl"]) as reply:
            text = await reply.text()

        assert (reply.status, reply.content_type) == (200, "image/svg+xml")
        assert text.startswith("<svg ")


async def test_an_avatar_never_carries_a_name_as_markup(site: Site) -> None:
    await site.json("POST", "/dev/token", {"userId": "evil", "name": "<script> <b>"})

    async with site.session.get(f"{site.url}/avatars/evil.svg") as reply:
        text = await reply.text()

    assert "&lt;&lt;" in text


async def test_a_guest_is_known_to_the_chat_before_the_token_is_out(site: Site) -> None:
    await site.json("POST", "/dev/token", {"userId": "guest", "name": "A Guest"})

    fed = [item for item in site.host.fed if item["userId"] == "guest"]
    assert fed == [
        {
            "userId": "guest",
            "displayName": "A Guest",
            "avatarUrl": f"{site.url}/avatars/guest.svg",
            "contacts": [],
            "blocked": [],
        }
    ]


async def test_a_guest_is_not_shown_in_the_directory(site: Site) -> None:
    await site.json("POST", "/dev/token", {"userId": "guest"})

    _, directory = await site.json("GET", "/dev/users")

    assert "guest" not in {person["userId"] for person in directory["items"]}


async def test_a_token_comes_even_while_the_chat_is_down(tmp_path: Path) -> None:
    async with running_site(tmp_path, with_host=False) as site:
        begun = time.monotonic()

        status, _ = await site.json("POST", "/dev/token", {"userId": "amara"})

        assert status == 200
        assert time.monotonic() - begun < 4


async def test_keys_and_guests_outlive_a_restart(tmp_path: Path) -> None:
    async with running_site(tmp_path) as first:
        _, keys = await first.json("GET", "/dev/jwks")
        await first.json("POST", "/dev/token", {"userId": "guest", "name": "A Guest"})

    async with running_site(tmp_path) as second:
        _, keys_again = await second.json("GET", "/dev/jwks")
        _, answer = await second.json("POST", "/dev/token", {"userId": "guest"})

    assert keys_again == keys
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert claims["name"] == "A Guest"


async def test_a_token_for_the_sites_own_calls_is_of_their_audience(site: Site) -> None:
    _, answer = await site.json("POST", "/dev/site-token")

    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert (claims["aud"], claims["iss"], claims["sub"]) == ("parley-site", site.url, "site")
    assert set(answer) == {"token"}
    with pytest.raises(jwt.InvalidAudienceError):
        await verified(site, answer["token"])


async def test_what_the_site_keeps_is_for_its_owner_alone(site: Site) -> None:
    folder = site.settings.directory / "site"
    await site.json("POST", "/dev/token", {"userId": "guest"})  # so that the journal is there

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {"issuer.pem", "site.db", "site.db-wal"} <= set(modes)
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("user_id", [f"user-{number}" for number in range(24)])
def test_the_initials_on_an_avatar_can_be_read(user_id: str) -> None:
    picture = avatar_svg(user_id, "A B")

    colours = re.findall(r"hsl\((\d+) (\d+)% (\d+)%\)", picture)
    assert len(colours) == 2
    for hue, saturation, lightness in colours:
        # Source: WCAG 2.2, 1.4.3: at least 4.5 to 1 for text, here white.
        assert contrast_with_white(int(hue), int(saturation), int(lightness)) >= 4.5


def contrast_with_white(hue: int, saturation: int, lightness: int) -> float:
    channels = colorsys.hls_to_rgb(hue / 360, lightness / 100, saturation / 100)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


async def test_a_guest_is_found_by_name_or_id(site: Site) -> None:
    guest = {"userId": "zoe.1", "name": "Zoë Ångström"}
    await site.json("POST", "/dev/token", guest)

    found = [
        [
            item["userId"]
            for item in (await site.json("GET", f"/dev/users?search={words}"))[1]["items"]
        ]
        for words in ("zoë ånG", "ZOE.1", "100%25", "amara")
    ]
    _, named = await site.json("GET", "/dev/users?userIds=zoe.1,nobody,ben")

    assert found == [["zoe.1"], ["zoe.1"], [], ["amara"]]
    assert [item["displayName"] for item in named["items"]] == ["Zoë Ångström", "Ben Lindqvist"]


@pytest.mark.parametrize(
    "query", ["search=", f"search={'x' * 101}", "userIds=", "userIds=a,b%20c", "search=%00"]
)
async def test_a_search_for_nothing_or_for_no_user_ids_is_refused(site: Site, query: str) -> None:
    status, problem = await site.json("GET", f"/dev/users?{query}")

    assert (status, problem["code"]) == (400, "invalid")
