"""What the probe finds in the installed TensorFlow, as JSON: `python -m tapeinspect.probe.capabilities`."""

from __future__ import annotations

import json

from tapeinspect.probe import native, tf_private

_COMPILED = "records most ops in C; Python does it at a higher cost without"


def main() -> None:
    """Print {name: {"available": bool, "for": what it is for}}."""
    has = tf_private.available()
    found = {c.name: {"available": has[c.name], "for": c.purpose} for c in tf_private.CAPABILITIES}
    found["compiled op callback"] = {"available": native.available(), "for": _COMPILED}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
