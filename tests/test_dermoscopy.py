from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, label, maximum_filter
from sklearn.metrics import roc_auc_score

from pipeline.dermoscopy.camera import camera_grid
from pipeline.dermoscopy.cohort import Record, draw_cohort
from pipeline.dermoscopy.faults import COPIES, VARIANTS
from pipeline.dermoscopy.fields import cells, noise, smoothstep
from pipeline.dermoscopy.hair import add_hair
from pipeline.dermoscopy.lesion import draw_outline, inner_depth
from pipeline.dermoscopy.painting import stroke_coverage
from pipeline.dermoscopy.photograph import ARTEFACTS, VEIL, Scene, photograph
from pipeline.dermoscopy.pigment import lay_pigment
from pipeline.dermoscopy.structures import dots, draw_pattern
from pipeline.dermoscopy.traits import (
    CONTINUOUS_SHIFTS,
    Traits,
    best_auc,
    colour_probabilities,
    draw_latents,
    malignancy_probability,
    malignancy_score,
    visible_traits,
)

NO_FAULTS = dict.fromkeys(VARIANTS, 0.0)


def many_lesions(count: int = 100_000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Targets, continuous latents, colours and scores of ``count`` lesions, every fourth malignant."""
    targets = (np.arange(count) % 4 == 0).astype(np.int64)
    continuous, colours = draw_latents(targets, np.random.default_rng(1))
    return targets, continuous, colours, malignancy_score(continuous, colours)


def scene(number: int, traits: Traits | None = None) -> Scene:
    return Scene(traits or Traits(0.5, 0.5, 3, 6.0), number, number + 1000, number + 2000)


def test_best_auc_is_that_of_the_simulated_scores() -> None:
    targets, _, _, scores = many_lesions()
    assert best_auc() == pytest.approx(roc_auc_score(targets, scores), abs=0.004)  # four standard errors


def test_best_auc_leaves_room_on_both_sides() -> None:
    assert 0.90 <= best_auc() <= 0.95


def test_no_single_trait_nor_their_plain_sum_beats_the_likelihood_ratio() -> None:
    targets, continuous, colours, scores = many_lesions()
    rivals = [*continuous.T, colours, continuous.sum(axis=1) + colours]
    assert max(roc_auc_score(targets, rival) for rival in rivals) < roc_auc_score(targets, scores) - 0.001


def test_probability_is_calibrated() -> None:
    targets, _, _, scores = many_lesions()
    probability = malignancy_probability(scores, 0.25)
    assert probability.mean() == pytest.approx(0.25, abs=0.003)
    for low in (0.1, 0.4, 0.7):
        bin_ = (probability > low) & (probability < low + 0.2)
        assert targets[bin_].mean() == pytest.approx(probability[bin_].mean(), abs=0.03)


@pytest.mark.parametrize("target", [0, 1])
def test_colours_follow_their_distribution(target: int) -> None:
    _, colours = draw_latents(np.full(100_000, target), np.random.default_rng(2))
    assert np.bincount(colours, minlength=6)[1:] / 100_000 == pytest.approx(colour_probabilities(target), abs=0.006)


def test_visible_traits_grow_with_their_latents_and_stay_in_range() -> None:
    low, high = (visible_traits(CONTINUOUS_SHIFTS / 2 + step, 2) for step in (-3.0, 3.0))
    assert 0 < low.asymmetry < 0.1 < 0.9 < high.asymmetry < 1
    assert 0 < low.border < 0.1 < 0.9 < high.border < 1
    assert 2.5 < low.diameter < 4 < 11 < high.diameter < 12


@pytest.mark.parametrize("asymmetry", [0.05, 0.95])
@pytest.mark.parametrize("border", [0.05, 0.95])
def test_outline_encloses_the_area_of_its_diameter(asymmetry: float, border: float) -> None:
    radius = draw_outline(Traits(asymmetry, border, 2, 7.0), np.random.default_rng(3))
    assert np.pi * np.mean(radius**2) == pytest.approx(np.pi * 3.5**2)
    assert radius.min() > 0


def test_an_irregular_border_is_longer() -> None:
    def length(border: float) -> float:
        radius = draw_outline(Traits(0.3, border, 2, 7.0), np.random.default_rng(4))
        angle = np.linspace(0, 2 * np.pi, len(radius), endpoint=False)
        points = radius * np.exp(1j * angle)
        return float(np.abs(np.diff(points, append=points[:1])).sum())

    assert length(0.9) > 1.1 * length(0.1)


def largest_over_smallest_radius(border: float) -> float:
    ratios = []
    for seed in range(40):
        radius = draw_outline(Traits(0.05, border, 2, 7.0), np.random.default_rng(seed))
        ratios.append(np.percentile(radius, 98) / np.percentile(radius, 2))
    return float(np.median(ratios))


def test_an_irregular_border_has_lobes_and_no_arms() -> None:
    assert 1.05 * largest_over_smallest_radius(0.05) < largest_over_smallest_radius(0.95) < 1.7


def changed_by_half_a_turn(mask: np.ndarray) -> float:
    """Share of a lesion that its half turn about its centroid does not cover."""
    row, column = (np.round(2 * axis.mean()).astype(int) for axis in np.nonzero(mask))
    padded = np.pad(mask, 100)
    turned = np.roll(padded[::-1, ::-1], (row - len(mask) + 1, column - mask.shape[1] + 1), (0, 1))
    return float(np.sum(padded & ~turned) / mask.sum())


def test_asymmetry_shows_in_the_outline_and_in_the_pigment() -> None:
    def seen(asymmetry: float) -> tuple[float, float]:
        outlines, pigments = [], []
        for k in range(20):
            image, mask, _ = photograph(scene(k, Traits(asymmetry, 0.1, 1, 6.0)), 64)
            outlines.append(changed_by_half_a_turn(mask > 0))
            inside = np.argwhere(mask > 0)
            position = (inside - inside.mean(axis=0)) / np.sqrt(len(inside))
            brightness = image[mask > 0].mean(axis=1)
            pigments.append(np.linalg.norm(np.linalg.lstsq(position, brightness - brightness.mean(), rcond=None)[0]))
        return float(np.median(outlines)), float(np.median(pigments))

    low, middle, high = (seen(asymmetry) for asymmetry in (0.05, 0.5, 0.95))
    assert low[0] < middle[0] < high[0]
    assert low[1] < middle[1] < high[1]
    assert high[0] > 2 * low[0]
    assert high[1] > 2 * low[1]


def test_lesions_lie_round_the_middle_of_the_view_however_lopsided() -> None:
    y, x = np.mgrid[-8:8:0.1, -8:8:0.1].astype(np.float32)
    for seed in range(10):
        generator = np.random.default_rng(seed)
        outline = draw_outline(Traits(0.95, 0.05, 1, 8.0), generator)
        inside = inner_depth(outline, 0.05, x, y, generator) > 0
        assert np.hypot(x[inside].mean(), y[inside].mean()) < 0.25


def test_irregular_borders_break_off_islands() -> None:
    def islands(border: float) -> float:
        return float(np.mean([label(photograph(scene(k, Traits(0.3, border, 2, 7.0)), 96)[1])[1] for k in range(10)]))

    assert islands(0.05) < 1.3 < 2 < islands(0.95)


def test_pigment_is_a_warm_brown() -> None:
    y, x = np.mgrid[-5:5:0.2, -5:5:0.2].astype(np.float32)
    depth = 1 - np.hypot(x, y) / 3
    for seed in range(40):
        generator = np.random.default_rng(seed)
        pigment = lay_pigment(Traits(0.5, 0.5, 5, 6.0), depth, x, y, generator)
        red, green, blue = pigment.melanin_colour
        assert 0.1 * blue < red < 0.8 * green < 0.8 * blue


def test_a_veil_is_a_haze_over_dark_pigment_inside_the_lesion() -> None:
    y, x = np.mgrid[-5:5:0.2, -5:5:0.2].astype(np.float32)
    depth = 1 - np.hypot(x, y) / 3
    veils = [lay_pigment(Traits(0.6, 0.5, 5, 6.0), depth, x, y, np.random.default_rng(seed)) for seed in range(20)]
    for pigment in veils:
        veil = pigment.veil
        assert veil.max() < 0.85  # the structures shimmer through
        assert veil[depth < -0.1].max() == 0
        assert max(np.abs(np.diff(veil, axis=axis)).max() for axis in (0, 1)) < 0.45
    covered = np.concatenate([pigment.melanin[pigment.veil > 0.3] for pigment in veils])
    bare = np.concatenate([pigment.melanin[(pigment.veil < 0.05) & (depth > 0.3)] for pigment in veils])
    assert np.median(covered) > 1.4 * np.median(bare)
    assert VEIL.max() / VEIL.min() < 1.25  # slate, not blue


def test_photograph_is_4_to_3_and_its_mask_aligned() -> None:
    image, mask, artefacts = photograph(scene(0), 60)
    assert image.shape == (60, 80, 3)
    assert mask.shape == (60, 80)
    assert set(np.unique(mask)) == {0, 255}
    assert all(seen.shape == mask.shape for seen in artefacts.values())


def test_photograph_depends_on_its_scene_alone() -> None:
    first = photograph(scene(0), 48)
    photograph(scene(1), 48)
    again = photograph(scene(0), 48)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.image, photograph(scene(1), 48).image)


def test_artefacts_are_marked_where_they_are() -> None:
    """The same scenes without hair, and the picture beyond a frame: black."""
    drawn = [photograph(scene(k), 64) for k in range(60)]
    framed = [picture for picture in drawn if picture.artefacts["frame"].mean() > 0.05]
    assert 4 < len(framed) < 30
    for picture in framed:
        outside = picture.artefacts["frame"]
        assert picture.image[outside].mean() < 0.4 * picture.image[~outside].mean()
    violet = [picture for picture in drawn if picture.artefacts["ink"].any()]
    for picture in violet:
        _, green, blue = picture.image[picture.artefacts["ink"]].mean(axis=0)
        around = picture.image[~picture.artefacts["ink"]].mean(axis=0)
        assert blue - green > around[2] - around[1]
    assert violet
    assert {name for picture in drawn for name, seen in picture.artefacts.items() if seen.any()} == set(ARTEFACTS)


def test_a_larger_diameter_fills_more_of_the_photograph() -> None:
    small, large = (photograph(scene(5, Traits(0.3, 0.3, 1, diameter)), 64)[1].mean() for diameter in (4.0, 8.0))
    assert large / small == pytest.approx(4.0, rel=0.15)


def test_photographs_show_the_same_lesion_in_different_views() -> None:
    traits = Traits(0.5, 0.5, 3, 6.0)
    (first, first_mask, _), (second, second_mask, _) = (photograph(Scene(traits, 1, 2, view), 64) for view in (3, 4))
    assert not np.array_equal(first, second)
    assert first_mask.mean() == pytest.approx(second_mask.mean(), rel=0.35)


def test_masks_follow_the_drawn_lesion() -> None:
    agreement = []
    for k in range(20):
        image, mask, _ = photograph(scene(k, Traits(0.4, 0.5, 2, 6.5)), 64)
        skin = np.median(image[mask == 0].reshape(-1, 3), axis=0)
        lesion = np.median(image[mask == 255].reshape(-1, 3), axis=0)
        drawn = (image - skin) @ (lesion - skin) > 0.4 * np.sum((lesion - skin) ** 2)
        near = binary_dilation(mask == 255, iterations=6)  # beyond it there are hair and black corners
        agreement.append(np.sum(drawn & (mask == 255)) / np.sum((drawn & near) | (mask == 255)))
    assert np.median(agreement) > 0.8


def test_the_class_has_a_say_inside_the_lesion_only() -> None:
    for k in range(10):
        benign, malignant = (
            photograph(scene(k, traits), 64) for traits in (Traits(0.1, 0.1, 1, 3), Traits(0.9, 0.9, 4, 4))
        )
        outside = ~binary_dilation((benign[1] | malignant[1]) > 0, iterations=14)
        assert outside.mean() > 0.5
        assert np.array_equal(benign[0][outside], malignant[0][outside])


def test_an_irregular_border_lengthens_the_edge_of_the_mask() -> None:
    def edge(border: float) -> float:
        lengths = []
        for k in range(10):
            _, mask, _ = photograph(scene(k, Traits(0.3, border, 2, 6.0)), 96)
            lengths.append(np.sum(mask[1:] != mask[:-1]) + np.sum(mask[:, 1:] != mask[:, :-1]))
        return float(np.mean(lengths))

    assert edge(0.9) > 1.6 * edge(0.1)


def test_few_lesions_leave_the_field_of_view() -> None:
    leaving = []
    for k in range(120):
        mask = photograph(scene(k, Traits(0.3, 0.3, 2, 8.0)), 32).mask
        leaving.append(np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).any())
    assert 0.01 < np.mean(leaving) < 0.12


@pytest.mark.parametrize("image_type", ["clinical: close-up", "TBP tile: close-up"])
def test_other_cameras_stand_farther_away_and_have_no_black_corners(image_type) -> None:
    areas, corners = [], []
    for k in range(25):
        near, far = (photograph(replace(scene(k), image_type=kind), 48) for kind in ("dermoscopic", image_type))
        areas.append(np.mean(far[1]) / np.mean(near[1]))
        corners.append([picture[0][:3, :3].max() < 30 for picture in (near, far)])
    assert 0.08 < np.median(areas) < 0.4
    assert [any(column) for column in zip(*corners, strict=True)] == [True, False]


def test_lesions_are_darker_than_skin_and_of_sane_size() -> None:
    targets = np.arange(40) % 2
    continuous, colours = draw_latents(targets, np.random.default_rng(6))
    contrast, share = [], []
    for k in range(40):
        image, mask, _ = photograph(scene(k, visible_traits(continuous[k], int(colours[k]))), 48)
        lit = image.max(axis=2) > 40  # neither black corners nor hair
        inside = mask == 255
        contrast.append(image[~inside & lit].mean() - image[inside].mean())
        share.append(inside.mean())
    assert np.mean(np.array(contrast) > 0) >= 0.95
    assert np.mean(contrast) > 25
    assert 0.01 < min(share) < max(share) < 0.75


def test_more_colours_spread_more_in_colour_space() -> None:
    def spread(colours: int) -> float:
        pixels = []
        for k in range(12):
            image, mask, _ = photograph(scene(k, Traits(0.5, 0.3, colours, 8.0)), 48)
            pixels.append(image[mask == 255].std(axis=0).mean())
        return float(np.mean(pixels))

    assert spread(5) > spread(3) > spread(1)


def test_noise_is_smooth_and_bounded() -> None:
    y, x = np.mgrid[:64, :64].astype(np.float32)
    values = noise(x, y, 16.0, np.random.default_rng(0))
    assert values.dtype == np.float32
    assert np.abs(values).max() < 5
    assert np.abs(np.diff(values, axis=1)).max() < 1.2


def test_cells_have_walls_midway_and_one_number_each() -> None:
    y, x = np.mgrid[:200, :200].astype(np.float32)
    middle, wall, number = cells(x, y, 20.0, np.random.default_rng(0))
    assert middle.dtype == wall.dtype == np.float32
    assert 0 <= middle.min() < 0.1 < 0.7 < middle.max() < 1.2
    assert 0 <= wall.min() < 0.02 < 0.4 < wall.max() < 0.8
    assert np.corrcoef(middle.ravel(), wall.ravel())[0, 1] < -0.5
    inner = wall > 0.25  # away from the walls the number hardly changes from pixel to pixel
    steps = np.abs(np.diff(number, axis=1))
    assert steps[inner[:, 1:] & inner[:, :-1]].max() < 0.01 < steps.max()


def test_cells_differ_in_size() -> None:
    y, x = np.mgrid[:400, :400].astype(np.float32)
    _, wall, _ = cells(x, y, 20.0, np.random.default_rng(0))
    peaks = maximum_filter(wall, 9) == wall
    widths = wall[peaks & (wall > 0.1)]
    assert len(widths) > 150
    assert widths.std() / widths.mean() > 0.15


def test_noise_has_zero_mean_and_unit_variance() -> None:
    y, x = np.mgrid[:256, :256].astype(np.float32)
    values = noise(x, y, 8.0, np.random.default_rng(0))
    assert values.mean() == pytest.approx(0, abs=0.1)
    assert values.std() == pytest.approx(1, abs=0.1)


def test_smoothstep_rises_or_falls() -> None:
    value = np.array([-1.0, 0.0, 0.5, 1.0, 2.0], dtype=np.float32)
    assert smoothstep(value, 0, 1) == pytest.approx([0, 0, 0.5, 1, 1])
    assert smoothstep(value, 1, 0) == pytest.approx([1, 1, 0.5, 0, 0])


def test_a_stroke_covers_its_area() -> None:
    path = np.stack([np.linspace(10, 40, 200), np.full(200, 20.3)], axis=1)
    cover = stroke_coverage(path[None], 4.0, (40, 50))
    assert cover.sum() == pytest.approx(30 * 4, rel=0.05)
    assert cover.max() <= 1
    assert np.sum(cover[:, 25] > 0.05) == 5  # 4 px wide, and not on the grid
    assert cover[:15].sum() == 0


def test_dense_hair_covers_more_and_none_covers_nothing() -> None:
    skin = np.full((48, 64, 3), 0.8, dtype=np.float32)
    assert add_hair(skin, 0.0, np.random.default_rng(0)) is skin
    covered = [(add_hair(skin, 1.0, np.random.default_rng(seed)) < 0.75).any(axis=2).mean() for seed in range(30)]
    assert 0.02 < np.median(covered) < 0.3


def test_patterns_differ_and_are_about_zero_on_average() -> None:
    y, x = np.mgrid[-5:5:0.05, -5:5:0.05].astype(np.float32)
    changes = np.array([draw_pattern(x, y, np.random.default_rng(seed)) for seed in range(40)])
    assert abs(changes.mean()) < 0.05
    assert np.isfinite(changes).all()
    spread = changes.std(axis=(1, 2))
    assert spread.min() == 0  # homogeneous, without dots
    assert 0.05 < np.median(spread) < 0.5


def test_patterns_finer_than_the_pixels_are_not_drawn() -> None:
    y, x = np.mgrid[-5:5:0.05, -5:5:0.05].astype(np.float32)
    assert dots(x, y, 0.5, np.random.default_rng(0)).max() > 0.5
    assert dots(8 * x, 8 * y, 0.5, np.random.default_rng(0)).max() == 0


def test_camera_grid_is_centred() -> None:
    x, y = camera_grid(60)
    assert (x.shape, y.shape) == ((60, 80), (60, 80))
    assert x.mean() == pytest.approx(0, abs=1e-6)
    assert y.min() == pytest.approx(-0.5 + 0.5 / 60)


def patients(records: list[Record]) -> dict[str, set[str]]:
    lesions: dict[str, set[str]] = {}
    for record in records:
        lesions.setdefault(record.lesion.patient.key, set()).add(record.lesion.key)
    return lesions


def test_cohort_has_patients_with_lesions_with_photographs() -> None:
    records = draw_cohort(600, 0.25, NO_FAULTS, 0)
    assert [record.number for record in records] == list(range(1, 601))
    assert {len(lesions) for lesions in patients(records).values()} == {1, 2, 3, 4}
    views: dict[str, int] = {}
    for record in records:
        views[record.lesion.key] = views.get(record.lesion.key, 0) + 1
    assert set(views.values()) == {1, 2, 3}
    assert len({record.scene.photograph_seed for record in records}) == 600


@pytest.mark.parametrize("share", [0.1, 0.25, 0.6])
def test_malignant_share_holds_for_lesions_and_images(share: float) -> None:
    records = draw_cohort(500, share, NO_FAULTS, 0)
    lesions = {record.lesion.key: record.lesion.target for record in records}
    assert sum(lesions.values()) == pytest.approx(share * len(lesions), abs=1)
    assert np.mean([record.lesion.target for record in records]) == pytest.approx(share, abs=0.01)


def test_malignant_lesions_score_higher() -> None:
    records = draw_cohort(800, 0.4, NO_FAULTS, 0)
    auc = roc_auc_score([record.lesion.target for record in records], [record.lesion.score for record in records])
    assert auc == pytest.approx(best_auc(), abs=0.04)


@pytest.mark.parametrize("fault", COPIES)
def test_copies_share_the_scene_of_a_clean_record_and_nothing_else(fault: str) -> None:
    records = draw_cohort(300, 0.25, NO_FAULTS | {fault: 0.1, "unreadable": 0.05, "unlabelled": 0.05}, 0)
    copies = [record for record in records if record.flaw.fault == fault]
    assert len(copies) == 30
    for record in copies:
        original = record.duplicate_of
        assert original in records
        assert original.flaw.fault == ""
        assert original.scene == record.scene
        assert original.lesion.patient.key != record.lesion.patient.key
        assert original.lesion.target == record.lesion.target


@pytest.mark.parametrize("images", [0, 1, 2, 3, 5, 8])
def test_tiny_cohorts_have_exactly_as_many_images(images: int) -> None:
    assert len(draw_cohort(images, 0.25, dict.fromkeys(VARIANTS, 0.05), 0)) == images
