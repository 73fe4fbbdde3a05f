"""Public names that are imported when they are first used, so that a package starts fast and needs little."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from autograd.locks import importing


def import_on_use(
    package: str, names: Mapping[str, str], remedy: Callable[[str], str | None] = lambda _: None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package whose names come from its modules on use.

    Args:
        package: the package's ``__name__``.
        names: for each module the names that the package has from it, separated by spaces. No name is that
            of a module, which would take its place once imported.
        remedy: what to tell who asks for another name, such as one that other packages have.

    Returns:
        The two functions, to be bound to those names in the package.

    Example:
        >>> get, _ = import_on_use("autograd", {"autograd.check": "gradcheck"})
        >>> get("gradcheck").__name__
        'gradcheck'
        >>> get("unheard_of")
        Traceback (most recent call last):
        AttributeError: module 'autograd' has no attribute 'unheard_of'
    """
    home = {name: module for module, listed in names.items() for name in listed.split()}
    modules = {module.rpartition(".")[2]: module for module in names}

    def get(name: str) -> Any:
        module = home.get(name) or modules.get(name)
        if module is not None:
            with importing:
                imported = import_module(module)
            found = getattr(imported, name) if name in home else imported
        else:
            asked = f"module {package!r} has no attribute {name!r}"
            told = None if name.startswith("_") else remedy(name)
            told = f"{asked}: {told}" if told else asked
            raise AttributeError(told, name=name, obj=sys.modules[package])
        setattr(sys.modules[package], name, found)  # the next look finds it without coming here
        return found

    def everything() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home, *modules})

    return get, everything
