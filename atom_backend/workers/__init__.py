"""Loops that drive passes in the background; no decision is taken here."""
