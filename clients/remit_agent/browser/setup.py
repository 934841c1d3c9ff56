"""`remit-agent browser`: tells a browser where its recorder's other half is."""

import json
import shlex
import sys
from pathlib import Path
from typing import Final

from remit_agent.home import Home

EXTENSION: Final = Path(__file__).with_name("extension")
NAME: Final = "dev.remit.agent"


def extension_id() -> str:
    """Return the id that browsers give the extension: it follows from its key."""
    import base64  # noqa: PLC0415 - for this one command.
    import hashlib  # noqa: PLC0415

    manifest = json.loads((EXTENSION / "manifest.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(base64.b64decode(manifest["key"])).hexdigest()[:32]
    return "".join(chr(ord("a") + int(each, 16)) for each in digest)


def prepare(home: Home, *, profile: Path) -> Path:
    """Write what a browser with this profile needs to start `browse`; return the extension."""
    starter = home.path / "browse"
    words = [sys.executable, "-m", "remit_agent", "browse", "--home", str(home.path)]
    starter.write_text(f"#!/bin/sh\nexec {shlex.join(words)}\n", encoding="utf-8")
    starter.chmod(0o700)
    folder = profile / "NativeMessagingHosts"
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "name": NAME,
        "description": "Remit's capture agent",
        "path": str(starter),
        "type": "stdio",
        "allowed_origins": [f"chrome-extension://{extension_id()}/"],
    }
    (folder / f"{NAME}.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return EXTENSION
