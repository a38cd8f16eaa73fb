"""`python -m tapeinspect`: the same as the command `tapeinspect`."""

import sys

from tapeinspect.cli.main import main

sys.exit(main())
