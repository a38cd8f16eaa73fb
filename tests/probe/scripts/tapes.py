"""Which tape recorded which op: each tape is asked afterwards, by a gradient of every tensor that was made."""

import tensorflow as tf
import truth

a = tf.Variable(2.0, name="a")
b = tf.Variable([3.0, -1.0], name="b")
integer = tf.Variable([1, 2], name="integer")
opened = []
made = []
told = []


def tape(**options):
    opened.append(tf.GradientTape(persistent=True, **options))
    return opened[-1]


def keep(*tensors):
    made.extend(tensors)
    return tensors[-1]


def ask(sources):
    """What the tapes of this batch know of the tensors made in it: by tensor, the numbers of the tapes."""
    first = told[-1]["first"] + told[-1]["tapes"] if told else 0
    known = {}
    for tensor in made:
        if tensor.dtype.is_floating:
            known[tensor.ref().deref()._id] = [
                number
                for number, asked in enumerate(opened[first:], first)
                if any(g is not None for g in asked.gradient(tensor, sources))
            ]
    told.append({"first": first, "tapes": len(opened) - first, "known": list(known.items())})
    made.clear()


def single(x):
    keep(x * 2.0)
    with tape() as t:
        y = keep(a * x)
        z = keep(x * 3.0)
        keep(y + z, tf.stop_gradient(y), tf.sign(y))
        keep(tf.cast(tf.argmax(b), tf.float32), tf.cast(tf.cast(y, tf.int32), tf.float32))
        keep(tf.cast(integer, tf.float32))
    keep(t.gradient(y, a) * 2.0, a * 5.0)
    ask([a, b])


def watched(x):
    with tape(watch_accessed_variables=False) as t:
        y = keep(x * x)
        t.watch(x)
        z = keep(x * x, a * x)
        keep(a * 2.0)
        t.watch(b)
        keep(b + 1.0, a + 1.0, y * 1.5, z * 1.5)
    ask([a, b, x])


def paused(x):
    with tape() as t:
        y = keep(a * x)
        with t.stop_recording():
            hidden = keep(b * x)
            keep(y * 2.0)
        keep(hidden * 2.0, y * hidden)
    ask([a, b])


def nested(x):
    with tape() as outer:
        y = keep(a * x)
        with tape() as inner:
            inner.watch(x)
            z = keep(y * x)
            w = keep(z * z, a * z)
        slope = inner.gradient(w, x)
        keep(slope * 2.0)
        keep(w + 1.0)
    keep(outer.gradient(slope, a) + 0.0)
    ask([a, x])


def crossed(x):
    first, second = tape(), tape(watch_accessed_variables=False)
    with first, second:
        keep(a * x)
        second.watch(a)
        y = keep(a * x)
    with second:
        keep(y * y, b * 2.0)
    with first:
        keep(y * 3.0, b * b)
        with second:
            keep(y * 4.0, a * a)
    ask([a, b])


def triple(x):
    with tape() as outer, tape(watch_accessed_variables=False) as middle, tape() as inner:
        middle.watch(x)
        y = keep(a * x)
        with inner.stop_recording():
            z = keep(y * y, x * x, a + a)
            with middle.stop_recording():
                keep(z + 1.0, y + 1.0)
        with outer.stop_recording():
            keep(b * y)
        keep(z * b)
    ask([a, b, x])


def forgetful(x):
    with tape() as t:
        y = keep(a * x)
        before = [x * 0.0, y]
        t.reset()
        z = keep(y * 2.0, a * 3.0)
        keep(z + y)
    made[:] = made[1:]  # a reset tape knows nothing of what it recorded before, though it did
    ask([a, b])
    return before


def reentered(x):
    t = tape()
    with t:
        y = keep(a * x)
    keep(y * 2.0)
    with t:
        keep(y * 3.0, x * 3.0)
    ask([a])


@tf.custom_gradient
def doubled(x):
    return x * 2.0, lambda upstream: upstream * 2.0


def custom(x):
    with tape():
        y = keep(doubled(a * x))
        keep(y + 1.0, tf.nn.softmax_cross_entropy_with_logits([0.0, 1.0], b))
        keep(*tf.unstack(b * b), *tf.split(b, 2))
        keep(tf.gather(b, [0]), *tf.nn.moments(b, 0), tf.where(b > 0.0, b, 0.0))
    ask([a, b])


for batch in range(3):
    value = tf.constant(1.5 + batch)
    for scenario in (single, watched, paused, nested, crossed, triple, forgetful, reentered, custom):
        scenario(value + 0.0)
truth.tell(told=told, tapes=len(opened))
truth.say()
