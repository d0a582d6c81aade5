// What judges said of two essays that they compared.
"use strict";

const verdicts = (() => {
  const { element } = reading;
  const counted = (number, noun) => `${number || "no"} ${noun}${number === 1 ? "" : "s"}`;
  const capital = (words) => words[0].toUpperCase() + words.slice(1);

  function winner(one, pair) {
    if (one.verdict === null) return "failure";
    if (one.verdict === "tie") return "tie";
    return (one.verdict === "A") === (one.first === pair[0].id) ? pair[0].name : pair[1].name;
  }

  function card(one, pair) {
    const [first, second] = one.first === pair[0].id ? pair : [pair[1], pair[0]];
    const won = winner(one, pair);
    const said = element("div", { class: "text", dir: "auto" });
    said.innerHTML = one.html; // made by results/pages/shown_text.py: no markup of a model's is left in it
    return element("article", {},
      element("h3", {}, `${one.rubric}, ${one.judge}${one.replicate > 1 ? `, replicate ${one.replicate}` : ""}`),
      won === "failure" ? element("p", { class: "failure" }, one.failure) : element("p", { class: "verdict" }, element("strong", {}, capital(won))),
      element("p", { class: "note" }, `A was ${first.name}, B ${second.name} (${one.stage} ${one.id})`),
      said,
      one.whole ? null : element("p", { class: "note" }, "Shown is the beginning."));
  }

  // How many judges name another text in the other order of one question and replicate.
  function flips(judgements) {
    const told = judgements.filter(({ verdict }) => verdict === "A" || verdict === "B");
    const opposite = (one, other) => ["stage", "rubric", "judge", "replicate", "verdict"].every((key) => one[key] === other[key]) && one.first !== other.first;
    return new Set(told.filter((one) => told.some((other) => opposite(one, other))).map(({ judge }) => judge)).size;
  }

  function section(pair, judgements) {
    const won = judgements.map((one) => winner(one, pair));
    const count = (what) => won.filter((one) => one === what).length;
    const failed = count("failure");
    const flipped = flips(judgements);
    const words = [
      `${capital(pair[0].name)} won ${count(pair[0].name)}, ${pair[1].name} won ${count(pair[1].name)}`,
      counted(count("tie"), "tie"),
      flipped ? `${counted(flipped, "judge")} said the opposite in the other order` : "",
      failed ? `${counted(failed, "judgement")} failed` : "",
    ].filter(Boolean);
    const id = `verdicts-${pair[0].number}-${pair[1].number}`;
    return element("section", { "aria-labelledby": id },
      element("h2", { id }, `Verdicts on ${pair[0].name} and ${pair[1].name}`),
      element("p", { class: "tally" }, `${words.join("; ")}.`),
      element("details", {}, element("summary", {}, `What the judges said (${judgements.length})`),
        element("div", { class: "cards judgements" }, ...judgements.map((one) => card(one, pair)))));
  }

  // The sections of all pairs of the essays that judges compared; essays: [[id, what texts/<id>.js holds], ...].
  async function sections(essays) {
    const named = essays.map(([id, essay], n) => ({ id, essay, number: n + 1, name: `essay ${n + 1}` }));
    const pairs = named.flatMap((one, n) => named.slice(n + 1).filter((other) => one.essay.opponents.includes(other.id)).map((other) => [one, other]));
    const loaded = await Promise.allSettled(pairs.map((pair) => {
      const name = pair.map(({ id }) => id).sort().join("~");
      return reading.load(`pair ${name}`, `pairs/${name}.js`);
    }));
    return loaded.map((one, n) => (one.status === "fulfilled" ? section(pairs[n], one.value)
      : element("p", { class: "failure" }, `The verdicts on ${pairs[n][0].name} and ${pairs[n][1].name} cannot be loaded.`)));
  }

  return { sections };
})();
