// The list of all essays: what the controls say is the address, and the address says what is shown.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const { element, points } = reading;
  const PAGE = 50;
  const MOST_BESIDE = 4;
  const contents = view.read();
  const form = document.getElementById("view");
  const list = document.getElementById("essays");
  const count = document.getElementById("count");
  const compare = document.getElementById("compare");
  let state = view.fromAddress();
  let asked = 0;

  function fill(name, options, first) {
    const given = first === undefined ? [] : [element("option", { value: "" }, first)];
    form.elements[name].replaceChildren(...given, ...options.map(([value, words]) => element("option", { value }, words)));
  }
  fill("draft", contents.drafts.map((one) => [one, one]), "any");
  fill("template", contents.templates.map((one) => [one, one]), "any");
  fill("model", contents.models.map((one) => [one, one]), "any");
  fill("combo", contents.combos.map(([id, concepts]) => [id, concepts.join(" + ")]), "any");
  fill("scale", contents.scales.map((one) => [one.join("|"), view.scaleName(one)]));
  fill("sort", Object.entries(view.orders).map(([name, order]) => [name, order.words]));
  fill("failed", [["yes", "something failed"], ["no", "nothing failed"]], "any");

  const picked = () => state.pick.split(",").filter(Boolean);
  const svg = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  // The ends of a rubric's scale; for all rubrics together, those that they share, if they do.
  function endsOf(rubric) {
    if (rubric) return contents.ends[rubric];
    const all = Object.values(contents.ends);
    return all.every(([low, high]) => low === all[0][0] && high === all[0][1]) ? all[0] : null;
  }

  // The mean on a line from one end of the scale to the other, with its interval; the numbers stand beside it.
  function bar(place, ends) {
    if (!ends) return "";
    const at = (score) => 2 + 100 * (score - ends[0]) / (ends[1] - ends[0]);
    const drawing = svg("svg", { viewBox: "0 0 104 12", class: "bar-of-score", "aria-hidden": "true" });
    drawing.append(svg("line", { x1: 2, x2: 102, y1: 6, y2: 6, class: "axis" }));
    if (place.low !== null) drawing.append(svg("line", { x1: at(place.low), x2: at(place.high), y1: 6, y2: 6, class: "interval" }));
    drawing.append(svg("circle", { cx: at(place.mean), cy: 6, r: 3.5 }));
    return drawing;
  }

  function scoreOf(essay, scale) {
    const place = essay.places[scale];
    if (!place || place.mean === null) return element("p", { class: "place" }, element("span", { class: "failure" }, "no score"));
    const interval = place.low === null ? "" : ` (${points(place.low)} to ${points(place.high)})`;
    return element("p", { class: "place" },
      element("span", { class: "rank" }, `${place.rank}.`), " ",
      element("strong", {}, points(place.mean)), element("span", { class: "quiet" }, interval), " ", bar(place, endsOf(contents.scales[scale][0])));
  }

  function line(essay, scale) {
    const isPicked = picked().includes(essay.id);
    const failed = essay.failure || (essay.failed ? `${essay.places.reduce((sum, one, n) => sum + (contents.scales[n][0] ? one.failed : 0), 0)} judgements failed` : "");
    return element("li", { "data-id": essay.id },
      scoreOf(essay, scale),
      element("div", { class: "what" },
        element("a", { href: `essays/${essay.id}.html`, class: "title" }, element("bdi", {}, essay.title || "without a text")),
        element("p", { class: "concepts" }, essay.concepts.join(" + "))),
      element("p", { class: "by" },
        element("span", {}, contents.drafts[essay.draft]), element("span", {}, contents.templates[essay.template]),
        element("span", {}, contents.models[essay.model])),
      element("p", { class: "notes" },
        essay.gap === null ? null : element("span", {}, `judges differ by ${points(essay.gap)}`),
        failed ? element("span", { class: "failure" }, failed) : null),
      element("label", { class: "pick" },
        element("input", { type: "checkbox", "data-pick": essay.id, checked: isPicked }), " compare",
        element("span", { class: "unseen" }, ` ${essay.title || essay.id}`)));
  }

  async function show() {
    asked += 1;
    const mine = asked;
    const started = performance.now();
    let found;
    try {
      found = await view.essaysOf(state);
    } catch (error) {
      count.textContent = `The search does not work: ${error.message} Make the pages again.`;
      return;
    }
    if (mine !== asked) return;
    const scale = view.scaleOf(state);
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    const page = Math.min(Math.max(1, Number(state.page) || 1), pages);
    list.start = (page - 1) * PAGE + 1;
    list.replaceChildren(...found.slice((page - 1) * PAGE, page * PAGE).map((essay) => line(essay, scale)));
    const all = view.all().length;
    count.textContent = `${found.length.toLocaleString("en")} of ${all.toLocaleString("en")} essays${pages > 1 ? `, page ${page} of ${pages}` : ""}`;
    document.getElementById("back").disabled = page <= 1;
    document.getElementById("on").disabled = page >= pages;
    for (const name of ["back", "on"]) document.getElementById(name).hidden = pages < 2;
    document.getElementById("blind").href = `blind.html${view.address({ ...state, page: "", pick: "" })}`;
    showPicked();
    list.dataset.milliseconds = (performance.now() - started).toFixed(1);
  }

  function showPicked() {
    const ids = picked();
    compare.href = ids.length > 1 ? `compare.html#essays=${ids.join(",")}` : mostDisputed();
    compare.textContent = ids.length > 1 ? `Compare ${ids.length}` : ids.length ? "Compare: choose one more" : "Compare the two that judges disagree about most";
    compare.hidden = compare.getAttribute("href") === "";
    for (const box of list.querySelectorAll("[data-pick]")) {
      box.checked = ids.includes(box.dataset.pick);
      box.disabled = !box.checked && ids.length >= MOST_BESIDE;
    }
  }

  function mostDisputed() {
    const disputed = view.all().filter((one) => one.gap !== null).sort((a, b) => b.gap - a.gap).slice(0, 2);
    return disputed.length === 2 ? `compare.html#essays=${disputed.map((one) => one.id).join(",")}` : "";
  }

  function toControls() {
    for (const control of form.elements) if (control.name) control.value = state[control.name];
    if (!state.sort) form.elements.sort.value = "best";
    if (!state.scale && contents.scales.length) form.elements.scale.value = contents.scales[0].join("|");
  }

  function change(changes) {
    state = { ...state, ...changes };
    history.replaceState(null, "", view.address(state));
    return show();
  }

  function fromControls() {
    const given = Object.fromEntries([...form.elements].filter((one) => one.name).map((one) => [one.name, one.value]));
    if (given.sort === "best") given.sort = "";
    if (contents.scales.length && given.scale === contents.scales[0].join("|")) given.scale = "";
    change({ ...given, page: "" });
  }

  const links = () => [...list.querySelectorAll("a.title")];
  function move(by) {
    const all = links();
    const now = all.findIndex((link) => link.closest("li").contains(document.activeElement));
    const next = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(now + by, 0), all.length - 1)];
    if (next) {
      next.focus();
      next.closest("li").scrollIntoView({ block: "nearest" });
    }
  }
  function pick() {
    const box = document.activeElement.closest("li")?.querySelector("[data-pick]");
    if (box) box.click();
  }
  const turn = (by) => change({ page: String(Math.max(1, (Number(state.page) || 1) + by)) }).then(() => list.scrollIntoView());

  keys.add("j", "next essay of the list", () => move(1));
  keys.add("k", "previous essay of the list", () => move(-1));
  keys.add("Enter", "open the essay", () => false);
  keys.add("x", "choose the essay, to compare", pick);
  form.addEventListener("input", fromControls);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    state = view.fromAddress();
    for (const field of Object.keys(state)) state[field] = "";
    setTimeout(() => { change({}); toControls(); });
  });
  list.addEventListener("change", (event) => {
    const { pick: id } = event.target.dataset;
    if (!id) return;
    const ids = event.target.checked ? [...picked(), id] : picked().filter((one) => one !== id);
    state = { ...state, pick: ids.join(",") };
    history.replaceState(null, "", view.address(state));
    showPicked();
  });
  document.getElementById("back").addEventListener("click", () => turn(-1));
  document.getElementById("on").addEventListener("click", () => turn(1));
  addEventListener("hashchange", () => {
    state = view.fromAddress();
    toControls();
    show();
  });
  toControls();
  show();
});
