"""The model's own tokenizer, so that lengths are measured and never estimated.

Invariant: nothing here raises because of what a text holds; a lone surrogate, which no tokenizer
takes, counts as one unknown character, so that offsets still fit the text.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from atom_backend.errors import EmbedderUnavailable


class ModelTokenizer:
    """Counts and ids of the tokens of a text, as the model sees it.

    ``file`` is a ``tokenizer.json``. The padding and the truncation that such a file may hold
    are switched off.
    """

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise EmbedderUnavailable(f"the tokenizer {file} does not exist")
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._closing = max(0, self._tokenizer.num_special_tokens_to_add(is_pair=False) - 1)

    def ids(self, text: str, limit: int) -> list[int]:
        """The token ids of a text, special ones included; the text loses what exceeds ``limit``."""
        ids: list[int] = self._tokenizer.encode(_encodable(text)).ids
        if len(ids) <= limit:
            return ids
        return ids[: limit - self._closing] + ids[len(ids) - self._closing :]

    def count(self, text: str) -> int:
        """The number of tokens, special ones included."""
        [encoding] = self._tokenizer.encode_batch_fast([_encodable(text)])
        return len(encoding)

    def ends(self, text: str) -> list[int]:
        """Where each token ends, in code points, ascending, without special tokens."""
        encoding = self._tokenizer.encode(_encodable(text), add_special_tokens=False)
        return [end for _, end in encoding.offsets]


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
