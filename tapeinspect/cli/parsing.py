"""A parser that raises our errors, and the values that options take."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

import tapeinspect
from tapeinspect.errors import UsageError


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are UsageErrors."""

    def __init__(self, prog: str, usage: str, description: str, epilog: str = "") -> None:
        super().__init__(
            prog=prog,
            usage=usage,
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_argument("--version", action="version", version=f"tapeinspect {tapeinspect.__version__}")

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(message, f"see: {self.prog} --help")


def size(text: str) -> int:
    """A number of bytes: 4096, 256M, 1.5G."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 256M or 1G")
    return int(float(match[1]) * 1024 ** " kmgt".index(match[2] or " "))


def count(text: str) -> int:
    """A whole number from 1."""
    if not re.fullmatch(r"\d{1,18}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)
