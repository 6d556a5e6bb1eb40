"""A Functions host for one machine: it runs a Python app in Microsoft's own worker runtime."""
