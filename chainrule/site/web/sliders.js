// A slider for each number of the program. What it writes is the program's text: there is no other truth.

// What a number is called in a program: as short as it can be, and never an int where a float stood.
function written(value, like) {
  const text = String(Number(value.toPrecision(6)));
  return /[.e]/.test(like) && !/[.e]/.test(text) ? `${text}.0` : text;
}

export class Sliders {
  // moved: called with `true` while a slider is being dragged, and with `false` when it is let go.
  constructor(parent, editor, moved) {
    this.parent = parent;
    this.editor = editor;
    this.moved = moved;
    this.rows = [];
  }

  // The numbers as they are now. The rows stay if they are the same ones, so that what is dragged stays in hand.
  show(numbers) {
    const names = numbers.map((number) => number.name).join("\n");
    if (names !== this.names) {
      this.names = names;
      this.rows = numbers.map((number) => this.row(number));
      this.parent.replaceChildren(...this.rows.map((row) => row.element));
      this.parent.hidden = !numbers.length;
    }
    numbers.forEach((number, k) => {
      const row = this.rows[k];
      row.start = number.start;
      row.end = number.end;
      if (row.held) return;
      row.value.textContent = this.editor.text.slice(number.start, number.end);
      if (Number(row.input.value) === number.value) return;
      Object.assign(row.input, { min: number.low, max: number.high, step: number.step, value: number.value });
    });
  }

  // The text was edited: the numbers have moved, until the next run tells where they are.
  follow(changes) {
    for (const row of this.rows) {
      row.start = changes.mapPos(row.start, 1);
      row.end = changes.mapPos(row.end, -1);
    }
  }

  row(number) {
    const element = document.createElement("label"), row = { element, start: number.start, end: number.end, held: false };
    element.className = "number";
    for (const name of ["name", "value"]) {
      row[name] = document.createElement("span");
      row[name].className = name;
    }
    row.input = document.createElement("input");
    row.input.type = "range";
    Object.assign(row.input, { min: number.low, max: number.high, step: number.step, value: number.value });
    row.name.textContent = row.name.title = number.name;
    element.append(row.name, row.value, row.input);
    row.input.addEventListener("input", () => {
      const like = this.editor.text.slice(row.start, row.end), text = written(Number(row.input.value), like), start = row.start;
      row.held = true;
      row.value.textContent = text;
      this.editor.put(start, row.end, text);
      row.start = start;
      row.end = start + text.length;
      this.moved(true);
    });
    row.input.addEventListener("change", () => {
      row.held = false;
      this.moved(false);
    });
    return row;
  }
}
