/*
 * The filter as a sentence: each of its words opens the field that says it, and the fields stay away until then. And columns that are moved up and
 * down. Without this script there is the form of fields, and places of columns are numbers.
 */

import { announce, make, uid } from "newel";

const control = (field) => field.querySelector("select, input:not([type=hidden])");

function place(box, anchor) {
  const at = anchor.getBoundingClientRect();
  box.style.top = `${Math.min(at.bottom + 4, Math.max(4, innerHeight - box.offsetHeight - 4))}px`;
  box.style.left = `${Math.max(4, Math.min(at.left, innerWidth - box.offsetWidth - 4))}px`;
}

function sentence(form) {
  const [, ...rest] = form.querySelectorAll(".n-field");
  const unfold = form.querySelector("[data-unfold]");
  if (!rest.length || !unfold) return;
  const more = unfold.cloneNode(true); // without what happens to it on a phone
  unfold.replaceWith(more);
  form.dataset.sentence = "";
  more.hidden = false;
  more.setAttribute("aria-haspopup", "menu");
  const apply = [...form.elements].find((one) => one.type === "submit");
  const open = (field, anchor) => {
    field.showPopover();
    place(field, anchor);
    control(field).focus();
  };
  const menu = make("div", { className: "n-menu n-floating", popover: "auto", role: "menu", id: uid("filters"), "aria-label": more.textContent.trim() });
  for (const field of rest) {
    const label = field.querySelector("label")?.textContent.trim() ?? "";
    field.setAttribute("popover", "auto");
    field.setAttribute("role", "dialog");
    field.setAttribute("aria-label", label);
    field.append(apply.cloneNode(true));
    const item = make("button", { type: "button", className: "n-item", role: "menuitem" }, label);
    item.addEventListener("click", () => { menu.hidePopover(); open(field, more); });
    menu.append(item);
  }
  menu.addEventListener("toggle", (event) => more.setAttribute("aria-expanded", String(event.newState === "open")));
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); items.at((items.indexOf(document.activeElement) + step) % items.length).focus(); }
  });
  form.after(menu);
  more.addEventListener("click", () => { menu.togglePopover(); if (menu.matches(":popover-open")) { place(menu, more); menu.firstElementChild.focus(); } });
  for (const chip of document.querySelectorAll("a[data-filter]")) {
    chip.addEventListener("click", (event) => {
      const found = form.elements.namedItem(chip.dataset.filter) ?? document.getElementById(chip.dataset.filter);
      const field = (found instanceof RadioNodeList ? found[0] : found)?.closest(".n-field");
      if (!field) return;
      event.preventDefault();
      if (field.popover) open(field, chip);
      else { control(field).focus(); control(field).select?.(); }
    });
  }
}

/** Rows of a table that change places; the numbers in them say where they are. */
class Columns extends HTMLElement {
  connectedCallback() {
    this.body = this.querySelector("tbody");
    for (const row of this.body.rows) {
      const name = row.querySelector("label").textContent.trim();
      const input = row.querySelector("[name^='place-']");
      input.hidden = true;
      for (const [way, sign] of [["up", "↑"], ["down", "↓"]]) {
        const button = make("button", { type: "button", className: "btn btn-sm btn-quiet", "data-way": way, "aria-label": `${name}: ${this.dataset[way]}` }, sign);
        button.addEventListener("click", () => this.move(row, way, button));
        input.before(button);
      }
    }
    this.addEventListener("keydown", (event) => {
      const way = event.altKey && { ArrowUp: "up", ArrowDown: "down" }[event.key];
      const row = event.target.closest("tbody tr");
      if (way && row) { event.preventDefault(); this.move(row, way, event.target); }
    });
  }

  move(row, way, focus) {
    const other = way === "up" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (way === "up") other.before(row); else other.after(row);
    [...this.body.rows].forEach((one, at) => { one.querySelector("[name^='place-']").value = String(10 * (at + 1)); });
    focus.focus();
    announce(`${row.querySelector("label").textContent.trim()}: ${[...this.body.rows].indexOf(row) + 1}`);
  }
}

customElements.define("views-columns", Columns);
const form = document.querySelector("form[data-filters]");
if (form && document.querySelector(".n-list")) sentence(form);
