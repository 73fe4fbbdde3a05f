"use strict";
// A walk is told with places, see templates.py; here the numbers are put into them.
const numbers = (() => {
  const PLACE = /\ue000([^\ue001]*)\ue001/g, UNSAFE = /[-+*\/] ?$/;
  const RULE = /\ue002(\d+):([^\ue003]*)\ue003/g, TWICE = / = (\S+) = \1(?=$|;)/g;
  const parse = (x) => (typeof x === "string" ? { inf: Infinity, "-inf": -Infinity, nan: NaN }[x] : x);

  // upstream * local; a zero may be strong
  function product(upstream, local, selects) {
    const sent = upstream * local;
    return Number.isNaN(sent) && (upstream === 0 || (local === 0 && selects)) ? 0 : sent;
  }

  // All numbers of a pass, from the values of the nodes and the local derivatives of the edges: see edges_of().
  function pass({ edges, groups }, given) {
    const values = given.values.map(parse), both = given.locals.map((local) => [local].flat().map(parse));
    const locals = both.map(([local]) => local); // the second of both is what is sent where that is not the product
    const adjoints = new Array(values.length), all = { v: values, a: adjoints, u: [], l: locals, c: [], b: [], s: [] };
    adjoints[values.length - 1] = 1;
    edges.forEach(([node, parent, , selects], j) => {
      const sent = both[j][1] ?? product(adjoints[node], locals[j], selects), before = adjoints[parent];
      all.u.push(adjoints[node]);
      all.c.push(sent);
      all.b.push(before ?? 0);
      all.s.push((adjoints[parent] = before === undefined ? sent : before + sent));
    });
    const inside = new Map(); // of a closed group, by its name: the derivatives of its output
    function through(name, output, parent) {
      if (!inside.has(name)) {
        const own = new Set(), ends = groups[name][2];
        for (let i = 0; i < ends.length; i += 2) for (let k = ends[i]; k < ends[i + 1]; k++) own.add(k);
        inside.set(name, { own, found: new Map() });
      }
      const { own, found } = inside.get(name);
      if (!found.has(output)) {
        const sums = new Map([[output, 1]]);
        edges.forEach(([node, to, , selects], j) => {
          if (own.has(node) && sums.has(node)) sums.set(to, (sums.get(to) ?? 0) + product(sums.get(node), locals[j], selects));
        });
        found.set(output, sums);
      }
      return found.get(output).get(parent) ?? 0;
    }
    all.agree = (j) => {
      const rule = given.rules?.[j];
      return rule === undefined || rule === locals[j] || Math.abs(rule - locals[j]) <= 1e-6 * Math.abs(locals[j]) || (Number.isNaN(rule) && Number.isNaN(locals[j]));
    };
    all.w = (key) => { const [name, output, parent] = key.split(":"); return through(name, +output, +parent); };
    return all;
  }

  function number(all, key) {
    if (key.includes("+")) return key.split("+").reduce((sum, each) => sum + number(all, each), 0);
    return key[0] === "w" ? all.w(key.slice(1)) : all[key[0]][+key.slice(1)];
  }

  // A number as Python's repr writes it.
  function full(x) {
    if (!Number.isFinite(x)) return twin.format(x);
    const [digits, exponent] = x.toExponential().split("e"), power = Number(exponent), sign = Object.is(x, -0) ? "-" : "";
    if (power >= -4 && power < 16) return sign + (Number.isInteger(x) ? BigInt(x) + ".0" : power < 0 ? x.toFixed(digits.replace(/\D/g, "").length - 1 - power) : String(x));
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }

  // A text, or whatever holds texts, with its numbers. A negative number after an operator is put into parentheses.
  // A text that is nothing but a number is written in full if `whole` says so.
  function fill(thing, all) {
    if (Array.isArray(thing)) return thing.map((each) => fill(each, all));
    if (thing && typeof thing === "object") return Object.fromEntries(Object.entries(thing).map(([name, each]) => [name, fill(each, all)]));
    if (typeof thing !== "string" || !thing.includes("\ue000")) return thing;
    const known = thing.replace(RULE, (_, j, rule) => (all.agree(+j) ? rule : ""));
    return known.replace(PLACE, (place, key, at) => {
      const text = twin.format(number(all, key)), after = known.slice(at + place.length, at + place.length + 2);
      return text[0] === "-" && (UNSAFE.test(known.slice(Math.max(0, at - 2), at)) || after === "**") ? `(${text})` : text;
    }).replace(TWICE, " = $1");
  }

  // What is written in full: the second of a change's texts, and what an answer is compared with.
  function filled(move, all) {
    const made = fill(move, all), exact = (text) => { const key = text.match(/^\ue000([^\ue001]*)\ue001$/); return key ? full(number(all, key[1])) : text; };
    made.changes = move.changes.map(([k, kind, text, whole]) => [k, kind, fill(text, all), exact(whole)]);
    made.questions = move.questions?.map(([kind, text, told, whole, hint]) => [kind, fill(text, all), fill(told, all), exact(whole), fill(hint, all)]);
    return made;
  }

  return { pass, parse, fill, filled, full };
})();
