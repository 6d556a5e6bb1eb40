"""A short run of the made-up HTTP calls of `make attack`, each operation a test of its own."""

import pytest
from schemathesis import GenerationMode

from tests.attack import http_fuzz
from tests.attack.report import Result
from tests.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow]

EXAMPLES = 15


@pytest.mark.parametrize(
    ("operation_id", "mode"),
    http_fuzz.RUNS,
    ids=[f"{name}-{mode.value}" for name, mode in http_fuzz.RUNS],
)
def test_every_answer_is_one_that_the_document_names(
    stack: Stack, operation_id: str, mode: GenerationMode
) -> None:
    result = Result(operation_id)

    http_fuzz.try_operation(stack, operation_id, mode, examples=EXAMPLES, result=result)

    assert result.answers
