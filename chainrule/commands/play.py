"""``chainrule play``: the playground in a browser, served by this machine to itself."""

import argparse
import sys
import threading
import webbrowser

from chainrule.commands import CommandError
from chainrule.site.build import BuildError, cached
from chainrule.site.serving import serving


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the port, and whether to open a browser."""
    parser.epilog = (
        "Example: chainrule play. The first time it builds the page, which needs npm and a network."
    )
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")


def run(arguments: argparse.Namespace) -> None:
    """Serve the playground until an interrupt."""
    if not 0 <= arguments.port <= 65535:
        raise CommandError(f"--port is a number from 0 to 65535, not {arguments.port}")
    try:
        folder = cached()
    except BuildError as error:
        raise CommandError(str(error)) from error
    with serving(folder, arguments.port) as address:
        print(f"the playground is at {address}; end with Ctrl+C")
        sys.stdout.flush()
        if not arguments.no_browser:
            webbrowser.open(address)
        threading.Event().wait()
