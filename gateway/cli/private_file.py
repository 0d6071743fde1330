"""Write files with personal data, for one reader."""

import os
from pathlib import Path

_PRIVATE = 0o600


def write_private(target: Path, content: bytes) -> None:
    """Write a file that only its owner reads; at its place there is all of it or nothing."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "wb"
        ) as file:
            file.write(content)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
