// The essays of the cohort, and a view of them: search, filters, order. A view is an address and can be sent.
"use strict";

const view = (() => {
  const FIELDS = ["q", "draft", "template", "model", "combo", "scale", "low", "high", "gap", "failed", "sort", "page", "pick"];
  const LONGEST_WORD = 40;
  let contents = null;
  let essays = [];

  // Reads the rows that the page's scripts have brought.
  function read() {
    contents = reading.value("contents");
    for (let part = 0; part < contents.parts; part += 1) {
      for (const row of reading.value(`essays ${part}`)) {
        const [id, title, combo, draft, template, model, failure, gap, places, sha256] = row;
        const [comboId, concepts] = contents.combos[combo];
        essays.push({
          number: essays.length, id, title, comboId, concepts, combo, draft, template, model, failure, gap, sha256,
          places: places.map(([rank, mean, low, high, scores, failed, best]) => ({ rank, mean, low, high, scores, failed, best })),
        });
      }
    }
    for (const essay of essays) essay.failed = essay.failure !== "" || essay.places.some((place) => place.failed > 0);
    return contents;
  }

  function scaleName([rubric, judge]) {
    return rubric ? `${rubric}, ${judge}` : "all rubrics and judges, each centred on its mean";
  }

  function fromAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries(FIELDS.map((field) => [field, given.get(field) ?? ""]));
  }

  function address(state) {
    const given = new URLSearchParams();
    for (const field of FIELDS) if (state[field]) given.set(field, state[field]);
    const text = given.toString();
    return text ? `#${text}` : "#";
  }

  // The words of a query as the index has them: results/pages/word_index.py cuts texts in the same way.
  function wordsOf(query) {
    const folded = query.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
    return (folded.match(/[\p{L}\p{N}]+/gu) || []).map((word) => word.slice(0, LONGEST_WORD));
  }

  // The numbers of the essays that have a word which begins so.
  async function withWord(beginning) {
    const firsts = contents.words;
    const parts = [];
    for (let part = 0; part < firsts.length; part += 1) {
      const isBefore = part + 1 < firsts.length && firsts[part + 1] < beginning;
      const isAfter = firsts[part] > beginning && !firsts[part].startsWith(beginning);
      if (!isBefore && !isAfter) parts.push(part);
    }
    const found = new Set();
    for (const lines of await Promise.all(parts.map((part) => reading.load(`words ${part}`, `words/${part}.js`)))) {
      for (const line of lines) {
        if (!line.startsWith(beginning)) continue;
        let number = 0;
        for (const step of line.slice(line.indexOf(" ") + 1).split(" ")) {
          number += parseInt(step, 36);
          found.add(number);
        }
      }
    }
    return found;
  }

  async function search(query) {
    const words = wordsOf(query);
    if (!words.length) return null;
    const found = await Promise.all(words.map(withWord));
    found.sort((a, b) => a.size - b.size);
    return new Set([...found[0]].filter((number) => found.every((one) => one.has(number))));
  }

  const compareText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const lastWhenNone = (a, b, compare) => (a === null ? (b === null ? 0 : 1) : b === null ? -1 : compare(a, b));

  const orders = {
    best: { words: "highest mean first", of: (scale) => (a, b) => lastWhenNone(a.places[scale]?.rank ?? null, b.places[scale]?.rank ?? null, (x, y) => x - y) },
    worst: { words: "lowest mean first", of: (scale) => (a, b) => lastWhenNone(a.places[scale]?.rank ?? null, b.places[scale]?.rank ?? null, (x, y) => y - x) },
    gap: { words: "judges disagree most", of: () => (a, b) => lastWhenNone(a.gap, b.gap, (x, y) => y - x) },
    concepts: { words: "concepts", of: () => (a, b) => compareText(a.concepts.join(), b.concepts.join()) },
    template: { words: "essay template", of: () => (a, b) => compareText(contents.templates[a.template], contents.templates[b.template]) },
    draft: { words: "draft template", of: () => (a, b) => compareText(contents.drafts[a.draft], contents.drafts[b.draft]) },
    model: { words: "model", of: () => (a, b) => compareText(contents.models[a.model], contents.models[b.model]) },
    made: { words: "as in the cohort's table", of: () => () => 0 },
  };

  function scaleOf(state) {
    const found = contents.scales.findIndex(([rubric, judge]) => `${rubric}|${judge}` === state.scale);
    return Math.max(found, 0);
  }

  // The essays of a view in its order. What an address asks for and the cohort does not have is found nowhere.
  async function essaysOf(state) {
    const scale = scaleOf(state);
    const found = await search(state.q);
    const low = state.low === "" ? -Infinity : Number(state.low);
    const high = state.high === "" ? Infinity : Number(state.high);
    const gap = state.gap === "" ? -Infinity : Number(state.gap);
    const kept = essays.filter((essay) => {
      const mean = essay.places[scale]?.mean ?? null;
      return (!found || found.has(essay.number))
        && (!state.draft || contents.drafts[essay.draft] === state.draft)
        && (!state.template || contents.templates[essay.template] === state.template)
        && (!state.model || contents.models[essay.model] === state.model)
        && (!state.combo || essay.comboId === state.combo)
        && (state.low === "" || (mean !== null && mean >= low))
        && (state.high === "" || (mean !== null && mean <= high))
        && (state.gap === "" || (essay.gap !== null && essay.gap >= gap))
        && (!state.failed || (state.failed === "no") !== essay.failed);
    });
    const order = (orders[state.sort] || orders.best).of(scale);
    return kept.sort((a, b) => order(a, b) || a.number - b.number);
  }

  return { read, fromAddress, address, essaysOf, scaleName, scaleOf, orders, all: () => essays };
})();
