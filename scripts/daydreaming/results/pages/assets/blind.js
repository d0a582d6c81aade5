// The reader's own scores: models, templates and judges' scores hidden. Saved in this browser, and as a CSV file.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const { kept } = reading;
  const HUMAN = "human";
  const COLUMNS = ["essay_gen_id", "rubric", "reader", "score", "created_at", "text_sha256"];
  const contents = view.read();
  const readerForm = document.getElementById("reader");
  const scoreForm = document.getElementById("score");
  const part = (id) => document.getElementById(id);
  let essays = [];
  let place = 0;
  let shown = null;
  let scores = {};
  let key = "";

  const option = (value, words) => reading.element("option", { value }, words);
  readerForm.elements.rubric.replaceChildren(
    ...Object.keys(contents.rubrics).map((one) => option(one, one)),
    option(HUMAN, "my own impression"),
  );

  // A reader's order is always the same, and no other reader's: it hangs on the name alone.
  function shuffled(list, name) {
    let seed = 2166136261;
    for (const character of name) seed = Math.imul(seed ^ character.codePointAt(0), 16777619);
    const random = () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
    const order = [...list].sort((a, b) => a.number - b.number);
    for (let last = order.length - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [order[last], order[other]] = [order[other], order[last]];
    }
    return order;
  }

  async function begin(event) {
    event.preventDefault();
    const { reader, rubric } = Object.fromEntries(new FormData(readerForm));
    key = `daydreaming: ${contents.cohort} ${reader} ${rubric}`;
    scores = JSON.parse(kept.get(key) || "{}");
    const found = (await view.essaysOf(view.fromAddress())).filter((essay) => essay.sha256);
    essays = shuffled(found, `${reader} ${rubric}`);
    readerForm.hidden = true;
    part("scoring").hidden = false;
    part("rubric").hidden = rubric === HUMAN;
    const [lowest, highest] = contents.ends[rubric] || [0, 10];
    Object.assign(scoreForm.elements.score, { min: lowest, max: highest, step: highest - lowest > 10 ? 1 : 0.5 });
    part("ends").textContent = `${lowest} to ${highest}`;
    part("rubric").querySelector("pre").textContent = contents.rubrics[rubric] || "";
    const open = essays.findIndex((essay) => !scoreOf(essay));
    await show(open < 0 ? 0 : open);
  }

  // A score of a text that has been made anew since is no score of this one.
  function scoreOf(essay) {
    const found = scores[essay.id];
    return found && found.text_sha256 === essay.sha256 ? found : null;
  }

  async function show(next) {
    place = Math.min(Math.max(next, 0), essays.length - 1);
    const done = essays.filter(scoreOf).length;
    if (!essays.length) {
      part("progress").textContent = "The view has no essay with a text.";
      scoreForm.hidden = true;
      return;
    }
    const essay = essays[place];
    part("progress").textContent = `Essay ${place + 1} of ${essays.length}, ${done} scored`;
    part("concepts").textContent = essay.concepts.join(" + ");
    // A score counts for the text that is shown: nothing can be saved before it is there.
    shown = null;
    scoreForm.elements.score.value = scoreOf(essay)?.score ?? "";
    const loaded = await reading.load(`text ${essay.id}`, `texts/${essay.id}.js`);
    if (essays[place] !== essay) return;
    part("text").innerHTML = loaded.html; // made by results/pages/shown_text.py: no markup of a model's is left in it
    if (!loaded.whole) part("text").append(reading.element("p", { class: "note" }, "Shown is the beginning: the text is longer."));
    shown = { id: essay.id, sha256: loaded.sha256 };
    part("back").disabled = place === 0;
    part("on").disabled = place === essays.length - 1;
    scrollTo(0, 0);
    part("progress").focus({ preventScroll: true });
  }

  function save(event) {
    event.preventDefault();
    if (!shown) return;
    const { reader, rubric } = Object.fromEntries(new FormData(readerForm));
    scores[shown.id] = {
      essay_gen_id: shown.id, rubric, reader, score: Number(scoreForm.elements.score.value),
      created_at: new Date().toISOString(), text_sha256: shown.sha256,
    };
    const isKept = kept.set(key, JSON.stringify(scores));
    part("saved").textContent = isKept ? "" : "This browser keeps nothing: save the scores as CSV before you close the page.";
    show(place + 1);
  }

  function exportScores() {
    const lines = Object.values(scores).map((one) => COLUMNS.map((column) => one[column]).join(","));
    const file = new Blob([[COLUMNS.join(","), ...lines, ""].join("\n")], { type: "text/csv" });
    const link = reading.element("a", { href: URL.createObjectURL(file), download: "human_scores.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    part("saved").textContent = `${lines.length} scores saved as human_scores.csv. Put it, or its rows, into data/2_tasks/human_scores.csv.`;
  }

  readerForm.addEventListener("submit", begin);
  scoreForm.addEventListener("submit", save);
  part("back").addEventListener("click", () => show(place - 1));
  part("on").addEventListener("click", () => show(place + 1));
  part("export").addEventListener("click", exportScores);
});
