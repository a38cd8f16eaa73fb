"""What the probe finds in the installed TensorFlow, as JSON: `python -m tapeinspect.probe.capabilities`."""

from __future__ import annotations

import json

from tapeinspect.probe import tf_private


def main() -> None:
    """Print {name: {"available": bool, "for": what it is for}}."""
    has = tf_private.available()
    print(json.dumps({c.name: {"available": has[c.name], "for": c.purpose} for c in tf_private.CAPABILITIES}))


if __name__ == "__main__":
    main()
