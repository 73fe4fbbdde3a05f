// Python, in a worker of its own: an endless loop can be ended from outside, and what a program does stays here.
import { ConsoleStdout, File, OpenFile, WASI } from "@bjorn3/browser_wasi_shim";
import createPyodideModule from "pyodide/pyodide.asm.mjs";
import { loadPyodide } from "pyodide/pyodide.mjs";

const answer = (kind, facts) => postMessage({ kind, ...facts });

// Graphviz is the WebAssembly build that the package uses everywhere; only who runs it differs.
function graphviz(module) {
  let instance = null; // made anew after a graph that was too deep for it
  return (source) => {
    if (!instance) {
      const silent = () => ConsoleStdout.lineBuffered(() => {});
      const wasi = new WASI([], [], [new OpenFile(new File([])), silent(), silent()], { debug: false });
      instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport });
      wasi.inst = instance;
    }
    const { memory, malloc, free, graphviz_render, graphviz_last_error } = instance.exports;
    const put = (text) => {
      const bytes = new TextEncoder().encode(`${text}\0`), at = malloc(bytes.length);
      new Uint8Array(memory.buffer).set(bytes, at);
      return at;
    };
    const read = (at, length) => new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
    try {
      const texts = [source, "svg", "dot"].map(put), length = malloc(4);
      const at = graphviz_render(...texts, length);
      if (!at) {
        const why = graphviz_last_error();
        throw new Error(read(why, new Uint8Array(memory.buffer, why).indexOf(0)));
      }
      const svg = read(at, new DataView(memory.buffer).getUint32(length, true));
      for (const each of [...texts, length, at]) free(each);
      return svg;
    } catch (error) {
      instance = null;
      throw error;
    }
  };
}

let serve = null;

// What is imported once, and then kept: with Python's memory as it is after this, the next start takes a tenth.
const IMPORTS = `
import importlib, sys, xml.etree.ElementTree
sys.path.insert(0, "/lib/site")
import graphviz
from chainrule.site import session
`;

const BEGIN = `
importlib.invalidate_caches()
session.begin(render)
`;

async function start({ python, stdlib, lock, packages, layout, snapshot }) {
  // All files are here already: nothing is fetched, and the frame around this worker would not allow it.
  self.fetch = async (address) => new Response(String(address).endsWith(".zip") ? stdlib : "");
  WebAssembly.instantiateStreaming = async (_, imports) => ({ module: python, instance: await WebAssembly.instantiate(python, imports) });
  const quiet = { stdout: () => {}, stderr: () => {} }, memory = snapshot ? { _loadSnapshot: snapshot } : { _makeSnapshot: true };
  const pyodide = await loadPyodide({ indexURL: "https://local.invalid/", lockFileContents: lock, createPyodideModule, ...quiet, ...memory });
  pyodide.unpackArchive(packages, "zip", { extractDir: "/lib/site" });
  if (!snapshot) {
    pyodide.runPython(IMPORTS);
    const taken = pyodide.makeMemorySnapshot();
    postMessage({ kind: "snapshot", snapshot: taken }, [taken.buffer]);
  }
  pyodide.globals.set("render", graphviz(layout));
  serve = pyodide.runPython(BEGIN);
  answer("ready", {});
}

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === "start") await start(data);
    else if (data.kind === "run") answer("answer", { id: data.id, text: serve(data.request) });
  } catch (error) {
    answer("failed", { id: data.id, text: String(error.message || error) });
  }
};
