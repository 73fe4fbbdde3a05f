"""The browser's player: one self-contained HTML file, assembled from its parts and the moves of each view."""

import html
import json
import math
import pkgutil
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from autograd.drawing import INK_COLOUR, TEXT_STYLES, WIRE_COLOUR, Drawing
from autograd.stepping.events import Backward, Event, Forward
from autograd.stepping.groups import Group
from autograd.stepping.lines import line_of
from autograd.stepping.moves import Move, moves_of
from autograd.stepping.paths import Paths
from autograd.stepping.templates import edges_of, moves_with_places, numbers_of, with_places
from autograd.stepping.twin import twin_of
from autograd.stepping.views import Outline, View, ancestors
from autograd.text import format_number
from autograd.value import Constant, Value

MAX_PATHS = 5
"""How many paths the player lists for a node."""
# Of an edge, the title tells the local derivative before its time.
_EDGE_TITLE = re.compile(r'(<g id="(?:e|o|c\d+-)[^>]*>)\s*<title>[^<]*</title>')
# What a style sheet says once instead of each element of each picture.
_WIRE = {"fill": "none", "stroke": WIRE_COLOUR}
_SHARED = {
    ".edge > path, .box > path": ("path", "", _WIRE),
    ".wire": ("polyline", "", _WIRE),
    ".edge > polygon": ("polygon", "", {"fill": WIRE_COLOUR, "stroke": WIRE_COLOUR}),
    **{f"text.{kind}": ("text", kind, style) for kind, style in TEXT_STYLES.items()},
}
_COLOURS = {kind: TEXT_STYLES[kind]["fill"] for kind in ("data", "grad", "local")}
_COLOURS |= {"ink": INK_COLOUR, "wire": WIRE_COLOUR}
_SCRIPTS = ("twin.js", "numbers.js", "quiz.js", "curve.js", "player.js")
_LINE = 160  # characters of a path that are shown


def page(outline: Outline, events: Sequence[Event], limit: int | None) -> str:
    """Return the player of a graph as HTML that loads nothing.

    Args:
        outline: the graph.
        events: its stream.
        limit: how many values to draw in all views together; groups beyond it cannot be opened.
    """
    shown = contents(outline, events, limit)
    root = shown["nodes"][outline.place[outline.order[-1]]]["name"]
    return shell(f"{root}, step by step", shown["views"][0].pop("svg"), shown)


def shell(title: str, picture: str = "", shown: dict[str, Any] | None = None) -> str:
    """Return the player's page.

    Args:
        title: its title.
        picture: the SVG of the first view.
        shown: the rest of the `contents`; None for a page that is given them by ``player.load``.
    """
    # In a script element only "<" could end the data early.
    content = json.dumps(shown, separators=(",", ":"), ensure_ascii=False).replace("<", r"\u003c")
    parts = {
        "TITLE": html.escape(title),
        "STYLE": _style(),
        "PICTURE": picture,
        "DATA": content,
        "SCRIPT": "".join(map(_file, _SCRIPTS)),
    }
    pieces = _file("player.html").split("%%")
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces))


def contents(
    outline: Outline,
    events: Sequence[Event],
    limit: int | None,
    *,
    pictures: bool = True,
    only: Collection[int] | None = None,
) -> dict[str, Any]:
    """Return what the player shows of a graph, as data for JSON.

    Args:
        outline: the graph.
        events: its stream.
        limit: how many values to draw in all views together; groups beyond it cannot be opened.
        pictures: whether to lay the graph out and to tell the paths; without, for a graph whose pictures the
            player has already, and whose numbers are being dragged.
        only: the numbers of the views to tell and draw, by default all. The player asks for another when its
            reader wants to see it, see `view_told`.

    Returns:
        ``nodes``: what is told of each value; ``groups``: the name, the parent and the nodes of each;
        ``moves``: the steps of all views, with places for numbers, see `autograd.stepping.templates`;
        ``numbers``: those to put in, and ``edges``, by which the others follow; ``views``: for each the
        group that it opens, its title, the numbers of its moves and its picture, ``svg``; ``twin``: what
        numbers are computed with when an input is changed, see `twin_of`.
    """
    views = list(_views(outline, limit))
    paths = Paths(events)
    shown = {wire for view, _, _ in views for wire in view.wires}
    described: list[dict[str, Any]] = []
    told: dict[str, int] = {}  # most moves are the same in several views
    places = with_places(events)
    members: dict[Group, list[int]] = {group: [] for group in outline.groups}
    for k, node in enumerate(outline.order):
        for group in outline.chains[node]:
            members[group].append(k)
    for k, (view, opened, title) in enumerate(views):
        described.append({"group": opened, "title": title})
        if only is not None and k not in only:
            continue
        moves = moves_with_places(view, places)
        described[-1]["moves"] = [
            told.setdefault(json.dumps(_move(move, outline)), len(told)) for move in moves
        ]
        if pictures:
            described[-1]["svg"] = _light(picture(view, moves, paths).svg())
    return {
        "nodes": {
            outline.place[node]: facts for node, facts in _nodes(places, paths if pictures else None, shown)
        },
        "groups": {
            outline.names[g]: [g.name, outline.names[g.parent] if g.parent else None, _ranges(members[g])]
            for g in outline.groups
        },
        "moves": [json.loads(move) for move in told],
        "views": described,
        "numbers": numbers_of(events),
        "edges": edges_of(events),
        "twin": twin_of(outline.order, paths.names),
    }


def view_told(outline: Outline, events: Sequence[Event], limit: int | None, number: int) -> dict[str, Any]:
    """Return one of the views of `contents`: its moves, and its picture, ``svg``.

    Raises:
        IndexError: there are not so many views.
    """
    view, _, _ = list(_views(outline, limit))[number]
    moves = [_move(move, outline) for move in moves_with_places(view, with_places(events))]
    return {"moves": moves, "svg": _light(picture(view, moves_of(view, events), Paths(events)).svg())}


def _light(svg: str) -> str:
    """Leave out of a picture what the page's style sheet says, and what would tell a number early."""
    svg = _EDGE_TITLE.sub(r"\1", svg).replace("\n\n", "\n")
    for tag, kind, style in _SHARED.values():
        said = " ".join(f'{name}="{value}"' for name, value in style.items())
        if kind:
            svg = svg.replace(f' {said} class="{kind}"', f' class="{kind}"')
        else:
            svg = svg.replace(f"<{tag} {said}", f"<{tag}")
    return svg


def _style() -> str:
    """Return the style sheet; the drawing's colours are variables in it, so that a dark page has others."""
    names = {colour: f"var(--{name})" for name, colour in _COLOURS.items()}
    colours = " ".join(f"--{name}: {colour};" for name, colour in _COLOURS.items())
    rules = []
    for selector, (_, _, style) in _SHARED.items():
        said = " ".join(f"{name}: {names.get(value, value)};" for name, value in style.items())
        rules.append(f"{selector} {{ {said} }}\n")
    return f":root {{ {colours} }}\n{''.join(rules)}{_file('player.css')}"


def _file(name: str) -> str:
    """Return the text of a file beside this module, which may lie in a zip file."""
    content = pkgutil.get_data(__package__, name)
    assert content is not None
    return content.decode()


def picture(view: View, moves: Sequence[Move], paths: Paths) -> Drawing:
    """Return the picture of a view, with all numbers of the last move."""
    local = {move.edges[-1]: float(move.local) for move in moves if move.local is not None}
    return view.draw(paths.names, paths.adjoints, local)


def _views(outline: Outline, limit: int | None) -> Iterator[tuple[View, str | None, str]]:
    """Yield the view with all groups closed, one for each group opened, and one with all of them open.

    With each comes the name of the opened group and a title.
    """
    view = View(outline)
    yield view, None, "all groups closed"
    titles: dict[str, int] = {}  # how many groups there are of each, such as a layer that is called again
    left = math.inf if limit is None else limit - len(view.wires)
    for group in outline.groups:
        view = View(outline, ancestors(group))
        left -= len(view.wires)
        if left < 0:
            return
        title = " / ".join(each.name for each in group.chain)
        titles[title] = titles.get(title, 0) + 1
        yield view, outline.names[group], title + f", {titles[title]}" * (titles[title] > 1)
    if len(outline.groups) > 1 and len(outline.order) <= left:
        yield View(outline, outline.groups), "all", "all groups open"


def _move(move: Move, outline: Outline) -> dict[str, Any]:
    described: dict[str, Any] = {
        "kind": move.kind,
        "title": move.title,
        "facts": move.facts,
        "sentence": move.sentence,
        "events": _ranges(sorted(event.step for event in move.events)),
        "changes": [
            [outline.place[change.wire], change.kind, change.text, repr(change.number)]
            for change in move.changes
        ],
    }
    if move.block:
        described |= {"gate": move.block.name, "edges": move.edges}
    if move.local is not None:
        described["local"] = format_number(move.local)
    if move.questions:
        described["questions"] = [[q.kind, q.text, q.shown, repr(q.answer), q.hint] for q in move.questions]
    return described


def _ranges(steps: Sequence[int]) -> list[int]:
    """Return ascending numbers as the ends of their ranges: 3, 4, 5, 8 as 3, 6, 8, 9."""
    ends: list[int] = []
    for step in steps:
        if ends and ends[-1] == step:
            ends[-1] += 1
        else:
            ends += [step, step + 1]
    return ends


def _nodes(
    events: Sequence[Event], paths: Paths | None, shown: set[Value]
) -> Iterator[tuple[Value, dict[str, Any]]]:
    """Yield what is told of a node when it is clicked."""
    local: dict[Value, list[tuple[int, str]]] = {}
    for event in events:
        if isinstance(event, Backward):
            local.setdefault(event.node, []).append((event.index, event.local_formula))
    for event in events:
        if not isinstance(event, Forward) or event.node not in shown:
            continue
        node, described = event.node, dict[str, Any](name=event.name)
        if event.formula:
            described["formula"] = f"{event.name} = {event.formula}"
        if event.definition:
            described["definition"] = f"{event.operation}: {event.definition}"
        if node in local:
            described["local"] = local[node]
        if line := line_of(node):
            described["line"] = line
        if isinstance(node, Constant):
            described["constant"] = True
        elif paths is not None:
            described["why"] = [_short(line) for line in str(paths.explain(node, MAX_PATHS)).split("\n")]
        yield node, described


def _short(line: str) -> str:
    """Leave out the middle of a long line."""
    return line if len(line) <= _LINE else f"{line[: _LINE // 2]} ... {line[-_LINE // 2 :]}"
