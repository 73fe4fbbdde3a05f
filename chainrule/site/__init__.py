"""The site: a page in which this very package runs, with nothing to install and no server behind it.

``build`` makes a folder of files that any server can hand out. ``session`` runs in the page: it is the part
in Python between the reader's program and the player. ``web`` is the page itself, ``examples`` are the
programs that it offers.
"""
