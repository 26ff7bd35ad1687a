/*
 * Hears what others change while a page is open, and says so on the page. Nothing that somebody types is touched.
 *
 * What is watched: elements with data-watch="topic:key", the document of the page, and the items in the lines of its form. Elements get the event
 * newel:changed, and know themselves what to do. Only the page in sight listens: a browser has six connections for all of its windows.
 */

import { announce, debounce, make } from "newel";

const FIRST = 1500; // milliseconds after the page: who only leafs through needs no connection
const IDLE = 30 * 60_000; // without a key or a hand: a page that is forgotten keeps no session alive
let [source, watching, opened, wait, active, words, timer] = [null, "", 0, 1000, Date.now(), {}, 0];

const form = () => document.getElementById("document-form");
const rowsOf = (item) => [...(form()?.querySelectorAll("newel-lines [data-row]") ?? [])].filter((row) => row.querySelector("input[name$='-item']")?.value === item);

function wanted() {
  const topics = new Map();
  const add = (topic, key) => { if (/^\d+$/.test(key)) topics.set(topic, (topics.get(topic) ?? new Set()).add(key)); };
  for (const element of document.querySelectorAll("[data-watch]")) add(...element.dataset.watch.split(":"));
  add("live.document", /^\/document\/(\d+)(\/edit)?$/.exec(location.pathname)?.[1] ?? "");
  for (const field of form()?.querySelectorAll("newel-lines [data-row] input[name$='-item']") ?? []) add("live.item", field.value);
  return [...topics].map(([topic, keys]) => `${topic}:${[...keys].join(".")}`).join(",");
}

function close() {
  clearTimeout(timer);
  source?.close();
  source = null;
}

function open() {
  close();
  watching = wanted();
  if (!watching || document.visibilityState !== "visible" || Date.now() - active > IDLE) return;
  opened = Date.now();
  source = new EventSource(`/api/live/events?watch=${watching}`);
  source.addEventListener("ready", (event) => {
    words = JSON.parse(event.data);
    wait = 1000;
    document.documentElement.dataset.live = watching;
    form()?.dispatchEvent(new CustomEvent("newel:preview")); // what changed before is in it
  });
  source.addEventListener("changed", (event) => JSON.parse(event.data).forEach(([topic, key]) => changed(topic, key)));
  source.addEventListener("error", () => { // its time is over, the server is away, or we are not known any more
    if (Date.now() - opened < 10_000) wait = Math.min(wait * 2, 60_000);
    close();
    timer = setTimeout(open, wait);
  });
}

function changed(topic, key) {
  const elements = document.querySelectorAll(`[data-watch="${topic}:${key}"]`);
  for (const target of elements.length ? elements : [document]) target.dispatchEvent(new CustomEvent("newel:changed", { bubbles: true, detail: { topic, key } }));
  if (topic === "live.item") stock(key);
  if (topic === "live.document") another();
}

/** The rows with the item say so, and the figures are asked for again. */
function stock(item) {
  const rows = rowsOf(item);
  for (const row of rows) {
    const cell = row.querySelector("input[name$='-item']").closest("td");
    let note = cell.querySelector(".lv-note");
    if (!note) cell.append(note = make("span", { className: "lv-note n-small" }));
    note.textContent = `⚠ ${words.stock}`;
  }
  if (!rows.length) return;
  announce(`${rows[0].querySelector("input[name$='-item_text']")?.value ?? ""} ${words.stock}`);
  form().dispatchEvent(new CustomEvent("newel:preview"));
}

/** Somebody else was here: say it once, above the page. */
function another() {
  if (document.getElementById("live-changed")) return;
  const edits = Boolean(form());
  const text = make("p", {}, words.document, edits ? ` ${words.kept}` : " ");
  if (!edits) text.append(make("a", { href: location.pathname }, words.load));
  document.getElementById("main").prepend(make("div", { className: "n-flashes", id: "live-changed" }, make("div", { className: "n-flash" }, text)));
  document.querySelector("#live-changed > div").dataset.severity = "warning";
  announce(words.document);
}

const again = debounce(() => { if (source && wanted() !== watching) open(); }, 300);
const back = () => { active = Date.now(); if (!source && document.visibilityState === "visible") { clearTimeout(timer); timer = setTimeout(open, 300); } };
document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? back() : close()));
addEventListener("pagehide", close);
for (const name of ["keydown", "pointerdown"]) addEventListener(name, () => { const slept = Date.now() - active > IDLE; active = Date.now(); if (slept) back(); }, { passive: true });
form()?.addEventListener("newel:previewed", again);
timer = setTimeout(open, FIRST);
