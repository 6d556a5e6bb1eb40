"""What the host's extensions do: one module for each kind of trigger or binding."""
