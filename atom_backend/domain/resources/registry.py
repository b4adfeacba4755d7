"""Every declared resource."""

from __future__ import annotations

from atom_backend.domain.resources.accounts import ACCOUNTS
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.resources.events import EVENTS
from atom_backend.domain.resources.integrations import INTEGRATIONS
from atom_backend.domain.resources.memories import MEMORIES
from atom_backend.domain.resources.messages import MESSAGES
from atom_backend.domain.resources.preferences import PREFERENCES
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.tasks import TASKS
from atom_backend.domain.resources.transactions import TRANSACTIONS

RESOURCES: tuple[Resource, ...] = (
    DOCUMENTS,
    TASKS,
    MEMORIES,
    MESSAGES,
    EVENTS,
    ACCOUNTS,
    TRANSACTIONS,
    INTEGRATIONS,
    PREFERENCES,
)
SEARCHABLE = {resource.kind: resource for resource in RESOURCES if resource.searchable}
NAMED = {resource.name: resource for resource in RESOURCES}
