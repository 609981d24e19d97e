"""A model behind FastAPI."""
import os

import numpy
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

TYPES = {"tensor(float)": numpy.float32, "tensor(double)": numpy.float64, "tensor(int32)": numpy.int32, "tensor(int64)": numpy.int64}

session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], providers=["CPUExecutionProvider"])
name, dtype = session.get_inputs()[0].name, TYPES[session.get_inputs()[0].type]
app = FastAPI()


class Body(BaseModel):
    data: list


@app.post("/score")
def score(body: Body):
    return session.run(None, {name: numpy.array(body.data, dtype=dtype)})[0].tolist()
