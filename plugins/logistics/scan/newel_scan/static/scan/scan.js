/*
 * A task with a scanner: the field keeps the cursor, each scan is judged at once, kept on the device and sent in order, once each.
 * Without a connection they wait; whatever is refused is listed. A wrong item stops everything until somebody has put it right.
 */

import { announce, data, make } from "newel";
import { parse, same } from "./codes.js";

const QUEUE = "newel.scan.";
const page = JSON.parse(document.getElementById("scan-data")?.textContent || "null");
const number = new Intl.NumberFormat(document.documentElement.lang || undefined, { maximumFractionDigits: 6 });
const kept = (name) => { try { return JSON.parse(localStorage.getItem(name) || "[]"); } catch { return []; } };

// ------------------------------------------------------------------------------------------------ sound, vibration

let audio = null;
function tone(hertz, seconds, shape = "sine", wait = 0) {
  try {
    audio ??= new AudioContext();
    const [sound, volume, from] = [audio.createOscillator(), audio.createGain(), audio.currentTime + wait];
    [sound.type, sound.frequency.value, volume.gain.value] = [shape, hertz, 0.25];
    sound.connect(volume).connect(audio.destination);
    sound.start(from);
    sound.stop(from + seconds);
  } catch { /* a device without sound shows it */ }
}
const good = () => { tone(1175, 0.09); navigator.vibrate?.(60); };
const bad = () => { for (const wait of [0, 0.35, 0.7]) tone(196, 0.28, "sawtooth", wait); navigator.vibrate?.([250, 100, 250, 100, 250]); };

// ------------------------------------------------------------------------------------------------ the task

class Task extends HTMLElement {
  connectedCallback() {
    this.dataset.live = "";
    this.live = new Map(); // scans of this page whose answer nobody has seen yet
    this.store = `${QUEUE}${this.dataset.login}.${this.dataset.task}`;
    this.form = this.querySelector("#sc-form");
    this.field = this.querySelector("#code");
    this.result = this.querySelector("#sc-result");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.take(this.field.value); });
    document.addEventListener("keydown", (event) => this.key(event), true);
    addEventListener("online", () => this.send());
    this.querySelector("#sc-finish").addEventListener("submit", (event) => { if (this.queue.length) { event.preventDefault(); event.stopImmediatePropagation(); this.send(); this.waits(); bad(); } }, true);
    if (matchMedia("(pointer: coarse)").matches) this.quiet();
    this.camera();
    this.focus_();
    this.send();
  }

  focus_() { if (!document.querySelector("dialog[open]")) this.field.focus({ preventScroll: true }); }

  /** A phone's keyboard covers half of the page, and a scanner needs none: it comes when one asks for it. */
  quiet() {
    this.field.inputMode = "none";
    const button = make("button", { type: "button", className: "btn sc-big" }, page.words.keyboard);
    button.addEventListener("click", () => { this.field.inputMode = "text"; this.field.blur(); this.field.focus(); });
    this.querySelector(".sc-camera").append(button);
  }

  /** What a scanner types goes to the field from wherever the cursor is; a mark between two elements is a character, too. */
  key(event) {
    if (this.stopped?.open) { if (event.key === "Enter" && event.target.tagName !== "BUTTON") { event.preventDefault(); bad(); } return; }
    if (event.ctrlKey && (event.key === "]" || event.code === "BracketRight")) {
      event.preventDefault();
      this.field.setRangeText("\x1d", this.field.selectionStart, this.field.selectionEnd, "end");
    } else if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey && !event.target.closest("input, select, textarea, button, summary, a, dialog")) {
      this.field.focus({ preventScroll: true });
    }
  }

  // ---- a scan

  take(text) {
    const code = text.trim();
    if (!code || this.stopped?.open) { if (code) bad(); return; }
    const value = (name) => this.form.elements.namedItem(name)?.value.trim() ?? "";
    const judged = this.judge(parse(code, new Date().getFullYear()), value("lot"));
    if (judged.ask) { this.field.value = code; this.ask(judged.ask); return; }
    const key = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const given = { key, code, at: new Date().toISOString() };
    const quantity = plain(value("quantity"));
    if (quantity === null) { this.say("refused", value("quantity"), ""); bad(); this.form.elements.namedItem("quantity").select(); return; }
    if (quantity) given.quantity = quantity;
    if (value("lot")) given.lot = value("lot");
    if (value("expiry")) given.expiry = value("expiry");
    for (const name of ["code", "quantity", "lot", "expiry"]) { const field = this.form.elements.namedItem(name); if (field) field.value = ""; }
    this.querySelector(".sc-lot")?.removeAttribute("data-asked");
    this.queue = [...this.queue, given];
    this.live.set(key, judged);
    this.send();
    this.focus_();
  }

  ask(item) {
    const lot = this.form.elements.namedItem("lot");
    lot.closest(".sc-lot").dataset.asked = "";
    this.say("kept", item, page.words.ask);
    navigator.vibrate?.(60);
    lot.focus();
  }

  /** What the device knows by itself: whether it is wanted, and whether a lot is missing. The server has the last word. */
  judge(code, lot) {
    const row = page.rows.find((one) => same(code.gtin, one.gtin) || (!code.gtin && code.text === one.item));
    if (!row) return { item: code.gtin || code.text, wrong: !page.free && code.gtin ? page.words.other : "" };
    if (row.tracking !== "none" && !lot && !(row.tracking === "serial" ? code.serial : code.lot)) return { ask: row.item };
    return { item: row.item };
  }

  // ---- the queue

  get queue() { return this.memory ?? kept(this.store); }

  /** On the device; where it keeps nothing, as long as the page lasts. */
  set queue(scans) { try { localStorage.setItem(this.store, JSON.stringify(scans)); } catch { this.memory = scans; } }

  async send() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.later);
    try {
      for (let queue = this.queue; queue.length; queue = this.queue) {
        const [first] = queue;
        const headers = { "content-type": "application/json", "x-csrftoken": data.csrf || "" };
        const response = await fetch(`${page.api}/tasks/${page.task}/steps`, { method: "POST", headers, body: JSON.stringify(first) }).catch(() => null);
        if (!response || response.status >= 500 || [401, 403, 408, 429].includes(response.status)) {
          this.waits(response && [401, 403].includes(response.status));
          this.later = setTimeout(() => this.send(), 3000);
          return;
        }
        const answer = await response.json();
        this.queue = this.queue.filter((one) => one.key !== first.key);
        this.taken(response.ok ? answer : { key: first.key, state: "refused", code: first.code, message: answer.problems?.[0]?.message ?? String(response.status), hint: answer.problems?.[0]?.hint ?? "" });
      }
      this.querySelector("#sc-queue").hidden = true;
    } finally { this.sending = false; }
  }

  waits(login = false) {
    const [box, queue] = [this.querySelector("#sc-queue"), this.queue];
    box.replaceChildren(login ? `${page.words.login} ` : "", login ? make("a", { href: page.words.login_url, target: "_blank", rel: "noopener" }, "↗ ") : "", `${page.words.waiting} ${queue.length}`);
    box.hidden = false;
    for (const { key } of queue) {
      const judged = this.live.get(key);
      this.live.delete(key);
      if (judged?.wrong) this.stop(`${judged.item} ${judged.wrong}`, "");
      else if (judged) { this.say("kept", judged.item, page.words.kept); good(); }
    }
  }

  // ---- the answer

  taken(step) {
    const mine = this.live.delete(step.key);
    if (step.state === "ask") { this.field.value = step.code; this.ask(step.message); return; }
    if (step.state === "refused") {
      this.list(step);
      if (mine) this.stop(step.message, step.hint); else bad();
      return;
    }
    if (step.state === "place") {
      this.say("place", step.place, "");
      const at = this.querySelector("#sc-at");
      at.textContent = step.place;
      at.parentElement.hidden = false;
    }
    else { this.say("ok", `${step.item} ${step.lot}`.trim(), `+${number.format(step.quantity)} ${step.unit}`); this.count(step); }
    if (mine) good();
    const undo = this.querySelector("#sc-undo");
    undo.value = step.id;
    undo.hidden = false;
  }

  say(state, text, more) {
    this.result.dataset.state = state;
    this.result.replaceChildren(make("strong", {}, text), make("span", {}, more));
  }

  count(step) {
    const row = page.rows.find((one) => one.line === step.line);
    let line = row && this.querySelector(`[data-line="${step.line}"]`);
    if (!row) {
      const what = `${step.item} ${step.lot}`.trim();
      line = [...this.querySelectorAll("[data-found]")].find((one) => one.dataset.found === what);
      if (!line) {
        line = make("li", { className: "sc-line", "data-found": what }, make("div", {}, make("strong", {}, what)), make("span", { className: "sc-amount n-code" }, make("b", { "data-scanned": true }, "0"), ` ${step.unit}`));
        line.amount = 0;
        this.querySelector("#sc-found").prepend(line);
      }
      line.amount = added(line.amount ?? plain(line.querySelector("[data-scanned]").textContent), step.quantity);
      line.querySelector("[data-scanned]").textContent = number.format(line.amount);
      return;
    }
    row.done = added(row.done, step.quantity);
    line.querySelector("[data-scanned]").textContent = number.format(row.done);
    line.toggleAttribute("data-done", row.exceeds ? Number(row.done) >= Number(row.wanted) : row.done === row.wanted);
    if (page.rows.every((one) => Number(one.done) >= Number(one.wanted))) this.querySelector("#reason")?.remove();
  }

  list(step) {
    const box = this.querySelector("#sc-refused");
    box.hidden = false;
    box.querySelector("ul").prepend(make("li", { className: "sc-line" }, make("div", {}, make("strong", {}, step.message), make("span", { className: "n-hint" }, step.hint), make("span", { className: "n-muted n-small" }, step.code))));
  }

  /** Nothing goes on until somebody has pressed the button: not even the next scan. */
  stop(text, hint) {
    this.say("refused", text, hint);
    const [title, button] = [make("h2", { id: "sc-stop-title", tabIndex: -1 }, page.words.stop), make("button", { type: "button", className: "btn" }, page.words.go)];
    this.stopped?.remove();
    this.stopped = make("dialog", { className: "sc-stop", role: "alertdialog", "aria-labelledby": "sc-stop-title", "aria-describedby": "sc-stop-text" }, title, make("p", { id: "sc-stop-text" }, text, make("br"), hint), button);
    button.addEventListener("click", () => this.stopped.close());
    this.stopped.addEventListener("cancel", (event) => event.preventDefault());
    this.stopped.addEventListener("close", () => { this.stopped.remove(); this.focus_(); });
    this.append(this.stopped);
    this.stopped.showModal();
    title.focus();
    bad();
  }

  // ---- camera

  camera() {
    const [box, file] = [this.querySelector(".sc-camera"), this.querySelector("#photo")];
    file.addEventListener("change", async () => {
      const found = file.files[0] && (await read(await drawn(await createImageBitmap(file.files[0]))));
      file.value = "";
      if (found?.length) this.take(found[0]);
      else { this.say("refused", page.words.none, ""); bad(); }
    });
    if (!navigator.mediaDevices?.getUserMedia) return;
    const button = make("button", { type: "button", className: "btn sc-big", "aria-pressed": "false", id: "sc-open" }, page.words.camera);
    button.addEventListener("click", () => (this.stream ? this.dark() : this.light()));
    box.prepend(button);
  }

  async light() {
    const [box, video, button] = [this.querySelector(".sc-live"), this.querySelector("video"), this.querySelector("#sc-open")];
    try { this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } }); } catch { this.say("refused", page.words.no_camera, ""); return; }
    [box.hidden, video.srcObject, button.textContent] = [false, this.stream, page.words.close];
    button.setAttribute("aria-pressed", "true");
    button.setAttribute("aria-label", page.words.close_camera);
    await video.play();
    let [last, gone] = ["", 0]; // what was before the camera, and since when it is seen not to be; how long a picture is read for says nothing
    while (this.stream) {
      const now = Date.now();
      const found = this.stopped?.open ? [] : await read(video.videoWidth ? await drawn(video, video) : null, video);
      if (found?.[0]) {
        if (found[0] !== last || (gone && now - gone > 2500)) this.take(found[0]);
        [last, gone] = [found[0], 0];
      } else if (found) gone ||= now;
      await new Promise((go) => setTimeout(go, 200));
    }
  }

  dark() {
    for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    this.querySelector(".sc-live").hidden = true;
    const button = this.querySelector("#sc-open");
    button.textContent = page.words.camera;
    button.setAttribute("aria-pressed", "false");
    button.removeAttribute("aria-label");
  }
}

/** A number as somebody typed it, in the page's language, as a program writes it; null where it is none. */
function plain(text) {
  const point = number.formatToParts(1.5).find((part) => part.type === "decimal").value;
  const clean = text.replace(point, ".");
  return clean === "" ? "" : /^\d{1,12}(\.\d{1,6})?$/.test(clean) ? clean : null;
}

/** The sum of two decimal numbers as text, without a binary fraction in between. */
function added(left, right) {
  const whole = (text) => { const [a, b = ""] = String(text || 0).split("."); return BigInt(a + b.padEnd(6, "0")); };
  const sum = String(whole(left) + whole(right)).padStart(7, "0");
  return `${sum.slice(0, -6)}.${sum.slice(-6)}`.replace(/\.?0+$/, "");
}

/** What the camera sees as a picture, no wider than the server needs. */
async function drawn(source, size = source) {
  const [width, height] = [size.videoWidth || size.width, size.videoHeight || size.height];
  const scale = Math.min(1, 1280 / Math.max(width, height));
  const canvas = make("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The barcodes in a picture: read by the browser where it can, else by the server; null where nobody could look. */
let detector;
async function read(canvas) {
  if (!canvas) return [];
  detector ??= "BarcodeDetector" in window ? new BarcodeDetector({ formats: ["qr_code", "ean_13", "ean_8", "code_128", "data_matrix", "upc_a"] }) : false;
  if (detector) { const found = await detector.detect(canvas).catch(() => null); if (found) return found.map((one) => one.rawValue); detector = false; }
  const image = canvas.toDataURL("image/jpeg", 0.8).split(",")[1];
  const response = await fetch(`${page.api}/read`, { method: "POST", headers: { "content-type": "application/json", "x-csrftoken": data.csrf || "" }, body: JSON.stringify({ image }) }).catch(() => null);
  return response?.ok ? response.json() : null;
}

customElements.define("scan-task", Task);

// ------------------------------------------------------------------------------------------------ the first page

const waiting = document.getElementById("sc-waiting");
if (waiting) {
  for (const name of Object.keys(localStorage).filter((one) => one.startsWith(QUEUE) && kept(one).length)) {
    waiting.append(make("a", { href: `/scan/task/${name.split(".").pop()}` }, `${waiting.dataset.text} ${kept(name).length}`));
    waiting.hidden = false;
  }
  if (!waiting.hidden) announce(waiting.textContent);
}
