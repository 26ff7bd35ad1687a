/*
 * The line grid: a plain table of inputs that the keyboard, a scanner and a spreadsheet can fill. It knows nothing of documents: rows of
 * inputs named NAME-I-COLUMN, and the keys people know by heart.
 */

import { Latest, announce, data, dialog, make, say, shortcut, toast } from "newel";

const BURST = 40; // milliseconds between two keys: nobody types that fast, every scanner does
const LONG = 20; // rows of a grid that is no table any more
const SCAN = 4; // the shortest code that counts as scanned
const QUICK = /^(?:(\d[\d.,]*)\s*[x×*]\s*)?(\S.*?)(?:\s+-\s*([\d.,]+)\s*%)?$/i;

/** `12x 4711 -5%` -> quantity, item and discount, as typed. */
export function quick(text) {
  const found = QUICK.exec(text.trim());
  return found ? { quantity: found[1] ?? "", item: found[2], discount: found[3] ?? "" } : { quantity: "", item: text, discount: "" };
}

class Lines extends HTMLElement {
  entered = new WeakMap(); // what stood in a field when it was entered, for Esc

  connectedCallback() {
    if (this.body) return;
    this.name = this.dataset.name;
    this.body = this.querySelector("tbody");
    this.template = this.querySelector("template[data-row-template]");
    if (matchMedia("(max-width: 640px)").matches) { // blank rows are for pages without script; on a phone each is a card
      for (const row of this.rows().slice(1).filter((one) => this.empty(one)).slice(1)) row.remove();
    }
    this.addEventListener("keydown", (event) => this.burst(event), { capture: true });
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("newel:pick", (event) => this.picked(event));
    this.wireItems(this.body);
    this.addEventListener("paste", (event) => this.paste(event));
    this.addEventListener("focusin", (event) => { if (event.target.matches("input:not([type=checkbox])")) this.entered.set(event.target, event.target.value); });
    this.addEventListener("click", (event) => {
      const remove = event.target.closest("[data-remove]");
      if (remove) this.remove_(remove.closest("[data-row]"));
      if (event.target.closest("[data-add]")) this.focusField(this.addAfter(null), 0);
      const offer = event.target.closest(".n-offer button");
      if (offer) { event.preventDefault(); this.offered(offer); }
    });
    const list = [["Enter", "next"], ["Shift Enter", "back"], ["↑ ↓", "rows"], ["Ctrl D", "duplicate"], ["Alt ↑ ↓", "move"], ["Ctrl Del", "remove"], ["Insert", "insert"], ["F8", "above"], ["Esc", "restore"], ["Tab", "leave"], ["Ctrl V", "paste"]];
    for (const [keys, text] of list) shortcut("lines", keys, say(text));
    this.lengthy();
  }

  rows() { return [...this.body.querySelectorAll(":scope > [data-row]")]; }

  /** The row below a row, with what plugins let one choose for it. */
  more(row) { return row.nextElementSibling?.matches("[data-more]") ? row.nextElementSibling : null; }

  /** What the keyboard visits in a row: everything one can type into, in reading order. */
  fields(row) {
    return [...row.querySelectorAll("input:not([type=hidden],[type=date]), select, textarea, newel-date:not(:defined) input")]
      .filter((field) => !field.disabled && !field.readOnly && !field.closest(".n-no-script"));
  }

  focusField(row, index) {
    const fields = this.fields(row);
    const field = fields.at(Math.min(index, fields.length - 1));
    field?.focus();
    field?.select?.();
  }

  blank() {
    const row = this.template.content.firstElementChild.cloneNode(true);
    return document.importNode(row, true);
  }

  addAfter(row, before = false) {
    const fresh = this.blank();
    if (!row) this.body.append(fresh);
    else if (before) row.before(fresh);
    else (this.more(row) ?? row).after(fresh);
    this.wireItems(fresh);
    this.renumber();
    return fresh;
  }

  /** The field of a row, by its column. */
  field(row, column) { return row.querySelector(`[name$="-${column}"]:not([type=hidden])`) ?? row.querySelector(`[name$="-${column}_text"]`); }

  /** Items are searched without the quantity and discount typed around them, and among the numbers of the party of the form. */
  wireItems(part) {
    for (const box of part.querySelectorAll('[data-column="item"] newel-combobox')) {
      box.query = (text) => {
        const party = this.closest("form")?.querySelector("input[type=hidden][name=party]")?.value;
        return { q: quick(text).item, ...(party ? { for: party } : {}) };
      };
    }
  }

  /** What stood around a chosen item goes where it belongs. */
  picked(event) {
    const row = event.target.closest("[data-row]");
    if (!row || !event.target.closest('[data-column="item"]')) return;
    const typed = quick(event.detail.typed ?? "");
    for (const column of ["quantity", "discount"]) {
      const field = this.field(row, column);
      if (field && typed[column]) field.value = typed[column];
    }
  }

  /** What somebody offers for a row goes into it, or into a new one, and the cursor to where it stands: Esc takes it back there. */
  offered(button) {
    const row = button.closest("[data-more]").previousElementSibling;
    const into = button.name.endsWith(".adds") ? this.addAfter(row) : row;
    let first = null;
    for (const [column, value] of new URLSearchParams(button.value)) {
      const field = into.querySelector(`[name$="-${column}"]`);
      if (!field) continue;
      if (field.type !== "hidden") { first ??= field; if (first === field) field.focus(); }
      field.value = value;
    }
    first?.select?.();
    this.changed();
  }

  // ---- scanner ---------------------------------------------------------------------------------------------------

  /** Keys that come faster than anybody types, and then Enter: a scanner. What was being typed stays as it was. */
  burst(event) {
    const field = event.target;
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || !field.matches?.("input")) return;
    const now = event.timeStamp;
    const quickly = this.keys && now - this.keys.at < BURST && this.keys.field === field;
    if (event.key === "Enter") {
      const keys = this.keys;
      this.keys = null;
      if (!quickly || keys.code.length < SCAN) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      field.value = keys.value;
      const id = field.closest("newel-combobox")?.querySelector("input[type=hidden]");
      if (id) { id.value = keys.id; field.closest("newel-combobox").latest?.cancel(); field.closest("newel-combobox").close?.(); }
      if (field.setSelectionRange && field.type === "text") field.setSelectionRange(keys.caret, keys.caret);
      this.scan(keys.code);
    } else if (event.key.length === 1) {
      if (!quickly) this.keys = { field, value: field.value, caret: field.selectionStart, id: field.closest("newel-combobox")?.querySelector("input[type=hidden]")?.value ?? "", code: "" };
      this.keys.code += event.key;
      this.keys.at = now;
    } else if (event.key !== "Shift") this.keys = null;
  }

  /** One more of what was scanned: in its line, else in a new one. */
  scan(code) {
    const text = (row) => this.field(row, "item")?.value.trim();
    let row = this.rows().find((one) => one.dataset.code === code || text(one) === code);
    if (row) {
      const field = this.field(row, "quantity");
      const before = field.value.trim() || "1";
      field.value = /^\d+$/.test(before) ? String(BigInt(before) + 1n) : `${before}+1`;
    } else {
      row = this.rows().find((one) => this.empty(one) && one.contains(document.activeElement)) ?? this.rows().find((one) => this.empty(one)) ?? this.addAfter(null);
      const field = this.field(row, "item");
      if (!field) return;
      field.value = code;
      this.field(row, "quantity").value = "1";
      if (!this.rows().some((one) => this.empty(one))) this.addAfter(null);
      if (row.contains(document.activeElement)) this.focusField(this.rows().find((one) => this.empty(one)), 0);
    }
    row.dataset.code = code;
    row.classList.remove("n-scanned");
    requestAnimationFrame(() => row.classList.add("n-scanned"));
    announce(`${say("scanned")} ${code}: ${this.field(row, "quantity").value}`);
    this.changed();
  }

  /** Names carry the order, so they are written again whenever it changes; what is typed stays where it is. */
  renumber() {
    const pattern = new RegExp(`^${this.name}-(?:\\d+|__i__)(?=-)`);
    this.rows().forEach((row, index) => {
      if (row.dataset.index === String(index)) return; // most rows are where they were
      row.dataset.index = index;
      const parts = [row, this.more(row)].filter(Boolean);
      for (const element of parts.flatMap((part) => [...part.querySelectorAll("[name], [id], [for], [aria-describedby], [data-box]")])) {
        if (element.dataset.box) element.dataset.box = `${this.name}-${index}`;
        for (const attribute of ["name", "id", "for", "aria-describedby"]) {
          const value = element.getAttribute(attribute);
          if (value && pattern.test(value)) element.setAttribute(attribute, value.split(" ").map((part) => part.replace(pattern, `${this.name}-${index}`)).join(" "));
        }
      }
      for (const element of row.querySelectorAll("[aria-label]")) {
        element.setAttribute("aria-label", element.getAttribute("aria-label").replace(/\d+(?=\D*$)/, String(index + 1)));
      }
      const position = row.querySelector("[data-position]");
      if (position) position.textContent = index + 1;
    });
    this.lengthy();
  }

  /** A table is laid out and painted as one. Many rows become grids with the columns of the head instead, and cost nothing while they are out of sight. */
  lengthy() {
    const many = this.rows().length > LONG && matchMedia("(min-width: 641px)").matches;
    if (many === "long" in this.dataset) return;
    const widths = [...this.querySelectorAll("thead th")].map((th) => (th.matches("[data-w], .n-pos, .n-row-remove") ? `${th.getBoundingClientRect().width}px` : "minmax(0, 1fr)"));
    this.style.setProperty("--n-columns", widths.join(" "));
    this.toggleAttribute("data-long", many);
  }

  changed() { this.dispatchEvent(new Event("change", { bubbles: true })); }

  empty(row) { return this.fields(row).every((field) => field.type === "checkbox" || field.tagName === "SELECT" || !field.value); }

  remove_(row) {
    const rows = this.rows();
    const index = rows.indexOf(row);
    const wasEmpty = this.empty(row);
    const next = rows[index + 1] ?? rows[index - 1] ?? this.addAfter(row);
    this.focusField(next, 0);
    const more = this.more(row);
    more?.remove();
    row.remove();
    this.renumber();
    this.changed();
    if (wasEmpty) return;
    announce(say("removed"));
    toast(say("removed"), say("undo"), () => {
      const now = this.rows();
      if (now[index]) now[index].before(row);
      else this.body.append(row);
      if (more) row.after(more);
      this.renumber();
      this.focusField(row, 0);
      this.changed();
    });
  }

  copyInto(from, to) {
    const source = [...from.querySelectorAll("input, select, textarea")];
    [...to.querySelectorAll("input, select, textarea")].forEach((field, i) => {
      if (!source[i] || field.name.endsWith("-id") || field.name.endsWith("-delete")) return;
      if (field.type === "checkbox") field.checked = source[i].checked;
      else field.value = source[i].value;
      if (source[i].placeholder) field.placeholder = source[i].placeholder;
    });
  }

  key(event) {
    const field = event.target;
    const row = field.closest("[data-row]");
    if (event.key === "Tab" && !event.isComposing) { this.leave(event); return; }
    const above = field.closest("[data-more]")?.previousElementSibling;
    if (above && event.key === "Escape" && !event.defaultPrevented) { // back to the cell that Tab came from
      event.preventDefault();
      (above.contains(this.from) ? this.from : this.fields(above)[0])?.focus();
    }
    if (!row || (event.defaultPrevented && event.key !== "Enter") || event.isComposing) return;
    if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) return; // what is typed: five hundred rows need not be looked through
    const fields = this.fields(row);
    const column = fields.indexOf(field);
    const rows = this.rows();
    const index = rows.indexOf(row);
    const open = field.getAttribute("aria-expanded") === "true";
    const control = event.ctrlKey || event.metaKey;
    const arrow = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const done = () => event.preventDefault();

    if (event.key === "Enter" && !control && !event.altKey && column >= 0) {
      done();
      if (event.shiftKey) {
        if (column > 0) this.focusField(row, column - 1);
        else if (index > 0) this.focusField(rows[index - 1], Infinity);
      } else if (column < fields.length - 1) this.focusField(row, column + 1);
      else this.focusField(rows[index + 1] ?? this.addAfter(row), 0);
    } else if (arrow && event.altKey && !control) {
      done();
      const other = rows[index + arrow];
      if (!other) return;
      const [mine, theirs] = [this.more(row), this.more(other)];
      if (arrow < 0) other.before(row); else other.after(row);
      if (theirs) other.after(theirs);
      if (mine) row.after(mine);
      this.renumber();
      this.focusField(row, column);
      this.changed();
    } else if (arrow && !open && !control && !event.shiftKey && field.tagName !== "SELECT") {
      const other = rows[index + arrow];
      if (other) { done(); this.focusField(other, column); }
    } else if (control && event.key.toLowerCase() === "d") {
      done();
      const copy = this.addAfter(row);
      this.copyInto(row, copy);
      this.focusField(copy, column);
      this.changed();
    } else if (control && event.key === "Delete") { done(); this.remove_(row); }
    else if (event.key === "Insert" && !control && !event.shiftKey) { done(); this.focusField(this.addAfter(row, true), 0); }
    else if (event.key === "F8" && index > 0) {
      done();
      const above = this.fields(rows[index - 1])[column];
      field.value = above.value || above.placeholder;
      const ids = [field, above].map((one) => one.closest("newel-combobox")?.querySelector("input[type=hidden]"));
      if (ids[0] && ids[1]) ids[0].value = ids[1].value;
      field.select?.();
      this.changed();
    } else if (event.key === "Escape" && this.entered.has(field) && field.value !== this.entered.get(field)) {
      done();
      field.value = this.entered.get(field);
      this.changed();
    }
  }

  /** Tab goes out of the grid, by way of what can be chosen below the row; the browser goes on from the edge. */
  leave(event) {
    const field = event.target;
    const row = field.closest("[data-row]");
    const box = row ? this.more(row) : field.closest("[data-more]");
    if (!row && (!box || event.shiftKey)) return;
    const stops = box && !event.shiftKey ? [...box.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href]")] : [];
    const next = stops.slice(stops.indexOf(field) + 1).find((one) => one.type !== "radio" || one.name !== field.name);
    if (row) this.from = field;
    if (next) {
      event.preventDefault();
      (next.type === "radio" && stops.find((one) => one.name === next.name && one.checked) || next).focus();
      return;
    }
    const edge = event.shiftKey ? this : this.querySelector(".n-grid-foot");
    edge.tabIndex = -1;
    edge.focus({ preventScroll: true });
  }

  // ---- spreadsheet -------------------------------------------------------------------------------------------------

  /** Rows from a spreadsheet: looked at first, taken over when they are right; saving is another step. */
  paste(event) {
    const text = (event.clipboardData?.getData("text/plain") ?? "").replace(/\r/g, "").replace(/\n+$/, "");
    const field = event.target;
    const row = field.closest("[data-row]");
    if (!row || !/[\t\n]/.test(text)) return;
    event.preventDefault();
    let table = text.split("\n").map((line) => line.split("\t").map((cell) => cell.trim()));
    const cells = [...row.children].filter((cell) => cell.dataset.column && cell.dataset.type !== "output");
    const all = cells.map((cell) => ({ name: cell.dataset.column, label: cell.dataset.label }));
    let columns = all.slice(Math.max(0, cells.indexOf(field.closest("td"))));
    const named = table[0].map((head) => all.find((one) => [one.name, one.label].some((name) => name.toLowerCase() === head.toLowerCase())));
    if (named.filter(Boolean).length > 1) { table = table.slice(1); columns = named; } // the first row says which column is which
    columns = columns.slice(0, Math.max(...table.map((line) => line.length)));
    if (table.length === 1) this.take(row, columns, table);
    else this.look(row, columns, table);
  }

  /** The pasted rows with what the server says to each, in a dialog where the bad ones can be mended. */
  look(row, columns, table) {
    const form = this.closest("form");
    const shown = columns.filter(Boolean);
    const status = make("p", { role: "status", className: "n-muted" });
    const body = make("tbody");
    for (const [at, line] of table.entries()) {
      const tr = make("tr", {}, make("td", { className: "n-pos" }, String(at + 1)));
      columns.forEach((column, i) => { if (column) tr.append(make("td", {}, make("input", { className: "form-control", value: line[i] ?? "", "aria-label": `${column.label}, ${at + 1}` }))); });
      tr.append(make("td", { className: "n-paste-said" }));
      body.append(tr);
    }
    const head = make("tr", {}, make("th", {}, "#"), ...shown.map((column) => make("th", { scope: "col" }, column.label)), make("td"));
    const button = (text, css = "") => make("button", { type: "button", className: `btn ${css}` }, text);
    const [again, good, every] = [button(say("checkAgain")), button(say("pasteOnlyGood")), button(say("pasteAll"), "btn-primary")];
    const box = dialog(say("pasteTitle"), make("div", {}, status, make("div", { className: "n-paste" }, make("table", { className: "n-table n-grid" }, make("thead", {}, head), body))), [again, good, every]);
    box.classList.add("n-dialog-wide");
    const rows = () => [...body.rows].map((tr) => [...tr.querySelectorAll("input")].map((input) => input.value.trim()));
    const latest = new Latest();
    const check = async () => {
      const sent = new URLSearchParams(); // parts of a multipart body are counted, and five hundred lines have too many
      if (form) for (const [name, value] of new FormData(form)) if (!name.startsWith(`${this.name}-`)) sent.append(name, value);
      rows().forEach((line, at) => shown.forEach((column, i) => sent.append(`${this.name}-${at}-${column.name}${column.name === "item" ? "_text" : ""}`, line[i])));
      const url = form?.dataset.previewUrl;
      const answer = url && await latest.ask(url, { method: "POST", body: sent, headers: { "x-csrftoken": data.csrf || "", Accept: "text/html" } });
      if (answer === null) return;
      const page = answer?.response?.ok ? new DOMParser().parseFromString(answer.body, "text/html") : null;
      const wrong = new Map();
      for (const link of page?.querySelectorAll(".n-problem[data-severity=block] a, .n-problem[data-severity=override] a") ?? []) {
        const found = link.hash.match(new RegExp(`^#${this.name}-(\\d+)-(\\w+)`));
        if (found && !wrong.has(+found[1])) wrong.set(+found[1], { text: link.textContent, column: found[2] });
      }
      [...body.rows].forEach((tr, at) => {
        const bad = wrong.get(at);
        tr.toggleAttribute("data-bad", Boolean(bad));
        const means = page?.querySelector(`[data-for="${this.name}-${at}-text"]`)?.value ?? "";
        const net = page?.getElementById(`${this.name}-${at}-net`)?.textContent ?? "";
        tr.lastChild.replaceChildren(bad ? `✗ ${bad.text}` : page ? `✓ ${[means, net].filter(Boolean).join(" · ")}` : "");
        shown.forEach((column, i) => { const input = tr.querySelectorAll("input")[i]; if (bad?.column === column.name) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid"); });
      });
      const count = table.length - wrong.size;
      status.textContent = `${count} ${say("pasteGood")}, ${wrong.size} ${say("pasteBad")}`;
      good.hidden = !wrong.size || !count;
      good.textContent = `${say("pasteOnlyGood")} (${count})`;
      every.textContent = `${say("pasteAll")} (${table.length})`;
      if (!body.contains(document.activeElement)) (body.querySelector("[aria-invalid]") ?? every).focus(); // who types on already stays there
    };
    again.addEventListener("click", check);
    body.addEventListener("change", check);
    good.addEventListener("click", () => { const taken = rows().filter((_, at) => !body.rows[at].hasAttribute("data-bad")); box.close(); this.take(row, shown, taken); });
    every.addEventListener("click", () => { const taken = rows(); box.close(); this.take(row, shown, taken); });
    check();
  }

  /** Write rows into the grid, from a row on; what stands there already stays below. */
  take(row, columns, table) {
    let at = this.empty(row) || table.length === 1 ? row : this.addAfter(row);
    const made = document.createDocumentFragment();
    const targets = [at];
    for (let i = 1; i < table.length; i += 1) {
      const next = targets.at(-1).isConnected ? this.rows()[this.rows().indexOf(targets.at(-1)) + 1] : null;
      if (next && this.empty(next) && !made.childElementCount) targets.push(next);
      else { const fresh = this.blank(); made.append(fresh); targets.push(fresh); }
    }
    this.wireItems(made);
    const last = targets.filter((one) => one.isConnected).at(-1);
    (this.more(last) ?? last).after(made);
    this.renumber();
    table.forEach((line, i) => columns.forEach((column, j) => {
      const into = column && this.field(targets[i], column.name);
      if (!into || line[j] === undefined) return;
      if (into.type === "checkbox") into.checked = /^(1|x|yes|true)$/i.test(line[j]);
      else into.value = line[j];
      const id = into.closest("newel-combobox")?.querySelector("input[type=hidden]");
      if (id) id.value = ""; // the server looks the text up
      into.closest("newel-date")?.take?.();
    }));
    at = targets.at(-1);
    this.focusField(at, 0);
    this.changed();
    toast(`${table.length} ${say("pasted")}`, say("undo"), () => { targets.forEach((one) => { this.more(one)?.remove(); one.remove(); }); this.focusField(this.rows()[0] ?? this.addAfter(null), 0); this.renumber(); this.changed(); });
    announce(`${table.length} ${say("pasted")}`);
  }
}

customElements.define("newel-lines", Lines);
