"""Binding expressions: `{headers.x}`, `{query.x}` and `{name}` in a binding's text."""

import re
from collections.abc import Callable

from local.host.errors import BindingError

Lookup = Callable[[str], str | None]

_EXPRESSION = re.compile(r"\{([^{}]+)\}")


def nothing(_: str) -> None:
    """Serve as the lookup of a trigger that offers no binding data."""


class Template:
    """A text whose expressions are filled in anew for each invocation."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.is_constant = _EXPRESSION.search(text) is None

    def render(self, lookup: Lookup) -> str:
        """Return the text with each expression replaced by what *lookup* finds.

        Raises:
            BindingError: *lookup* finds nothing; the real host fails the invocation as well.

        """
        if self.is_constant:
            return self._text

        def value(match: re.Match[str]) -> str:
            text = lookup(match[1].strip())
            if text is None:
                raise BindingError(f"No value for named parameter '{match[1].strip()}'.")
            return text

        return _EXPRESSION.sub(value, self._text)
