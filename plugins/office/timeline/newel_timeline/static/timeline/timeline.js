/*
 * Timelines without a new page: filters, older entries, the entry that a link leads to, and whom a comment calls while one types.
 */

import { Latest, announce, debounce, make, say, uid } from "newel";

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

/** The page there; null where there is none, undefined where a newer one was asked for in the meantime. */
async function fetched(url, latest) {
  const answer = await latest.ask(url, { headers: { "HX-Request": "true" } });
  if (answer === null) return undefined;
  return answer.response?.ok && !answer.response.redirected ? parsed(answer.body) : null;
}

class Box extends HTMLElement {
  latest = new Latest();

  connectedCallback() {
    if (this.dataset.live) return;
    this.dataset.live = "1";
    const filter = this.querySelector(".tl-filter");
    filter?.addEventListener("change", () => filter.requestSubmit());
    filter?.addEventListener("submit", (event) => { event.preventDefault(); this.take(`${filter.action}?${new URLSearchParams(new FormData(filter))}`); });
    this.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-more]");
      if (link) { event.preventDefault(); this.older(link); }
    });
    const text = this.querySelector("textarea");
    if (text) calling(text, this.dataset.ask);
    this.land();
  }

  /** Other entries in place of these; what is being written stays. */
  async take(url) {
    this.busy = true;
    const page = await fetched(url, this.latest);
    if (page === undefined) return;
    this.busy = false;
    const fresh = page?.querySelector("timeline-box");
    if (!fresh) { announce(say("failed")); return; }
    const [old, list] = [this.querySelectorAll(":scope > ol, :scope > p"), fresh.querySelectorAll(":scope > ol, :scope > p")];
    old.forEach((one) => one.remove());
    this.append(...[...list].map((one) => document.importNode(one, true)));
    announce(`${this.querySelectorAll(":scope > ol > li").length} ${say("results")}`);
  }

  async older(link) {
    if (this.busy) return false; // pressed twice, they would come twice; and others may be on their way
    this.busy = true;
    const page = await fetched(link.href, this.latest);
    if (page === undefined) return false;
    this.busy = false;
    const fresh = page?.querySelector("timeline-box");
    if (!fresh) { announce(say("failed")); return false; }
    const rows = [...fresh.querySelectorAll("ol > li")].map((one) => document.importNode(one, true));
    this.querySelector("ol").append(...rows);
    const next = fresh.querySelector("a[data-more]");
    if (next) link.href = next.getAttribute("href"); else link.parentElement.remove();
    rows[0]?.focus({ preventScroll: true });
    return rows.length > 0;
  }

  /** Show the entry that the address names, however old it is. */
  async land() {
    const name = /^#(timeline-\d+)$/.exec(location.hash)?.[1];
    if (!name) return;
    for (let link = true; !document.getElementById(name) && link; ) {
      link = this.querySelector("a[data-more]");
      if (!link || !(await this.older(link))) break;
    }
    const entry = document.getElementById(name);
    if (!entry) return;
    const panel = entry.closest(".n-tabpanel");
    if (panel) panel.closest("newel-tabs")?.querySelector(`a[href="#${panel.id}"]`)?.click();
    history.replaceState(history.state, "", `#${name}`);
    entry.dataset.here = "";
    entry.scrollIntoView({ block: "center" });
    entry.focus({ preventScroll: true });
  }
}

/** After an @ the colleagues who may see this are offered; arrows and Enter choose, Escape leaves it. */
function calling(text, url) {
  const list = make("ul", { className: "tl-people", role: "listbox", id: uid("people"), hidden: true });
  list.setAttribute("aria-label", text.labels[0].textContent.trim());
  text.after(list);
  for (const [name, value] of [["aria-autocomplete", "list"], ["aria-controls", list.id]]) text.setAttribute(name, value);
  const word = () => /(^|[^\w@.])@([\w.-]*)$/.exec(text.value.slice(0, text.selectionStart));
  const latest = new Latest();
  const close = () => { latest.cancel(); list.hidden = true; text.removeAttribute("aria-activedescendant"); };

  function mark(option) {
    list.querySelectorAll("[aria-selected=true]").forEach((one) => one.setAttribute("aria-selected", "false"));
    option?.setAttribute("aria-selected", "true");
    if (option) text.setAttribute("aria-activedescendant", option.id);
  }

  function choose(option) {
    const start = text.selectionStart - word()[2].length;
    text.setRangeText(`${option.dataset.login} `, start, text.selectionStart, "end");
    close();
    text.focus();
  }

  const ask = debounce(async () => {
    const typed = word();
    if (!typed) { close(); return; }
    const answer = await latest.ask(`${url}?q=${encodeURIComponent(typed[2])}`, { read: "json" });
    if (answer === null) return;
    const found = (answer.response?.ok && word() && answer.body) || [];
    list.replaceChildren(...found.map((one) => {
      const option = make("li", { id: uid("person") }, make("strong", {}, one.login), ` ${one.name}`);
      option.setAttribute("role", "option");
      option.dataset.login = one.login;
      option.addEventListener("mousedown", (event) => { event.preventDefault(); choose(option); });
      return option;
    }));
    list.hidden = !found.length;
    mark(list.firstElementChild);
    if (found.length) announce(`${found.length} ${say("results")}`);
  }, 120);

  text.addEventListener("input", () => { mark(null); ask(); }); // what is shown answers what stood there before
  text.addEventListener("blur", close);
  text.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const now = list.querySelector("[aria-selected=true]");
    const next = { ArrowDown: now?.nextElementSibling ?? list.firstElementChild, ArrowUp: now?.previousElementSibling ?? list.lastElementChild }[event.key];
    if (next) { event.preventDefault(); mark(next); }
    if (["Enter", "Tab"].includes(event.key) && now) { event.preventDefault(); choose(now); }
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(); }
  });
}

customElements.define("timeline-box", Box);

/** The bell again, when there is news. */
const news = new Latest();
addEventListener("newel:changed", async (event) => {
  const box = event.target.closest?.(".n-top-box");
  if (!box?.querySelector(".tl-bell") || document.getElementById("timeline-notices")?.matches(":popover-open")) return;
  const fresh = await fetched("/timeline/notices", news);
  if (!fresh?.querySelector(".tl-bell")) return;
  box.replaceChildren(...[...fresh.head.children, ...fresh.body.children].map((one) => document.importNode(one, true)));
  const bell = box.querySelector(".tl-bell");
  if (bell.querySelector(".n-count")) announce(bell.getAttribute("aria-label"));
});
