"""Bytes that are no UTF-8, on both streams, by file object and by descriptor."""

import os
import sys

sys.stdout.write("text \udcff\n") if sys.stdout.errors == "surrogateescape" else print("text")
sys.stdout.flush()
sys.stdout.buffer.write(b"\xff\xfe\x00 raw \x80\n")
sys.stdout.buffer.flush()
os.write(1, b"\xc3\x28 descriptor\n")
os.write(2, b"\xf0\x28\x8c error\n")
