"""Texts that mean something to a language which they must never reach.

Each is tried as the value of every field that a caller can fill. Invariant: ``{owner}`` and
``{item}`` stand for identifiers of a victim, which an attacker may know; no text holds a word that
the victim's records hold.
"""

from __future__ import annotations

from uuid import UUID

_CLOSE_A_LITERAL = [
    "'",
    "''",
    '"',
    "`",
    "\\",
    "\\'",
    "' OR 1=1 --",
    "' OR '1'='1",
    "') OR (true) --",
    '") OR ("1"="1',
    "'; DELETE FROM document_chunks; --",
    "' OR owner_id IS NOT NULL /*",
    "\n' OR true\n--",
    "'||(SELECT content FROM document_chunks LIMIT 1)||'",
    "' UNION SELECT * FROM items --",
]
_NAME_A_VICTIM = [
    "X'{owner}'",
    "' OR owner_id = X'{owner}' --",
    "x'') OR document_id = X'{item}' --",
    "document') OR owner_id IN (X'{owner}') --",
    "{item}' OR '1'='1",
]
_CALL_A_FUNCTION = [
    "regexp_match(content, '.*') IS NOT NULL",
    "' OR array_length(vector) > 0 --",
    "1) OR (random() >= 0",
    "' OR CAST(owner_id AS STRING) LIKE '%' --",
    "' AND pg_sleep(0) IS NULL --",
    "' OR set_config('atom.owner_id', '{owner}', true) = '' --",
]
_ASK_IN_A_SEARCH_LANGUAGE = [
    '"an unclosed phrase',
    "a AND NOT (b OR",
    "+owner_id:* -nothing",
    "content:[a TO z] owner_id:*",
    "title:foo^9~3 *",
    "* OR *:*",
    "'a' & !'b' | 'c':*",
    '{"match": {"owner_id": "*"}}',
]
_MATCH_EVERYTHING = ["%", "_", "%' OR content LIKE '%", "*", ".*", "(?s).*"]
_LOOK_LIKE_A_QUOTE = [
    "ʼ OR 1=1",
    "’ OR ’1’=’1",
    "＇ OR 1=1 --",
    "\u02b9) OR (true",
    "\xbf' OR true",
]
_COMMENT = ["-- ", "/*", "*/ OR true /*", "# ", "' OR true -- -"]
_FILL_IN = ["%s", "%(owner_id)s", ":owner_id", "$1", "?", "{0}", "{{7*7}}", "${jndi:x}"]
_BREAK_A_READER = ["\x00' OR true --", "\ud800' OR true", "\u202e' OR true", "\ufeff' OR true"]
_LARGE = ["'" * 9_000, "' OR true --" * 700, "(" * 4_000 + "'" + ")" * 4_000]


def injections(owner: UUID, item: UUID) -> list[str]:
    """All of them, against the item of this owner."""
    texts = [
        *_CLOSE_A_LITERAL,
        *_NAME_A_VICTIM,
        *_CALL_A_FUNCTION,
        *_ASK_IN_A_SEARCH_LANGUAGE,
        *_MATCH_EVERYTHING,
        *_LOOK_LIKE_A_QUOTE,
        *_COMMENT,
        *_FILL_IN,
        *_BREAK_A_READER,
        *_LARGE,
    ]
    named = {"{owner}": owner.hex, "{item}": item.hex}
    return [_filled(text, named) for text in texts]


def _filled(text: str, named: dict[str, str]) -> str:
    for place, value in named.items():
        text = text.replace(place, value)
    return text
