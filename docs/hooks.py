"""What the site's pages are made from: the README, the notebooks and the docstrings, where they are."""

import re
from pathlib import Path
from typing import Any

from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

from chainrule.site.build import build, npm_modules

ROOT = Path(__file__).parent.parent
REFERENCE = {
    "autograd": [
        "autograd.value",
        "autograd.transforms",
        "autograd.check",
        "autograd.control",
        "autograd.row",
    ],
    "autograd.drawing": ["autograd.drawing.api"],
    "autograd.stepping": [
        "autograd.stepping.stepper",
        "autograd.stepping.events",
        "autograd.stepping.groups",
        "autograd.stepping.paths",
        "autograd.stepping.lines",
    ],
    "autograd.practice": [
        "autograd.practice.exercises",
        "autograd.practice.quizzes",
        "autograd.practice.worksheets",
    ],
    "autograd.compiler": ["autograd.compiler"],
    "nn": [
        "nn.modules",
        "nn.transformer",
        "nn.recurrent",
        "nn.text",
        "nn.documents",
        "nn.losses",
        "nn.optim",
        "nn.data",
        "nn.train",
        "nn.evaluate",
        "nn.diagnosis",
        "nn.plot",
    ],
}
"""A page of the reference for each package, from the docstrings of these modules."""
PLAYGROUND = """# Playground

Type ordinary Python and walk through it, with nothing to install: the package runs in the page.
<a href="playground/index.html">Open it in a page of its own.</a>

<iframe src="playground/index.html#example=chain_rule&amp;embed" title="computation graph, step by step"
 width="100%" height="640" style="border:0" loading="lazy"></iframe>
"""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)]*)?\)")


@event_priority(100)  # before the plugin that makes pages of notebooks
def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are kept elsewhere in the project."""
    pages = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
    pages |= {"notebooks/index.md": "notebooks/README.md"}
    kept = [path for folder in ("images", "notebooks") for path in sorted((ROOT / folder).rglob("*"))]
    copied = [path for path in kept if path.suffix in (".svg", ".png", ".ipynb")]
    known = {source: page for page, source in pages.items()}
    known |= {path.relative_to(ROOT).as_posix(): path.relative_to(ROOT).as_posix() for path in copied}
    known |= {f"docs/{path.name}": path.name for path in (ROOT / "docs").glob("*.md")}
    for page, source in pages.items():
        text = _linked((ROOT / source).read_text(encoding="utf-8"), Path(source).parent, page, known)
        files.append(File.generated(config, page, content=text))
    for path in copied:
        name = path.relative_to(ROOT).as_posix()
        if files.get_file_from_path(name) is None:
            files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    katex = npm_modules() / "katex" / "dist"
    for path in [
        *sorted(katex.glob("*.min.css")),
        *sorted(katex.rglob("*.min.js")),
        *sorted(katex.rglob("*.woff2")),
    ]:
        name = path.relative_to(katex.parent.parent).as_posix()
        files.append(File(name, str(katex.parent.parent), config.site_dir, config.use_directory_urls))
    config.extra_css.append("katex/dist/katex.min.css")
    for script in ("katex/dist/katex.min.js", "katex/dist/contrib/auto-render.min.js", "mathematics.js"):
        config.extra_javascript.append(script)
    files.append(File.generated(config, "playground.md", content=PLAYGROUND))
    for package, modules in REFERENCE.items():
        text = f"# {package}\n\n" + "\n".join(f"::: {module}\n" for module in modules)
        files.append(File.generated(config, f"reference/{package}.md", content=text))
    config.nav = [
        {"chainrule": "index.md"},
        {"Playground": "playground.md"},
        {"Course": ["notebooks/index.md", *(n for n in known if n.endswith(".ipynb"))]},
        {"Reference": [{package: f"reference/{package}.md"} for package in REFERENCE]},
        {"Changes": "changelog.md"},
        {"Contributing": "contributing.md"},
    ]
    return files


def on_post_build(config: Any) -> None:
    """Put the playground beside the pages."""
    build(Path(config.site_dir, "playground"))


def _linked(text: str, folder: Path, page: str, known: dict[str, str]) -> str:
    """Let links between files of the project lead to the pages that are made from them."""

    def link(match: re.Match[str]) -> str:
        image, words, target, anchor = match.groups(default="")
        if "://" in target:
            return match[0]
        found = known.get((folder / target).as_posix())
        if found is None:  # a file that the site does not show, such as a source
            return words
        return f"{image}[{words}]({'../' * page.count('/')}{found}{anchor})"

    return _LINK.sub(link, text)
