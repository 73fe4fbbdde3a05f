"""Texts as tokens, training on documents of different lengths, and new documents from a model."""

import json
import random
import string
import zlib

import numpy as np
import pytest

from autograd import Value
from nn import (
    GPT,
    SGD,
    Adam,
    Tokenizer,
    fit_documents,
    generate,
    load_gpt,
    names,
    read_documents,
    save_gpt,
)
from nn.optim import linear
from tests.scalar_gpt import Reference, train

DOCUMENTS = ["aba", "dd", "cbcab", "a", "cd"]
TOKENIZER = Tokenizer(DOCUMENTS)


def small(seed=0, **sizes):
    return GPT(len(TOKENIZER), **{"block": 6, "width": 4, "heads": 2} | sizes, rng=random.Random(seed))


def adam(model, steps):
    return Adam(model.parameters(), lr=linear(0.01, 0.0, steps), betas=(0.85, 0.99))


def encoded(documents=DOCUMENTS):
    return list(map(TOKENIZER.encode, documents))


@pytest.mark.parametrize("text", ["", "a", "banana", "Ünï ☃ 𝄞\t", "".join(map(chr, range(32, 200)))])
def test_a_text_is_found_again_from_its_tokens(text):
    tokenizer = Tokenizer([text, "ab"])
    tokens = tokenizer.encode(text)
    assert tokens[0] == tokens[-1] == tokenizer.mark == len(tokenizer) - 1
    assert len(tokens) == len(text) + 2
    assert tokenizer.mark not in tokens[1:-1]
    assert tokenizer.decode(tokens) == text


def test_the_names_of_the_package():
    found = names()
    assert len(set(found)) == 400
    assert set("".join(found)) == set(string.ascii_lowercase)
    assert 3 <= min(map(len, found)) <= max(map(len, found)) <= 10


def test_a_file_is_read_by_lines(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("\ufeffnew york\r\n\n  Zürich \nx".encode())
    assert read_documents(path) == ["new york", "Zürich", "x"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no documents; write one a line"),
        (b" \n\t\n", "holds no documents"),
        (b"caf\xe9\n", r"no text in UTF-8 \(its byte 3\)"),
    ],
)
def test_a_file_without_documents_is_refused(tmp_path, content, said):
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_documents(path)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_compiled_training_is_the_recorded_one(batch_size):
    results = []
    for compiled in (True, False):
        model = small()
        optimizer = adam(model, 40)
        history = fit_documents(
            model, encoded(), optimizer, 40, batch_size, every=15, rng=3, compile=compiled
        )
        results.append(([*history["loss"], *model.state_dict().values()], history))
    assert results[0][0] == pytest.approx(results[1][0], rel=0, abs=1e-11)
    history = results[0][1]
    assert history["epoch"] == [0, 1, 2]
    assert history["lr"] == pytest.approx([0.01 * (1 - k / 40) for k in (14, 29, 39)])


def test_training_is_that_of_microgpt():
    """The order of the documents is the program's; one document makes it the same."""
    document = TOKENIZER.encode("cbab")
    model = small(42)
    history = fit_documents(model, [document], adam(model, 30), 30, every=1)
    expected = train(Reference, [document], 30)
    assert history["loss"] == pytest.approx(expected, rel=0, abs=1e-12)


def test_every_document_is_used_once_before_one_is_used_again():
    seen = []

    class Listening(GPT):
        def loss(self, tokens):
            seen.append(TOKENIZER.decode(tokens))
            return super().loss(tokens)

    model = Listening(len(TOKENIZER), block=6, width=2, heads=1, rng=0)
    fit_documents(model, encoded(), SGD(model.parameters()), 10, compile=False)
    assert sorted(seen[:5]) == sorted(seen[5:]) == sorted(DOCUMENTS)
    assert seen[:5] != seen[5:]


def test_callbacks_see_the_model_up_to_date_and_may_end_the_training():
    model, losses = small(), []

    def judge(run):
        losses.append(run.model.loss(encoded()[0]).data)
        if len(losses) == 2:
            run.stop("enough")

    history = fit_documents(model, encoded()[:1], adam(model, 30), 30, every=5, callbacks=[judge])
    assert history.stopped == "enough"
    assert len(history) == 2
    assert model.loss(encoded()[0]).data == losses[1] < losses[0]


def test_an_interrupted_training_keeps_what_was_reached():
    interrupted, whole = small(), small()

    def interrupt(run):
        if len(run.history) == 2:
            raise KeyboardInterrupt

    history = fit_documents(
        interrupted, encoded(), SGD(interrupted.parameters()), 20, every=4, callbacks=[interrupt]
    )
    fit_documents(whole, encoded(), SGD(whole.parameters()), 8)
    assert history.stopped == "interrupted"
    assert interrupted.state_dict() == whole.state_dict()


@pytest.mark.parametrize("compiled", [True, False])
def test_a_divergence_ends_the_training_before_its_step(compiled):
    model = small()
    with pytest.warns(RuntimeWarning, match=r"in step \d+, the loss is .*; use a lower learning rate"):
        history = fit_documents(model, encoded(), SGD(model.parameters(), lr=1e200), 20, compile=compiled)
    assert history.stopped.startswith("in step")


def test_only_the_optimisers_parameters_are_moved():
    model = small()
    before = model.state_dict()
    fit_documents(model, encoded(), SGD(model.out.parameters(), lr=0.1), 5)
    moved = {name for name, number in model.state_dict().items() if number != before[name]}
    assert moved
    assert all(name.startswith("out.") for name in moved)


@pytest.mark.parametrize(
    ("documents", "kind", "said"),
    [
        ([], ValueError, "at least one document"),
        ([[4]], ValueError, "document 0 has 1 tokens.* from 2 to 7; leave it out"),
        ([[4, 4], [4] * 8], ValueError, "document 1 has 8 tokens.* from 2 to 7; cut it, or .* larger block"),
        ([[4, 5, 4]], IndexError, "the token 5, and the model has those from 0 to 4"),
        ([[4, -1, 4]], IndexError, "the token -1"),
        (["aba"], TypeError, r"not the text 'aba': write \[tokenizer.encode"),
    ],
)
def test_documents_that_do_not_fit_are_refused_before_anything_is_moved(documents, kind, said):
    model = small()
    before = model.state_dict()
    with pytest.raises(kind, match=said):
        fit_documents(model, documents, adam(model, 10), 10)
    assert model.state_dict() == before


def test_an_optimiser_of_other_parameters_is_refused():
    with pytest.raises(ValueError, match=r"make it with model.parameters\(\)"):
        fit_documents(small(), encoded(), SGD([Value(1.0)]), 1)


def test_the_same_seed_gives_the_same_documents():
    model = small()
    first = generate(model, TOKENIZER, 20, rng=5)
    assert generate(model, TOKENIZER, 20, rng=5) == first
    assert generate(model, TOKENIZER, 20, rng=6) != first


def test_characters_are_drawn_by_their_probabilities():
    """Independently: what the whole model says of the next character, at each temperature."""
    model = small(deviation=0.8)
    for temperature in (0.5, 1.0, 3.0):
        scores = np.array([z.data for z in model([TOKENIZER.mark, 0])[-1]]) / temperature
        expected = np.exp(scores) / np.exp(scores).sum()
        drawn = generate(model, TOKENIZER, 1500, temperature=temperature, rng=1, prompt="a")
        begun = [text[1:2] for text in drawn]
        found = [begun.count(c) / len(begun) for c in [*TOKENIZER.characters, ""]]
        assert found == pytest.approx(expected, abs=0.05)


def test_without_temperature_the_likeliest_is_taken():
    model = small(deviation=0.8)
    (text,) = set(generate(model, TOKENIZER, 5, temperature=0.0, prompt="a"))
    tokens = TOKENIZER.encode(text, ended=False)
    for place, scores in enumerate(model(tokens)):
        best = int(np.argmax([z.data for z in scores]))
        if 0 < place < len(tokens) - 1:
            assert best == tokens[place + 1]


def test_a_document_is_cut_at_the_end_of_the_block():
    model = small()
    assert max(map(len, generate(model, TOKENIZER, 200, rng=0))) <= model.block
    assert all(text.startswith("abcda") for text in generate(model, TOKENIZER, 20, rng=0, prompt="abcda"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"temperature": -1.0}, "temperature must be at least 0"),
        ({"temperature": float("nan")}, "temperature must be at least 0"),
        (
            {"prompt": "axe"},
            "the character 'x' at place 1 of 'axe' is not in the vocabulary 'abcd'; leave it",
        ),
        ({"prompt": "abcabc"}, "the prompt has 6 characters.* room for 5 .*; shorten it"),
        ({"tokenizer": Tokenizer("ab")}, "the model has 5 tokens and the tokenizer 3"),
    ],
)
def test_mistakes_in_generating_are_named(arguments, said):
    with pytest.raises(ValueError, match=said):
        generate(small(), **{"tokenizer": TOKENIZER} | arguments)


def test_a_model_that_has_diverged_generates_nothing():
    model = small()
    for p in model.out.parameters():
        p.data = 1e308
    for temperature in (0.0, 1.0):
        with pytest.raises(ArithmeticError, match="are not finite; train with a lower learning rate"):
            generate(model, TOKENIZER, temperature=temperature)


def test_tokenizers_refuse_what_they_do_not_know():
    with pytest.raises(ValueError, match="at least one character"):
        Tokenizer([""])
    with pytest.raises(IndexError, match="from 0 to 4, but is 5"):
        TOKENIZER.decode([5])


def test_a_saved_gpt_is_made_anew(tmp_path):
    model = small(layers=2)
    save_gpt(tmp_path / "gpt.json", model, TOKENIZER)
    again, tokenizer = load_gpt(tmp_path / "gpt.json")
    assert repr(again) == repr(model)
    assert again.state_dict() == model.state_dict()
    assert tokenizer.characters == TOKENIZER.characters


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda d: d["architecture"].update(width=8), "its widths make .* parameters, and it holds"),
        (lambda d: d["architecture"].update(width=10**9), "its widths make .* parameters"),
        (lambda d: d["architecture"].update(heads=3), "heads must divide width"),
        (lambda d: d["architecture"].update(block="6"), "its block is no count"),
        (lambda d: d["architecture"].pop("layers"), "its layers is no count"),
        (lambda d: d["architecture"].update(bias=1), "its bias is no count that a GPT has"),
        (lambda d: d["architecture"].update({"class": "MLP"}), "it is no GPT"),
        (lambda d: d.update(architecture=None), "it is no GPT"),
        (lambda d: d["metadata"].clear(), "the characters of its vocabulary"),
        (lambda d: d["metadata"].update(characters="abcde"), "it has 5 tokens for 5 characters"),
        (lambda d: d["metadata"].update(characters="abca"), "it has 5 tokens for 4 characters"),
        (lambda d: d["parameters"].update({"out.w.0.0": None}), "must be a number"),
    ],
)
def test_a_file_of_other_widths_is_one_clear_error(tmp_path, damage, said):
    path = tmp_path / "gpt.json"
    save_gpt(path, small(), TOKENIZER)
    document = json.loads(path.read_text())
    damage(document)
    content = {key: document[key] for key in ("parameters", "architecture", "metadata")}
    document["checksum"] = zlib.crc32(json.dumps(content, sort_keys=True).encode())
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=f"cannot load .*{said}"):
        load_gpt(path)
