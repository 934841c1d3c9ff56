"""Packs the verifier into `dist/remit-verify.pyz`: `python -m audit.verifier.build [FILE]`.

The same sources give the same bytes on every machine, so that a printed hash can be compared.
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent.parent
_EPOCH = (1980, 1, 1, 0, 0, 0)  # The earliest time that a zip entry can bear.
_START = b"import sys\nfrom audit.verifier.__main__ import main\nsys.exit(main())\n"


def build(target: Path) -> str:
    """Write the archive and return its SHA-256 in hex."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sources = {"__main__.py": _START, "audit/__init__.py": b""}
    for path in sorted(_HERE.glob("*.py")):
        if path.name != Path(__file__).name:
            sources[path.relative_to(_ROOT).as_posix()] = path.read_bytes()
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w") as archive:
            for name in sorted(sources):
                entry = zipfile.ZipInfo(name, date_time=_EPOCH)
                entry.create_system = 3
                entry.external_attr = 0o644 << 16
                # Stored, not deflated: the output of zlib differs between its builds.
                archive.writestr(entry, sources[name])
    target.chmod(0o755)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def main() -> int:
    """Build and print the archive's hash, as `sha256sum` does."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else _ROOT / "dist" / "remit-verify.pyz"
    sys.stdout.write(f"{build(target)}  {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
