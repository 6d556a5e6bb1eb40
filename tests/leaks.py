"""What Azure's SDKs leave behind when a connection breaks or an error's answer is not read."""

import pytest

# They leave the connection for the garbage collector to close, which warns, in whatever test runs.
SDK_LEAKS = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
