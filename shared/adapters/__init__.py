"""The outside, by technology. Each module here fulfils roles of `shared.ports`."""
