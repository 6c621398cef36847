"""Make the folders under samples/, the same bytes each time: `python samples/make_samples.py [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

from maker import crash_loop, healthy, netra

SAMPLES = {
    "netra-backend-staging": netra.make,
    "module-missing-crash-loop": crash_loop.make,
    "healthy": healthy.make,
}

README = """# Samples

Logs with known contents, made by `python samples/make_samples.py` (standard library only; the same bytes each time,
which a test checks). No project, person, host, address or secret in them is real. Each folder holds `logs/` as
`gcloud logging read` gives them (one file per log, newest entry first), a `README.md` that says what happened, and
`truth.json` with the figures that must be found: per revision and signature the entries, the occurrences (sessions,
requests or instance lives), and the occurrences of each symptom that it explains.

- [netra-backend-staging](netra-backend-staging/README.md): three revisions and three cycles of tests; WebSocket
  sessions break off with 1011, then in the factory of their managers.
- [module-missing-crash-loop](module-missing-crash-loop/README.md): a module missing from the image, twelve instance
  lives, and a deploy that counts as ready.
- [healthy](healthy/README.md): nothing happened, in words that sound bad.
"""


def write(folder: Path) -> None:
    """Write every sample below a folder."""
    files = {"README.md": README}
    for sample, make in SAMPLES.items():
        files |= {f"{sample}/{name}": text for name, text in make().items()}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        print(f"{len(text.encode()):>9,}  {name}")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
