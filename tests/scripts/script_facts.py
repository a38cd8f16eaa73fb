"""What a script can ask about itself: `sys.argv`, `__name__`, `__file__`, `sys.path`, the environment."""

import os
import sys

import __main__

print(sys.argv[1:], os.path.basename(sys.argv[0]), sys.orig_argv[1:] == sys.argv)
print(
    __name__,
    os.path.basename(__file__),
    __file__ == os.path.abspath(__file__),
    __spec__,
    __builtins__.__name__,
)
print(
    os.path.basename(sys.path[0]), os.path.isdir(sys.path[0]), len(sys.path), __main__.__dict__ is globals()
)
print(sorted(name for name in globals() if not name.startswith("__")), sys.flags, sys.warnoptions)
print(os.environ.get("PYTHONPATH"), [name for name in os.environ if "TAPEINSPECT" in name])
print([name for name in sys.modules if name.partition(".")[0] in ("textual", "rich", "pygments")])
print(os.getcwd() == os.environ.get("PWD", os.getcwd()), os.path.samefile("/dev/null", "/dev/null"))
print(__doc__, sys.stdin.fileno(), sys.stdout.encoding, sys.stdout.line_buffering, sys.stderr.line_buffering)
