// The editor: CodeMirror, with completion for the package and the line of an error.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { python, pythonLanguage } from "@codemirror/lang-python";
import { bracketMatching, defaultHighlightStyle, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { Annotation, EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import names from "./names.json";

const functions = names.functions.map(([label, detail, info]) => ({ label, detail, info, type: "function" }));
const methods = names.methods.map(([label, detail, info]) => ({ label, detail, info, type: "method" }));
const networks = names.networks.map(([label, detail, info]) => ({ label, detail, info, type: "class" }));

function complete(context) {
  const method = context.matchBefore(/\.\w*/);
  if (method) return /[\w)\]]\.\w*$/.test(context.state.sliceDoc(0, context.pos)) ? { from: method.from + 1, options: methods, validFor: /^\w*$/ } : null;
  const word = context.matchBefore(/\w+/);
  if (!word && !context.explicit) return null;
  return { from: word ? word.from : context.pos, options: [...functions, ...networks], validFor: /^\w*$/ };
}

// Colours of the page's style sheet, so that a dark page has its own; each has a contrast of 4.5 : 1.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--keyword)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--number)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--string)" },
  { tag: tags.comment, color: "var(--comment)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.definition(tags.variableName)], color: "var(--name)" },
]);

const setLine = StateEffect.define();
const madeHere = StateField.define({
  create: () => Decoration.none,
  update(marks, { docChanged, changes, effects, state }) {
    let now = docChanged ? marks.map(changes) : marks;
    for (const effect of effects) {
      if (!effect.is(setLine)) continue;
      const line = effect.value;
      now = Number.isInteger(line) && line > 0 && line <= state.doc.lines ? Decoration.set([Decoration.line({ class: "made" }).range(state.doc.line(line).from)]) : Decoration.none;
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const byPage = Annotation.define(); // of a change that the page makes, such as a slider's

// on: `edited(changes, byReader)`, `run()`, and `line(number)` when the reader clicks on the number of a line.
export class Editor {
  constructor(parent, on) {
    const clicked = (view, block) => {
      on.line(view.state.doc.lineAt(block.from).number);
      return true;
    };
    const changed = (update) => {
      if (update.docChanged) on.edited(update.changes, !update.transactions.some((each) => each.annotation(byPage)));
    };
    const run = () => {
      on.run();
      return true;
    };
    this.view = new EditorView({
      parent,
      extensions: [
        lineNumbers({ domEventHandlers: { click: clicked } }),
        highlightSpecialChars(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("    "),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        highlightActiveLine(),
        syntaxHighlighting(colours),
        syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
        python(),
        pythonLanguage.data.of({ autocomplete: complete }),
        madeHere,
        keymap.of([{ key: "Mod-Enter", preventDefault: true, run }, ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
        EditorView.contentAttributes.of({ "aria-label": "program", spellcheck: "false", tabindex: "0" }),
        EditorView.updateListener.of(changed),
        EditorView.lineWrapping,
      ],
    });
  }

  get text() {
    return this.view.state.doc.toString();
  }

  set text(text) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, annotations: byPage.of(true) });
  }

  put(from, to, text) {
    this.view.dispatch({ changes: { from, to, insert: text }, annotations: byPage.of(true) });
  }

  // Mark the line of an error, or none.
  error(problem) {
    const { doc } = this.view.state, diagnostics = [];
    if (problem?.line && problem.line <= doc.lines) {
      const line = doc.line(problem.line);
      const from = line.from + /^\s*/.exec(line.text)[0].length;
      diagnostics.push({ from, to: Math.max(from, line.to), severity: "error", message: problem.message });
    }
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics));
  }

  // Mark the line that made the present gate, or none.
  made(line) {
    this.view.dispatch({ effects: setLine.of(line) });
  }
}
