"""The user's own files are named after their content, so that a change of them is a change of params.yaml."""

import re
from pathlib import Path

from pipeline.errors import InputError


def check_name(key: str, path: Path, sha256: str) -> None:
    """Raises InputError if a file or a folder does not end in the first digits of its sha256.

    Args:
        key: where the path stands in params.yaml.
    """
    name, _, digits = path.stem.rpartition("-")
    if len(digits) >= 8 and sha256.startswith(digits):
        return
    kept = name if re.fullmatch("[0-9a-f]{8,}", digits) else path.stem
    raise InputError(
        f"{key} is {path}, whose name must end in the first 8 or more digits of its sha256, so that a "
        f"change of the content is a change of params.yaml; rename it {kept}-{sha256[:8]}{path.suffix}"
    )
