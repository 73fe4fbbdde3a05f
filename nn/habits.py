"""What other libraries have under another name, or need and this one does not: what to write instead."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_SEED = "write rng=0, a seed or a source of random numbers"
_SPLIT = "write (X, y), validation = nn.split(X, y, 0.2) before, and validation=validation"
_LOSS = "write nn.fit(model, X, y, nn.mean_squared_error, nn.Adam(model.parameters(), lr=0.01))"
_NUMBERS = "its numbers are Python's, so leave the line out; nn.fit(..., compile=True) makes it fast"


def _each(names: str, remedy: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), remedy)


FIT = {
    **_each("lr learning_rate", "the optimizer has it: write nn.Adam(model.parameters(), lr=0.01)"),
    "momentum": "the optimizer has it: write nn.SGD(model.parameters(), lr=0.01, momentum=0.9)",
    **_each(
        "weight_decay decay", "the optimizer has it: write nn.Adam(model.parameters(), weight_decay=1e-4)"
    ),
    **_each("n_epochs num_epochs nb_epoch steps n_steps n_iter iterations max_iter", "write epochs=100"),
    **_each("batch bs batchsize minibatch", "write batch_size=32"),
    **_each("validation_data val eval_set", "write validation=(X, y)"),
    **_each("validation_split validation_fraction test_size", _SPLIT),
    **_each("verbose verbosity show_progress", "write progress=True or progress=False"),
    "shuffle": "with batch_size points are drawn by chance, in an order that rng decides; leave it out",
    **_each(
        "metrics scoring", "write metric=nn.evaluate.accuracy_of, or another function of outputs and targets"
    ),
    **_each("seed random_state generator", _SEED),
    **_each("l2 alpha regularization", "write penalty=lambda parameters: nn.l2(parameters, 1e-4)"),
    "l1": "write penalty=lambda parameters: nn.l1(parameters, 1e-4)",
    **_each("early_stopping patience", 'write callbacks=[nn.EarlyStopping("val_loss", patience=10)]'),
    "callback": "write callbacks=[callback]",
    **_each("max_norm clip clipnorm gradient_clip_val max_grad_norm", "write clip_norm=1.0"),
    **_each("criterion loss_fn loss_function", "write loss=nn.mean_squared_error"),
    **_each("opt optim solver", "write optimizer=nn.Adam(model.parameters(), lr=0.01)"),
    **_each("jit fast", "write compile=True"),
    "device": 'write compile=True, engine="jax", which runs on what devices JAX has',
}
"""Of ``fit``: its arguments."""

MLP = {
    **_each("seed random_state generator", _SEED),
    **_each("nonlin nonlinearity act activation_function", 'write activation="tanh"'),
    **_each(
        "input_size input_dim in_features inputs n_in hidden hidden_size hidden_sizes", "write MLP(2, [4, 1])"
    ),
    **_each("hidden_layer_sizes layers sizes out_features output_size outputs", "write MLP(2, [4, 1])"),
    **_each("initializer kernel_initializer weight_init", 'write init="xavier"'),
}
"""Of ``MLP``: its arguments."""

SPLIT = _each("test_size train_size", "write fraction=0.2, the share of the second part") | _each(
    "seed random_state generator", _SEED
)
"""Of ``split``: its arguments."""

OPTIMIZER = {
    **_each("learning_rate learningrate alpha eta step_size stepsize", "lr=0.01"),
    **_each("beta_1 beta_2 beta1 beta2 b1 b2", "betas=(0.9, 0.999)"),
    **_each("epsilon eps_root", "eps=1e-8"),
    **_each("rho decay_rate", "alpha=0.99"),
    **_each("decay l2 wd", "weight_decay=1e-4"),
    "beta": "momentum=0.9",
    "initial_accumulator": "initial_accumulator_value=0.1",
}
"""Of an optimiser: its settings, with what is to be written where it has such a one."""

ATTRIBUTES: dict[str, dict[str, str]] = {
    "Module": {
        "compile": "write nn.fit(model, X, y, loss, optimizer, compile=True); loss and optimizer are fit's",
        "fit": _LOSS,
        **_each("predict predict_proba", "write nn.predict(model, X), or model(x) for one point"),
        **_each("evaluate score", "write nn.accuracy(model, X, y) or nn.mean_loss(model, X, y, loss)"),
        "forward": "write model(x); a module of your own defines __call__",
        **_each("train eval", "a model computes the same in training and in use; leave the line out"),
        **_each("to cuda cpu half float double", _NUMBERS),
        **_each("weights trainable_weights get_weights", "write model.parameters() or model.state_dict()"),
        **_each("set_weights load_weights", "write model.load_state_dict(state), or nn.load_model(path)"),
        "save_weights": "write model.save(path)",
        "backward": "the loss has it: write loss.backward()",
        "add": "write nn.Sequential(*layers) with all layers at once, or nn.MLP(2, [4, 1])",
        **_each("modules children", "write model.summary(), or vars(model)"),
        **_each("requires_grad_ requires_grad", "every parameter has a gradient; model.frozen() has none"),
        **_each("count_params num_params", "write len(model.parameters())"),
    },
    "Optimizer": {
        "param_groups": "write optimizer.lr = 0.01, and optimizer.parameters",
        "learning_rate": "write optimizer.lr",
        **_each("minimize apply_gradients", "write loss.backward(), then optimizer.step()"),
    },
    "Standardizer": {
        "fit": "write scale = nn.Standardizer(X); it is made from the points",
        **_each("transform fit_transform", "write scale = nn.Standardizer(X), then scale(X)"),
    },
    "History": {"history": 'write history["loss"]', "plot": "write nn.plot.loss_curve(history)"},
}
"""Of a class: what its instances are asked for."""

PACKAGE = {
    **_each("MSELoss mse mse_loss MeanSquaredError", "write nn.mean_squared_error"),
    **_each("CrossEntropyLoss NLLLoss CategoricalCrossentropy", "write nn.cross_entropy"),
    **_each("BCELoss BCEWithLogitsLoss BinaryCrossentropy bce", "write nn.binary_cross_entropy"),
    "HingeEmbeddingLoss": "write nn.hinge",
    "Dense": "write nn.Linear(2, 4), or nn.MLP(2, [4, 1]) for several layers",
    **_each(
        "relu tanh sigmoid softmax functional F", "such functions are in autograd: write autograd.relu(x)"
    ),
    **_each("ReLU Tanh Sigmoid GELU Softmax", 'write nn.MLP(2, [4, 1], activation="tanh"), or autograd.tanh'),
    "Parameter": "write autograd.Value(0.0); a module finds the Values in its attributes",
    **_each("Dropout BatchNorm1d", "there is none; nn.fit(..., penalty=...) and nn.LayerNorm come nearest"),
    "StandardScaler": "write nn.Standardizer(X)",
    "train_test_split": "write nn.split(X, y, 0.2)",
    "make_moons": "write nn.two_moons(100)",
    "make_circles": "write nn.circles(100)",
    **_each("DataLoader TensorDataset", "write nn.minibatches(X, y, 32)"),
    "load_iris": "write nn.iris()",
    "load_digits": "write nn.digits()",
    **_each("Adamax Nadam", "write nn.Adam(model.parameters(), lr=0.01)"),
    "LSTM": "write nn.LSTMCell(2, 4), once per step",
    "GRU": "write nn.GRUCell(2, 4), once per step",
    "RNN": "write nn.RNNCell(2, 4), once per step",
}
"""Of the package: its names."""


class Familiar:
    """Answers a question for what other libraries have with what to write here."""

    if not TYPE_CHECKING:  # for a type checker every attribute would be there

        def __getattr__(self, name: str) -> Any:
            """Say what to write; only asked for what is not there."""
            asked = f"{type(self).__name__!r} object has no attribute {name!r}"
            remedies = (ATTRIBUTES.get(kind.__name__, {}).get(name) for kind in type(self).__mro__)
            remedy = next(filter(None, remedies), None)
            raise AttributeError(f"{asked}: {remedy}" if remedy else asked, name=name, obj=self)


def familiar(
    remedies: Mapping[str, str], call: str
) -> Callable[[Callable[_Arguments, _Result]], Callable[_Arguments, _Result]]:
    """Make a function say what to write for an argument that it has not, or that is missing.

    Args:
        remedies: what to write, by the names that other libraries have.
        call: how the function is called.

    Example:
        >>> @familiar({"random_state": "write rng=0"}, "draw(10)")
        ... def draw(count, *, rng=0): ...
        >>> draw(10, random_state=3)
        Traceback (most recent call last):
        TypeError: draw has no argument 'random_state': write rng=0
        >>> draw()
        Traceback (most recent call last):
        TypeError: draw needs count: write draw(10)
    """

    def told(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        @wraps(function)
        def checked(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
            try:
                return function(*arguments, **named)
            except TypeError:
                _require_fitting(function, arguments, named, remedies, call)
                raise

        return checked

    return told


def _require_fitting(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    named: Mapping[str, Any],
    remedies: Mapping[str, str],
    call: str,
) -> None:
    """Say what is wrong with a call's arguments, if anything is."""
    from difflib import get_close_matches  # these take as long to import as a package of ours
    from inspect import Parameter, signature

    known = signature(function).parameters
    asked = function.__qualname__.removesuffix(".__init__")
    for name in named.keys() - known.keys():
        close = get_close_matches(name, known, 1)
        meant = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}"
        raise TypeError(f"{asked} has no argument {name!r}: {remedies.get(name, meant)}") from None
    places = [p for p in known.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    missing = [
        p.name for p in places[len(arguments) :] if p.default is Parameter.empty and p.name not in named
    ]
    if missing:
        raise TypeError(f"{asked} needs {' and '.join(missing)}: write {call}") from None
