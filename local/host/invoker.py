"""One invocation from trigger to reply: bind the inputs, run the function, write the outputs."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from local.host.errors import BindingError, Failure, NoWorkerError
from local.host.expressions import Lookup, nothing
from local.host.functions import Function
from local.host.typed_value import TypedValue, encoded
from local.host.worker_process import Call, Done
from local.host.workers import WorkerPool

logger = logging.getLogger(__name__)


class InputBinding(Protocol):
    """Produces the value of an input parameter.

    `value` raises `BindingError` when an expression cannot be filled in.
    """

    def value(self, lookup: Lookup) -> TypedValue | None: ...


class OutputBinding(Protocol):
    """Writes the value of an output parameter.

    `write` raises `BindingError` when the value is unusable or its service refuses it.
    """

    async def write(self, value: TypedValue) -> None: ...


class InvocationError(Exception):
    """The function failed, or one of its bindings did."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(slots=True)
class Invocable:
    """A function with its bindings in place, and its counters since the host started."""

    function: Function
    inputs: Sequence[tuple[str, InputBinding]] = ()
    outputs: Mapping[str, OutputBinding] = field(default_factory=dict)
    invocations: int = 0
    failures: int = 0

    @property
    def name(self) -> str:
        return self.function.name


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """What set a function off.

    Args:
        value: The trigger's own value.
        metadata: Trigger metadata, for the bindings whose converters read it.
        lookup: Finds binding data for expressions in the function's other bindings.
        retry: Which repeat of a failed invocation this is; 0 for the first attempt.

    """

    value: TypedValue | None
    metadata: Mapping[str, TypedValue] = field(default_factory=dict)
    lookup: Lookup = nothing
    traceparent: str = ""
    retry: int = 0


class Invoker:
    """Runs functions on the pool's workers."""

    def __init__(self, timeout_s: float, *, tracebacks: bool = False) -> None:
        self._timeout_s = timeout_s
        self._tracebacks = tracebacks
        self.pool: WorkerPool | None = None

    async def invoke(self, invocable: Invocable, trigger_event: TriggerEvent) -> TypedValue | None:
        """Run *invocable* to its end, output bindings included; return what it returned.

        Raises:
            InvocationError: The function, an input or an output failed. It has been logged.
            NoWorkerError: No worker became ready within 10 s. Nothing has run.

        """
        invocable.invocations += 1
        try:
            inputs = [
                (name, binding.value(trigger_event.lookup)) for name, binding in invocable.inputs
            ]
            done = await self._run(invocable.function, trigger_event, inputs)
            if invocable.outputs:
                await _write_outputs(invocable.outputs, done)
        except BindingError as error:
            raise self._failed(invocable, Failure(str(error))) from error
        except InvocationError as error:
            raise self._failed(invocable, error.failure) from None
        except NoWorkerError as error:
            self._failed(invocable, Failure(str(error)))
            raise
        return done.returned

    async def invoke_with_retries(self, invocable: Invocable, trigger_event: TriggerEvent) -> bool:
        """Run *invocable*, repeating failures as its policy says; return whether it succeeded."""
        policy = invocable.function.retry
        retry = 0
        while True:
            try:
                await self.invoke(
                    invocable,
                    TriggerEvent(trigger_event.value, trigger_event.metadata, retry=retry),
                )
            except NoWorkerError:
                continue  # nothing has run, and the wait for a worker was the pause
            except InvocationError:
                retry += 1
                if policy is None or not policy.allows(retry):
                    return False
                await asyncio.sleep(policy.delay_s(retry))
            else:
                return True

    async def _run(
        self,
        function: Function,
        trigger_event: TriggerEvent,
        inputs: list[tuple[str, TypedValue | None]],
    ) -> Done:
        if self.pool is None:
            raise NoWorkerError("the host is starting")
        inputs.append((function.trigger.name, trigger_event.value))
        call = Call(
            function_id=function.id,
            inputs=inputs,
            metadata=dict(trigger_event.metadata),
            traceparent=trigger_event.traceparent,
            retry_count=trigger_event.retry,
            max_retry_count=0 if function.retry is None else function.retry.max_retry_count,
        )
        done = await self.pool.call(call, self._timeout_s)
        if done.failure is not None:
            raise InvocationError(done.failure)
        return done

    def _failed(self, invocable: Invocable, failure: Failure) -> InvocationError:
        invocable.failures += 1
        logger.warning("function %s failed: %s", invocable.name, failure.brief())
        if self._tracebacks and failure.stack:
            logger.warning("%s", failure.stack)
        return InvocationError(failure)


async def _write_outputs(outputs: Mapping[str, OutputBinding], done: Done) -> None:
    values = dict(done.outputs)
    if "$return" in outputs:
        values["$return"] = done.returned
    elif done.returned is not None and done.returned.kind == "json":
        values.update(_named_in_return(outputs, str(done.returned.value)))
    writes = [
        outputs[name].write(value)
        for name, value in values.items()
        if value is not None and name in outputs
    ]
    # The items of one binding are written one by one, the bindings beside each other.
    if len(writes) == 1:
        await writes[0]
        return
    for outcome in await asyncio.gather(*writes, return_exceptions=True):
        if outcome is not None:
            raise outcome


def _named_in_return(outputs: Mapping[str, OutputBinding], text: str) -> dict[str, TypedValue]:
    """Find what a returned dict holds for output bindings: the host takes it as outputs, too."""
    if not any(f'"{name}"' in text for name in outputs):
        return {}
    returned = json.loads(text)
    if not isinstance(returned, dict):
        return {}
    return {
        name: TypedValue("string", value) if isinstance(value, str) else encoded(value)
        for name, value in returned.items()
        if name in outputs and value is not None
    }
