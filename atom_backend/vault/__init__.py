"""Sealing, hashing and signing of secrets: the only package that imports cryptography or jwt."""
