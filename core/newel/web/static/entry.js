/*
 * The form of a document: what it would give while one types, why, what a customer brings along, and saving that neither loses nor doubles
 * anything: not by a lost connection, not by a session that ended, not by somebody else who was quicker.
 */

import { Latest, announce, data, debounce, dialog, make, say, shortcut } from "newel";

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");
/** What stands in the form. Parts of a multipart body are counted, and five hundred lines have too many; a loop takes a third of the time of a conversion. */
function posted(form) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.append(name, value);
  return body;
}
// The rows that are shown, with the fingerprints that they came with: what would come out the same needs not come again.
const seen = (form) => [...form.querySelectorAll("[data-seen]")].map((note) => `${note.id}:${note.dataset.seen}`).join(" ");
const login = (response) => response?.redirected && new URL(response.url).pathname === "/login";

/** Make one part of the page look like another and touch only what differs: each element that comes or goes makes the browser look at all of them. */
function patch(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || old.childNodes.length !== fresh.childNodes.length || fresh.matches?.("input, select, textarea, [hx-get]")) {
    const adopted = document.importNode(fresh, true);
    old.replaceWith(adopted);
    if (adopted.nodeType === Node.ELEMENT_NODE) window.htmx?.process?.(adopted);
    return;
  }
  if (!fresh.attributes) { old.data = fresh.data; return; }
  for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  [...old.childNodes].forEach((child, i) => patch(child, fresh.childNodes[i]));
}

/** Every change asks the server what it would mean. The answer changes only what shows, never what is being typed. */
export function previewed(form) {
  const latest = new Latest();

  let dirty = false;
  const busy = new Set(); // figures that are being asked for: those of the row in which something was changed, and the totals
  const ask = debounce(async () => {
    dirty = false;
    for (const one of form.querySelectorAll("#preview-totals")) busy.add(one);
    busy.forEach((one) => one.setAttribute("aria-busy", "true"));
    const body = posted(form);
    body.set("seen", seen(form));
    const answer = await latest.ask(form.dataset.previewUrl, {
      method: "POST", body, headers: { "x-csrftoken": data.csrf || "", Accept: "text/html" },
    });
    if (answer === null || dirty) return;
    busy.forEach((one) => one.removeAttribute("aria-busy"));
    busy.clear();
    if (login(answer.response)) { if (await signIn(form)) start(); return; }
    if (!answer.response || !(answer.response.ok || answer.response.status === 422)) { announce(say("stale")); return; }
    apply(answer.body);
    form.dispatchEvent(new CustomEvent("newel:previewed"));
  }, 150);
  const start = (event) => {
    dirty = true;
    latest.cancel();
    for (const one of event?.target.closest("[data-row]")?.querySelectorAll(".n-stale") ?? []) busy.add(one);
    ask();
  };
  const marked = new Set();

  /** What can be chosen for a line comes, changes and goes below its row; whoever is in it stays there, and keeps what is being typed. */
  function box(fresh, focused) {
    const row = document.getElementById(`${fresh.dataset.box}-note`)?.closest("[data-row]");
    const old = document.getElementById(fresh.id);
    if (!row || old?.isEqualNode(fresh)) return;
    if (!fresh.childElementCount) { old?.closest("[data-more]").remove(); return; }
    if (old && !fresh.querySelector("input, select, textarea") && !old.contains(focused)) { patch(old, fresh); return; }
    const adopted = document.importNode(fresh, true);
    if (!old) {
      const cell = make("td", { colSpan: row.children.length - 1 });
      const more = make("tr");
      more.dataset.more = "";
      cell.append(adopted);
      more.append(make("td", { className: "n-pos" }), cell);
      row.after(more);
      return;
    }
    const active = old.contains(focused) ? focused : null;
    old.replaceWith(adopted);
    const again = active?.id && document.getElementById(active.id);
    if (!again) return;
    if (active.type === "text") again.value = active.value;
    again.focus();
    if (active.type === "text") again.setSelectionRange(active.selectionStart, active.selectionEnd);
  }

  function apply(html) {
    const fragment = new DOMParser().parseFromString(html, "text/html");
    const spoken = document.getElementById("preview-problems")?.textContent;
    const focused = document.activeElement; // asked once: after each change of the page the answer is expensive
    // Half a name is no mistake while its list is open, and a message that comes above would move the page below the list.
    const choosing = focused?.getAttribute("role") === "combobox" && focused.value && !focused.closest("newel-combobox")?.querySelector("input[type=hidden]")?.value;
    if (choosing) fragment.getElementById("preview-problems")?.remove();
    for (const fresh of [...fragment.body.children].filter((one) => one.id)) {
      if (fresh.dataset.box) { box(fresh, focused); continue; }
      const old = document.getElementById(fresh.id);
      // not form.contains: a form looks through all its fields for one of that name, after each change of the page
      if (old?.closest("form") === form && !old.contains(focused)) patch(old, fresh);
    }
    for (const hint of fragment.querySelectorAll("data[data-for]")) {
      const field = document.getElementById(hint.dataset.for);
      if (!field) continue;
      if (field.tagName === "SELECT") { if (field.options[0]?.value === "") field.options[0].textContent = hint.value; }
      else if (field.placeholder !== hint.value) field.placeholder = hint.value;
      if ("own" in hint.dataset) own(field, hint.value, hint.dataset.own);
    }
    for (const found of fragment.querySelectorAll("data[data-resolves]")) {
      const box = document.getElementById(found.dataset.resolves)?.closest("newel-combobox");
      const id = box?.querySelector("input[type=hidden]");
      if (!id || box.contains(focused)) continue;
      id.value = found.value;
      box.querySelector("input:not([type=hidden])").value = found.textContent;
      for (const [name, value] of Object.entries(JSON.parse(found.dataset.enters || "{}"))) {
        const field = document.getElementById(name);
        if (field && !field.value) field.value = value;
      }
    }
    for (const field of marked) field.removeAttribute("aria-invalid");
    marked.clear();
    for (const link of document.querySelectorAll("#preview-problems .n-problem[data-severity=block] a[href^='#']")) {
      const field = document.getElementById(link.hash.slice(1));
      if (!field || field.hasAttribute("aria-invalid") || field === focused) continue;
      field.setAttribute("aria-invalid", "true");
      marked.add(field);
    }
    const now = document.getElementById("preview-problems")?.textContent;
    if (now && now !== spoken) announce(now);
  }

  form.addEventListener("input", start);
  form.addEventListener("change", start);
  form.addEventListener("newel:preview", start); // something else than the form has changed
  if (form.querySelector("input[type=hidden][name=party]")?.value) start(); // what is taken by itself is marked from the beginning
}

// ---------------------------------------------------------------------------------------------- what a customer brings along

/** A header value of one's own is marked, says what would be taken without it, and can be given back. */
function own(field, text, raw) {
  const box = field.closest(".n-field");
  const value = field.closest("newel-combobox, newel-date")?.querySelector("input[type=hidden], input[type=date]")?.value ?? field.value;
  const mine = Boolean(value) && value !== raw;
  box.toggleAttribute("data-own", mine);
  let button = box.querySelector(".n-own");
  if (!mine) { button?.remove(); return; }
  if (!button) {
    button = make("button", { type: "button", className: "n-own" });
    button.addEventListener("click", () => { give(field); field.focus(); });
    box.append(button);
  }
  const said = text ? `${say("own")} · ↺ ${text}` : `${say("own")} · ↺`;
  if (button.textContent !== said) button.textContent = said;
}

function give(field) {
  const whole = field.closest("newel-combobox, newel-date");
  for (const input of whole?.querySelectorAll("input") ?? [field]) input.value = "";
  whole?.take?.();
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Another customer: values of one's own are asked about before they go. */
async function another(form) {
  const mine = [...form.querySelectorAll(".n-field[data-own]")].filter((box) => !box.querySelector("#party"));
  if (!mine.length) return;
  const list = make("ul", {}, ...mine.map((box) => make("li", {}, `${box.querySelector("label").textContent.trim()}: ${shown(box.querySelector("select, input:not([type=hidden],[type=date]), textarea"))}`)));
  const [keep, take] = [make("button", { type: "button", className: "btn" }, say("ownKeep")), make("button", { type: "button", className: "btn btn-primary" }, say("ownTake"))];
  const box = dialog(say("ownTitle"), make("div", {}, make("p", {}, say("ownText")), list), [keep, take]);
  keep.addEventListener("click", () => box.close());
  take.addEventListener("click", () => { box.close(); mine.forEach((one) => give(one.querySelector("select, input:not([type=hidden],[type=date]), textarea"))); });
  keep.focus();
}

const shown = (field) => (field.tagName === "SELECT" ? field.selectedOptions[0]?.textContent : field.value) ?? "";

/** A new record beside the form: its own form comes from the server, and what it makes is chosen. */
const beside = new Latest();
async function createBeside(box, text) {
  const input = box.querySelector("input:not([type=hidden])");
  const found = await beside.ask(box.dataset.createUrl, { headers: { Accept: "text/html" } });
  if (found === null) return;
  const theirs = found.response?.ok && parsed(found.body).querySelector("main form[method=post]");
  if (!theirs) { announce(say("failed")); return; }
  const form = document.importNode(theirs, true);
  form.querySelector(".n-bar")?.remove();
  for (const element of form.querySelectorAll("[id], [for]")) for (const name of ["id", "for"]) if (element.hasAttribute(name)) element.setAttribute(name, `beside-${element.getAttribute(name)}`);
  form.removeAttribute("data-guard");
  form.removeAttribute("data-once");
  const wrong = make("div", { role: "alert" });
  const save = make("button", { type: "submit", className: "btn btn-primary" }, say("save"));
  form.prepend(wrong);
  form.append(make("div", { className: "n-actions n-section" }, save));
  const panel = dialog(say("createNew"), form);
  panel.classList.add("n-dialog-side");
  const name = form.querySelector("[name=name]") ?? form.querySelector("input:not([type=hidden])");
  if (name && text) name.value = text;
  name?.focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (save.hasAttribute("aria-busy")) return; // pressed twice, it would be made twice
    save.setAttribute("aria-busy", "true");
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "x-csrftoken": data.csrf || "" } }).catch(() => null);
    const made = answer?.redirected && /\/(\d+)$/.exec(new URL(answer.url).pathname);
    if (!made) {
      const problems = answer && parsed(await answer.text()).querySelector(".n-problems");
      wrong.replaceChildren(problems ? document.importNode(problems, true) : say("failed"));
      save.removeAttribute("aria-busy");
      return;
    }
    const options = await (await fetch(`${box.dataset.url.split("?")[0]}?q=${encodeURIComponent(form.querySelector("[name=number]")?.value || form.querySelector("[name=name]")?.value || "")}`, { headers: { Accept: "application/json" } })).json();
    panel.close();
    box.set(made[1], options.find((one) => String(one.id) === made[1])?.label ?? form.querySelector("[name=name]")?.value ?? made[1]);
    box.querySelector("input[type=hidden]").dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  });
  panel.addEventListener("close", () => input.focus());
}

// ------------------------------------------------------------------------------------------------------------------ why

/** Where the price, the tax and the delivery of the line in focus come from. */
const explained = new Latest(); // pressed twice, it opens once
async function why(form) {
  const back = form.lastCell?.isConnected ? form.lastCell : form.querySelector("newel-lines [data-row] input:not([type=hidden])");
  const row = back?.closest("[data-row]");
  if (!row) return;
  const url = new URL(form.dataset.previewUrl, location.href);
  url.searchParams.set("why", `lines-${row.dataset.index ?? row.querySelector("input").name.split("-")[1]}`);
  const answer = await explained.ask(url, { method: "POST", body: posted(form), headers: { "x-csrftoken": data.csrf || "" } });
  if (answer === null) return;
  if (!answer.response?.ok) { announce(say("failed")); return; }
  const page = parsed(answer.body);
  const box = dialog(page.querySelector("h2")?.textContent ?? "", make("div", {}, ...[...page.body.children].filter((one) => one.tagName !== "H2").map((one) => document.importNode(one, true))));
  box.classList.add("n-dialog-wide");
  box.addEventListener("close", () => back?.focus?.());
}

// --------------------------------------------------------------------------------------------------------------- saving

/**
 * Sign in again beside the form; true when it has worked. Nothing of the page is touched but its token. Where a plugin asks for a further step,
 * the forms of its page come in the place of the first one, with the modules that they need.
 */
let signing = null;
function signIn(form) {
  signing ??= new Promise((resolve) => {
    const fields = ["login", "password"].map((name) => make("label", { className: "n-field" }, make("span", { className: "form-label" }, say(name)), make("input", { className: "form-control", name, type: name === "login" ? "text" : "password", autocomplete: name === "login" ? "username" : "current-password", required: true })));
    const wrong = make("p", { role: "alert", className: "n-error" });
    const first = make("form", { method: "post", action: "/login" }, make("p", {}, say("expired")), ...fields, wrong, make("button", { type: "submit", className: "btn btn-primary" }, say("signIn")));
    const steps = make("div", {}, first);
    const box = dialog(say("signIn"), steps);
    let done = false;
    steps.addEventListener("submit", async (event) => {
      event.preventDefault();
      const sent = new URLSearchParams([...new FormData(event.target), ...(event.target === first ? [["next", location.pathname + location.search]] : [])]);
      if (event.target === first) sent.set("_csrf_token", parsed(await (await fetch("/login")).text()).querySelector("[name=_csrf_token]")?.value ?? "");
      const response = await fetch(event.target.action, { method: "POST", body: sent });
      const after = parsed(await response.text());
      const fresh = JSON.parse(after.getElementById("newel-data")?.textContent || "{}");
      if (response.ok && fresh.csrf && after.querySelector(".n-frame")) {
        data.csrf = fresh.csrf;
        document.querySelectorAll("input[name=_csrf_token]").forEach((input) => { input.value = fresh.csrf; });
        done = true;
        box.close();
        return;
      }
      const main = after.querySelector("main:has(form:not([action='/login']))");
      wrong.textContent = main ? "" : after.querySelector(".n-error, [role=alert]")?.textContent.trim() || say("failed");
      if (main) after.querySelectorAll("head script[type=module][src]").forEach((script) => import(new URL(script.getAttribute("src"), location)));
      steps.replaceChildren(...(main ? [...main.querySelector(".n-card").children].filter((one) => one.matches(":has(form), form")).map((one) => document.importNode(one, true)) : [first]));
      steps.querySelector("input:not([type=hidden])").focus();
    });
    box.addEventListener("close", () => { signing = null; resolve(done); form.querySelector("[aria-busy]")?.removeAttribute("aria-busy"); });
    first.querySelector("input").focus();
  });
  return signing;
}

/** Ask what is stored now: whether we are still known, and in what version the document is. null: no connection. */
async function stored(form) {
  const id = /^\/document\/(\d+)\/edit$/.exec(new URL(form.action).pathname)?.[1];
  const response = await fetch(id ? `/api/document/${id}` : "/api/me", { headers: { Accept: "application/json" } }).catch(() => null);
  if (!response || response.status >= 502) return null;
  return { status: response.status, version: id && response.ok ? (await response.json()).version : undefined };
}

/** What was entered, what stood there and what stands there now, field by field. */
function differences(form, theirs) {
  const value = (field) => (field.type === "checkbox" ? String(field.checked) : field.value);
  const first = (field) => {
    if (field.tagName === "SELECT") return [...field.options].find((one) => one.defaultSelected)?.value ?? field.options[0]?.value ?? "";
    return field.type === "checkbox" ? String(field.defaultChecked) : field.dataset.was ?? field.defaultValue;
  };
  const lineOf = (field) => field.closest("[data-row]")?.querySelector("input[name$='-id']")?.value;
  const rows = new Map([...theirs.querySelectorAll("[data-row]")].map((row) => [row.querySelector("input[name$='-id']")?.value, row]));
  const out = [];
  const skip = /^(_csrf_token|version|idempotency_key|do)$|-id$|-delete$|-shown\.|-for$/;
  for (const field of form.elements) {
    if (!field.name || skip.test(field.name) || field.type === "hidden" || field.closest("[data-more]")) continue;
    const line = lineOf(field);
    if (field.closest("[data-row]") && !line) continue;
    const other = line ? rows.get(line)?.querySelector(`[name$="${field.name.replace(/^\w+-\d+/, "")}"]:not([type=hidden])`) : theirs.querySelector(`[name="${CSS.escape(field.name)}"]:not([type=hidden])`);
    if (!other) continue;
    const [was, now, mine] = [first(field), value(other), value(field)];
    if (now === was || now === mine) continue;
    const cell = field.closest("[data-label]");
    const label = cell ? `${cell.dataset.label}, ${say("line")} ${Number(field.closest("[data-row]").dataset.index ?? 0) + 1}` : field.labels?.[0]?.textContent.trim() ?? field.closest(".n-field")?.querySelector("label")?.textContent.trim() ?? field.name;
    out.push({ field, other, label, was, now, mine, both: mine !== was });
  }
  return out;
}

/** Somebody else has changed the document: take theirs where we changed nothing, choose where both did. */
async function settle(form, version) {
  const page = parsed(await (await fetch(form.action, { headers: { Accept: "text/html" } })).text());
  const theirs = page.getElementById("document-form");
  if (!theirs) return false;
  const found = differences(form, theirs);
  const take = ({ field, other }) => {
    if (field.type === "checkbox") field.checked = other.checked; else field.value = other.value;
    const [ours, given] = [field, other].map((one) => one.closest("newel-combobox, newel-date")?.querySelector("input[type=hidden], input[type=date]"));
    if (ours && given) { ours.value = given.value; ours.closest("newel-date")?.show?.(ours.valueAsDate); }
  };
  const name = page.querySelector("[name=version]");
  form.elements.namedItem("version").value = name?.value ?? version;
  found.filter((one) => !one.both).forEach(take);
  const rows = found.map((one) => {
    const pick = (value, text, on) => make("td", {}, make("label", { className: "form-check" }, make("input", { type: "radio", className: "form-check-input", name: `pick-${one.field.name}`, value, checked: on }), ` ${text || "–"}`));
    const tr = make("tr", {}, make("th", { scope: "row" }, one.label), make("td", { className: "n-muted" }, one.was || "–"), pick("theirs", one.now, !one.both), pick("mine", one.mine, one.both));
    tr.one = one;
    return tr;
  });
  const head = [make("td"), ...["was", "theirs", "mine"].map((name) => make("th", { scope: "col" }, say(name)))];
  const [cancel, go] = [make("button", { type: "button", className: "btn" }, say("no")), make("button", { type: "button", className: "btn btn-primary" }, say("saveNow"))];
  const list = make("table", { className: "n-table" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
  const box = dialog(say("changedTitle"), make("div", {}, make("p", {}, say("changedText")), rows.length ? list : null), [cancel, go]);
  box.classList.add("n-dialog-wide");
  return new Promise((resolve) => {
    cancel.addEventListener("click", () => box.close());
    go.addEventListener("click", () => {
      for (const tr of rows) {
        const chosen = tr.querySelector("input:checked").value;
        if (chosen === "theirs") take(tr.one);
        else if (!tr.one.both) tr.one.field.value = tr.one.mine;
      }
      box.close("go");
    });
    box.addEventListener("close", () => { form.dispatchEvent(new Event("change", { bubbles: true })); resolve(box.returnValue === "go"); });
    go.focus();
  });
}

/** Before it is sent: are we known, is there a connection, has nobody else changed it? Otherwise that is settled first. */
function guarded(form) {
  let checking = false;
  form.addEventListener("submit", async (event) => {
    if (form.dataset.checked) { delete form.dataset.checked; return; }
    event.preventDefault();
    if (checking || form.dataset.sent) return;
    checking = true;
    const { submitter } = event;
    submitter?.setAttribute("aria-busy", "true");
    try {
      if (await clear(form)) { form.dataset.checked = "1"; form.requestSubmit(submitter); }
    } finally {
      checking = false;
      if (!form.dataset.sent) submitter?.removeAttribute("aria-busy");
    }
  });
}

async function clear(form) {
  for (;;) {
    const now = await stored(form);
    if (now === null) {
      banner(say("waiting"));
      await new Promise((resolve) => { const go = () => { clearTimeout(timer); removeEventListener("online", go); resolve(); }; const timer = setTimeout(go, 2000); addEventListener("online", go); });
      continue;
    }
    banner("");
    if (now.status === 401) { if (await signIn(form)) continue; return false; }
    const seen = form.elements.namedItem("version")?.value;
    return now.version === undefined || !seen || String(now.version) === seen ? true : settle(form, now.version);
  }
}

/** One line below the top bar, as long as there is something to say. */
function banner(text) {
  document.querySelector(".n-offline")?.remove();
  if (text || !navigator.onLine) document.getElementById("main")?.prepend(make("div", { className: "n-offline", role: "status" }, text || say("offline")));
}

// ---------------------------------------------------------------------------------------------------------------- start

for (const form of document.querySelectorAll("form[data-preview-url]")) {
  previewed(form);
  guarded(form);
  form.addEventListener("newel:pick", (event) => { if (event.target.querySelector("#party")) another(form); });
  form.addEventListener("newel:create", (event) => createBeside(event.target, event.detail.text));
  if (form.querySelector("newel-lines")) {
    shortcut("lines", "Alt W", say("why"));
    form.addEventListener("keydown", (event) => { if (event.altKey && !event.ctrlKey && event.code === "KeyW") { event.preventDefault(); event.stopPropagation(); why(form); } });
    form.addEventListener("focusin", (event) => { if (event.target.closest("[data-row]")) form.lastCell = event.target; });
    form.querySelector("[data-why]")?.addEventListener("click", () => why(form));
  }
}

