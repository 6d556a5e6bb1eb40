"""One blueprint per trigger family: bind, decode, delegate, encode."""
