"""The use cases: load, decide in the domain, store, and say what to push."""
