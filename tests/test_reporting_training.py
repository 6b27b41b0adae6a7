"""Drawings of training: which numbers are drawn, and what is marked as kept."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from pipeline.reporting import training


@pytest.fixture(autouse=True)
def axes_for_drawings(monkeypatch):
    """A drawing stays as its axes, so that a test can read it."""

    def draw(height, paint):
        axes = Figure().add_subplot()
        paint(axes)
        return axes

    monkeypatch.setattr(training, "draw", draw)


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def curve(**columns):
    return pd.DataFrame({"kimg": [1.0, 2.0, 3.0, 4.0], **columns})


def test_losses_share_a_figure_and_numbers_that_differ_in_their_role_another():
    names = ("discriminator_loss_real", "discriminator_loss_fake", "generator_loss_adversarial")
    figures = training.generator_figures(
        curve(**{name: [1.0, 2.0, 3.0, 4.0] for name in (*names, "real_logits", "fake_logits", "wasserstein")}),
        kept_kimg=4,
    )
    assert list(figures) == ["Losses", "Logits", "Wasserstein"]
    assert legend(figures["Losses"]) == ["discriminator real", "discriminator fake", "generator adversarial"]
    assert legend(figures["Logits"]) == ["real", "fake"]


def test_the_checkpoint_that_was_kept_is_marked():
    figures = training.generator_figures(curve(loss=[1.0] * 4, val_kid=[None, 0.1, None, 0.2]), kept_kimg=4)
    axes = figures["KID to validation images"]
    line, kept = axes.get_lines()
    assert line.get_xydata().tolist() == [[2, 0.1], [4, 0.2]]
    assert kept.get_xydata().tolist() == [[4, 0.2]]
    assert legend(axes) == ["kept: 0.2, after 4 thousand"]
    assert list(figures) == ["Losses", "KID to validation images"]


def test_a_curve_without_validation_has_no_such_figure():
    assert list(training.generator_figures(curve(loss=[1.0] * 4, val_kid=[None] * 4), kept_kimg=4)) == ["Losses"]


def test_a_classifier_has_a_line_for_each_seed_their_mean_and_the_steps_kept():
    steps = [10, 20, 30]
    curves = {
        seed: pd.DataFrame({"step": steps, "val_auc": auc}) for seed, auc in ((0, [0.5, 0.8, 0.6]), (5, [0.7] * 3))
    }
    other = {0: pd.DataFrame({"step": steps, "val_auc": [0.4, 0.5, 0.9]})}
    figures = training.classifier_figures({"classic": curves, "gan": other})
    lines = [line.get_xydata().tolist() for line in figures["classic"].get_lines()]
    assert lines[1] == [[20, 0.8]]
    assert lines[3] == [[10, 0.7]]  # the first of equals, as training keeps it
    assert np.array(lines[4])[:, 1] == pytest.approx([0.6, 0.75, 0.65])
    assert figures["classic"].get_ylim() == figures["gan"].get_ylim()
    assert figures["gan"].get_ylim()[0] < 0.4
    assert figures["gan"].get_ylim()[1] > 0.9


def test_the_extractor_is_drawn_over_the_level_of_halves():
    damages = {"blur": [0.1, 0.5], "dropped_modes": [-0.01, 0.3]}
    damages = {name: [{"strength": 1.0, "kid": kid, "kid_std": 0.1} for kid in kids] for name, kids in damages.items()}
    axes = training.extractor_figure({"halves": {"kid": 0.01, "kid_std": 0.01}, "damages": damages})
    blur, dropped = (line.get_xydata().tolist() for line in axes.get_lines())
    assert blur == [[1, 0.1], [2, 0.5]]
    assert dropped == [[1, pytest.approx(0.01)], [2, 0.3]]  # below zero is drawn at the floor
    assert axes.get_yscale() == "log"
    assert legend(axes) == ["halves of the real images", "blur", "dropped modes"]
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (band.y0, band.y1) == pytest.approx((0.01, 0.03))
