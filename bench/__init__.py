"""The numbers of the README: measured on the local stack, everything of it included."""
