"""What all tests need."""

import signal

# A shell that runs the tests in the background has them ignore Ctrl+C, and every script they start would, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
