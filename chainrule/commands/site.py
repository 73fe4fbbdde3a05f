"""``chainrule site``: the playground as a folder of files, for any web server."""

import argparse
from pathlib import Path

from chainrule.commands import CommandError
from chainrule.site.build import BuildError, build


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folder, and where the page loads Python from."""
    parser.epilog = "Example: chainrule site public. Needs npm; the folder then needs nothing and no network."
    parser.add_argument("folder", metavar="DIR", help="where to write the site; an older one is replaced")
    parser.add_argument(
        "--cdn", action="store_true", help="let the page load Python itself from jsDelivr, a public network"
    )


def run(arguments: argparse.Namespace) -> None:
    """Build the site; say how large it is."""
    try:
        folder = build(arguments.folder, cdn=arguments.cdn)
    except BuildError as error:
        raise CommandError(str(error)) from error
    size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    print(f"wrote {folder}: {size / 1e6:.1f} MB; serve it with: python -m http.server -d {folder}")
