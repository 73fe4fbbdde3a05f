"""Colours, fonts and the shapes of nodes: all that a drawing's look is made of."""

# A contrast of 4.5 : 1 on white, and apart from one another with any kind of colour blindness.
DATA_COLOUR = "#00664f"
GRAD_COLOUR = "#d43d10"
LOCAL_COLOUR = "#1f5fb0"
INK_COLOUR = "#222222"
WIRE_COLOUR = "#777777"

FONT = "DejaVu Sans"
CONSTANT = {"shape": "plain", "fontcolor": DATA_COLOUR, "width": "0", "height": "0"}
REFERENCE = CONSTANT | {"fontcolor": INK_COLOUR}
VALUE = {"shape": "record", "margin": "0.05,0.02", "width": "0", "height": "0"}
GATE = {"shape": "ellipse", "margin": "0.01", "width": "0.36", "height": "0.36", "ordering": "in"}
GATE |= {"style": "filled", "fillcolor": "#f3f3f3", "color": INK_COLOUR}
COMPOSITE = {"shape": "box", "margin": "0.12,0.08", "ordering": "in", "peripheries": "2"}
COMPOSITE |= {"style": "rounded,filled", "fillcolor": "#f3f3f3", "color": INK_COLOUR}
BOX = {"style": "rounded,dashed", "color": WIRE_COLOUR, "fontcolor": INK_COLOUR, "fontname": FONT}
BOX |= {"fontsize": "11", "labeljust": "l", "margin": "8"}
LOCAL = {"labeldistance": "3", "labelangle": "-15", "minlen": "2"}  # see labels.py
ROOMY_VALUE = VALUE | {"margin": "0.05,0.07"}  # of a worksheet
ROOMY_LOCAL = LOCAL | {"fontsize": "14", "minlen": "3"}
SIDES = {  # of a node: where its wire enters and where it leaves
    "LR": ("w", "e"),
    "RL": ("e", "w"),
    "TB": ("n", "s"),
    "BT": ("s", "n"),
}
CORNER = {"LR": "sw", "RL": "se", "TB": "ne", "BT": "se"}  # of a gate: where its last operand enters
TEXT_STYLES = {  # of each class of text
    "label": {"fill": INK_COLOUR, "font-style": "italic"},
    "data": {"fill": DATA_COLOUR},
    "grad": {"fill": GRAD_COLOUR},
    "operation": {"fill": INK_COLOUR},
    "local": {"fill": LOCAL_COLOUR},
}
