/*
 * Cells that are changed where they stand: F2 on a row or the pencil begins, Tab goes on to the next cell of the row, Enter keeps, Esc leaves.
 * Without this script a record is changed in its form.
 */

import { Latest, announce, data, make, say, shortcut } from "newel";

const list = document.querySelector(".n-list");
const parsed = (html) => new DOMParser().parseFromString(html, "text/html").querySelector("form");
const latest = new Latest();
let open = null; // {cell, kept: what stood there, form}
let sent = null; // what is on its way: until it has arrived nothing else begins, and nothing is taken back

async function edit(chosen) {
  await sent;
  // a row that was saved has come anew
  const cell = chosen.isConnected ? chosen : list.querySelector(`tr[data-id="${chosen.parentElement.dataset.id}"]`)?.cells[chosen.cellIndex];
  if (!cell) return;
  close();
  const answer = await latest.ask(cell.dataset.edit);
  if (answer === null) return; // another one was chosen
  const form = answer.response?.ok ? parsed(answer.body) : null;
  if (!form) { announce(say("failed")); return; }
  open = { cell, kept: [...cell.childNodes] };
  cell.removeAttribute("data-blank");
  put(form);
}

function put(form) {
  open.form = document.adoptNode(form);
  open.cell.replaceChildren(open.form);
  const field = open.form.querySelector("select, textarea, input:not([type=hidden])");
  field.focus();
  field.select?.();
}

function close(focus = false) {
  if (!open || sent) return;
  const { cell, kept } = open;
  open = null;
  cell.replaceChildren(...kept);
  if (focus) cell.closest("tr").querySelector("td a")?.focus();
}

/** Send the cell; the row comes anew from the list, since other cells may follow from this one. step: to which cell of the row to go on. */
function save(step = 0) { sent ??= send(step).finally(() => { sent = null; }); }

async function send(step) {
  const { cell, form } = open;
  const id = cell.closest("tr").dataset.id;
  const column = [...cell.parentElement.cells].indexOf(cell);
  const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "x-csrftoken": data.csrf || "" } }).catch(() => null);
  if (!response || (response.status !== 204 && response.status !== 422 && response.status !== 409)) { announce(say("failed")); return; }
  if (response.status !== 204) { put(parsed(await response.text())); return; }
  const page = await fetch(location.href).then((answer) => answer.text()).catch(() => "");
  const fresh = new DOMParser().parseFromString(page, "text/html").querySelector(`.n-list tr[data-id="${id}"]`);
  const row = cell.closest("tr");
  open = null;
  if (!fresh) { row.remove(); announce(say("gone")); return; }
  const ticked = row.querySelector("td.n-select input")?.checked;
  row.replaceWith(document.adoptNode(fresh));
  if (ticked) fresh.querySelector("td.n-select input").checked = true;
  const cells = [...fresh.cells];
  const next = step && (step > 0 ? cells.slice(column + 1) : cells.slice(0, column).reverse()).find((one) => one.dataset.edit);
  if (next) edit(next); else fresh.querySelector("td a")?.focus();
}

function editing() {
  const pencil = make("button", { type: "button", className: "n-pencil", tabIndex: -1 }, "✎");
  list.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td[data-edit]");
    if (!cell || open?.cell === cell || event.pointerType === "touch") { if (!cell) pencil.remove(); return; }
    pencil.setAttribute("aria-label", `${say("edit")}: ${cell.dataset.label}`);
    pencil.title = pencil.getAttribute("aria-label");
    if (pencil.parentElement !== cell) cell.append(pencil);
  });
  list.addEventListener("pointerleave", () => pencil.remove());
  pencil.addEventListener("click", () => { const cell = pencil.parentElement; pencil.remove(); edit(cell); });
  list.addEventListener("submit", (event) => { if (event.target === open?.form) { event.preventDefault(); event.stopPropagation(); save(); } });
  list.addEventListener("reset", (event) => { if (event.target === open?.form) { event.preventDefault(); close(true); } });
  document.addEventListener("keydown", (event) => {
    if (open?.form?.contains(event.target)) {
      if (event.key === "Escape" && !event.defaultPrevented) { event.preventDefault(); close(true); }
      else if (event.key === "Tab" && !event.target.closest("button")) { event.preventDefault(); save(event.shiftKey ? -1 : 1); }
      return;
    }
    const row = event.key === "F2" && document.activeElement.closest?.(".n-list tr[data-id]");
    const cell = row && row.querySelector("td[data-edit]");
    if (cell) { event.preventDefault(); edit(cell); }
  });
  shortcut("everywhere", "F2", say("edit"));
}

if (list?.querySelector("td[data-edit]")) editing();
