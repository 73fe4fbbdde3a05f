"""Transformers and recurrent cells against PyTorch, NumPy and a GPT written for microgpt's ``Value``."""

import random

import numpy as np
import pytest

import autograd
from autograd import Value
from nn import recurrent, transformer
from nn.transformer import GPT, Attention, Block, Embedding, LayerNorm, Linear, RMSNorm
from tests.scalar_gpt import Reference, loss_of, parameters

SMALL = {"vocabulary": 5, "block": 6, "width": 4, "heads": 2}
DOCUMENTS = [[4, 0, 1, 2, 4], [4, 3, 4], [4, 2, 0, 2, 1, 0, 4]]


def numbers(things):
    return np.array([[v.data for v in row] if isinstance(row, list) else row.data for row in things])


def grads(module):
    return [p.grad for p in module.parameters()]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("tokens", DOCUMENTS, ids=len)
def test_a_gpt_is_that_of_microgpt(tokens, layers):
    model = GPT(**SMALL, layers=layers, rng=random.Random(7))
    state = parameters(Reference, 5, 4, 6, random.Random(7), layers)
    theirs = [p for matrix in state.values() for row in matrix for p in row]
    assert [p.data for p in model.parameters()] == [p.data for p in theirs]
    loss, expected = model.loss(tokens), loss_of(state, 2, tokens, layers)
    loss.backward()
    expected.backward()
    assert loss.data == pytest.approx(expected.data, rel=1e-14)
    assert grads(model) == pytest.approx([p.grad for p in theirs], rel=1e-10, abs=1e-15)


def test_its_size_is_that_of_the_published_one():
    assert len(GPT(27).parameters()) == 4192


def test_a_character_is_told_nothing_of_those_after_it():
    model = GPT(**SMALL, rng=1)
    whole, cut = numbers(model([4, 0, 1, 2])), numbers(model([4, 0]))
    assert whole[:2].tolist() == cut.tolist()
    assert numbers(model([4, 0, 1, 3]))[:3].tolist() == whole[:3].tolist()


@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_tokens_are_data_of_a_compiled_program(engine):
    model = GPT(**SMALL, rng=3)
    tokens = [Value(float(t)) for t in (4, 0, 1, 2, 4)]
    program = autograd.compile(
        model.loss(tokens), inputs=model.parameters(), data={"x": tokens}, engine=engine
    )
    for document in ([4, 0, 1, 2, 4], [4, 3, 3, 1, 4], [0, 1, 2, 3, 0]):
        found = program(x=document)
        gradients = program.gradients.tolist()
        model.zero_grad()
        loss = model.loss(document)
        loss.backward()
        assert found == pytest.approx(loss.data, rel=1e-14)
        assert gradients == pytest.approx(grads(model), rel=1e-10, abs=1e-15)
    with pytest.raises(IndexError, match="whole number from 0 to 4, but is 5"):
        program(x=[4, 5, 3, 1, 4])


def test_a_frozen_gpt_computes_with_plain_numbers():
    model = GPT(**SMALL, rng=3)
    assert model.frozen()([4, 1, 2]) == numbers(model([4, 1, 2])).tolist()


def test_a_gpt_is_grouped_by_its_parts_down_to_the_heads():
    twin = GPT(3, block=3, width=4, heads=1, rng=0).grouped()
    stepper = autograd.step_through(twin.loss([2, 0, 1, 2]))
    names = {group.name for group in stepper.groups}
    assert {"GPT", "blocks.0", "attention", "heads.0", "query", "widen", "norm", "out"} <= names


@pytest.mark.parametrize("width", [1, 3, 6])
def test_normalisations_are_those_of_pytorch(width):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(width)
    x, weight, bias = rng.normal(size=(3, width))
    layer, root = LayerNorm(width), RMSNorm(width)
    for w, b, w2, number, offset in zip(layer.w, layer.b, root.w, weight, bias, strict=True):
        w.data, b.data, w2.data = number, offset, number
    t, tw, tb = (torch.tensor(v, requires_grad=True) for v in (x, weight, bias))
    for ours, expected in (
        (layer, torch.nn.functional.layer_norm(t, (width,), tw, tb, 1e-5)),
        (root, tw * t * (t.square().mean() + 1e-5) ** -0.5),
    ):
        xs = [Value(number) for number in x]
        out = ours(xs)
        assert numbers(out) == pytest.approx(expected.detach().numpy(), rel=1e-12, abs=1e-13)
        sum(o * (k + 1.0) for k, o in enumerate(out)).backward()
        t.grad = None
        (expected * torch.arange(1.0, width + 1.0, dtype=torch.float64)).sum().backward()
        assert [v.grad for v in xs] == pytest.approx(t.grad.numpy(), rel=1e-9, abs=1e-12)


def test_attention_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    width, heads, length = 6, 3, 4
    attention = Attention(width, heads, rng=5, deviation=0.7)
    x = np.random.default_rng(0).normal(size=(length, width))
    keys, values = [], []
    ours = [attention(row, keys, values) for row in x.tolist()]
    q, k, v, mix = (
        torch.tensor(numbers(part.w))
        for part in (attention.query, attention.key, attention.value, attention.mix)
    )
    split = (length, heads, width // heads)
    parts = [(torch.tensor(x) @ w.T).reshape(split).transpose(0, 1) for w in (q, k, v)]
    read = torch.nn.functional.scaled_dot_product_attention(*parts, is_causal=True)
    expected = read.transpose(0, 1).reshape(length, width) @ mix.T
    assert numbers(ours) == pytest.approx(expected.numpy(), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    cell = getattr(recurrent, name)(3, 2, rng=4)
    theirs = getattr(torch.nn, name)(3, 2).double()
    rng = np.random.default_rng(2)
    for linear in (*cell.inputs, *cell.memory):
        for b in linear.b:
            b.data = rng.normal()
    with torch.no_grad():
        for linears, kind in ((cell.inputs, "ih"), (cell.memory, "hh")):
            weight = np.concatenate([numbers(linear.w) for linear in linears])
            bias = np.concatenate([numbers(linear.b) for linear in linears])
            getattr(theirs, f"weight_{kind}").copy_(torch.tensor(weight))
            getattr(theirs, f"bias_{kind}").copy_(torch.tensor(bias))
    xs = rng.normal(size=(4, 3))
    state, expected = None, []
    for x in torch.tensor(xs):
        state = theirs(x, state)
        expected.append(state[0] if isinstance(state, tuple) else state)
    outputs = recurrent.run(cell, xs.tolist())
    assert numbers(outputs) == pytest.approx(torch.stack(expected).detach().numpy(), rel=1e-12)
    sum(z * z for z in outputs[-1]).backward()
    expected[-1].square().sum().backward()
    found = np.concatenate([[[w.grad for w in row] for row in linear.w] for linear in cell.memory])
    assert found == pytest.approx(theirs.weight_hh.grad.numpy(), rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell"])
def test_a_cell_run_over_a_sequence_is_compiled(name):
    cell = getattr(recurrent, name)(2, 3, rng=4)
    xs = [[Value(0.1 * i), Value(-0.2 * i)] for i in range(5)]
    loss = sum(z * z for z in recurrent.run(cell, xs)[-1])
    loss.backward()
    expected = grads(cell)
    program = autograd.compile(loss, inputs=cell.parameters(), data=xs)
    assert program() == pytest.approx(loss.data, rel=1e-13)
    assert program.gradients.tolist() == pytest.approx(expected, rel=1e-10, abs=1e-15)


def test_a_model_file_of_other_widths_is_refused_and_nothing_is_lost(tmp_path):
    wide, narrow = GPT(**SMALL, rng=0), GPT(**SMALL | {"width": 2}, rng=0)
    wide.save(tmp_path / "wide.json")
    before = narrow.state_dict()
    with pytest.raises(ValueError, match=r"do not fit the model: .* unknown .* of the same layers"):
        narrow.load(tmp_path / "wide.json")
    assert narrow.state_dict() == before
    again = GPT(**SMALL, rng=1)
    again.load(tmp_path / "wide.json")
    assert again.state_dict() == wide.state_dict()


@pytest.mark.parametrize(
    ("mistake", "kind", "said"),
    [
        (lambda: GPT(5, width=4, heads=3), ValueError, "heads must divide width.* 3 heads, width 4"),
        (lambda: GPT(0), ValueError, "count must be at least 1, not 0"),
        (lambda: GPT(5, layers=1.5), TypeError, "layers must be a whole number, not 1.5"),  # type: ignore[arg-type]
        (lambda: GPT(5, deviation=-1.0), ValueError, "deviation must be at least 0"),
        (lambda: GPT(5, rng="x"), TypeError, "rng must be a random.Random or a seed"),  # type: ignore[arg-type]
        (lambda: GPT(5, block=3)([0, 1, 2, 3]), ValueError, "a block of 3 positions.* takes 4; cut it, or"),
        (lambda: GPT(5)([]), ValueError, "takes 0; give at least one token"),
        (lambda: GPT(5).loss([1]), ValueError, "a token and one that follows it, got 1"),
        (lambda: GPT(5)([5]), IndexError, "from 0 to 4, but is 5"),
        (lambda: GPT(5)([-1]), IndexError, "from 0 to 4, but is -1"),
        (lambda: GPT(5)([0.5]), IndexError, "whole number from 0 to 4, but is 0.5"),
        (lambda: Linear(2, 3)([1.0]), ValueError, r"Linear\(2, 3\) takes a vector of 2 numbers, got 1"),
        (lambda: RMSNorm(3)([1.0]), ValueError, r"RMSNorm\(3\) takes a vector of 3 numbers, got 1"),
        (lambda: LayerNorm(3)([1.0]), ValueError, r"LayerNorm\(3\) takes a vector of 3 numbers, got 1"),
        (lambda: Block(4, 2)([1.0], [], []), ValueError, "takes a vector of 4 numbers, got 1"),
        (lambda: Embedding(3, 2)(3), IndexError, "from 0 to 2, but is 3"),
        (lambda: recurrent.GRUCell(2, 3)([1.0]), ValueError, "takes a vector of 2 numbers, got 1"),
        (lambda: recurrent.RNNCell(2, 3)([1.0, 2.0], [0.0]), ValueError, "a vector of 3 numbers, got 1"),
    ],
)
def test_mistakes_are_named_with_their_rule(mistake, kind, said):
    with pytest.raises(kind, match=said):
        mistake()


def test_every_part_is_public():
    import nn

    for module, names in (
        (transformer, "Embedding RMSNorm LayerNorm Attention Block GPT"),
        (recurrent, "RNNCell LSTMCell GRUCell"),
    ):
        for name in names.split():
            assert getattr(nn, name) is getattr(module, name)
