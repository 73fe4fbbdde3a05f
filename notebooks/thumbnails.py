"""Make the small pictures of notebooks/README.md from the outputs that are committed in the notebooks.

A notebook's picture is the one of the cell with the tag ``thumbnail``, or its first one. Run this after
changing a notebook: ``python notebooks/thumbnails.py``.
"""

import base64
import io
import json
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parent
WIDTH, COLOURS = 320, 64  # pixels; few colours make small files


def thumbnail(path: Path) -> tuple[str, bytes]:
    """Return the file name and the content of a notebook's picture.

    Raises:
        ValueError: the notebook has no picture.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    chosen = [cell for cell in cells if "thumbnail" in cell["metadata"].get("tags", [])] or cells
    for output in (output for cell in chosen for output in cell.get("outputs", [])):
        data = output.get("data", {})
        if "image/svg+xml" in data:
            return f"{path.stem}.svg", "".join(data["image/svg+xml"]).encode()
        if "image/png" in data:
            return f"{path.stem}.png", _small(base64.b64decode("".join(data["image/png"])))
    raise ValueError(f"{path.name} has no picture; let a cell draw one and give it the tag 'thumbnail'")


def _small(png: bytes) -> bytes:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    size = (WIDTH, round(picture.height * WIDTH / picture.width))
    small = picture.resize(size, Image.Resampling.LANCZOS).quantize(COLOURS)
    content = io.BytesIO()
    small.save(content, "PNG", optimize=True)
    return content.getvalue()


if __name__ == "__main__":
    pictures = FOLDER / "pictures"
    pictures.mkdir(exist_ok=True)
    made = dict(thumbnail(path) for path in sorted(FOLDER.glob("*.ipynb")))
    for old in pictures.iterdir():
        if old.name not in made:
            old.unlink()
    for name, content in made.items():
        (pictures / name).write_bytes(content)
        print(f"{name:40} {len(content):6,} bytes")
