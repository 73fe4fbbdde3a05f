"""The programs that the page offers, a file each; the first line of each is its title."""

from importlib import resources

_GROUPS = {
    "The chain rule": ["chain_rule", "sigmoid_gate", "sigmoid_as_one_gate", "jacobians", "feed_values"],
    "One neuron": ["one_neuron", "xor"],
    "Practice": ["an_exercise"],
    "Networks": [
        "derived_and_checked",
        "two_two_two",
        "unknown_function",
        "mlp",
        "trained_live",
        "two_moons",
        "micrograd",
        "attention",
    ],
}


def _program(name: str) -> dict[str, str]:
    code = resources.files(__name__).joinpath(f"{name}.py").read_text(encoding="utf-8")
    title = code.partition("\n")[0].removeprefix("# ").rstrip(".")
    return {"name": name, "title": title, "code": code}


EXAMPLES = {title: [_program(name) for name in names] for title, names in _GROUPS.items()}
"""Groups of programs, each with its ``name``, ``title`` and ``code``."""
