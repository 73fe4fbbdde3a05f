"use strict";
// Answers, read as number_in in asking.py reads them, and the score that the reader has by now.
const answers = (() => {
  const words = { pi: Math.PI, e: Math.E, inf: Infinity, nan: NaN };
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const functions = {
    abs: Math.abs, sign: Math.sign, sqrt: Math.sqrt, cbrt: Math.cbrt, hypot: Math.hypot, pow: (x, y) => x ** y,
    exp: Math.exp, exp2: (x) => 2 ** x, expm1: Math.expm1, log: Math.log, log2: Math.log2, log10: Math.log10, log1p: Math.log1p,
    sin: Math.sin, cos: Math.cos, tan: Math.tan, asin: Math.asin, acos: Math.acos, atan: Math.atan,
    sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh, asinh: Math.asinh, acosh: Math.acosh, atanh: Math.atanh,
    sigmoid, relu: (x) => (x > 0 ? x : 0), softplus: (x) => Math.log1p(Math.exp(x)), silu: (x) => x * sigmoid(x),
    maximum: Math.max, minimum: Math.min, add: (x, y) => x + y, sub: (x, y) => x - y, mul: (x, y) => x * y, div: (x, y) => x / y,
  };

  // A number, a fraction or a formula of numbers; null if it is none. Nothing is evaluated as JavaScript.
  function read(text) {
    let typed = text.trim().toLowerCase().replaceAll("^", "**").replaceAll(/[\u2212\u2013]/g, "-").replaceAll(/[\u00d7\u00b7]/g, "*").replaceAll("\u00f7", "/");
    typed = typed.replaceAll("infinity", "inf").replaceAll("\u221e", "inf");
    if (!typed.includes("(")) typed = typed.replaceAll(/(\d),(?=\d)/g, "$1.");
    if (typed.length > 200) return null;
    const token = /\s*(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|[a-z_]\w*|\*\*|[-+*/(),])/y, tokens = [];
    for (token.lastIndex = 0; token.lastIndex < typed.length;) {
      const found = token.exec(typed);
      if (!found) return null;
      tokens.push(found[1]);
    }
    let place = 0;
    const take = (...wanted) => (wanted.includes(tokens[place]) ? tokens[place++] : null);
    const need = (wanted) => { if (!take(wanted)) throw new SyntaxError(wanted); };
    function sum() {
      let x = product();
      for (let sign; (sign = take("+", "-"));) x = sign === "+" ? x + product() : x - product();
      return x;
    }
    function product() {
      let x = signed();
      for (let sign; (sign = take("*", "/"));) x = sign === "*" ? x * signed() : x / signed();
      return x;
    }
    function signed() {
      const sign = take("+", "-");
      if (sign) return sign === "-" ? -signed() : signed();
      const x = atom();
      return take("**") ? x ** signed() : x;
    }
    function atom() {
      const word = tokens[place++] ?? "";
      if (word === "(") {
        const x = sum();
        need(")");
        return x;
      }
      if (/^[\d.]/.test(word)) return Number(word);
      if (Object.hasOwn(words, word)) return words[word];
      if (!Object.hasOwn(functions, word)) throw new SyntaxError(word);
      need("(");
      const given = [sum()];
      while (take(",")) given.push(sum());
      need(")");
      if (given.length !== Math.min(2, functions[word].length)) throw new SyntaxError(word);
      return functions[word](...given);
    }
    try {
      const x = sum();
      return place === tokens.length ? x : null;
    } catch {
      return null;
    }
  }

  // To three digits, as Question.is_right in asking.py.
  function right(guess, answer) {
    if (Number.isNaN(answer)) return Number.isNaN(guess);
    return guess === answer || Math.abs(guess - answer) <= 0.005 * Math.abs(answer);
  }

  return { read, right };
})();

// What was answered: one point for the first answer, half a point for the second or after a hint. See score.py.
class Score {
  constructor() {
    this.results = new Map(); // by exercise and question
  }

  has(key) {
    return this.results.has(key);
  }

  // What the reader said to a question, whether the last of it was right, and whether the hint was asked for.
  add(key, task, text, shown, said, right, hinted) {
    const points = !right ? 0 : said.length > 1 || hinted ? 0.5 : 1;
    this.results.set(key, { task, points, line: Score.line(text, shown, said, points, hinted) });
    return points;
  }

  static line(text, shown, said, points, hinted) {
    const told = text.replace("= ?", `= ${shown}`);
    const notes = [said.length > 1 || (said.length && !points) ? `said ${said.join(", then ")}` : "", hinted ? "with the hint" : "", said.length ? "" : "shown"].filter(Boolean);
    return `${String(points).padEnd(3)}  ${told}${notes.length ? `  [${notes.join("; ")}]` : ""}`;
  }

  get points() {
    return [...this.results.values()].reduce((sum, { points }) => sum + points, 0);
  }

  get count() {
    return this.results.size;
  }

  // The same text as Score.summary in score.py.
  summary(title) {
    const share = this.count ? `, ${Math.round((100 * this.points) / this.count)} %` : "";
    const lines = [title, `${this.points} of ${this.count} points${share}`];
    let task = "";
    for (const result of this.results.values()) {
      if (result.task !== task) lines.push("", (task = result.task));
      lines.push(result.line);
    }
    return lines.join("\n");
  }
}
