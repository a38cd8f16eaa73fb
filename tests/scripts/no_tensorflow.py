"""No TensorFlow at all."""

import math

print(math.pi.hex())
