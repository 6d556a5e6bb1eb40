"""Connection strings, as the portal of Azure hands them out."""

import pytest

from shared.adapters.connection_string import parse


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", {}),
        (";", {}),
        (
            "Endpoint=https://a.example;AccessKey=a2V5==;",
            {"endpoint": "https://a.example", "accesskey": "a2V5=="},
        ),
        (
            "ACCOUNTKEY=x; AccountName = y ;UseDevelopmentEmulator=true",
            {"accountkey": "x", "accountname": "y", "usedevelopmentemulator": "true"},
        ),
        ("nothing;Port=8080", {"port": "8080"}),
    ],
    ids=["empty", "no part", "a key ends in =", "case and spaces", "a part without ="],
)
def test_the_parts_of_a_connection_string(text: str, parts: dict[str, str]) -> None:
    assert parse(text) == parts
