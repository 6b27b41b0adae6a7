"""Duplicates among images: of the very same file, and those that look alike."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.lookalikes import similar_pairs
from pipeline.params.split import GroupedSplitParams
from pipeline.perceptual_hash import turned
from pipeline.progress import progress_bar
from pipeline.registration import SMOOTHING, TURNS, detail_spectra, shifted_correlation

CANDIDATE_BITS = 72  # of 255; farther apart, a second photograph of the same is no longer told from another lesion
CLOSE = 0.85  # of the correlation asked for; asking for none joins different lesions in the same black frame
# With that alone some images of 100,000 are joined with other lesions of about their shape, so finer details must agree
# too: 570 such pairs have 0.72 at most; of copies re-encoded at quality 50, blurred or cropped by 2 % 99 % have more.
FINE = 2.0  # px, of the smoothing
FINE_CORRELATION = 0.7
# Of the correlation of what has not moved, a quick look: true pairs of ISIC 2017 have 0.92 or more, most others less.
GLANCE, FAR_GLANCE = 0.75, 0.85  # where the hashes are close, and where they are not
BATCH = 1024  # pairs compared at once


def duplicate_pairs(images: pd.DataFrame, thumbnails: NDArray[np.uint8], params: GroupedSplitParams) -> pd.DataFrame:
    """Images of the same file, and images that look alike; of many that are the same, each with the first of them.

    Alike are pictures that correlate well when one is moved a little, among those whose perceptual hashes are not far
    apart; where the hashes are close, less well, as small copies are blurred.

    Args:
        images: image_id, row, target, sha256, phash; on the index 0..N-1, which are the rows of ``thumbnails``.
        thumbnails: (N, H, W), gray.

    Returns: one row per pair: first, second (image ids), first_row, second_row, kind (file or look), distance in bits,
        correlation, turn (of the second, to get the first), first_target, second_target.
    """
    sha256 = images["sha256"].to_numpy()
    repeats = images.groupby("sha256").indices.values()
    same = sorted((rows[0], row) for rows in repeats for row in rows[1:])
    files = pd.DataFrame(same, columns=["first", "second"], dtype=int).assign(distance=0, turn="identity", kind="file")
    near = similar_pairs(list(images["phash"]), thumbnails, max(CANDIDATE_BITS, params.duplicate_distance))
    others = near[sha256[near["first"]] != sha256[near["second"]]]
    asked = np.where(others["distance"] <= params.duplicate_distance, GLANCE, FAR_GLANCE)
    looks = others[glances(others, thumbnails) >= asked].assign(kind="look")
    pairs = pd.concat([files, looks], ignore_index=True)
    pairs["correlation"] = correlations(pairs, thumbnails).round(3)
    alike = pairs[(pairs["kind"] == "file") | _alike(pairs, thumbnails, params)]
    first, second = (images.loc[alike[name]].reset_index(drop=True) for name in ("first", "second"))
    columns = {
        "first": first["image_id"],
        "second": second["image_id"],
        "first_row": first["row"],
        "second_row": second["row"],
        **{name: alike[name].reset_index(drop=True) for name in ("kind", "distance", "correlation", "turn")},
        "first_target": first["target"],
        "second_target": second["target"],
    }
    return pd.DataFrame(columns)


def _alike(pairs: pd.DataFrame, thumbnails: NDArray[np.uint8], params: GroupedSplitParams) -> pd.Series:
    """Whether each pair correlates enough, (P,): where the hashes are close a little less will do, if details agree."""
    alike = pairs["correlation"] >= params.duplicate_correlation
    close = pairs["distance"] <= params.duplicate_distance
    nearly = pairs[close & ~alike & (pairs["correlation"] >= CLOSE * params.duplicate_correlation)]
    alike[nearly.index] = correlations(nearly, thumbnails, FINE) >= FINE_CORRELATION
    return alike


def glances(pairs: pd.DataFrame, thumbnails: NDArray[np.uint8]) -> pd.Series:
    """How alike the pictures of each pair are when none is moved, (P,): a quick look before ``correlations``."""
    spectra = detail_spectra(thumbnails)
    found = pd.Series(0.0, index=pairs.index)
    for turn, rows in _batches(pairs):
        first, second = (spectra[rows[name]] for name in ("first", "second"))
        found[rows.index] = np.einsum("pij,pij->p", first, turned(second, turn))
    return found


def correlations(pairs: pd.DataFrame, thumbnails: NDArray[np.uint8], smoothing: float = SMOOTHING) -> pd.Series:
    """``shifted_correlation`` of each pair after the turn of the second, (P,)."""
    found = pd.Series(0.0, index=pairs.index)
    with progress_bar("comparison", len(pairs), "pairs") as bar:
        for turn, rows in _batches(pairs):
            first, second = (thumbnails[rows[name]] for name in ("first", "second"))
            found[rows.index] = shifted_correlation(first, TURNS[turn](second), smoothing)
            bar.update(len(rows))
    return found


def _batches(pairs: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Pairs of the same turn, and which."""
    for turn, rows in pairs.groupby("turn"):
        for start in range(0, len(rows), BATCH):
            yield str(turn), rows.iloc[start : start + BATCH]
