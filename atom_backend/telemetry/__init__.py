"""Logs and metrics, free of secrets."""
