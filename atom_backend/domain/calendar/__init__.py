"""Events, how they repeat, and when that is."""
