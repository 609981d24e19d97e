#!/usr/bin/env python3
"""Train the bundled digit classifier and write it as ONNX.

    python3 train_conv.py OUTDIR

Writes into OUTDIR:
    model.onnx    image float32[N,64], pixels 0..16 -> label int64[N], probabilities float32[N,10]
    heldout.csv   the 360 images that training never saw: label, numpy's own answer, 64 pixels

numpy alone does the training (Adam with cosine decay, 40 epochs, batches of 32, one-pixel shifts);
scikit-learn carries the images and splits them; onnx writes the file. With the versions that README.md
names, every run writes the same bytes.
"""
import argparse
import os

# Another number of threads or another matrix kernel adds in another order: a model as good, but not the same bytes.
# OpenBLAS reads both when numpy loads it. Haswell's kernels run on every x86-64 processor with AVX2.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OPENBLAS_CORETYPE"] = "Haswell"

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

EPOCHS, BATCH, RATE, DECAY = 40, 32, 3e-3, 1e-4
HELD_OUT, SPLIT_SEED, SHIPPED_SEED = 360, 20240229, 1


def load():
    """Return training images, held-out images (0..1, flat), and both label arrays."""
    digits = load_digits()
    images = (digits.data / 16).astype(np.float32)
    labels = digits.target.astype(np.int64)
    return train_test_split(images, labels, test_size=HELD_OUT, stratify=labels, random_state=SPLIT_SEED)


def im2col(x):
    """N,C,8,8 -> N,64,C*9: the 3x3 neighbourhood of every pixel, zeros outside."""
    n, c, height, width = x.shape
    p = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    s = p.strides
    v = np.lib.stride_tricks.as_strided(p, (n, c, height, width, 3, 3), (s[0], s[1], s[2], s[3], s[2], s[3]))
    return v.transpose(0, 2, 3, 1, 4, 5).reshape(n, height * width, c * 9)


def col2im(g, c):
    """The transpose of im2col: adds every neighbourhood's gradient back to its pixels."""
    n = g.shape[0]
    g = g.reshape(n, 8, 8, c, 3, 3)
    p = np.zeros((n, c, 10, 10), np.float32)
    for i in range(3):
        for j in range(3):
            p[:, :, i:i + 8, j:j + 8] += g[:, :, :, :, i, j].transpose(0, 3, 1, 2)
    return p[:, :, 1:9, 1:9]


def he(r, *shape, fan):
    return (r.standard_normal(shape) * np.sqrt(2 / fan)).astype(np.float32)


def init(seed, c1=8, c2=16):
    r = np.random.default_rng(seed)
    return [he(r, 9, c1, fan=9), np.zeros(c1, np.float32),
            he(r, 9 * c1, c2, fan=9 * c1), np.zeros(c2, np.float32),
            he(r, 16 * c2, 10, fan=16 * c2), np.zeros(10, np.float32)]


def forward(params, x):
    """Conv 3x3, Relu, Conv 3x3, Relu, MaxPool 2x2, Gemm: the logits, and what backward needs."""
    w1, b1, w2, b2, w3, b3 = params
    n = len(x)
    col1 = im2col(x.reshape(n, 1, 8, 8))
    z1 = col1 @ w1 + b1
    a1 = np.maximum(z1, 0)
    col2 = im2col(a1.transpose(0, 2, 1).reshape(n, -1, 8, 8))
    z2 = col2 @ w2 + b2
    a2 = np.maximum(z2, 0)
    c2 = a2.shape[2]
    quads = a2.transpose(0, 2, 1).reshape(n, c2, 4, 2, 4, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c2, 4, 4, 4)
    top = quads.argmax(-1)
    flat = np.take_along_axis(quads, top[..., None], -1)[..., 0].reshape(n, -1)
    return flat @ w3 + b3, (col1, z1, col2, z2, quads, top, flat)


def gradients(params, x, labels):
    w1, _, w2, _, w3, _ = params
    n = len(x)
    z, (col1, z1, col2, z2, quads, top, flat) = forward(params, x)
    e = np.exp(z - z.max(1, keepdims=True))
    g = e / e.sum(1, keepdims=True)
    g[np.arange(n), labels] -= 1
    g /= n
    g_w3, g_b3 = flat.T @ g, g.sum(0)
    g_top = (g @ w3.T).reshape(top.shape)
    g_quads = np.zeros_like(quads)
    np.put_along_axis(g_quads, top[..., None], g_top[..., None], -1)
    c2 = quads.shape[1]
    g2 = g_quads.reshape(n, c2, 4, 4, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c2, 64).transpose(0, 2, 1) * (z2 > 0)
    g_w2, g_b2 = np.tensordot(col2, g2, ((0, 1), (0, 1))), g2.sum((0, 1))
    c1 = w1.shape[1]
    g1 = col2im(g2 @ w2.T, c1).reshape(n, c1, 64).transpose(0, 2, 1) * (z1 > 0)
    g_w1, g_b1 = np.tensordot(col1, g1, ((0, 1), (0, 1))), g1.sum((0, 1))
    return [g_w1, g_b1, g_w2, g_b2, g_w3, g_b3]


def shifted(x, dy, dx):
    """The batch moved by at most one pixel, zeros moved in."""
    out = np.zeros_like(x)
    out[:, max(dy, 0):8 + min(dy, 0), max(dx, 0):8 + min(dx, 0)] = \
        x[:, max(-dy, 0):8 + min(-dy, 0), max(-dx, 0):8 + min(-dx, 0)]
    return out


def train(images, labels, seed):
    r = np.random.default_rng(seed)
    params = init(seed)
    m, v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    step, steps = 0, EPOCHS * (len(images) // BATCH)
    for _ in range(EPOCHS):
        order = r.permutation(len(images))
        for start in range(0, len(images) - BATCH + 1, BATCH):
            batch = order[start:start + BATCH]
            dy, dx = r.integers(-1, 2, 2)
            x = shifted(images[batch].reshape(-1, 8, 8), dy, dx).reshape(-1, 64)
            step += 1
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            for j, g in enumerate(gradients(params, x, labels[batch])):
                if params[j].ndim == 2:
                    g = g + DECAY * params[j]
                m[j] = 0.9 * m[j] + 0.1 * g
                v[j] = 0.999 * v[j] + 0.001 * g * g
                move = rate * (m[j] / (1 - 0.9 ** step)) / (np.sqrt(v[j] / (1 - 0.999 ** step)) + 1e-8)
                params[j] = (params[j] - move).astype(np.float32)
    return params


def export(params, path):
    w1, b1, w2, b2, w3, b3 = params
    c1, c2 = w1.shape[1], w2.shape[1]
    constants = {
        "plane": np.array([-1, 1, 8, 8], np.int64),
        "k1": (w1.T.reshape(c1, 1, 3, 3) / 16).astype(np.float32),  # so that callers send pixels 0..16
        "b1": b1,
        "k2": np.ascontiguousarray(w2.T.reshape(c2, c1, 3, 3)),
        "b2": b2,
        "w3": w3,
        "b3": b3,
    }
    node = helper.make_node
    nodes = [
        node("Reshape", ["image", "plane"], ["x"]),
        node("Conv", ["x", "k1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        node("Relu", ["c1"], ["a1"]),
        node("Conv", ["a1", "k2", "b2"], ["c2"], pads=[1, 1, 1, 1]),
        node("Relu", ["c2"], ["a2"]),
        node("MaxPool", ["a2"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", ["m"], ["f"]),
        node("Gemm", ["f", "w3", "b3"], ["z"]),
        node("Softmax", ["z"], ["probabilities"], axis=1),
        node("ArgMax", ["z"], ["label"], axis=1, keepdims=0),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "digits",
        [value("image", TensorProto.FLOAT, ["N", 64])],
        [value("label", TensorProto.INT64, ["N"]), value("probabilities", TensorProto.FLOAT, ["N", 10])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="train_conv.py", ir_version=7,
        doc_string="Handwritten digit, 8x8 pixels 0..16 row-major, to its label and class probabilities.")
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write_held_out(path, images, labels, answers):
    pixels = (images * 16).round().astype(int)
    with open(path, "w", newline="\n") as f:
        f.write("label,answer," + ",".join("p%d" % i for i in range(64)) + "\n")
        for label, answer, row in zip(labels, answers, pixels):
            f.write(",".join(map(str, [label, answer, *row])) + "\n")


def main():
    parser = argparse.ArgumentParser(description="train the bundled digit classifier")
    parser.add_argument("out", nargs="?", default=".", help="folder for model.onnx and heldout.csv")
    parser.add_argument("--seeds", type=int, nargs="+", default=[SHIPPED_SEED], help="seeds to train; %d is written" % SHIPPED_SEED)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    train_x, test_x, train_y, test_y = load()
    for seed in args.seeds:
        params = train(train_x, train_y, seed)
        answers = forward(params, test_x)[0].argmax(1)
        right = int((answers == test_y).sum())
        print("seed %d: %d of %d held-out images right (%.4f)" % (seed, right, len(test_y), right / len(test_y)), flush=True)
        if seed == SHIPPED_SEED:
            export(params, os.path.join(args.out, "model.onnx"))
            write_held_out(os.path.join(args.out, "heldout.csv"), test_x, test_y, answers)


if __name__ == "__main__":
    main()
