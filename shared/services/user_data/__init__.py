"""One person's data: exported, and erased."""
