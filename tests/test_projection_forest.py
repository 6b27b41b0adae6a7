import numpy as np
import pytest

from pipeline.projection_forest import LEAF, grow

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("count", [1, LEAF, LEAF + 1, 1000, 4097])
def test_every_point_is_in_one_leaf_and_comes_to_it_again(count: int) -> None:
    points = RNG.normal(size=(count, 8)).astype(np.float32)
    tree = grow(points, np.random.default_rng(0))
    sizes = np.diff(tree.starts, append=count)
    assert tree.leaf_size() == sizes.max() <= LEAF
    assert sizes.max() - sizes.min() <= 1
    own = np.empty(count, dtype=int)
    own[tree.order] = np.repeat(np.arange(len(sizes)), sizes)
    assert (tree.leaves(points) == own).all()
    met = np.stack([tree.members(own, place) for place in range(tree.leaf_size())])
    assert (met == np.arange(count)).any(axis=0).all()


def test_equal_points_come_to_the_same_leaf_and_do_not_fill_it() -> None:
    tree = grow(np.ones((1000, 8), dtype=np.float32), np.random.default_rng(0))
    assert len(set(tree.leaves(np.ones((5, 8), dtype=np.float32)))) == 1
    assert tree.leaf_size() <= LEAF


def test_neighbours_share_a_leaf_more_often_than_strangers() -> None:
    points = RNG.normal(size=(4000, 8)).astype(np.float32)
    tree = grow(points, np.random.default_rng(0))
    leaves = tree.leaves(points)
    assert np.mean(tree.leaves(points * np.float32(1.05)) == leaves) > 0.5
    assert np.mean(tree.leaves(points[::-1]) == leaves) < 0.05
