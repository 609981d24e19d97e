"""An Azure ML entry script: init once, run per request."""
import json
import os

import numpy
import onnxruntime

TYPES = {"tensor(float)": numpy.float32, "tensor(double)": numpy.float64, "tensor(int32)": numpy.int32, "tensor(int64)": numpy.int64}


def init():
    global session, name, dtype
    session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], providers=["CPUExecutionProvider"])
    name, dtype = session.get_inputs()[0].name, TYPES[session.get_inputs()[0].type]


def run(data):
    array = numpy.array(json.loads(data)["data"], dtype=dtype)
    return session.run(None, {name: array})[0].tolist()
