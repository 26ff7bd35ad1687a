/* Rows that are chosen: all of the page, from here to there, by X. Without this script they are ticked one by one, or all of the list together. */

import { make, say, shortcut } from "newel";

function choosing(form) {
  const boxes = [...form.querySelectorAll("td.n-select input")];
  const all = form.elements.namedItem("all");
  const said = form.querySelector("[data-selected]");
  const head = form.querySelector("th.n-select");
  if (!boxes.length || !said || !head) return;
  const words = said.textContent.trim();
  const whole = make("input", { type: "checkbox", className: "form-check-input", "aria-label": head.textContent.trim() });
  head.append(whole);
  let last = null;
  const count = () => {
    const n = boxes.filter((box) => box.checked).length;
    said.textContent = all?.checked ? "" : n ? `${words} ${n}` : words;
    whole.checked = n === boxes.length;
    whole.indeterminate = n > 0 && n < boxes.length;
  };
  whole.addEventListener("change", () => { for (const box of boxes) box.checked = whole.checked; if (all) all.checked = false; count(); });
  all?.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; count(); });
  form.addEventListener("click", (event) => {
    const at = boxes.indexOf(event.target);
    if (at < 0) return;
    if (event.shiftKey && last !== null) for (const box of boxes.slice(Math.min(at, last), Math.max(at, last) + 1)) box.checked = event.target.checked;
    if (all) all.checked = false;
    last = at;
    count();
  });
  document.addEventListener("keydown", (event) => {
    const box = event.key.toUpperCase() === "X" && !event.ctrlKey && !event.altKey && !event.metaKey && document.activeElement.closest?.("tr[data-href]")?.querySelector("td.n-select input");
    if (box && !event.target.closest("input, select, textarea")) { event.preventDefault(); box.click(); }
  });
  shortcut("everywhere", "X", say("select"));
  count();
}

const form = document.querySelector(".n-list")?.closest("form");
if (form) choosing(form);
