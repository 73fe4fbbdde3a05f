"""Neural networks built from scalars."""

from nn import data, losses, optim, plot
from nn.callbacks import BestWeights, Callback, EarlyStopping, Snapshots
from nn.data import (
    Standardiser,
    circles,
    digits,
    gate,
    iris,
    minibatches,
    spirals,
    split,
    two_moons,
    xor,
)
from nn.diagnose import Diagnosis, Finding, diagnose
from nn.evaluate import accuracy, confusion_matrix, mean_loss, predict
from nn.history import History
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
from nn.train import fit

__all__ = [
    # modules
    "Module",
    "Neuron",
    "Layer",
    "MLP",
    "Sequential",
    "load_model",
    # losses
    "losses",
    "mean_squared_error",
    "half_squared_error",
    "hinge",
    "binary_cross_entropy",
    "cross_entropy",
    "l1",
    "l2",
    # update rules; schedules are in nn.optim
    "optim",
    "SGD",
    "Adagrad",
    "RMSprop",
    "Adam",
    "AdamW",
    # data
    "data",
    "two_moons",
    "circles",
    "spirals",
    "xor",
    "gate",
    "iris",
    "digits",
    "Standardiser",
    "split",
    "minibatches",
    # training
    "fit",
    "History",
    "Callback",
    "BestWeights",
    "EarlyStopping",
    "Snapshots",
    "predict",
    "accuracy",
    "confusion_matrix",
    "mean_loss",
    # what is wrong
    "diagnose",
    "Diagnosis",
    "Finding",
    # pictures; more in nn.plot
    "plot",
    "decision_boundary",
]
