"""The website Parley is built for, small: it owns the users and is the stack's front door."""
