"""Where the demos' digits come from. Runs no TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

DEMOS = Path(__file__).parents[2] / "demos"
SHOW = """
import digits
images, labels = digits.load()
print(images.shape, images.dtype, labels.dtype, images.min(), images.max(), sorted({*labels.tolist()}))
"""


@pytest.fixture(scope="module", autouse=True)
def scikit_learn() -> Iterator[None]:
    """It can be imported in the tests of this module where it is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)
        yield


def installed(package: str) -> bool:
    """Whether pip has installed it, wherever this process may import from."""
    with suppress(metadata.PackageNotFoundError):
        return bool(metadata.version(package))
    return False


def load(keras_home: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """Load the digits in a fresh interpreter, with Keras' files in `keras_home`."""
    return subprocess.run(
        [sys.executable, "-c", f"{before}\n{SHOW}"],
        cwd=DEMOS,
        env={**os.environ, "KERAS_HOME": str(keras_home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_mnist_is_used_where_keras_has_it(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    images = np.arange(40 * 28 * 28).reshape(40, 28, 28).astype(np.uint8)
    np.savez(tmp_path / "datasets" / "mnist.npz", x_train=images, y_train=np.arange(40, dtype=np.uint8) % 10)
    lines = load(tmp_path).stdout.splitlines()
    assert lines == [
        "Data: the first 40 images of MNIST, from Keras' cache.",
        "(40, 28, 28, 1) float32 int64 0.0 1.0 [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]",
    ]


@pytest.mark.skipif(not installed("scikit-learn"), reason="scikit-learn is not installed")
def test_scikit_learns_digits_else(tmp_path: Path) -> None:
    lines = load(tmp_path).stdout.splitlines()
    assert lines == [
        "Data: scikit-learn's 1797 digits, scaled from 8x8 to 28x28 (MNIST is not cached).",
        "(1797, 28, 28, 1) float32 int64 0.0 1.0 [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]",
    ]
    assert not list(tmp_path.iterdir())


def test_one_sentence_without_either(tmp_path: Path) -> None:
    done = load(tmp_path, before="import sys; sys.modules['sklearn'] = None")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "This demo needs handwritten digits: pip install scikit-learn.\n"
