"""What requests about options say, and what they are answered: preferences and configuration.

Invariant: an answer says whether its value was set or is the default.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from atom_backend.domain.configuration import option_id
from atom_backend.domain.options import KEY, KEY_CHARS, Origin, Setting
from atom_backend.http.bodies import JsonBody
from atom_backend.http.fields import JsonValue, Moment

OptionKey = Annotated[str, Field(pattern=KEY, max_length=KEY_CHARS)]


class OptionValue(JsonBody):
    """What to set: any JSON value that fits the key."""

    value: JsonValue


class PreferenceAnswer(BaseModel):
    """What holds under a key. `revision` and `updated_at` are null for a default, `default` and
    `about` for a key that is not known."""

    key: str
    value: Any
    origin: Origin
    default: Any
    about: str | None
    revision: int | None
    updated_at: Moment | None

    @classmethod
    def of(cls, setting: Setting) -> PreferenceAnswer:
        return cls(**_shown(setting))


class PreferencePage(BaseModel):
    """All that hold, by key; `next_cursor` is null, for they all fit on one page."""

    items: list[PreferenceAnswer]
    next_cursor: None = None


class ConfigurationAnswer(BaseModel):
    """What holds under a key for the whole service; `id` is what audit entries call it."""

    id: UUID
    key: str
    value: Any
    origin: Origin
    default: Any
    about: str | None
    revision: int | None
    updated_at: Moment | None
    updated_by: UUID | None

    @classmethod
    def of(cls, setting: Setting) -> ConfigurationAnswer:
        by = setting.stored.updated_by if setting.stored else None
        return cls(id=option_id(setting.key), updated_by=by, **_shown(setting))


class ConfigurationPage(BaseModel):
    """All keys; `next_cursor` is null, for they all fit on one page."""

    items: list[ConfigurationAnswer]
    next_cursor: None = None


def _shown(setting: Setting) -> dict[str, Any]:
    option, stored = setting.option, setting.stored
    return {
        "key": setting.key,
        "value": setting.value,
        "origin": setting.origin,
        "default": option.default if option else None,
        "about": option.about if option else None,
        "revision": stored.revision if stored else None,
        "updated_at": stored.updated_at if stored else None,
    }
