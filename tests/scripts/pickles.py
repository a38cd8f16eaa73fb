"""Pickling and copying: a model's and an optimizer's state, tensors, a function, a checkpoint on disk."""

import copy
import pickle
import tempfile

import tensorflow as tf

tf.keras.utils.set_random_seed(17)
model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(2)])
optimizer = tf.keras.optimizers.Adam(0.1)


def train_step(model, optimizer, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(x)))
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    return loss


x = tf.constant([[1.0, 2.0]])
print(float(train_step(model, optimizer, x)).hex())
again = pickle.loads(pickle.dumps(model))
print([w.tobytes().hex() for w in again.get_weights()] == [w.tobytes().hex() for w in model.get_weights()])
state = pickle.loads(pickle.dumps([v.numpy() for v in optimizer.variables]))
print([value.tobytes().hex() for value in state])
print(pickle.loads(pickle.dumps(train_step)) is train_step, pickle.loads(pickle.dumps(x)).numpy().tolist())
print(copy.deepcopy(x).numpy().tolist(), copy.deepcopy(tf.Variable(3.0)).numpy())
print(float(train_step(again, tf.keras.optimizers.SGD(0.1), x)).hex())
with tempfile.TemporaryDirectory() as folder:
    path = tf.train.Checkpoint(model=model).write(folder + "/checkpoint")
    model.trainable_variables[0].assign(tf.zeros((2, 2)))
    tf.train.Checkpoint(model=model).read(path)
print(model.trainable_variables[0].numpy().tobytes().hex())
