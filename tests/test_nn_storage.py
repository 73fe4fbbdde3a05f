"""Model files: what was saved comes back to the last bit, and no damaged file touches a model."""

import copy
import json
import math
import random
import zlib

import pytest

import autograd
from autograd import Operation
from chainrule.commands.recipe import Recipe
from chainrule.tables.columns import Column
from nn import MLP, Layer, Sequential, load_model


@pytest.fixture
def model():
    return MLP(2, [3, 1], activation="tanh", rng=random.Random(0))


@pytest.fixture
def saved(model, tmp_path):
    path = tmp_path / "model.json"
    model.save(path, {"classes": ["no", "yes"]})
    return path


def test_a_model_comes_back_to_the_last_bit(model, tmp_path):
    extremes = [math.pi, 0.1, 5e-324, -0.0, 1.7976931348623157e308, 1 / 3]
    for p, number in zip(model.parameters(), extremes, strict=False):
        p.data = number
    model.save(tmp_path / "model.json", {"epochs": 3})
    other = MLP(2, [3, 1], activation="tanh")
    assert other.load(tmp_path / "model.json") == {"epochs": 3}
    assert [p.data.hex() for p in other.parameters()] == [p.data.hex() for p in model.parameters()]


def test_an_mlp_is_made_anew_from_its_file(model, saved):
    random.seed(1)
    state = random.getstate()
    again, metadata = load_model(saved)
    assert random.getstate() == state
    assert (repr(again), metadata) == (repr(model), {"classes": ["no", "yes"]})
    assert again([0.3, -0.7]).data == model([0.3, -0.7]).data


def test_the_file_is_readable_json_of_a_named_version(saved):
    document = json.loads(saved.read_text())
    assert (document["format"], document["version"]) == ("chainrule model", 1)
    assert document["architecture"] == {"class": "MLP", "nin": 2, "nouts": [3, 1], "activation": "tanh"}
    assert "layers.0.neurons.0.w.0" in document["parameters"]


def changed(saved, **entries):
    """Change a file and its checksum with it, as a program of malice or of another version would."""
    document = json.loads(saved.read_text()) | entries
    content = {name: document[name] for name in ("parameters", "architecture", "metadata")}
    document["checksum"] = zlib.crc32(json.dumps(content, sort_keys=True).encode())
    saved.write_text(json.dumps(document))


def without_checksum(saved):
    document = json.loads(saved.read_text())
    del document["checksum"]
    saved.write_text(json.dumps(document))


def first_parameter(saved, number):
    parameters = json.loads(saved.read_text())["parameters"]
    changed(saved, parameters=parameters | {next(iter(parameters)): number})


DAMAGES = {
    "empty": (lambda f: f.write_text(""), "no complete JSON document"),
    "truncated": (lambda f: f.write_bytes(f.read_bytes()[:-200]), "no complete JSON document"),
    "binary": (lambda f: f.write_bytes(b"\x80\x04\x95\xff\x00"), "no complete JSON document"),
    "nested": (lambda f: f.write_text("[" * 100_000), "no complete JSON document"),
    "foreign": (lambda f: f.write_text('{"weights": [1, 2]}'), "not a model that this package saved"),
    "a list": (lambda f: f.write_text("[]"), "not a model that this package saved"),
    "newer": (lambda f: changed(f, version=2), "its version is 2, this package reads 1"),
    "a flipped digit": (
        lambda f: f.write_text(f.read_text().replace('w.0": 0.6', 'w.0": 0.7')),
        "checksum does not match",
    ),
    "no checksum": (without_checksum, "it has no checksum"),
    "no parameters": (lambda f: changed(f, parameters=None), "are not three JSON objects"),
    "a missing parameter": (lambda f: changed(f, parameters={}), "13 are missing|holds 0"),
    "a text": (lambda f: first_parameter(f, "0.5"), "w.0 must be a number, not '0.5'"),
    "a bool": (lambda f: first_parameter(f, True), "w.0 must be a number, not True"),
    "nan": (lambda f: first_parameter(f, math.nan), "NaN is no JSON number"),
    "true for a version": (lambda f: changed(f, version=True), "its version is True, this package reads 1"),
    "1.0 for a version": (lambda f: changed(f, version=1.0), "its version is 1.0"),
    "a key of another program": (lambda f: changed(f, licence="MIT"), "does not know its key 'licence'"),
    "a name twice": (
        lambda f: f.write_text(f.read_text().replace('"metadata"', '"version": 1,\n "metadata"', 1)),
        "the name 'version' stands twice",
    ),
    "a parameter twice": (
        lambda f: f.write_text(f.read_text().replace('w.1"', 'w.0"', 1)),
        "w.0' stands twice",
    ),
    "an int beyond the floats": (lambda f: first_parameter(f, 10**400), "w.0 is 1000.*it must be finite"),
    "990 levels": (
        lambda f: f.write_text(f.read_text().replace('"no"', "[" * 990 + "]" * 990)),
        "nested too deeply|no complete JSON document|checksum does not match",
    ),
    "an overflow": (
        lambda f: f.write_text(f.read_text().replace(": 0.", ": 1e999")),
        "beyond the range of floats",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("anew", [False, True])
def test_a_damaged_file_is_one_clear_error_and_leaves_the_model_untouched(model, saved, damage, anew):
    hurt, message = DAMAGES[damage]
    before, content = model.state_dict(), saved.read_bytes()
    hurt(saved)
    assert saved.read_bytes() != content
    with pytest.raises(ValueError, match=message) as caught:
        load_model(saved) if anew else model.load(saved)
    assert str(caught.value).startswith("cannot load ")
    assert model.state_dict() == before


def test_a_file_of_another_shape_says_what_is_missing_and_unknown(saved):
    other = MLP(3, [3, 1])
    before = other.state_dict()
    with pytest.raises(ValueError, match=r"3 are missing \(layers\.0\.neurons\.0\.w\.2, .*same layers"):
        other.load(saved)
    with pytest.raises(ValueError, match=r"6 are missing .* and 4 are unknown \(layers\.0\.neurons\.2\.w\.0"):
        MLP(2, [2, 2, 1]).load(saved)
    assert other.state_dict() == before


@pytest.mark.parametrize(
    "architecture",
    [None, {}, {"class": "RNN"},
     {"class": "MLP", "nin": 2, "nouts": 3}, {"class": "MLP", "nin": 2, "nouts": []},
     {"class": "MLP", "nin": 10**9, "nouts": [10**9], "activation": "tanh"},
     {"class": "MLP", "nin": 2, "nouts": [3, 1], "activation": "system"},
     {"class": "MLP", "nin": 2, "nouts": [3, 1]}],
)  # fmt: skip
def test_a_wrong_architecture_is_an_error_before_anything_is_made(saved, architecture):
    changed(saved, architecture=architecture)
    with pytest.raises(ValueError, match="cannot load"):
        load_model(saved)


def test_models_of_other_parts_are_loaded_into_themselves(tmp_path):
    cube = Operation("cube", lambda x: x * x * x, [lambda _z, x: 3 * x * x])
    exchanged = MLP(2, [2, 2, 1])
    exchanged.layers[0] = Layer(2, 2, activation="tanh")
    for model in (Sequential(Layer(2, 2), autograd.tanh), MLP(2, [2, 1], activation=cube), exchanged):
        model.save(tmp_path / "model.json")
        before = model.state_dict()
        model.load(tmp_path / "model.json")
        assert model.state_dict() == before
        with pytest.raises(ValueError, match="does not say how to make its model"):
            load_model(tmp_path / "model.json")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(model, saved):
    content = saved.read_bytes()
    with pytest.raises(ValueError, match="metadata and state cannot be written as JSON"):
        model.save(saved, {"rule": autograd.tanh})
    model.parameters()[1].data = math.nan
    with pytest.raises(ValueError, match=r"layers\.0\.neurons\.0\.w\.1 is nan"):
        model.save(saved)
    assert saved.read_bytes() == content
    assert [file.name for file in saved.parent.iterdir()] == ["model.json"]


def test_a_folder_that_does_not_exist_is_named(model, tmp_path):
    with pytest.raises(OSError, match=r"cannot write .*choose a folder"):
        model.save(tmp_path / "nowhere" / "model.json")


def test_load_state_dict_sets_all_parameters_or_none(model):
    before = model.state_dict()
    for bad in ({**before, "layers.1.neurons.0.b": "x"}, {**before, "layers.1.neurons.0.b": math.inf}, {}):
        with pytest.raises((TypeError, ValueError)):
            model.load_state_dict(bad)
        assert model.state_dict() == before


WEIRD = [None, True, False, 0, -1, 1, 2, 1.5, 10**400, 1e300, "", "relu", "x" * 1000, [], [1], {}, {"a": []}]


def mutations(document):
    """Yield a document with one of its things, at any depth, taken away or replaced by a weird one."""
    places = []

    def visit(thing, path):
        for key in thing if isinstance(thing, dict) else range(len(thing)):
            places.append((*path, key))
            if isinstance(thing[key], (dict, list)):
                visit(thing[key], (*path, key))

    visit(document, ())
    for place in places:
        if len(place) > 1 and place[0] == "parameters" and place != places[-1]:
            continue  # one of them stands for all
        for weird in (*WEIRD, "delete"):
            changed = copy.deepcopy(document)
            *path, last = place
            inner = changed
            for key in path:
                inner = inner[key]
            if weird == "delete":
                del inner[last]
            else:
                inner[last] = weird
            yield changed


def test_whatever_a_file_holds_it_is_loaded_whole_or_it_is_one_error_that_names_it(tmp_path):
    """Also where a program of malice has made the checksum anew."""
    columns = [Column("a", 0), Column("b", 1)]
    scales = [0.0, 1.0], [1.0, 2.0], [0.0], [1.0]
    recipe = Recipe(columns, ["c"], [2], 3, True, "hinge", ["no", "yes"], "refuse", *scales)
    model = MLP(2, [3, 1], activation="tanh", rng=random.Random(0))
    path = tmp_path / "model.json"
    model.save(path, recipe.to_metadata())
    original = json.loads(path.read_text())
    loaded = 0
    for document in mutations(original):
        content = {name: document.get(name) for name in ("parameters", "architecture", "metadata")}
        if "checksum" in document and document["checksum"] == original["checksum"]:
            document["checksum"] = zlib.crc32(json.dumps(content, sort_keys=True).encode())
        path.write_text(json.dumps(document))
        try:
            made, metadata = load_model(path)
        except ValueError as error:
            assert str(error).startswith("cannot load ")  # noqa: PT017 - many documents may be loaded
            continue
        try:
            found = Recipe.from_metadata(metadata, made)
        except ValueError as error:
            assert "recipe" in str(error) or "what its inputs are" in str(error)  # noqa: PT017 - as above
            continue
        answers, _ = found.predict(made, [[0.5, 0.5], [-1.0, 2.0]])
        assert [found.classes[answer] for answer in answers.tolist()]
        loaded += 1
    assert loaded > 5  # other names and numbers do no harm
