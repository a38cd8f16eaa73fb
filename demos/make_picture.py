"""Makes the picture in the README: records demos/nan.py and draws the screen where the loss turns NaN.

    python demos/make_picture.py [KEYS ...]

KEYS are pressed first, one after the other, as Textual names them; by default those that go to the first NaN.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.subject import Subject

DEMOS = Path(__file__).parent
SIZE = (150, 40)


async def draw(trace: Path, keys: list[str], picture: Path) -> None:
    """Open a recording on a screen in memory, press keys, and save what it shows as an SVG."""
    subject = Subject(trace)
    subject.open()
    app = TapeApp(subject)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.5)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        await pilot.pause(0.5)
        await app.workers.wait_for_complete()
        await pilot.pause()
        picture.write_text(app.export_screenshot(title="tapeinspect demos/nan.py"), encoding="utf-8")


def main() -> None:
    """Record, draw, say where the picture is."""
    keys = sys.argv[1:] or ["N"]
    with tempfile.TemporaryDirectory() as directory:
        trace = Path(directory) / "nan.tape"
        command = [
            sys.executable,
            "-m",
            "tapeinspect",
            "record",
            "--quiet",
            "-o",
            str(trace),
            str(DEMOS / "nan.py"),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        picture = DEMOS / "screen.svg"
        asyncio.run(draw(trace, keys, picture))
    print(f"{picture}: {picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
