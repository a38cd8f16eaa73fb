"""Makes the pictures in the README: records demos and draws the screen on them.

    python demos/make_picture.py [NAME ...]

NAME is a picture, by default all of them: screen, autograph, diff.
"""

import asyncio
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.subject import Subject

DEMOS = Path(__file__).parent


@dataclass(frozen=True)
class Picture:
    """What to record, and what to press on its screen, as Textual names the keys."""

    demo: str
    command: tuple[str, ...]
    """`tapeinspect` with these arguments, the recording's path and the demo makes the recording."""
    keys: tuple[str, ...]
    size: tuple[int, int] = (150, 40)


PICTURES = {
    "screen": Picture("nan.py", ("record", "--quiet", "-o"), ("N", "escape")),
    "autograph": Picture(
        "control_flow.py",
        ("record", "--quiet", "--autograph", "--steps", "2", "-o"),
        ("4", "tab", *["down"] * 13),
    ),
    "diff": Picture("mnist_eager.py", ("diff", "-o"), ("5",), (150, 26)),
}


async def draw(trace: Path, picture: Picture, path: Path) -> None:
    """Open a recording on a screen in memory, press keys, and save what it shows as an SVG."""
    subject = Subject(trace)
    subject.open()
    app = TapeApp(subject)
    async with app.run_test(size=picture.size) as pilot:
        await pilot.pause(0.5)
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        await pilot.pause(0.5)
        await app.workers.wait_for_complete()
        await pilot.pause()
        path.write_text(app.export_screenshot(title=f"tapeinspect demos/{picture.demo}"), encoding="utf-8")


def main() -> None:
    """Record, draw, say where the pictures are."""
    for name in sys.argv[1:] or PICTURES:
        picture = PICTURES[name]
        with tempfile.TemporaryDirectory() as directory:
            trace = Path(directory) / Path(picture.demo).with_suffix(".tape")
            command = [
                sys.executable,
                "-m",
                "tapeinspect",
                *picture.command,
                str(trace),
                str(DEMOS / picture.demo),
            ]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            path = DEMOS / f"{name}.svg"
            asyncio.run(draw(trace, picture, path))
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
