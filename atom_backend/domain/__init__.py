"""Plain data and pure decisions, and the ports that the outer packages implement; no I/O."""
