"""A random driver: real processes, several users, and faults, all decided by one seed.

``plan`` decides everything beforehand, ``clients`` and ``faults`` carry it out on the ``system``,
``rounds`` waits for quiet and has the promises judge what is left.
"""
