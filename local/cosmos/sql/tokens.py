"""The words of a query."""

import json
import re
from dataclasses import dataclass
from typing import Literal

from local.cosmos.json_values import plain_number
from local.cosmos.protocol import BadRequestError

type Kind = Literal["name", "parameter", "number", "string", "symbol", "end"]

_PATTERN = re.compile(
    r"""(?:\s|--[^\n]*|/\*.*?\*/)*(?:
        (?P<number>0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<parameter>@\w+)
      | (?P<name>[^\W\d]\w*)
      | (?P<symbol>\?\?|<=|>=|!=|<>|\|\||<<|>>>|>>|[-+*/%<>=()\[\]{},.:?~&|^])
      | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)

_KINDS: tuple[Kind, ...] = ("symbol", "name", "parameter", "number", "string", "end")


@dataclass(frozen=True, slots=True)
class Token:
    """One word; *value* is a literal's value, *upper* the text as keywords are compared."""

    kind: Kind
    text: str
    at: int

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind in {"name", "symbol"} else ""


def tokens_of(text: str) -> list[Token]:
    """Split *text*. Raises BadRequestError where it is not a query."""
    tokens: list[Token] = []
    at = 0
    while not tokens or tokens[-1].kind != "end":
        match = _PATTERN.match(text, at)
        if match is None:
            raise syntax_error(text, at)
        kind = next(kind for kind in _KINDS if match.group(kind) is not None)
        tokens.append(Token(kind, match.group(kind), match.start(kind)))
        at = match.end()
    return tokens


def number_of(token: Token) -> float:
    text = token.text
    if text[:2].lower() == "0x":
        return int(text, 16)
    return int(text) if text.isdecimal() else plain_number(float(text))


def string_of(token: Token) -> str:
    """Return what a quoted literal stands for."""
    inner = token.text[1:-1]
    if "\\" not in inner:
        return inner
    escaped = re.sub(r"\\'|\"", lambda match: "'" if match[0] == "\\'" else '\\"', inner)
    if token.text[0] == '"':
        escaped = inner.replace("\\'", "'")
    try:
        return str(json.loads(f'"{escaped}"', strict=False))
    except ValueError:
        raise syntax_error(token.text, 0) from None


def syntax_error(text: str, at: int) -> BadRequestError:
    near = text[at : at + 20].strip() or "end of query"
    return BadRequestError(
        f'{{"errors":[{{"severity":"Error","location":{{"start":{at}}},"code":"SC1001",'
        f'"message":"Syntax error, incorrect syntax near \'{near}\'."}}]}}'
    )
