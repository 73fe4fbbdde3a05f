"""Neural networks built from scalars."""

from nn.data import two_moons
from nn.evaluate import predict
from nn.modules import MLP, Layer, Module, Neuron, Sequential
from nn.plot import decision_boundary

__all__ = ["MLP", "Layer", "Module", "Neuron", "Sequential", "decision_boundary", "predict", "two_moons"]
