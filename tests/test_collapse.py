"""A collapse made on purpose ends in a message that names what was seen; the same training at its own rate does not."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import split, train_features, train_gan
from pipeline.errors import InputError
from tests.sources import packed_phantom


def training(params: dict[str, Any], times: float) -> None:
    """Trains the demo's generator of malignant images with learning rates so many times as high."""
    settings = params["gan"]["variants"]["dcgan"]
    rates = {name: times * settings[name] for name in ("generator_learning_rate", "discriminator_learning_rate")}
    changed = params | {"gan": params["gan"] | {"variants": {"dcgan": settings | rates}}}
    Path("params.yaml").write_text(yaml.safe_dump(changed))
    train_gan.main("malignant", "0")


@pytest.mark.proof
def test_a_learning_rate_a_hundred_times_too_high_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = yaml.safe_load((Path(__file__).parent.parent / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(yaml.safe_dump(params))
    packed_phantom()
    for stage in (split, train_features):
        stage.main()
    training(params, times=1)
    with pytest.raises(InputError, match=r"collapsed: at its best, after .* kimg, recall .* is 0\.0\d \(KID [\d.]+\)"):
        training(params, times=100)
