"""Handwritten digits for the demos: MNIST where Keras has it cached, else scikit-learn's; no download."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np


def load() -> tuple[np.ndarray, np.ndarray]:
    """Images, float32 of shape (n, 28, 28, 1) from 0 to 1, and their labels, int64 of shape (n,)."""
    cached = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets" / "mnist.npz"
    return _mnist(cached) if cached.is_file() else _scikit_learn()


def _mnist(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with np.load(path) as arrays:
        images, labels = arrays["x_train"][:6400], arrays["y_train"][:6400]
    print(f"Data: the first {len(images)} images of MNIST, from Keras' cache.")
    return (images[..., np.newaxis] / 255).astype(np.float32), labels.astype(np.int64)


def _scikit_learn() -> tuple[np.ndarray, np.ndarray]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        sys.exit("This demo needs handwritten digits: pip install scikit-learn.")
    digits = load_digits()
    print(
        f"Data: scikit-learn's {len(digits.images)} digits, scaled from 8x8 to 28x28 (MNIST is not cached)."
    )
    thrice = digits.images.repeat(3, axis=1).repeat(3, axis=2) / 16
    images = np.pad(thrice, ((0, 0), (2, 2), (2, 2)))
    return images[..., np.newaxis].astype(np.float32), digits.target.astype(np.int64)
