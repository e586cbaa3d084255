"""How good a detector is, by the published rules."""
