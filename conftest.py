"""Modules that need an optional package are not collected without it."""

from importlib.util import find_spec

OPTIONAL = {"torch": "nn/torch.py", "sklearn": "nn/sklearn.py"}
collect_ignore = [path for package, path in OPTIONAL.items() if find_spec(package) is None]
