"""A hash of what a picture shows: nearly the same for re-encoded, rescaled and squashed copies, and turned with them.

The signs of the low frequencies of the discrete cosine transform, as in Zauner 2010 (Implementation and Benchmarking of
Perceptual Image Hash Functions, section 3.2.1), with a threshold of zero in place of the median: then mirroring changes
the sign of the odd frequencies and transposing swaps the axes, so the hash of a turned picture follows from the hash.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.images import resize

PIXELS = 32  # both sides of the gray picture that is hashed, whatever its aspect
FREQUENCIES = 16  # of each axis; the first of all, the mean brightness, counts for nothing
BITS = FREQUENCIES**2 - 1
COSINES = np.cos(np.pi / PIXELS * np.outer(np.arange(FREQUENCIES), np.arange(PIXELS) + 0.5))
FLAT = 1.0  # standard deviation of gray values below which a picture shows nothing
BLOCK = 512  # images compared with all others at once


class Pair(NamedTuple):
    """Two images that look alike; ``turn`` of the second gives the first."""

    first: int
    second: int
    distance: int  # bits that differ, of BITS
    turn: str


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


def similar_pairs(hashes: Sequence[str], limit: int) -> list[Pair]:
    """Every pair whose hashes differ in at most ``limit`` bits under one of the eight turns, in order.

    Of n images with the very same hash only the n - 1 pairs with the first of them: enough to join them all.

    Args:
        hashes: from ``perceptual_hash``; an empty one is like no other.
    """
    places: dict[str, list[int]] = {}
    for index, value in enumerate(hashes):
        if value:
            places.setdefault(value, []).append(index)
    pairs = [Pair(same[0], other, 0, "identity") for same in places.values() for other in same[1:]]
    firsts = [same[0] for same in places.values()]
    for one, two, distance, turn in _close(_signs(list(places)), limit):
        pairs.append(Pair(firsts[one], firsts[two], distance, turn))
    return sorted(pairs)


def _signs(hashes: list[str]) -> NDArray[np.float32]:
    """The bits as -1 and 1, (N, FREQUENCIES, FREQUENCIES); the mean brightness as 0."""
    packed = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8)
    signs = np.unpackbits(packed).reshape(-1, FREQUENCIES, FREQUENCIES).astype(np.float32) * 2 - 1
    signs[:, 0, 0] = 0
    return signs


def _close(signs: NDArray[np.float32], limit: int) -> Iterator[tuple[int, int, int, str]]:
    """Rows (i, j), i < j, at most ``limit`` bits apart under the best turn of j. A matrix product counts the bits."""
    flat = signs.reshape(len(signs), FREQUENCIES**2)
    turned = {name: turn.reshape(flat.shape) for name, turn in _turns(signs).items()}
    for start in range(0, len(flat), BLOCK):
        block = flat[start : start + BLOCK]
        nearest = np.full((len(block), len(flat) - start), BITS + 1, dtype=np.int16)
        best = np.zeros(nearest.shape, dtype=np.int8)
        for number, others in enumerate(turned.values()):
            distance = ((BITS - block @ others[start:].T) / 2).astype(np.int16)
            best[distance < nearest] = number
            np.minimum(nearest, distance, out=nearest)
        for one, two in np.argwhere(np.triu(nearest <= limit, k=1)):
            yield int(start + one), int(start + two), int(nearest[one, two]), list(turned)[best[one, two]]


def _turns(signs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """The hashes of the pictures after each of the eight turns of a square, by the turn's name; rotation is left."""
    odd = np.where(np.arange(FREQUENCIES) % 2, -1, 1).astype(np.float32)
    mirror, flip = odd[None, :], odd[:, None]
    transposed = signs.swapaxes(1, 2)
    return {
        "identity": signs,
        "mirror": signs * mirror,
        "flip": signs * flip,
        "rotate180": signs * mirror * flip,
        "transpose": transposed,
        "rotate90": transposed * flip,
        "rotate270": transposed * mirror,
        "transverse": transposed * mirror * flip,
    }
