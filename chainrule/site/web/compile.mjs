// At build time, by Node: node compile.mjs PYODIDE PACKAGES COMPACT TARGET writes Python's library for the page.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { IMPORTS, PACKAGES } from "./imports.js";

const [folder, packages, compact, target] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(path.join(folder, "pyodide.mjs")));
const pyodide = await loadPyodide({ indexURL: folder + path.sep });
pyodide.FS.writeFile(PACKAGES, new Uint8Array(fs.readFileSync(packages)));
pyodide.runPython(IMPORTS);
pyodide.FS.writeFile("/library.zip", new Uint8Array(fs.readFileSync(path.join(folder, "python_stdlib.zip"))));
pyodide.runPython(fs.readFileSync(compact, "utf8"));
pyodide.runPython('with open("/library.zip", "rb") as old, open("/compact.zip", "wb") as new: new.write(compact(old.read()))');
fs.writeFileSync(target, pyodide.FS.readFile("/compact.zip"));
