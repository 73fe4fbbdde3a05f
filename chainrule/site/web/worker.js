// Python, in a worker of its own: an endless loop can be ended from outside, and what a program does stays here.
import { ConsoleStdout, File, OpenFile, WASI } from "@bjorn3/browser_wasi_shim";
import createPyodideModule from "pyodide/pyodide.asm.mjs";
import { loadPyodide } from "pyodide/pyodide.mjs";
import { IMPORTS, PACKAGES } from "./imports.js";

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

// All files are here already: nothing is fetched, and the frame around this worker would not allow it.
function python({ python, stdlib, lock, packages }, memory) {
  self.fetch = async (address) => new Response(String(address).endsWith(".zip") ? stdlib : "");
  WebAssembly.instantiateStreaming = async (_, imports) => ({ module: python, instance: await WebAssembly.instantiate(python, imports) });
  const quiet = { stdout: () => {}, stderr: () => {} };
  const fsInit = async (FS) => FS.writeFile(PACKAGES, new Uint8Array(packages));
  return loadPyodide({ indexURL: "https://local.invalid/", lockFileContents: lock, createPyodideModule, fsInit, ...quiet, ...memory });
}

async function start(files) {
  const pyodide = await python(files, files.snapshot ? { _loadSnapshot: files.snapshot } : {});
  if (!files.snapshot) pyodide.runPython(IMPORTS);
  pyodide.globals.set("render", graphviz(files.layout));
  serve = pyodide.runPython("session.begin(render)");
  answer("ready", {});
}

// Python's memory after its imports: who starts from it does not wait for these.
async function keep(files) {
  const pyodide = await python(files, { _makeSnapshot: true });
  pyodide.runPython(IMPORTS);
  const snapshot = pyodide.makeMemorySnapshot();
  postMessage({ kind: "snapshot", snapshot }, [snapshot.buffer]);
}

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === "start") await start(data);
    else if (data.kind === "keep") await keep(data);
    else if (data.kind === "run") answer("answer", { id: data.id, text: serve(data.request) });
  } catch (error) {
    answer("failed", { id: data.id, text: String(error.message || error) });
  }
};
