"""Gradients, variables and updates of every kind; after each step the script tells what they were."""

import numpy as np
import tensorflow as tf
import truth

tf.keras.utils.set_random_seed(3)
told = []
quiet = {"update": None, "assigns": 0}


def watch_step(function, variables, *args):
    """Call a step; tell its loss, its gradients, and the variables before and after. `variables`: by name."""
    before = {name: v.numpy() for name, v in variables.items()}
    loss, sources, gradients = function(*args)
    after = {name: v.numpy() for name, v in variables.items()}
    names = {id(v): name for name, v in variables.items()}
    told.append(
        {
            "function": function.__name__,
            "step": "loss_of" if function in BY_HAND else function.__name__,
            "loss": float(np.asarray(loss).astype(np.float64).mean()),
            "gradients": [
                {
                    "variable": names[id(source)],
                    "form": "none"
                    if gradient is None
                    else "sparse"
                    if isinstance(gradient, tf.IndexedSlices)
                    else "dense",
                    "rows": len(set(gradient.indices.numpy().tolist()))
                    if isinstance(gradient, tf.IndexedSlices)
                    else None,
                    "figures": truth.figures(gradient),
                }
                for source, gradient in zip(sources, gradients, strict=True)
            ],
            "variables": {
                name: {
                    "figures": truth.figures(before[name]),
                    "update": change(before[name], after[name]),
                    "dtype": str(before[name].dtype),
                }
                for name in before
            },
        }
    )


def change(before, after):
    wide = np.complex128 if before.dtype.kind == "c" else np.float64
    return float(np.linalg.norm((after.astype(wide) - before.astype(wide)).ravel()))


# assignments by hand

w = tf.Variable([[0.5, -1.25], [2.0, 0.0]], name="w")
kept = tf.Variable([1.0, 2.0], name="kept")
unused = tf.Variable([1.0], name="unused")


def loss_of(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(x @ w)) + tf.reduce_sum(tf.sin(kept))
    sources = [w, kept, unused]
    return loss, sources, tape.gradient(loss, sources)


def subtracts(x):
    loss, sources, gradients = loss_of(x)
    w.assign_sub(0.01 * gradients[0])
    return loss, sources, gradients


def assigns(x):
    loss, sources, gradients = loss_of(x)
    w.assign(0.9 * w - 0.01 * gradients[0])
    return loss, sources, gradients


def assigns_thrice(x):
    loss, sources, gradients = loss_of(x)
    w.assign_sub(0.01 * gradients[0])
    w.assign_add(0.3 * tf.ones_like(w))
    w.assign(tf.clip_by_norm(w, 1.0))
    return loss, sources, gradients


def assigns_a_part(x):
    loss, sources, gradients = loss_of(x)
    w[0].assign(w[0] - 0.1 * gradients[0][0])
    return loss, sources, gradients


def scatters(x):
    loss, sources, gradients = loss_of(x)
    w.scatter_sub(tf.IndexedSlices(0.01 * gradients[0][:1], [1]))
    return loss, sources, gradients


def scatters_nd(x):
    loss, sources, gradients = loss_of(x)
    w.scatter_nd_update([[0, 1]], [3.0])
    return loss, sources, gradients


moment, square = tf.Variable(tf.zeros_like(w)), tf.Variable(tf.zeros_like(w))


def fused(x):
    loss, sources, gradients = loss_of(x)
    tf.raw_ops.ResourceApplyAdam(
        var=w.handle, m=moment.handle, v=square.handle, beta1_power=0.9, beta2_power=0.99, lr=0.1,
        beta1=0.9, beta2=0.99, epsilon=1e-7, grad=gradients[0],
    )  # fmt: skip
    return loss, sources, gradients


def fused_descent(x):
    loss, sources, gradients = loss_of(x)
    tf.raw_ops.ResourceApplyGradientDescent(var=w.handle, alpha=0.01, delta=gradients[0])
    return loss, sources, gradients


BY_HAND = (
    subtracts, subtracts, subtracts, assigns, assigns, assigns, assigns_thrice, assigns_thrice, assigns_a_part,
    assigns_a_part, scatters, scatters, scatters_nd, fused, fused, fused_descent, subtracts,
)  # fmt: skip
for _ in range(3):
    x = tf.constant([[0.1, 0.2], [0.3, -0.1], [1.0, 0.5]])
    names = {"w": w, "kept": kept, "unused": unused}
    for function in BY_HAND:
        watch_step(function, names, x)

# Keras' optimizers


def keras_step(model, optimizer, clip):
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x) - y))
        variables = model.trainable_variables
        gradients = tape.gradient(loss, variables)
        applied = tf.clip_by_global_norm(gradients, 0.01)[0] if clip else gradients
        optimizer.apply_gradients(zip(applied, variables, strict=True))
        return loss, variables, gradients

    return step


optimizers = [
    ("adam", tf.keras.optimizers.Adam(0.05), False),
    ("momentum", tf.keras.optimizers.SGD(0.1, momentum=0.9), False),
    ("nesterov", tf.keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True), False),
    ("decay", tf.keras.optimizers.AdamW(0.01, weight_decay=0.1), True),
    ("rms", tf.keras.optimizers.RMSprop(0.01), False),
]
for name, optimizer, clip in optimizers:
    model = tf.keras.Sequential(
        [
            tf.keras.Input((4, 4, 1)),
            tf.keras.layers.Conv2D(2, 3, activation="relu", name=f"conv_{name}"),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(1, name=f"dense_{name}"),
        ]
    )
    step = keras_step(model, optimizer, clip)
    for batch in range(3):
        x = tf.random.stateless_normal((4, 4, 4, 1), (batch, 1))
        watch_step(step, {v.path: v for v in model.variables}, x, tf.ones((4, 1)))

# sparse gradients, and several kinds of numbers

table = tf.keras.layers.Embedding(6, 3, name="words")
table.build()
optimizer = tf.keras.optimizers.Adam(0.1)
rows = tf.Variable(np.arange(12.0).reshape(6, 2).astype(np.float32), name="rows")


def sparse(indices):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(table(indices))) + tf.reduce_sum(tf.gather(rows, indices) ** 2)
    sources = [*table.trainable_variables, rows]
    gradients = tape.gradient(loss, sources)
    optimizer.apply_gradients([(gradients[0], sources[0])])
    rows.scatter_sub(tf.IndexedSlices(0.001 * gradients[1].values, gradients[1].indices))
    return loss, sources, gradients


for batch in range(3):
    variables = {table.trainable_variables[0].path: table.trainable_variables[0], "rows": rows}
    watch_step(sparse, variables, tf.constant([1, 4, 1, batch, 4, 1]))

half = tf.Variable([1.0, 2.0, 300.0], dtype=tf.float16, name="half")
brain = tf.Variable([1.0, 2.0, 300.0], dtype=tf.bfloat16, name="brain")
double = tf.Variable([1.0, 1e200], dtype=tf.float64, name="double")
wave = tf.Variable([1 + 2j, 0 - 1j], dtype=tf.complex64, name="wave")
big = tf.Variable(np.linspace(-1, 1, 70000, dtype=np.float32), name="big")


def numbers(scale):
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.cast(half * half, tf.float64)) + tf.reduce_sum(
            tf.cast(brain, tf.float64) ** 2
        )
        total += tf.reduce_sum(double) + tf.cast(tf.reduce_sum(tf.abs(wave) ** 2), tf.float64)
        loss = scale * total + tf.cast(tf.reduce_sum(big**3), tf.float64)
    sources = [half, brain, double, wave, big]
    gradients = tape.gradient(loss, sources)
    for variable, gradient in zip(sources, gradients, strict=True):
        variable.assign_sub(tf.cast(0.01, variable.dtype) * gradient)
    return loss, sources, gradients


for batch in range(3):
    named = {"half": half, "brain": brain, "double": double, "wave": wave, "big": big}
    watch_step(numbers, named, tf.constant(batch + 1.0, tf.float64))


# names


class Layer(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable([2.0])
        self.extra = [tf.Variable([3.0])]


module = Layer()
loose = tf.Variable([4.0])
pair = [tf.Variable([5.0]), tf.Variable([6.0])]
by_key = {"deep": {"er": tf.Variable([7.0])}}
twice = tf.Variable([8.0], name="w")


def naming():
    local = tf.Variable([9.0])
    sources = [module.kernel, module.extra[0], loose, *pair, by_key["deep"]["er"], twice, local]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.add_n([s * s for s in sources]))
    gradients = tape.gradient(loss, sources)
    names = [
        "module/kernel", "module/extra[0]", "loose", "pair[0]", "pair[1]", "by_key[deep][er]", "w (2)", "local",
    ]  # fmt: skip
    truth.tell(names=names)
    return loss, sources, gradients


naming()


# jacobians, and calls outside any function


def jacobian():
    v = tf.Variable([1.0, 2.0, 3.0], name="v")
    with tf.GradientTape(persistent=True) as tape:
        x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
        tape.watch(x)
        y = tf.square(v) * 2.0
        z = tf.square(x) @ [[1.0, 2.0, 3.0], [0.0, 1.0, 0.5]]
        both = tf.reduce_sum(y) + tf.reduce_sum(z)
    full, batch = tape.jacobian(y, v), tape.batch_jacobian(z, x)
    joint = tape.gradient(both, {"v": v, "x": x})
    zero = tape.gradient(y, x, unconnected_gradients="zero")
    given = tape.gradient([y, z], [v, x], output_gradients=[2.0 * y, 0.5 * z])
    truth.tell(
        calls=[
            ["jacobian", [truth.figures(full)]],
            ["batch_jacobian", [truth.figures(batch)]],
            ["gradient", [truth.figures(joint[key]) for key in ("v", "x")]],
            ["gradient", [truth.figures(zero)]],
            ["gradient", [truth.figures(g) for g in given]],
        ]
    )


jacobian()


def refused():
    with tf.GradientTape() as tape:
        y = w * 2.0
    tape.gradient(y, w)
    try:
        tape.gradient(y, w)
    except RuntimeError:
        return


refused()
truth.tell(steps=told)
truth.say()
