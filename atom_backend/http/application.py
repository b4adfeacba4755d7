"""The Flask application: the routes of every resource under one set of rules."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask

from atom_backend.http import browsers, documentation, errors, observation, rate_limits
from atom_backend.http.contract import Routes
from atom_backend.http.exposure import Exposure
from atom_backend.http.limits import HttpLimits
from atom_backend.http.resources import (
    accounts,
    api_keys,
    archives,
    audit,
    bookkeeping,
    calendars,
    configuration,
    consistency,
    conversations,
    document_contents,
    erasures,
    mail_import,
    oauth_authorizations,
    oauth_grants,
    operations,
    preferences,
    records,
    search,
    sessions,
    statements,
)
from atom_backend.http.routing import mount
from atom_backend.http.services import Services

RESOURCES = (
    accounts.routes,
    sessions.routes,
    api_keys.routes,
    *records.ROUTES,
    document_contents.routes,
    bookkeeping.routes,
    statements.routes,
    conversations.routes,
    preferences.routes,
    calendars.routes,
    mail_import.routes,
    search.routes,
    operations.routes,
    consistency.routes,
    configuration.routes,
    audit.routes,
    erasures.routes,
    archives.routes,
    oauth_authorizations.routes,
    oauth_grants.routes,
)


def build_application(
    services: Services,
    *,
    limits: HttpLimits,
    exposure: Exposure,
    version: str,
    resources: Sequence[Routes] = RESOURCES,
) -> Flask:
    """The application over these services, reached from outside as ``exposure`` says."""
    app = Flask("atom_backend", static_folder=None)
    observation.install(app, services.metrics, exposure.proxies)
    browsers.install(app, exposure)
    rate_limits.install(app, exposure.rates, _closed(resources))
    errors.install(app)
    for resource in resources:
        mount(app, resource.declared, services, limits, exposure.rates)
    documentation.install(app, resources, version)
    return app


def _closed(resources: Sequence[Routes]) -> frozenset[str]:
    """The endpoints that ask who is there."""
    declared = (route for resource in resources for route in resource.declared)
    return frozenset(route.name for route in declared if not route.public)
