"use strict";
// The graph's twin: new inputs give new numbers and gradients without Python. Rows and nodes are data, see twin.py.
const twin = (() => {
  // NumPy's functions, for single numbers; JavaScript's arithmetic is that of IEEE 754 as well.
  const polynomial = (coefficients, x) => coefficients.reduce((sum, c) => sum * x + c, 0);
  const np = {
    add: (x, y) => x + y, subtract: (x, y) => x - y, multiply: (x, y) => x * y, divide: (x, y) => x / y,
    negative: (x) => -x, positive: (x) => x,
    power: (x, y) => (x === 1 ? 1 : x ** y), // where JavaScript has 1 ** nan = nan
    greater: (x, y) => +(x > y), greater_equal: (x, y) => +(x >= y), less: (x, y) => +(x < y), less_equal: (x, y) => +(x <= y),
    equal: (x, y) => +(x === y), not_equal: (x, y) => +(x !== y), where: (condition, x, y) => (condition ? x : y),
    copysign: (x, y) => (y < 0 || Object.is(y, -0) ? -1 : 1) * Math.abs(x),
    maximum: Math.max, minimum: Math.min, abs: Math.abs, sign: Math.sign, hypot: Math.hypot,
    exp: Math.exp, expm1: Math.expm1, exp2: (x) => 2 ** x,
    log: Math.log, log1p: Math.log1p, log2: Math.log2, log10: Math.log10, sqrt: Math.sqrt, cbrt: Math.cbrt,
    sin: Math.sin, cos: Math.cos, tan: Math.tan, arcsin: Math.asin, arccos: Math.acos, arctan: Math.atan, arctan2: Math.atan2,
    sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh, arcsinh: Math.asinh, arccosh: Math.acosh, arctanh: Math.atanh,
    floor: Math.floor, ceil: Math.ceil, fabs: Math.abs,
    rint: (x) => { const y = Math.floor(x), rest = x - y; return rest < 0.5 || (rest === 0.5 && y % 2 === 0) ? y : y + 1; },
    mod: (x, y) => { const rest = x % y; return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest; }, // of the divisor's sign
    floor_divide: (x, y) => { const q = (x - np.mod(x, y)) / y, whole = Math.floor(q); return y === 0 ? x / y : whole + (q - whole > 0.5); },
    deg2rad: (x) => x * (Math.PI / 180), rad2deg: (x) => x * (180 / Math.PI),
    logaddexp: (x, y) => (x === y ? x + Math.LN2 : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y)))),
    polyval: polynomial,
  };

  function evaluate(tree, names, rows) {
    if (typeof tree === "number") return tree;
    if (typeof tree === "string") return names[tree];
    const [head, ...rest] = tree;
    if (head === "number") return { inf: Infinity, "-inf": -Infinity, nan: NaN }[rest[0]];
    const given = rest.map((each) => evaluate(each, names, rows));
    if (head === "list") return given;
    return head.startsWith("np.") ? np[head.slice(3)](...given) : value(rows[head], given, rows);
  }

  function named(row, given) {
    return Object.fromEntries(row.arguments.map((name, i) => [name, given[i]]));
  }

  function value(row, given, rows) {
    return evaluate(row.value, named(row, given), rows);
  }

  // The numbers of all nodes; `inputs` has those of some leaves, by their places.
  function forward({ rows, graph }, inputs) {
    const values = [];
    graph.forEach((node, k) => {
      const leaf = !Array.isArray(node) || node[0] === "number";
      if (k in inputs) values.push(inputs[k]);
      else values.push(leaf ? evaluate(node, {}, rows) : value(rows[node[0]], node.slice(1).map((parent) => values[parent]), rows));
    });
    return values;
  }

  // The numbers of a walk with other inputs: all values; for each edge, a node that sends, one that receives and which
  // operand that is, the local derivative, and what a textbook's rule gives for it.
  function walk({ rows, graph }, inputs, edges) {
    const values = forward({ rows, graph }, inputs), locals = [], rules = [];
    for (const [k, , i] of edges) {
      const [name, ...parents] = graph[k], { local, textbook } = rows[name];
      const names = { ...named(rows[name], parents.map((parent) => values[parent])), z: values[k] };
      locals.push(evaluate(local[i], names, rows));
      rules.push(textbook?.[i] ? evaluate(textbook[i], names, rows) : undefined);
    }
    return { values, locals, rules };
  }

  // A number as format_number in text.py writes it.
  function format(x) {
    if (Number.isNaN(x)) return "nan";
    if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
    if (Number.isInteger(x) && Math.abs(x) < 1e6) return String(x + 0);
    // Python rounds a number in the middle to the even digit, JavaScript away from zero.
    const [all, exact] = x.toExponential(60).split("e"), [, kept, last] = all.match(/^(-?\d\.\d\d(\d))50*$/) ?? [];
    const rounded = kept && last % 2 === 0 ? Number(`${kept}e${exact}`) : x;
    const [mantissa, exponent] = rounded.toExponential(3).split("e"), power = Number(exponent);
    const short = power < -4 || power >= 4
      ? `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`
      : rounded.toFixed(3 - power);
    const [digits, tail] = short.split("e");
    const trimmed = (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits) + (tail ? "e" + tail : "");
    if (Number(trimmed) === x) return trimmed;
    if (power !== 3) return short; // zeros at the end tell that it was rounded
    const [, half, tenth] = x.toFixed(60).match(/^(-?\d+\.(\d))50*$/) ?? [];
    return half && tenth % 2 === 0 ? half : x.toFixed(1);
  }

  // Whether all functions of NumPy's are here that the rows call.
  function knows({ rows }) {
    const known = (tree) => !Array.isArray(tree) || ((!String(tree[0]).startsWith("np.") || tree[0].slice(3) in np) && tree.every(known));
    return Object.values(rows).every((row) => known(row.value) && row.local.every(known) && (row.textbook ?? []).every(known));
  }

  return { forward, walk, format, knows };
})();
