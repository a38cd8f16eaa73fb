"""A trainer without a `__dict__` keeps count in slots: its base's, a private one, one that is empty at first.

diff: different
python-side-effect: self.calls += 1
python-side-effect: self.__seen.append(self.calls)
python-side-effect: self.last = self.calls
python-side-effect: SETS.append(name)
"""

import tensorflow as tf

SETS = []


class Base:
    __slots__ = "calls"

    def __init__(self):
        self.calls = 0


class Trainer(Base):
    __slots__ = ("__seen", "__weakref__", "last", "w")

    def __init__(self):
        super().__init__()
        self.__seen = []
        self.w = tf.Variable([[0.5], [-0.25]])

    def __setattr__(self, name, value):
        SETS.append(name)
        super().__setattr__(name, value)

    def train_step(self, x):
        self.calls += 1
        self.__seen.append(self.calls)
        self.last = self.calls
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x @ self.w))
        self.w.assign_sub(0.1 * tape.gradient(loss, self.w))
        return loss

    def seen(self):
        return self.calls, self.last, self.__seen


trainer = Trainer()
for batch in range(3):
    trainer.train_step(tf.ones((4, 2)) * (batch + 1.0))
print(*trainer.seen(), SETS)
