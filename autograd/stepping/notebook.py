"""A page of the player in a notebook."""

import base64
import gzip
import html
import io
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograd.stepping.stepper import Stepper

ROOM = 680
"""How high the player is in a notebook at most, in CSS pixels."""
_FINE = 1.5  # pixels of the still picture per CSS pixel


def framed(page: str, stepper: "Stepper | None", text: str) -> dict[str, str]:
    """Return a page as the output of a notebook's cell.

    Where no script runs, a picture of the last state is seen; VS Code shows nothing of a notebook that it
    does not trust.

    Args:
        page: the page.
        stepper: the graph that is seen where no script runs; None for what may not be seen, as of a quiz.
        text: what is said of it there, and in a console.
    """
    still, height = f"<p>{html.escape(text)}</p>", 300.0  # room for a question and its answer
    if stepper is not None:
        png = _small(stepper.picture().png(_FINE))
        width, height = (int.from_bytes(png[k : k + 4]) / _FINE for k in (16, 20))
        image = base64.b64encode(png).decode()
        still = f'<img src="data:image/png;base64,{image}" width="{width:.0f}" alt="{html.escape(text)}">'
    # The page is a frame of its own, so that neither its style nor its keys meet the notebook's. Packed,
    # it takes a tenth of the room in the notebook's file.
    name = f"chainrule-{secrets.token_hex(8)}"
    packed = base64.b64encode(gzip.compress(page.encode(), mtime=0)).decode()
    room = min(ROOM, max(480, int(1.5 * height) + 150))
    script = (
        f'{{const bytes=Uint8Array.from(atob("{packed}"),(c)=>c.charCodeAt(0));'
        'const unpacked=new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));'
        "new Response(unpacked).text().then((page)=>{"
        f'const place=document.getElementById("{name}"),frame=document.createElement("iframe");'
        'frame.srcdoc=page;frame.title="computation graph, step by step";frame.allowFullscreen=true;'
        f'frame.style.cssText="width:100%;border:1px solid #ccc;height:{room}px";'
        "place.replaceChildren(frame)})}"
    )
    return {"text/html": f'<div id="{name}">{still}</div><script>{script}</script>', "text/plain": text}


def _small(png: bytes) -> bytes:
    """Return a picture in a few colours, which are enough for lines and letters: a third of the bytes."""
    from PIL import Image

    content = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(32).save(content, "PNG", optimize=True)
    return content.getvalue()
