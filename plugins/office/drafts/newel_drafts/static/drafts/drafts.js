/*
 * Keeps what is typed into the forms of documents on the server, half a second after the last key, and offers it again: after a crash,
 * at another desk, after the session has ended.
 */

import { announce, data, debounce, make, say } from "newel";

let words = {};
const KEPT = "/api/drafts/kept";
const SKIP = new Set(["_csrf_token", "do"]);

function wired(form) {
  const key = () => form.elements.namedItem("idempotency_key");
  let last = "";
  let focus = "";
  if (!key()) return;

  const fields = () => [...new FormData(form)].filter(([name, value]) => !SKIP.has(name) && typeof value === "string" && value !== "");

  function title() {
    const party = document.getElementById("party")?.value.trim();
    const lines = [...form.querySelectorAll("newel-lines [data-row]")].filter((row) => row.querySelector("[name$='-item_text'], [name$='-text']")?.value).length;
    const what = document.querySelector(".n-doc-title h1")?.textContent.trim().replace(/\s+/g, " ") ?? document.title;
    return [what, party, lines ? `${lines} ${words.lines}` : ""].filter(Boolean).join(" · ").slice(0, 200);
  }

  const content = () => JSON.stringify({ key: key().value, place: location.pathname, title: title(), fields: fields(), focus });

  let keeping = false;

  async function keep() {
    await offered; // the title has words that come with it
    if (keeping) { later(); return; } // one after another: over a slow line an older one could come after a newer one, and stay
    const body = content();
    if (body === last || form.dataset.sent) return;
    keeping = true;
    const response = await fetch(KEPT, { method: "PUT", body, headers: { "content-type": "application/json", "x-csrftoken": data.csrf || "" } }).catch(() => null);
    keeping = false;
    if (!response?.ok) { setTimeout(later, 3000); return; } // the connection or the session: it is tried again
    last = body;
    if (content() === body) delete form.dataset.dirty; // what is kept needs no question on leaving
    form.dataset.kept = "1";
    sign();
  }
  const later = debounce(keep, 500);

  function sign() {
    let mark = document.getElementById("draft-kept");
    if (!mark) {
      mark = make("span", { id: "draft-kept", className: "n-muted n-small" });
      document.querySelector(".n-doc-title")?.append(mark);
    }
    mark.textContent = `✓ ${words.kept} ${new Date().toLocaleTimeString(document.documentElement.lang || undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" })}`;
  }

  /** Put a draft into the form. What belongs to choices below a line comes with the first preview, so it is tried again then. */
  function restore(draft) {
    const wanted = new Map(draft.fields);
    key().value = draft.key;
    for (const grid of form.querySelectorAll("newel-lines")) {
      const prefix = new RegExp(`^${grid.dataset.name}-(\\d+)-`);
      const rows = Math.max(-1, ...draft.fields.map(([name]) => Number(prefix.exec(name)?.[1] ?? -1))) + 1;
      while (grid.rows().length < rows) grid.addAfter(null);
    }
    const put = () => {
      for (const field of form.elements) {
        if (!field.name || SKIP.has(field.name) || field.name === "idempotency_key") continue;
        if (field.type === "checkbox" || field.type === "radio") { if (wanted.has(field.name)) field.checked = wanted.get(field.name) === field.value; else if (!put.again) field.checked = false; }
        else if (wanted.has(field.name)) field.value = wanted.get(field.name);
        else if (!put.again && field.type !== "hidden") field.value = "";
        if (field.type === "date") field.closest("newel-date")?.show?.(field.valueAsDate);
        wanted.delete(field.name);
      }
      put.again = true;
    };
    put();
    form.dispatchEvent(new Event("change", { bubbles: true }));
    if (wanted.size) form.addEventListener("newel:previewed", () => { put(); form.dispatchEvent(new Event("change", { bubbles: true })); }, { once: true });
    const cursor = draft.focus && document.getElementById(draft.focus);
    (cursor ?? document.getElementById("party"))?.focus();
    cursor?.scrollIntoView({ block: "center" });
    announce(words.restored);
  }

  async function go(chosen, box) {
    box?.toggleAttribute("inert", true); // pressed twice, it would come again over what is being typed
    const response = await fetch(`${KEPT}/${encodeURIComponent(chosen)}`).catch(() => null);
    if (!response?.ok) { box?.removeAttribute("inert"); announce(say("failed")); return; }
    box?.remove();
    restore(await response.json());
  }

  async function offer() {
    const response = await fetch(`${KEPT}?place=${encodeURIComponent(location.pathname)}`).catch(() => null);
    if (!response?.ok) return;
    const answer = await response.json();
    words = answer.words;
    const chosen = new URLSearchParams(location.search).get("draft");
    if (chosen) { history.replaceState(history.state, "", location.pathname); await go(chosen); return; }
    const found = answer.drafts.filter((one) => one.key !== key().value);
    if (!found.length) return;
    const list = make("ul", { className: "n-drafts", "aria-label": words.mine });
    for (const one of found.slice(0, 3)) {
      const [on, off] = [make("button", { type: "button", className: "btn btn-sm" }, words.go), make("button", { type: "button", className: "btn btn-sm btn-quiet" }, words.discard)];
      const when = new Date(one.changed_at).toLocaleString(document.documentElement.lang || undefined, { dateStyle: "short", timeStyle: "short" });
      const row = make("li", {}, make("span", {}, one.title, " ", make("span", { className: "n-muted n-small" }, when)), on, off);
      on.addEventListener("click", () => go(one.key, list));
      off.addEventListener("click", async () => {
        await fetch(`${KEPT}/${encodeURIComponent(one.key)}`, { method: "DELETE", headers: { "x-csrftoken": data.csrf || "" } });
        row.remove();
        if (!list.childElementCount) list.remove();
      });
      list.append(row);
    }
    document.querySelector(".n-head")?.after(list);
  }

  form.addEventListener("focusin", (event) => { if (event.target.id) focus = event.target.id; });
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  const offered = offer();
}

for (const form of document.querySelectorAll("form[data-preview-url]")) if (form.method === "post") wired(form);
