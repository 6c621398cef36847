"""Read a git repository from its files, without running git or anything that the repository names.

Hooks, filters, aliases, fsmonitor, textconv and submodule helpers belong to the git program, which is not called. The
repository's configuration is read for its format alone, without the files that it includes.
"""

from __future__ import annotations

from forensics.sources.repository.git import GitRepository

__all__ = ["GitRepository"]
