"""A hash of what a picture shows: nearly the same for re-encoded, rescaled and squashed copies, and turned with them.

The signs of the low frequencies of the discrete cosine transform, as in Zauner 2010 (Implementation and Benchmarking of
Perceptual Image Hash Functions, section 3.2.1), with a threshold of zero in place of the median: then mirroring changes
the sign of the odd frequencies and transposing swaps the axes, so the hash of a turned picture follows from the hash.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.images import resize

PIXELS = 32  # both sides of the gray picture that is hashed, whatever its aspect
FREQUENCIES = 16  # of each axis; the first of all, the mean brightness, counts for nothing
BITS = FREQUENCIES**2 - 1
COSINES = np.cos(np.pi / PIXELS * np.outer(np.arange(FREQUENCIES), np.arange(PIXELS) + 0.5))
TURNS = {  # of a square, rotation to the left: whether transposed first, then flipped top to bottom, then mirrored
    "identity": (False, False, False),
    "mirror": (False, False, True),
    "flip": (False, True, False),
    "rotate180": (False, True, True),
    "transpose": (True, False, False),
    "rotate90": (True, True, False),
    "rotate270": (True, False, True),
    "transverse": (True, True, True),
}
FLAT = 1.0  # standard deviation of gray values below which a picture shows nothing


def perceptual_hash(image: Image.Image) -> str:
    """64 hexadecimal digits, row by row the bits of the frequencies; empty for a picture that shows nothing.

    Args:
        image: of any mode that converts to gray, not cropped: a squashed copy is then the same picture.
    """
    gray = np.asarray(resize(image.convert("L"), PIXELS, PIXELS), dtype=np.float64)
    if gray.std() < FLAT:
        return ""
    spectrum = COSINES @ gray @ COSINES.T
    spectrum[0, 0] = 0
    return np.packbits(spectrum > 0).tobytes().hex()


def signs(hashes: Sequence[str]) -> NDArray[np.float32]:
    """The bits as -1 and 1, (N, FREQUENCIES, FREQUENCIES); the mean brightness as -1.

    Args:
        hashes: from ``perceptual_hash``, none of them empty.
    """
    packed = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8)
    bits = np.unpackbits(packed).reshape(-1, FREQUENCIES, FREQUENCIES)
    bits[:, 0, 0] = 0
    return bits.astype(np.float32) * 2 - 1


def turned(spectra: NDArray[np.float32], turn: str) -> NDArray[np.float32]:
    """The spectra of the turned pictures.

    Args:
        spectra: (N, F, F), the F lowest frequencies of each axis, or their signs.
        turn: one of ``TURNS``.
    """
    transposed, flipped, mirrored = TURNS[turn]
    odd = np.where(np.arange(spectra.shape[1]) % 2, -1, 1).astype(np.float32)
    of_rows, of_columns = odd if flipped else odd**2, odd if mirrored else odd**2
    return (spectra.swapaxes(1, 2) if transposed else spectra) * np.outer(of_rows, of_columns)
