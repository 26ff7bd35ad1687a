/* The matrix by keyboard: arrows go from box to box, Home and End along the row; what has changed is counted. */

const table = document.querySelector("[data-matrix]");
if (table) {
  const boxes = (row) => [...row.querySelectorAll("input[type=checkbox]")];
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td");
    if (!cell || event.altKey || event.ctrlKey || event.metaKey) return;
    const rows = [...table.querySelectorAll("tr")].filter((r) => boxes(r).length);
    let y = rows.indexOf(cell.parentElement), x = boxes(rows[y]).indexOf(event.target);
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -Infinity], End: [0, Infinity] }[event.key];
    if (!step) return;
    event.preventDefault();
    const columns = boxes(rows[y]).length;
    do {
      y += step[0];
      x = Math.min(Math.max(x + step[1], 0), columns - 1);
      const found = rows[y] && boxes(rows[y])[x];
      if (!found) return;
      if (!found.disabled) { found.focus(); return; }
    } while (step[0] || (Number.isFinite(step[1]) && x > 0 && x < columns - 1));
  });
  const said = document.querySelector("[data-changed]");
  table.addEventListener("change", () => {
    const count = boxes(table).filter((box) => box.checked !== box.defaultChecked).length;
    if (said) said.textContent = count ? `± ${count}` : "";
  });
}
