"""Connection strings of Azure services: `Name=value;Name=value`.

Values may hold `=` (keys are base64), so a part is cut at its first one alone. Names are compared
without regard to case, as the services' own SDKs do.
"""


def parse(connection_string: str) -> dict[str, str]:
    """Return the parts of a connection string by their names in lower case.

    An empty string has no parts. Parts without a `=` are left out, as a `;` at the end leaves one.
    """
    parts = (part.partition("=") for part in connection_string.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in parts if equals}
