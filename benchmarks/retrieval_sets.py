"""Reads a retrieval set: documents, questions, and which documents answer which question.

A set is a folder with ``corpus.jsonl`` and ``queries.jsonl`` (objects with "_id", "text" and
perhaps "title") and ``qrels.tsv`` (query-id, corpus-id, score, under a heading), as BEIR has
them. Invariant: every query of a set has a judgement, and no judgement names a missing document.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TITLE_CHARS = 200


@dataclass(frozen=True, slots=True)
class SetDocument:
    """A document; one without a title has the beginning of its text as title, as in ``import``."""

    name: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class SetQuery:
    """A question and the grades of the documents that were judged for it, by name."""

    name: str
    text: str
    judged: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """A whole set; only the queries that were judged are in it."""

    name: str
    documents: tuple[SetDocument, ...]
    queries: tuple[SetQuery, ...]


def read_set(folder: Path) -> RetrievalSet:
    """The set in ``folder``. Raises OSError, ValueError or KeyError where it is not one."""
    documents = tuple(_document(one) for one in _objects(folder / "corpus.jsonl"))
    names = {document.name for document in documents}
    judged: dict[str, dict[str, int]] = {}
    for query, document, grade in _judgements(folder / "qrels.tsv"):
        if document not in names:
            raise ValueError(f"{folder.name}: qrels.tsv judges {document}, which is not there")
        judged.setdefault(query, {})[document] = grade
    queries = tuple(
        SetQuery(one["_id"], one["text"], judged[one["_id"]])
        for one in _objects(folder / "queries.jsonl")
        if one["_id"] in judged
    )
    return RetrievalSet(folder.name, documents, queries)


def _document(value: dict[str, Any]) -> SetDocument:
    title = value.get("title") or value["text"].strip().splitlines()[0][:_TITLE_CHARS]
    return SetDocument(value["_id"], title, value["text"])


def _objects(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _judgements(file: Path) -> Iterator[tuple[str, str, int]]:
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            yield row["query-id"], row["corpus-id"], int(row["score"])
