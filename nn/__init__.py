"""Neural networks built from scalars.

Each name is imported from its module when it is first used: a network alone needs no NumPy.
"""

from typing import TYPE_CHECKING

from autograd.lazy import import_on_use
from nn.habits import PACKAGE

if TYPE_CHECKING:
    from nn import data, losses, optim, plot
    from nn.callbacks import BestWeights, Callback, Checkpoint, EarlyStopping, Snapshots
    from nn.data import (
        Standardizer,
        circles,
        digits,
        encode,
        gate,
        iris,
        minibatches,
        spirals,
        split,
        two_moons,
        xor,
    )
    from nn.diagnosis import Diagnosis, Finding, diagnose
    from nn.documents import fit_documents
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
    from nn.recurrent import GRUCell, LSTMCell, RNNCell
    from nn.stepping import Recorder, step_training
    from nn.text import Tokenizer, generate, load_gpt, names, read_documents, save_gpt
    from nn.train import fit
    from nn.transformer import GPT, Attention, Block, Embedding, LayerNorm, Linear, RMSNorm
else:
    __getattr__, __dir__ = import_on_use(
        __name__,
        {
            "nn.callbacks": "BestWeights Callback Checkpoint EarlyStopping Snapshots",
            "nn.data": "Standardizer circles digits encode gate iris minibatches spirals split two_moons xor",
            "nn.diagnosis": "Diagnosis Finding diagnose",
            "nn.documents": "fit_documents",
            "nn.evaluate": "accuracy confusion_matrix mean_loss predict",
            "nn.history": "History",
            "nn.losses": "binary_cross_entropy cross_entropy half_squared_error hinge l1 l2 "
            "mean_squared_error",
            "nn.modules": "MLP Layer Module Neuron Sequential load_model",
            "nn.optim": "SGD Adagrad Adam AdamW RMSprop",
            "nn.plot": "decision_boundary",
            "nn.recurrent": "GRUCell LSTMCell RNNCell",
            "nn.stepping": "Recorder step_training",
            "nn.text": "Tokenizer generate load_gpt names read_documents save_gpt",
            "nn.train": "fit",
            "nn.transformer": "GPT Attention Block Embedding LayerNorm Linear RMSNorm",
        },
        PACKAGE.get,
    )

__all__ = [
    # modules
    "Module",
    "Neuron",
    "Layer",
    "MLP",
    "Sequential",
    "load_model",
    # sequences
    "GPT",
    "Block",
    "Attention",
    "Embedding",
    "Linear",
    "RMSNorm",
    "LayerNorm",
    "RNNCell",
    "LSTMCell",
    "GRUCell",
    "Tokenizer",
    "names",
    "read_documents",
    "fit_documents",
    "generate",
    "save_gpt",
    "load_gpt",
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
    "Standardizer",
    "encode",
    "split",
    "minibatches",
    # training
    "fit",
    "History",
    "Callback",
    "BestWeights",
    "EarlyStopping",
    "Snapshots",
    "Checkpoint",
    "predict",
    "accuracy",
    "confusion_matrix",
    "mean_loss",
    # steps to be walked through
    "step_training",
    "Recorder",
    # what is wrong
    "diagnose",
    "Diagnosis",
    "Finding",
    # pictures; more in nn.plot
    "plot",
    "decision_boundary",
]
