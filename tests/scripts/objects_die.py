"""Objects die when the script drops them: locals of a step, its arguments, variables, models of past trials."""

import gc
import weakref

import tensorflow as tf


class Model(tf.Module):
    def __init__(self, size):
        super().__init__()
        self.kernel = tf.Variable(tf.ones(size))


class Note:
    """Something that a function holds."""


notes = []
weight = tf.Variable(1.0, name="weight")


def train_step(x, note, model=None):
    here = Note()
    notes.append(weakref.ref(here))
    with tf.GradientTape() as tape:
        loss = weight * x + (tf.reduce_sum(model.kernel) if model else 0.0)
    weight.assign_sub(0.1 * tape.gradient(loss, weight))


def alive(*references):
    return [reference() is not None for reference in references]


def trial(size):
    """A model that is gone, with its memory, before the trial is over."""
    model, note = Model(size), Note()
    references = [weakref.ref(model), weakref.ref(model.kernel), weakref.ref(note)]
    train_step(2.0, note, model)
    print("locals of the step:", alive(notes[-1]))
    del model, note
    gc.collect()
    return alive(*references)


def fails(x):
    here = Note()
    notes.append(weakref.ref(here))
    with tf.GradientTape() as tape:
        loss = weight * x
    tape.gradient(loss, weight)
    raise ValueError(x)


for size in (2, 3):
    print("model, variable, note:", trial(size))
try:
    fails(1.0)
except ValueError as error:
    print("while its error is handled:", alive(notes[-1]), error)
print("after it was:", alive(notes[-1]))

seen = locals().copy()
print(sorted(name for name in seen if not name.startswith("__")))


def looks_at_its_locals():
    first = 1.0
    names = locals()
    with tf.GradientTape() as tape:
        loss = weight * first
    tape.gradient(loss, weight)
    return names


print(sorted(set(looks_at_its_locals()) & {"first"}))
