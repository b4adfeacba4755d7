"""Exact money, what was paid, and what a bank says about it."""
