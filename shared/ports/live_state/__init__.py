"""Live state: everything that is fast and may be lost, by what it is for."""
