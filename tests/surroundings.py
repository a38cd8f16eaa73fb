"""The environment of every process that the tests start: quiet, quick, and nothing of the user's own settings."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Final

WITHOUT: Final = Path(__file__).parent / "without"
"""Modules that say they are not there."""


def arrange() -> Path:
    """Set the variables that subprocesses inherit; gives the folder that is to be removed in the end.

    Keras gets a home of its own, so that neither `~/.keras/keras.json` nor an MNIST cached there decides a test. The
    digits in it are scikit-learn's, as the demos fall back to, so that none of them has to import scikit-learn.
    """
    home = Path(tempfile.mkdtemp(prefix="tapeinspect-tests-"))
    path = [str(WITHOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ.update(
        PYTHONPATH=os.pathsep.join(path),
        KERAS_HOME=str(home / "keras"),
        TF_CPP_MIN_LOG_LEVEL="3",
        CUDA_VISIBLE_DEVICES="-1",
    )
    _cache_digits(home / "keras" / "datasets")
    return home


def _cache_digits(folder: Path) -> None:
    try:
        found = metadata.distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    except metadata.PackageNotFoundError:
        return  # the demos say so
    import numpy as np

    table = np.loadtxt(str(found), delimiter=",")
    images = table[:, :-1].reshape(-1, 8, 8).repeat(3, axis=1).repeat(3, axis=2) * (255 / 16)
    folder.mkdir(parents=True)
    np.savez(
        folder / "mnist.npz",
        x_train=np.pad(images, ((0, 0), (2, 2), (2, 2))).astype(np.uint8),
        y_train=table[:, -1].astype(np.uint8),
    )


def clear(home: Path) -> None:
    """Remove what `arrange` made."""
    shutil.rmtree(home, ignore_errors=True)
