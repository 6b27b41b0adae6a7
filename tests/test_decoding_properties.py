"""Whatever a file holds, decoding it ends in pixels or in a reason."""

import hashlib
import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from pipeline.decoding import Geometry, Task, decode
from tests.properties import holds_for

KINDS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF", "JPEG2000", "PPM")


@cache
def whole(kind: str) -> bytes:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((48, 36))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    picture.save(buffer, kind, **({"exif": exif} if kind in ("JPEG", "PNG", "TIFF", "WEBP") else {}))
    return buffer.getvalue()


@holds_for(
    400,
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 10**6),
    changes=st.integers(0, 12),
    kept=st.floats(0, 1),
    in_header=st.booleans(),
)
def test_a_mutated_file_gives_pixels_or_one_line(
    kind: str, seed: int, changes: int, kept: float, in_header: bool
) -> None:
    rng = np.random.default_rng(seed)
    content = bytearray(whole(kind)[: max(1, round(kept**0.2 * len(whole(kind))))])
    reach = min(len(content), 200) if in_header else len(content)
    for place in rng.integers(0, reach, changes):
        content[place] = rng.integers(0, 256)
    with TemporaryDirectory() as folder:
        path, mask = Path(folder) / "x.jpg", Path(folder) / "m.png"
        path.write_bytes(content)
        mask.write_bytes(content[::-1] if seed % 2 else content)
        decoded = decode(Task(path, (mask,), Geometry(16, 3, "crop")))
    assert decoded.sha256 == hashlib.sha256(content).hexdigest()
    assert (decoded.pixels is None) == bool(decoded.reason)
    assert "\n" not in decoded.reason
    if decoded.pixels is not None:
        assert decoded.pixels.shape == (16, 16, 3)
        assert decoded.pixels.dtype == np.uint8
        assert decoded.mask is None or set(np.unique(decoded.mask)) <= {0, 255}
