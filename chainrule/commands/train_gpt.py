"""``chainrule train-gpt``: lines of text in; a trained GPT out."""

import argparse
import errno
import os
import random
import warnings
from pathlib import Path

from autograd.compiler.engine import ENGINES
from autograd.compiler.wasm import CannotStartError
from chainrule.commands.options import MOST_PARAMETERS, count, positive, seed
from chainrule.commands.results import require_writable
from chainrule.terminal import CommandError, counted, plain, shown
from nn import GPT, Adam, Tokenizer, fit_documents, generate, load_gpt, names, read_documents, save_gpt
from nn.callbacks import Checkpoint, Run
from nn.optim import linear
from nn.text import parameters_of

REPORTS, SAMPLES, TEMPERATURE = 10, 5, 0.5
BETAS = 0.85, 0.99


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the text, the network, the training and the file for the result."""
    parser.epilog = "Example: chainrule train-gpt towns.txt --block 24 --steps 2000 --out towns.json"
    parser.add_argument(
        "text",
        metavar="FILE.txt",
        nargs="?",
        help="what to learn from: a document a line, in UTF-8 (default: 400 made-up names)",
    )
    add = parser.add_argument_group("network").add_argument
    add("--width", type=count, default=16, metavar="N", help="the length of the vectors (default: 16)")
    add("--heads", type=count, default=4, metavar="N", help="of each attention (default: 4)")
    add("--layers", type=count, default=1, metavar="N", help="how many blocks (default: 1)")
    add(
        "--block",
        type=count,
        default=16,
        metavar="N",
        help="the longest document and the mark at its end (default: 16)",
    )
    add = parser.add_argument_group("training").add_argument
    add("--steps", type=count, default=1000, metavar="N", help="how many steps of Adam (default: 1000)")
    add("--batch-size", type=count, default=1, metavar="N", help="documents per step (default: 1)")
    add(
        "--lr",
        type=positive,
        default=0.01,
        metavar="RATE",
        help="the learning rate of the first step, which falls linearly to 0 (default: 0.01)",
    )
    add("--seed", type=seed, default=0, metavar="N", help="same seed, same result (default: 0)")
    add(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="what runs the training: machine code (wasm), NumPy, or what can be had (default: auto)",
    )
    add(
        "--checkpoint",
        metavar="RUN.json",
        type=Path,
        help="write what the training can go on from, after each report; chainrule generate reads it, too",
    )
    add(
        "--resume",
        metavar="RUN.json",
        type=Path,
        help="go on from such a file, with the same text and options, and keep it up to date",
    )
    parser.add_argument(
        "--out",
        metavar="MODEL.json",
        type=Path,
        default=Path("gpt.json"),
        help="where the model is saved (default: gpt.json)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Train, tell how it goes with some samples, and save the model.

    Raises:
        CommandError: the text, or the network's sizes, are not as they should be; or the training diverged.
        OSError: a file cannot be read or written.
    """
    documents, what = _documents(arguments.text)
    tokenizer = Tokenizer(documents)
    _require_room(documents, arguments)
    model = _model(len(tokenizer), arguments)
    path: Path = arguments.out
    _require_file(path)
    kept = arguments.checkpoint or arguments.resume
    if kept:
        _require_file(kept)
    if arguments.resume:
        _require_same(arguments.resume, model, tokenizer)
    characters = "".join(map(plain, tokenizer.characters))
    print(f"data      {plain(what)}: {counted(len(documents), 'document')}, such as {shown(documents[:3])}")
    print(f"alphabet  {len(tokenizer.characters)} characters: {shown([characters])}")
    print(f"network   {model!r}, {len(model.parameters()):,} parameters")
    print(
        f"training  {counted(arguments.steps, 'step')} of adam, learning rate {arguments.lr:g} to 0,", end=""
    )
    print(f" {counted(arguments.batch_size, 'document')} each\n", flush=True)

    def report(run: Run) -> None:
        samples = generate(model, tokenizer, SAMPLES, temperature=TEMPERATURE, rng=len(run.history))
        loss = run.history["loss"][-1]
        print(f"step {run.optimizer.steps:>6}  loss {loss:.4f}  {shown(samples)}", flush=True)

    keep = [Checkpoint(kept, metadata={"characters": tokenizer.characters})] if kept else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of divergence; the error below says it
        try:
            history = fit_documents(
                model,
                [tokenizer.encode(document) for document in documents],
                Adam(model.parameters(), lr=linear(arguments.lr, 0.0, arguments.steps), betas=BETAS),
                arguments.steps,
                arguments.batch_size,
                every=max(arguments.steps // REPORTS, 1),
                callbacks=[report, *keep],
                rng=arguments.seed,
                progress=False,  # each report is a line
                engine=arguments.engine,
                resume=arguments.resume,
            )
        except (CannotStartError, ValueError) as error:
            raise CommandError(plain(str(error))) from None
    if history.stopped == "interrupted" and not len(history):
        raise KeyboardInterrupt
    if history.stopped.startswith("in step"):
        raise CommandError(f"the training diverged {plain(history.stopped)}")
    save_gpt(path, model, tokenizer)
    print(f"\n{f'stopped   {history.stopped}; ' if history.stopped else ''}wrote {plain(str(path))}")


def _documents(path: str | None) -> tuple[list[str], str]:
    if path is None:
        return names(), "made-up names"
    try:
        return read_documents(path), Path(path).name
    except ValueError as error:
        raise CommandError(plain(str(error))) from None


def _require_room(documents: list[str], arguments: argparse.Namespace) -> None:
    longest = max(documents, key=len)
    if len(longest) >= arguments.block:
        raise CommandError(
            f"the document '{plain(longest[:40])}' has {len(longest)} characters, and a block of "
            f"{arguments.block} has room for {arguments.block - 1} and the mark at the end; give --block "
            f"{len(longest) + 1}, or shorter lines"
        )


def _model(vocabulary: int, arguments: argparse.Namespace) -> GPT:
    sizes = {name: getattr(arguments, name) for name in ("block", "width", "heads", "layers")}
    number = parameters_of(vocabulary=vocabulary, **sizes)
    if number > MOST_PARAMETERS:
        raise CommandError(
            f"the network would have {number:,} parameters, and at most {MOST_PARAMETERS:,} are made; "
            "give a smaller --width or fewer --layers"
        )
    try:
        return GPT(vocabulary, **sizes, rng=random.Random(arguments.seed))
    except ValueError as error:
        raise CommandError(f"argument --heads: {error}") from None


def _require_same(path: Path, model: GPT, tokenizer: Tokenizer) -> None:
    """See that a file to go on from is of this text's characters and of these sizes."""
    try:
        other, characters = load_gpt(path)
    except ValueError as error:
        raise CommandError(plain(str(error))) from None
    if characters.characters != tokenizer.characters or repr(other) != repr(model):
        raise CommandError(
            f"cannot go on from '{plain(str(path))}': it is {other!r} with the characters "
            f"{shown([''.join(map(plain, characters.characters))])}, and this text and these options make "
            f"{model!r} with {shown([''.join(map(plain, tokenizer.characters))])}; give those it began with"
        )


def _require_file(path: Path) -> None:
    """See, before the training, that the model can be written.

    Raises:
        OSError: it cannot.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    require_writable(path.parent)
