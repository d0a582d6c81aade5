// Two to four essays beside each other, named by the address: #essays=id,id
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const { element } = reading;
  const MOST = 4;
  const place = document.getElementById("beside");
  const judged = document.getElementById("verdicts");
  const status = document.getElementById("state");
  const asked = () => (new URLSearchParams(location.hash.slice(1)).get("essays") || "").split(",").filter((id) => /^[\w.-]+$/.test(id));

  function column(id, essay, shared, number) {
    const text = element("div", { class: "text", dir: "auto" });
    text.innerHTML = essay.html; // made by results/pages/shown_text.py: no markup of a model's is left in it
    const facts = [["Concepts", essay.concepts.join(" + ")], ["Draft template", essay.draft], ["Essay template", essay.template], ["Model", essay.model]];
    return element("section", { "aria-labelledby": `essay-${id}` },
      number ? element("p", { class: "number-of" }, `Essay ${number}`) : null,
      element("h2", { id: `essay-${id}` }, element("a", { href: `essays/${id}.html` }, element("bdi", {}, essay.title || id))),
      element("button", { type: "button", "data-away": id, "aria-label": `Take away: ${essay.title || id}` }, "Take away"),
      element("dl", { class: "made-by" }, ...facts.map(([name, value]) =>
        element("div", { class: shared.has(name) ? "same" : "differs" }, element("dt", {}, name), element("dd", {}, element("bdi", {}, value))))),
      element("ul", { class: "scores" }, ...essay.scores.map(([rubric, judge, replicate, score, error]) =>
        element("li", {}, score === null ? element("span", { class: "failure" }, error) : element("strong", {}, String(score)),
          ` ${rubric}, ${judge}${replicate > 1 ? `, replicate ${replicate}` : ""}`))),
      essay.failure ? element("p", { class: "failure" }, essay.failure) : null,
      text,
      essay.whole ? null : element("p", { class: "note" }, "Shown is the beginning; the essay's page leads to the whole text."));
  }

  function sharedFacts(essays) {
    const facts = { Concepts: (one) => one.concepts.join(" + "), "Draft template": (one) => one.draft, "Essay template": (one) => one.template, Model: (one) => one.model };
    return new Set(Object.keys(facts).filter((name) => essays.every((one) => facts[name](one) === facts[name](essays[0]))));
  }

  async function show() {
    const ids = [...new Set(asked())].slice(0, MOST);
    const found = await Promise.allSettled(ids.map((id) => reading.load(`text ${id}`, `texts/${id}.js`)));
    const there = ids.map((id, n) => [id, found[n]]).filter(([, one]) => one.status === "fulfilled").map(([id, one]) => [id, one.value]);
    const missing = ids.filter((_, n) => found[n].status === "rejected");
    const shared = sharedFacts(there.map(([, essay]) => essay));
    const sections = await verdicts.sections(there);
    place.replaceChildren(...there.map(([id, essay], n) => column(id, essay, shared, sections.length ? n + 1 : 0)));
    judged.replaceChildren(...sections);
    place.dataset.count = there.length;
    status.textContent = missing.length ? `The cohort has no essay ${missing.join(", ")}.` : there.length ? "" : "Choose two to four essays in the list.";
  }

  place.addEventListener("click", (event) => {
    const { away } = event.target.dataset;
    if (away) location.hash = `essays=${asked().filter((id) => id !== away).join(",")}`;
  });
  for (let n = 1; n <= MOST; n += 1) {
    keys.add(String(n), `open essay ${n}`, () => place.querySelectorAll("h2 a")[n - 1]?.click());
  }
  addEventListener("hashchange", show);
  show();
});
