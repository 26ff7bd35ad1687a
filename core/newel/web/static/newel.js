/*
 * What the pages can do beyond plain HTML. Every page works without this file; each element here only makes quicker
 * what a form post can do too. No eval, no markup made from text, no style attributes: the policy of the server forbids
 * them, and so do we.
 *
 * Parts: words, small helpers, shortcuts, <newel-choice>, <newel-combobox>, <newel-search>, <newel-date>, <newel-tabs>,
 * forms (once, confirm, guard), start. lines.js (the line grid) and entry.js (forms of documents) are loaded where a page
 * has them. Scripts of plugins say `import {...} from "newel"`: what they may use is exported at the end.
 */

const data = JSON.parse(document.getElementById("newel-data")?.textContent || "{}");
const say = (key) => data.words?.[key] ?? key;

// ---------------------------------------------------------------------------------------------------- helpers

/** An element with properties, attributes (aria-*, data-*, role, popover …) and children; text stays text. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && !name.includes("-") && name !== "popover" && name !== "list") element[name] = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

let serial = 0;
const uid = (prefix) => `${prefix}-${++serial}`;

/** Tell a screen reader, politely and once. */
function announce(text) {
  const live = document.getElementById("newel-live");
  if (live) live.textContent = text;
}

/** Only the newest question gets its answer: older ones are aborted, and dropped if they still arrive. */
class Latest {
  #number = 0;
  #abort = null;
  async ask(url, options = {}) {
    this.cancel();
    const number = this.#number;
    this.#abort = new AbortController();
    try {
      const response = await fetch(url, { credentials: "same-origin", ...options, signal: this.#abort.signal });
      const body = options.read === "json" ? await response.json() : await response.text();
      return number === this.#number ? { response, body } : null;
    } catch (error) {
      if (number !== this.#number) return null;
      return { response: null, body: null, error };
    }
  }
  cancel() {
    this.#number += 1;
    this.#abort?.abort();
  }
}

function debounce(action, wait) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(action, wait, ...values);
  };
}

function toast(text, label, action, seconds = 10) {
  document.querySelector(".n-toast")?.remove();
  const box = make("div", { className: "n-toast", role: "status" }, make("span", {}, text));
  const end = setTimeout(() => box.remove(), seconds * 1000);
  if (label) {
    const button = make("button", { type: "button" }, label);
    button.addEventListener("click", () => { clearTimeout(end); box.remove(); action(); });
    box.append(button);
  }
  document.body.append(box);
}

/** A modal with a title; <dialog> itself traps the focus and gives it back. */
function dialog(title, body, buttons = []) {
  const id = uid("dialog");
  const close = make("button", { type: "button", className: "n-icon-button", "aria-label": say("close") }, "✕");
  const box = make("dialog", { className: "n-dialog", "aria-labelledby": id },
    make("header", {}, make("h2", { id }, title), close), make("div", { className: "n-dialog-body" }, body),
    buttons.length ? make("footer", {}, ...buttons) : null);
  close.addEventListener("click", () => box.close());
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  const inside = box.querySelector(".n-dialog-body");
  if (!inside.querySelector("a, button, input, select, textarea")) inside.tabIndex = 0; // long text scrolls by keyboard, too
  box.showModal();
  return box;
}

function confirmed(text) {
  return new Promise((resolve) => {
    const no = make("button", { type: "button", className: "btn" }, say("no"));
    const yes = make("button", { type: "button", className: "btn btn-primary" }, say("yes"));
    const box = dialog(say("sure"), make("p", {}, text), [no, yes]);
    box.addEventListener("close", () => resolve(box.returnValue === "yes"));
    no.addEventListener("click", () => box.close());
    yes.addEventListener("click", () => box.close("yes"));
    yes.focus();
  });
}

// -------------------------------------------------------------------------------------------------- shortcuts

/** The one list of keys: the sheet on "?" shows exactly what is registered here and on the page's buttons. */
const shortcuts = [];
function shortcut(group, keys, text, handler = null) {
  if (!shortcuts.some((one) => one.group === group && one.keys === keys)) shortcuts.push({ group, keys, text, handler });
}

const typing = (target) => target.closest?.("input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable]");
const visible = (element) => element.getClientRects().length > 0;
const keyed = () => [...document.querySelectorAll("[data-key]")].filter((e) => visible(e) && !e.disabled);

function keySheet() {
  const body = make("div");
  const add = (title, rows) => {
    if (!rows.length) return;
    const list = make("dl", { className: "n-keys" });
    for (const [keys, text] of rows) list.append(make("dt", {}, make("kbd", {}, keys)), make("dd", {}, text));
    body.append(make("h3", {}, title), list);
  };
  const groups = [...new Set(shortcuts.map((one) => one.group))];
  for (const group of groups) add(say(group), shortcuts.filter((one) => one.group === group).map((one) => [one.keys, one.text]));
  add(say("buttons"), keyed().map((e) => [`Alt ${e.dataset.key}`, e.textContent.trim()]));
  add(say("create"), (data.create || []).map((one) => [`C ${one.key}`, one.label]));
  dialog(say("keys"), body);
}

let awaiting = 0;
function onKey(event) {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Alt") { document.documentElement.toggleAttribute("data-keys-shown", true); return; }
  const letter = event.code?.startsWith("Key") ? event.code.slice(3) : event.key.toUpperCase();
  if (event.altKey && !event.ctrlKey && !event.metaKey) {
    const target = keyed().find((element) => element.dataset.key.toUpperCase() === letter);
    if (target) { event.preventDefault(); target.focus(); target.click(); }
    return;
  }
  if ((event.ctrlKey || event.metaKey) && letter === "K") {
    const box = document.querySelector(".n-search input");
    if (box) { event.preventDefault(); box.focus(); box.select(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (awaiting && Date.now() - awaiting < 1500) {
    awaiting = 0;
    const found = (data.create || []).find((one) => one.key.toUpperCase() === event.key.toUpperCase());
    if (found) { event.preventDefault(); location.assign(found.url); return; }
  }
  if (event.key === "?") { event.preventDefault(); keySheet(); }
  else if (event.key === "/") { event.preventDefault(); document.querySelector(".n-search input")?.focus(); }
  else if (event.key.toUpperCase() === "C" && data.create?.length) { awaiting = Date.now(); announce(say("createKey")); }
}
document.addEventListener("keydown", onKey);
document.addEventListener("keyup", (event) => { if (event.key === "Alt") document.documentElement.removeAttribute("data-keys-shown"); });
addEventListener("blur", () => document.documentElement.removeAttribute("data-keys-shown"));

// ------------------------------------------------------------------------------------------------ <newel-choice>

const system = matchMedia("(prefers-color-scheme: dark)");
const stored = (name) => { try { return localStorage.getItem(`newel.${name}`); } catch { return null; } };
function applyTheme() {
  const root = document.documentElement;
  const theme = stored("theme") ?? root.dataset.themeDefault ?? "";
  root.dataset.bsTheme = theme || (system.matches ? "dark" : "light");
}
system.addEventListener("change", applyTheme);

/** A setting of this browser: theme or density. Other open tabs follow at once. */
class Choice extends HTMLElement {
  connectedCallback() {
    const name = this.dataset.setting;
    const root = document.documentElement;
    const now = stored(name) ?? (name === "theme" ? root.dataset.themeDefault ?? "" : root.dataset.density);
    for (const input of this.querySelectorAll("input")) input.checked = input.value === now;
    this.addEventListener("change", (event) => {
      try { localStorage.setItem(`newel.${name}`, event.target.value); } catch { /* then it lasts as long as the page */ }
      if (name === "theme") root.dataset.bsTheme = event.target.value || (system.matches ? "dark" : "light");
      else root.dataset[name] = event.target.value;
    });
  }
}
addEventListener("storage", (event) => {
  if (event.key === "newel.theme") applyTheme();
  if (event.key === "newel.density" && event.newValue) document.documentElement.dataset.density = event.newValue;
});

// ---------------------------------------------------------------------------------------------- <newel-combobox>

/** A text box with a list of answers, after the ARIA combobox pattern. The list lives in the top layer: no table cuts it. */
class Suggestions extends HTMLElement {
  latest = new Latest();
  options = [];
  active = -1;
  list = null;

  wire(input) {
    this.input = input;
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"]]) input.setAttribute(name, value);
    const later = debounce(() => { if (!this.left) this.search(); }, 120);
    input.addEventListener("input", () => { this.left = this.pending = false; this.typed(); later(); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { this.left = true; this.pending = false; } // what is still to come opens nothing
      this.key(event);
    });
    input.addEventListener("blur", () => this.close());
  }

  typed() {}
  async answers() { return []; }
  pick() {}

  get open() { return this.list !== null; }

  async search() {
    if (document.activeElement !== this.input && !this.pending) return;
    this.left = false;
    const found = await this.answers(this.input.value.trim());
    if (found === null || this.left) return; // a newer question is on its way, or nobody asks any more
    this.options = found;
    if (this.pending) { // Enter came before the answer, as from a scanner
      this.pending = false;
      if (found.length && !found[0].create && (found.length === 1 || found[1].create || this.exact(found[0]))) { this.choose(0); return; }
    }
    if (document.activeElement === this.input) this.show();
  }

  exact(option) { return option.label.toLowerCase().startsWith(this.sought(this.input.value.trim()).toLowerCase()); }

  sought(text) { return text; }

  show() {
    const fresh = !this.list;
    if (fresh) {
      this.list = make("div", { className: "n-options", id: uid("options"), role: "listbox", popover: "manual", "aria-label": this.input.getAttribute("aria-label") || this.input.labels?.[0]?.textContent.trim() || say("found") });
      // pressing on an option must not take the focus away from the box
      this.list.addEventListener("pointerdown", (event) => event.preventDefault());
      this.list.addEventListener("click", (event) => {
        const option = event.target.closest("[role=option]");
        if (option) this.choose(Number(option.dataset.index));
      });
      this.append(this.list);
      this.list.showPopover();
      this.follow = () => this.place();
      addEventListener("scroll", this.follow, { capture: true, passive: true });
      addEventListener("resize", this.follow);
    }
    this.list.replaceChildren(...this.options.map((option, index) => make("div", { role: "option", id: `${this.list.id}-${index}`, "data-index": index, "aria-selected": "false" },
      make("span", {}, option.label), option.detail ? make("span", {}, option.detail) : null)));
    if (!this.options.length) this.list.append(make("div", { className: "n-none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, say("nothing")));
    this.input.setAttribute("aria-expanded", "true");
    this.input.setAttribute("aria-controls", this.list.id);
    announce(this.options.filter((option) => !option.create).length ? `${this.options.length} ${say("results")}` : say("nothing"));
    this.mark(this.options.length && this.input.value.trim() && !this.options[0].create ? 0 : -1);
    this.place();
  }

  place() {
    if (!this.list) return;
    const box = this.input.getBoundingClientRect();
    const below = innerHeight - box.bottom;
    this.list.style.minWidth = `${Math.max(box.width, 220)}px`;
    this.list.style.left = `${Math.max(4, Math.min(box.left, innerWidth - this.list.offsetWidth - 4))}px`;
    const up = below < 180 && box.top > below;
    this.list.style.top = up ? `${Math.max(4, box.top - this.list.offsetHeight - 3)}px` : `${box.bottom + 3}px`;
  }

  mark(index) {
    this.active = index;
    const rows = this.list ? [...this.list.children] : [];
    rows.forEach((row, i) => row.setAttribute("aria-selected", String(i === index)));
    if (index >= 0 && rows[index]) {
      this.input.setAttribute("aria-activedescendant", rows[index].id);
      rows[index].scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  choose(index) {
    const option = this.options[index];
    this.close();
    if (option) this.pick(option);
  }

  close() {
    if (!this.list) return;
    removeEventListener("scroll", this.follow, { capture: true });
    removeEventListener("resize", this.follow);
    this.list.remove();
    this.list = null;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-controls");
    this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.open && !event.altKey) {
      event.preventDefault();
      const count = this.options.length;
      this.moved = true;
      if (count) this.mark((this.active + step + (this.active < 0 && step < 0 ? 1 : 0) + count) % count);
    } else if (event.key === "ArrowDown" && event.altKey === this.altOpens && !event.ctrlKey) {
      event.preventDefault();
      this.search();
    } else if (event.key === "Escape" && this.open) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (event.key === "Tab" && this.open && this.active >= 0 && this.input.value.trim()) this.choose(this.active);
  }
}

/** A reference to a record: NAME holds the id, NAME_text what one sees. Typing takes the id away until one is chosen. */
class Combobox extends Suggestions {
  connectedCallback() {
    if (this.input) return;
    this.hidden_ = this.querySelector("input[type=hidden]");
    const input = this.querySelector("input:not([type=hidden])");
    const was = this.querySelector("input[name$='_was']"); // for forms without script, and for whoever types before it is there
    if (was && was.value !== input.value) this.hidden_.value = "";
    was?.remove();
    if (!input || input.readOnly) return;
    this.altOpens = Boolean(this.closest("newel-lines")); // in the grid the plain arrow goes to the next line
    this.wire(input);
    this.oldText = input.value;
    input.addEventListener("focus", () => { this.oldText = input.value; this.oldId = this.hidden_.value; input.select(); });
    if (!this.altOpens) input.addEventListener("click", () => { if (!this.open) this.search(); });
  }

  typed() {
    this.hidden_.value = "";
    this.asking = true; // what is shown answers what stood here before
    this.moved = false;
  }

  /** What of the entry is searched for, and further parameters; the line grid knows better. */
  query(text) { return { q: text }; }

  sought(text) { return this.query(text).q; }

  async answers(text) {
    const url = new URL(this.dataset.url, location.href);
    for (const [name, value] of Object.entries(this.query(this.hidden_.value ? "" : text))) url.searchParams.set(name, value);
    const answer = await this.latest.ask(url, { headers: { Accept: "application/json" }, read: "json" });
    if (answer === null) return null;
    this.asking = text !== this.input.value.trim(); // what was typed since then has no answer yet
    const found = Array.isArray(answer.body) ? answer.body : [];
    return this.dataset.createUrl && text && !this.hidden_.value ? [...found, { label: `+ ${say("createNew")}`, detail: text, create: true }] : found;
  }

  pick(option) {
    const typed = this.input.value;
    if (option.create) { this.dispatchEvent(new CustomEvent("newel:create", { bubbles: true, detail: { text: typed } })); return; }
    this.set(option.id, option.label);
    [this.oldId, this.oldText] = [option.id, option.label];
    option.typed = typed;
    this.dispatchEvent(new CustomEvent("newel:pick", { bubbles: true, detail: option }));
    this.hidden_.dispatchEvent(new Event("change", { bubbles: true }));
  }

  set(id, text) {
    this.hidden_.value = id;
    this.input.value = text;
  }

  key(event) {
    if (event.key === "Enter" && !event.shiftKey) {
      if (this.open && this.active >= 0 && (!this.asking || this.moved) && this.input.value.trim() && !this.hidden_.value) this.choose(this.active);
      else if (this.asking && this.input.value.trim()) { this.pending = true; this.search(); }
      this.close();
      if (!this.altOpens) event.preventDefault(); // choosing is not saving
      return;
    }
    if (event.key === "Tab" && this.asking && !this.moved) return; // what was typed goes on, and nothing of an older answer
    if (event.key === "Escape" && !this.open && this.input.value !== this.oldText) {
      event.preventDefault();
      this.set(this.oldId ?? "", this.oldText);
      this.hidden_.dispatchEvent(new Event("change", { bubbles: true })); // what was typed may have been asked about already
      return;
    }
    super.key(event);
  }
}

/** The search box of the top bar: pages of the menu at once, records from the server a moment later. */
class Search extends Suggestions {
  connectedCallback() {
    this.altOpens = false;
    const input = this.querySelector("input");
    this.wire(input);
    input.addEventListener("focus", () => this.search());
    this.querySelector("form").addEventListener("submit", (event) => {
      if (this.open && this.active >= 0 && this.options[this.active]) { event.preventDefault(); this.choose(this.active); }
    });
  }

  pages(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const links = [...document.querySelectorAll("#nav a")].map((a) => ({ label: a.querySelector("span:not(.n-count)")?.textContent ?? a.textContent.trim(), url: a.href, detail: say("pages") }));
    const create = (data.create || []).map((one) => ({ label: one.label, url: one.url, detail: `C ${one.key}` }));
    return [...create, ...links].filter((one) => words.every((word) => one.label.toLowerCase().includes(word)));
  }

  async answers(text) {
    const pages = this.pages(text);
    if (text.length < 2) { this.latest.cancel(); return pages; }
    if (document.activeElement === this.input) { this.options = pages.slice(0, 6); this.show(); } // no waiting for what we know
    const url = new URL(data.search, location.href);
    url.searchParams.set("q", text);
    const answer = await this.latest.ask(url, { headers: { Accept: "application/json" }, read: "json" });
    if (answer === null) return null;
    const found = answer.body?.results ?? answer.body;
    const records = (Array.isArray(found) ? found : []).map((one) => ({ ...one, detail: [one.detail, one.kind].filter(Boolean).join(" · ") }));
    return [...pages.slice(0, 6), ...records]; // pages stay on top: what Enter means must not change while one types
  }

  pick(option) { location.assign(option.url); }

  key(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      if (this.open && this.input.value) { this.close(); this.input.value = ""; } else this.input.blur();
      return;
    }
    super.key(event);
  }
}

// --------------------------------------------------------------------------------------------------- <newel-date>

/**
 * A date as people type it: +7, -1, a weekday, a day, a day and month, or the local format. The real input keeps its
 * name and its ISO value, so the server and the browser's calendar notice nothing.
 */
class DateField extends HTMLElement {
  connectedCallback() {
    if (this.text) return;
    this.real = this.querySelector("input[type=date]");
    if (!this.real || this.real.readOnly) return;
    const lang = document.documentElement.lang || undefined;
    const parts = new Intl.DateTimeFormat(lang, { day: "2-digit", month: "2-digit", year: "numeric", timeZone: "UTC" });
    this.format = (date) => parts.format(date);
    this.order = parts.formatToParts(new Date(Date.UTC(2001, 1, 3))).map((p) => p.type).filter((t) => ["day", "month", "year"].includes(t));
    this.long = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
    const week = new Intl.DateTimeFormat(lang, { weekday: "long", timeZone: "UTC" });
    this.weekdays = [...Array(7)].map((_, i) => week.format(new Date(Date.UTC(2001, 0, 7 + i))).toLocaleLowerCase(lang));
    const id = this.real.id;
    this.text = make("input", { type: "text", className: this.real.className, id, autocomplete: "off", inputMode: "text", required: this.real.required });
    for (const { name, value } of [...this.real.attributes]) if (name.startsWith("aria-") || name === "autofocus") this.text.setAttribute(name, value);
    this.real.id = `${id}-iso`;
    this.real.tabIndex = -1;
    this.real.required = false;
    this.real.setAttribute("aria-label", say("calendar"));
    this.echo = make("div", { className: "n-echo", "aria-live": "polite" });
    this.prepend(this.text);
    this.append(this.echo);
    this.text.value = this.real.value ? this.format(new Date(`${this.real.value}T00:00Z`)) : "";
    this.text.addEventListener("change", () => this.take());
    this.text.addEventListener("keydown", (event) => { if (event.key === "Enter") this.take(); });
    this.real.addEventListener("change", () => { if (!this.taking) this.show(this.real.valueAsDate); });
  }

  read(entry) {
    const now = new Date();
    const today = new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()));
    const text = entry.trim().toLocaleLowerCase(document.documentElement.lang || undefined);
    const day = 86400000;
    let match;
    if ((match = /^([+-])(\d{1,4})$/.exec(text))) return new Date(today.getTime() + Number(match[1] + match[2]) * day);
    if ((match = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text))) return this.valid(+match[1], +match[2], +match[3]);
    const weekday = /^\p{L}{2,}$/u.test(text) ? this.weekdays.findIndex((name) => name.startsWith(text)) : -1;
    if (weekday >= 0) return new Date(today.getTime() + (((weekday - today.getUTCDay() + 6) % 7) + 1) * day);
    const numbers = text.match(/\d+/g)?.map(Number);
    if (!numbers || numbers.length > 3 || /\p{L}/u.test(text.replace(/[年月日]/g, ""))) return null;
    if (numbers.length === 1) { // the next such day
      for (let month = 0; month < 3; month += 1) {
        const found = this.valid(today.getUTCFullYear(), today.getUTCMonth() + 1 + month, numbers[0]);
        if (found && found >= today) return found;
      }
      return null;
    }
    const order = numbers.length === 3 ? this.order : this.order.filter((type) => type !== "year");
    const value = Object.fromEntries(order.map((type, i) => [type, numbers[i]]));
    let year = value.year ?? today.getUTCFullYear();
    if (year < 100) year += 2000;
    const found = this.valid(year, value.month, value.day);
    return found && value.year === undefined && found < today ? this.valid(year + 1, value.month, value.day) : found;
  }

  valid(year, month, day) {
    const date = new Date(Date.UTC(year, month - 1, day));
    return date.getUTCDate() === day ? date : month > 12 ? this.valid(year + 1, month - 12, day) : null;
  }

  take() {
    const date = this.text.value.trim() ? this.read(this.text.value) : null;
    const wrong = Boolean(this.text.value.trim()) && !date;
    if (wrong) { // the server gets what was typed and can say what is wrong; an old date must not slip through
      this.text.setAttribute("aria-invalid", "true");
      this.echo.textContent = say("date");
      if (this.real.name) this.text.name = this.real.name;
      this.real.removeAttribute("name");
      return;
    }
    this.taking = true;
    this.real.value = date ? date.toISOString().slice(0, 10) : "";
    this.show(date);
    this.real.dispatchEvent(new Event("change", { bubbles: true }));
    this.taking = false;
  }

  show(date) {
    this.text.value = date ? this.format(date) : "";
    this.echo.textContent = date ? this.long.format(date) : "";
    this.text.removeAttribute("aria-invalid");
    if (this.text.name) this.real.name = this.text.name;
    this.text.removeAttribute("name");
  }
}

// --------------------------------------------------------------------------------------------------- <newel-tabs>

/** Anchors become tabs; the address keeps which one, and printing shows them all (see the style sheet). */
class Tabs extends HTMLElement {
  connectedCallback() {
    if (this.links) return;
    this.bar = this.querySelector(".n-tablist");
    this.links = [...this.bar.querySelectorAll("a")];
    this.bar.setAttribute("role", "tablist");
    for (const link of this.links) {
      const panel = document.getElementById(link.hash.slice(1));
      link.id ||= uid("tab");
      link.setAttribute("role", "tab");
      link.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", link.id);
      panel.tabIndex = 0;
      link.addEventListener("click", (event) => { event.preventDefault(); history.replaceState(history.state, "", link.hash); this.show(link); });
    }
    this.bar.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const now = this.links.indexOf(document.activeElement);
      const next = step ? this.links.at((now + step) % this.links.length) : { Home: this.links[0], End: this.links.at(-1) }[event.key];
      if (event.key === " ") { event.preventDefault(); document.activeElement.click(); }
      if (next && now >= 0) { event.preventDefault(); next.focus(); next.click(); }
    });
    this.show(this.links.find((link) => link.hash === location.hash) ?? this.links[0]);
    addEventListener("hashchange", () => { const link = this.links.find((one) => one.hash === location.hash); if (link) this.show(link); });
  }

  show(chosen) {
    for (const link of this.links) {
      const on = link === chosen;
      link.setAttribute("aria-selected", String(on));
      link.tabIndex = on ? 0 : -1;
      document.getElementById(link.hash.slice(1)).hidden = !on;
    }
  }
}

// -------------------------------------------------------------------------------------------------------- forms

/** Sent once, asked before if it says so, and not lost by accident. */
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.confirm && !form.dataset.sure) {
    event.preventDefault();
    const submitter = event.submitter;
    if (await confirmed(form.dataset.confirm)) { form.dataset.sure = "1"; form.requestSubmit(submitter); }
    return;
  }
  if ("once" in form.dataset) {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
  }
  form.dataset.leaving = "1";
});
// Back brings the page out of the cache as it was: a form that was sent may be sent again then.
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; delete form.dataset.leaving; delete form.dataset.sure; form.querySelectorAll("[aria-busy]").forEach((b) => b.removeAttribute("aria-busy")); }));
document.addEventListener("input", (event) => { const form = event.target.closest?.("form[data-guard]"); if (form) form.dataset.dirty = "1"; });
addEventListener("beforeunload", (event) => { if (document.querySelector("form[data-dirty]:not([data-leaving])")) event.preventDefault(); });

document.addEventListener("click", (event) => {
  // a row leads where its first link leads; text can still be selected and new tabs still opened
  const row = event.target.closest?.("tr[data-href]");
  if (row && !event.target.closest("a, button, input, label, summary") && !String(getSelection())) {
    if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
    else location.assign(row.dataset.href);
  }
  if (event.target.closest?.("[data-shortcuts]")) { document.getElementById("user-menu")?.hidePopover(); keySheet(); }
  // one open explanation at a time
  const inside = event.target.closest?.("details.n-why");
  document.querySelectorAll("details.n-why[open]").forEach((one) => { if (one !== inside) one.open = false; });
  // the link of a problem goes to its field and into it
  const link = event.target.closest?.(".n-problem a[href^='#']");
  const field = link && document.getElementById(link.hash.slice(1));
  if (field) {
    event.preventDefault();
    for (let details = field.closest("details"); details; details = details.parentElement.closest("details")) details.open = true;
    field.focus();
    field.scrollIntoView({ block: "center" });
  }
});
document.addEventListener("keydown", (event) => {
  const why = event.key === "Escape" && document.querySelector("details.n-why[open]");
  if (why) { why.open = false; why.querySelector("summary").focus(); }
  // arrows and j/k walk through a list; Enter opens, as links do
  const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
  const at = document.activeElement?.closest?.(".n-list tr[data-href]");
  if (step && !typing(event.target) && !event.altKey && !event.ctrlKey && (at || (event.key.length === 1 && document.querySelector(".n-list tr[data-href]")))) {
    const rows = [...document.querySelectorAll(".n-list tr[data-href]")];
    const next = rows[at ? rows.indexOf(at) + step : 0];
    if (next) { event.preventDefault(); next.querySelector("td a")?.focus(); }
  }
});

// Back and Forward come to the row that somebody left by; the browser itself brings the scroll position.
const left = `newel.row.${location.pathname}${location.search}`;
document.addEventListener("click", (event) => {
  const row = event.target.closest?.(".n-list tr[data-id]");
  try { if (row) sessionStorage.setItem(left, row.dataset.id); } catch { /* nothing to remember with */ }
}, true);
addEventListener("pageshow", (event) => {
  const again = event.persisted || performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  let id = null;
  try { id = again && sessionStorage.getItem(left); } catch { /* as above */ }
  if (id) document.querySelector(`.n-list tr[data-id="${CSS.escape(id)}"] td a`)?.focus({ preventScroll: true });
});

// Which parts are folded is remembered for the session: a habit, not data.
for (const details of document.querySelectorAll("details[data-remember]")) {
  const key = `newel.fold.${details.dataset.remember}`;
  try { const was = sessionStorage.getItem(key); if (was) details.open = was === "open"; } catch { /* nothing to remember with */ }
  details.addEventListener("toggle", () => { try { sessionStorage.setItem(key, details.open ? "open" : "folded"); } catch { /* as above */ } });
}

// On a phone a filter of six fields would hide the list: the first field stays, the others come when asked for.
for (const button of document.querySelectorAll("[data-unfold]")) {
  const form = button.form;
  if (form.querySelectorAll(".n-field").length < 2) continue;
  const narrow = matchMedia("(max-width: 640px)");
  const fold = () => { button.hidden = !narrow.matches; form.toggleAttribute("data-folded", narrow.matches); };
  fold();
  narrow.addEventListener("change", fold);
  button.addEventListener("click", () => { form.removeAttribute("data-folded"); button.hidden = true; form.querySelectorAll(".n-field input, .n-field select")[1]?.focus(); });
}

for (const name of ["offline", "online"]) {
  addEventListener(name, () => {
    document.querySelector(".n-offline")?.remove();
    if (!navigator.onLine) document.getElementById("main")?.prepend(make("div", { className: "n-offline", role: "status" }, say("offline")));
  });
}

// -------------------------------------------------------------------------------------------------------- start

// the open page's entry is in sight, and the page itself stays where it is
const nav = document.getElementById("nav"), here = nav?.querySelector("[aria-current=page]");
if (here) nav.scrollTop = Math.max(0, here.getBoundingClientRect().bottom - nav.getBoundingClientRect().bottom + 60);
document.querySelector("main [aria-invalid=true]:not([type=hidden])")?.focus(); // after a refusal: where the first thing is wrong
document.querySelectorAll("[data-shortcuts]").forEach((button) => { button.hidden = false; });
shortcut("everywhere", "Ctrl K", say("search"));
shortcut("everywhere", "?", say("help"));
if (data.create?.length) shortcut("everywhere", "C", say("createKey"));
if (document.querySelector(".n-list")) shortcut("everywhere", "J K", say("rows"));

customElements.define("newel-choice", Choice);
customElements.define("newel-combobox", Combobox);
customElements.define("newel-search", Search);
customElements.define("newel-date", DateField);
customElements.define("newel-tabs", Tabs);

export { Combobox, Latest, announce, confirmed, data, debounce, dialog, make, say, shortcut, toast, uid };

// Only where they are needed: after this module is complete, because both build on it.
if (document.querySelector("newel-lines")) import("newel/lines");
if (document.querySelector("form[data-preview-url]")) import("newel/entry");
