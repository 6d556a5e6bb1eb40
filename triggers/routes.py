"""Registers HTTP handlers, and hands each the chat and the caller it has admitted.

`route` is for calls of users, `site_route` for calls of the website itself, `open_route` for calls
of anybody. A refusal becomes a problem document (`errors.py`). A handler that takes `pushes` gets
the SignalR output binding.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import azure.functions as func

from shared.bootstrap import chat
from triggers.bindings import PUSHES
from triggers.errors import as_problem
from triggers.lazy import admission, http_support

type Handler = Callable[..., Awaitable[func.HttpResponse]]
type Register = Callable[[Handler], Any]  # returns the library's builder
type Admit = Callable[[func.HttpRequest], Awaitable[tuple[object, ...]]]

_REQ: Final = inspect.Parameter(
    "req", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=func.HttpRequest
)
_CHAT_AND_REQ: Final = 2  # arguments of every handler, beside those of its kind of route


def route(
    bp: func.Blueprint,
    methods: str,
    path: str,
    *,
    limit: str = "other",
    looks_up: bool = False,
    with_principal: bool = False,
    binding: Mapping[str, str] | None = None,
) -> Register:
    """Register a handler of users' calls: `handler(chat, call, req)`.

    The caller is proved and admitted before the handler runs, and so before anything else of the
    request is read: a flood of wrong calls costs no decoding.

    Args:
        methods: Of HTTP, separated by spaces.
        limit: The kind of bucket that the call takes a token of: a field of `Limits`.
        looks_up: The answer tells whether a user exists; see `admission.looks_up`.
        with_principal: The handler needs what the proof says of the caller, too:
            `handler(chat, call, principal, req)`.
        binding: An input binding, whose value the handler takes by the binding's name.
    """

    async def admit(req: func.HttpRequest) -> tuple[object, ...]:
        principal = await http_support.principal(req)
        call = await admission.call_of(principal.user_id, limit)
        if looks_up:
            await admission.looks_up(call)
        return (call, principal) if with_principal else (call,)

    return _registering(bp, methods, path, admit, given=1 + with_principal, binding=binding)


def site_route(bp: func.Blueprint, methods: str, path: str) -> Register:
    """Register a handler of the website's own calls: `handler(chat, req)`."""

    async def admit(req: func.HttpRequest) -> tuple[object, ...]:
        await http_support.require_site(req)
        return ()

    return _registering(bp, methods, path, admit)


def open_route(bp: func.Blueprint, methods: str, path: str) -> Register:
    """Register a handler of calls that need no proof of who calls: `handler(chat, req)`."""

    async def admit(_req: func.HttpRequest) -> tuple[object, ...]:
        return ()

    return _registering(bp, methods, path, admit)


def _registering(
    bp: func.Blueprint,
    methods: str,
    path: str,
    admit: Admit,
    *,
    given: int = 0,
    binding: Mapping[str, str] | None = None,
) -> Register:
    def register(handler: Handler) -> Any:  # noqa: ANN401  # the library's own builder
        async def answer(req: func.HttpRequest, **bound: Any) -> func.HttpResponse:  # noqa: ANN401
            admitted = await admit(req)
            return await handler(await chat(), *admitted, req, **bound)

        _present_as(answer, handler, bound_from=_CHAT_AND_REQ + given)
        function: Any = as_problem(answer)
        if binding:
            function = bp.generic_input_binding(**binding)(function)
        if "pushes" in inspect.signature(handler).parameters:
            function = bp.generic_output_binding(**PUSHES)(function)
        return bp.route(path, methods=methods.split())(function)

    return register


def _present_as(answer: Handler, handler: Handler, *, bound_from: int) -> None:
    """Give *answer* the name of *handler*, and the parameters that bindings fill.

    The worker matches the parameters of a function with its bindings, by name and annotation. So it
    must see `req` and what the handler takes from place *bound_from* on, and none of what is handed
    over here.
    """
    signature = inspect.signature(handler)
    bound = list(signature.parameters.values())[bound_from:]
    signature = signature.replace(parameters=[_REQ, *bound])
    answer.__name__ = handler.__name__
    answer.__doc__ = handler.__doc__
    answer.__module__ = handler.__module__
    answer.__annotations__ = {
        name: parameter.annotation for name, parameter in signature.parameters.items()
    }
    answer.__annotations__["return"] = signature.return_annotation
    vars(answer)["__signature__"] = signature
