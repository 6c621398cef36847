"""A cache of compiled templates: compiling the shipped ones costs more than filling them.

The cache lies beside Python's own compiled modules. Where that folder cannot be written there is no cache. A file that
does not fit (another text of the template, another version, a changed byte) is ignored and written anew.
"""

from __future__ import annotations

import hashlib
import marshal
import sys
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from jinja2.bccache import Bucket, BytecodeCache

from forensics import __version__
from forensics.system.atomic_files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable


class CompiledTemplates(BytecodeCache):
    """Jinja's cache, with one file for each name of a template; a user's template replaces the shipped one in it."""

    def __init__(self, filters: Iterable[str]) -> None:
        # Jinja looks up filters while it compiles, and fills in those of constants then.
        self._made_by = "\n".join([sys.version, jinja2.__version__, __version__, *sorted(filters)])

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load the code of a template, if its cached file is there and whole."""
        try:
            data = _place(bucket).read_bytes()
        except OSError:
            return
        seal, compiled = data[:_SEAL], data[_SEAL:]
        if seal == self._seal(bucket, compiled):
            bucket.code = marshal.loads(compiled)  # noqa: S302 - as trusted as the modules beside it, and sealed

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write the code of a template; do nothing where that is not possible."""
        compiled = marshal.dumps(bucket.code)
        seal = self._seal(bucket, compiled)
        with suppress(OSError):
            write_atomically(_place(bucket), (seal, compiled))

    def _seal(self, bucket: Bucket, compiled: bytes) -> bytes:
        made_of = f"{self._made_by}\n{bucket.key}\n{bucket.checksum}\n"
        return hashlib.sha256(made_of.encode() + compiled).digest()


_SEAL = hashlib.sha256().digest_size


def _folder() -> Path:
    return Path(cache_from_source(__file__)).parent


def _place(bucket: Bucket) -> Path:
    return _folder() / f"template-{bucket.key}.compiled"
