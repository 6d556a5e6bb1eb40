"""What a function could not handle: kept for another try, and then for a person."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SetAside:
    """One document that failed alone, while those around it did not.

    Args:
        function: Who could not handle it.
        document: What the function was given, as JSON.
        reason: The kind of failure and where; never its text, which may hold what users wrote.
    """

    function: str
    document: str
    reason: str
