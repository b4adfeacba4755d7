"""What the service is made of besides its own code: ``scripts/audit`` and ``scripts/sbom``.

Invariant: what is installed is what is pinned, and whatever could not be checked is said.
"""
