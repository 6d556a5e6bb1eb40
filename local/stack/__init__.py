"""The supervisor: starts every process of the stack, keeps it alive, ends it."""
