"""Neural networks built from scalars."""

from nn import optim
from nn.data import two_moons
from nn.evaluate import predict
from nn.losses import (
    binary_cross_entropy,
    cross_entropy,
    half_squared_error,
    hinge,
    l1,
    l2,
    mean_squared_error,
)
from nn.modules import MLP, Layer, Module, Neuron, Sequential, load_model
from nn.optim import SGD, Adagrad, Adam, AdamW, RMSprop
from nn.plot import decision_boundary

__all__ = [
    "MLP",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Layer",
    "Module",
    "Neuron",
    "RMSprop",
    "Sequential",
    "binary_cross_entropy",
    "cross_entropy",
    "decision_boundary",
    "half_squared_error",
    "hinge",
    "l1",
    "l2",
    "load_model",
    "mean_squared_error",
    "optim",
    "predict",
    "two_moons",
]
