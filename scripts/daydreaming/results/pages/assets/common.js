// What all pages share: data that comes as scripts, settings of this browser, keys.
"use strict";

const reading = (() => {
  const values = new Map();
  const waiting = new Map();
  const root = () => document.body.dataset.root;

  // Called by the scripts of data: a page that was opened from a folder may load its data in no other way.
  function take(name, value) {
    values.set(name, value);
  }

  // Loads a script of data, once, and returns its value; the promise fails where the file is not there.
  function load(name, file) {
    if (!waiting.has(name)) {
      waiting.set(name, new Promise((done, fail) => {
        if (values.has(name)) {
          done(values.get(name));
          return;
        }
        const script = document.createElement("script");
        script.src = root() + file;
        script.onload = () => (values.has(name) ? done(values.get(name)) : fail(new Error(`${file} holds other data.`)));
        script.onerror = () => fail(new Error(`${file} cannot be loaded.`));
        document.head.append(script);
      }));
    }
    return waiting.get(name);
  }

  // Settings and scores stay in this browser; where it keeps nothing, they last as long as the page.
  const unkept = new Map();
  const kept = {
    get(key) {
      try {
        return localStorage.getItem(key);
      } catch {
        return unkept.get(key) ?? null;
      }
    },
    set(key, value) {
      try {
        localStorage.setItem(key, value);
        return true;
      } catch {
        unkept.set(key, value);
        return false;
      }
    },
  };

  // element("p", {class: "note"}, "text", child, ...): texts are texts, never markup.
  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  const points = (value) => (value === null ? "–" : value.toFixed(2));

  return { take, load, kept, element, points, value: (name) => values.get(name) };
})();

const keys = (() => {
  const SETTING = "daydreaming: single keys";
  const isOn = () => reading.kept.get(SETTING) !== "off";
  const extra = []; // [key, help, action]

  function add(key, help, action) {
    extra.push([key, help, action]);
  }

  function show() {
    const list = document.getElementById("keys");
    const lines = extra.map(([key, help]) => [key, help]);
    for (const one of document.querySelectorAll("[data-key]")) lines.push([one.dataset.key, one.dataset.help]);
    list.replaceChildren(...lines.flatMap(([key, help]) => [
      reading.element("dt", {}, reading.element("kbd", {}, key)),
      reading.element("dd", {}, help),
    ]));
    document.getElementById("keys-on").checked = isOn();
    document.getElementById("help").showModal();
  }

  function isTyping(target) {
    const typed = "input:not([type=checkbox]), select, textarea, [contenteditable]";
    return target instanceof Element && target.closest(typed) !== null;
  }

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (!isOn() && event.key !== "?") return;
    const own = extra.find(([key]) => key === event.key);
    if (own) {
      if (own[2](event) !== false) event.preventDefault();
      return;
    }
    const target = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
    if (!target || target.disabled) return;
    event.preventDefault();
    if (target.matches("input, select")) {
      target.focus();
      if (target.select) target.select();
    } else {
      target.click();
    }
  }

  document.addEventListener("keydown", press);
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-open], [data-close]");
    if (!button) return;
    if (button.dataset.open) show();
    else document.getElementById(button.dataset.close).close();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "keys-on") reading.kept.set(SETTING, event.target.checked ? "on" : "off");
  });
  return { add };
})();
