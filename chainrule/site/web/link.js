// What a link holds, in its fragment: it never reaches a server.

async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

export async function pack(text) {
  const bytes = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export async function unpack(word) {
  const bytes = Uint8Array.from(atob(word.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(await through(new DecompressionStream("deflate-raw"), bytes));
}

const LONGEST = 100_000; // characters of a program

// Return what the fragment of an address asks for. Nothing of it is trusted: it is text and small numbers.
export async function read(fragment) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const count = (name) => (/^\d{1,6}$/.test(given.get(name) ?? "") ? Number(given.get(name)) : 0);
  const link = { code: null, example: given.get("example"), show: given.get("show") ?? "", step: count("step"), view: count("view"), train: count("train"), embed: given.has("embed"), broken: false };
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(link.show)) link.show = "";
  if (given.has("code")) {
    try {
      link.code = await unpack(given.get("code"));
      if (link.code.length > LONGEST) throw new RangeError("too long");
    } catch {
      link.code = null;
      link.broken = true;
    }
  }
  return link;
}

export async function write({ code, show, step, view, train, embed }) {
  const fragment = new URLSearchParams({ code: await pack(code) });
  if (show) fragment.set("show", show);
  if (train) fragment.set("train", train);
  if (view) fragment.set("view", view);
  if (step) fragment.set("step", step);
  return `#${fragment}${embed ? "&embed" : ""}`;
}
