"""What a WSGI server loads: ``wsgi:app``.

Importing this module opens the stores, so it must happen in the process that serves, after any
fork (``gunicorn.conf.py`` sees to that). They are closed when that process ends.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack

from atom_backend.app import create_app
from atom_backend.bootstrap import open_web
from atom_backend.settings import Settings
from atom_backend.telemetry.logs import configure_logging

settings = Settings.from_environment()
configure_logging(settings.log_level, settings.log_format)
runtime = ExitStack()
atexit.register(runtime.close)
app = create_app(runtime.enter_context(open_web(settings)))
