/*
 * A signature drawn with a finger, a photo no larger than it needs to be, and the place if somebody wants it kept. All of it ends up in fields of
 * the form, which is then sent as it is.
 */

import { make } from "newel";

const EDGE = 1600;

/** Put a file into a file input, as if somebody had chosen it. */
function put(input, blob, name) {
  const chosen = new DataTransfer();
  if (blob) chosen.items.add(new File([blob], name, { type: blob.type }));
  input.files = chosen.files;
}

const blob = (canvas, type) => new Promise((done) => canvas.toBlob(done, type, 0.8));

class Sign extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    const [canvas, clear, input] = [this.querySelector("canvas"), this.querySelector("button"), this.querySelector("input")];
    const pen = canvas.getContext("2d");
    [pen.lineWidth, pen.lineCap, pen.lineJoin, pen.strokeStyle] = [5, "round", "round", "#10243a"];
    const at = (event) => [(event.offsetX * canvas.width) / canvas.clientWidth, (event.offsetY * canvas.height) / canvas.clientHeight];
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); pen.beginPath(); pen.moveTo(...at(event)); this.drawing = true; });
    canvas.addEventListener("pointermove", (event) => { if (!this.drawing) return; pen.lineTo(...at(event)); pen.stroke(); this.signed = true; });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, async () => { this.drawing = false; if (this.signed) put(input, await blob(canvas, "image/png"), "signature.png"); });
    clear.addEventListener("click", () => { pen.clearRect(0, 0, canvas.width, canvas.height); this.signed = false; put(input, null); });
  }
}

class Place extends HTMLElement {
  connectedCallback() {
    if (!navigator.geolocation || !isSecureContext) return;
    this.hidden = false;
    const [box, words] = [this.querySelector("[type=checkbox]"), this.querySelector("span")];
    const [latitude, longitude] = this.querySelectorAll("[type=hidden]");
    box.addEventListener("change", () => {
      [latitude.value, longitude.value] = ["", ""];
      if (!box.checked) return;
      navigator.geolocation.getCurrentPosition(
        (found) => { [latitude.value, longitude.value] = [found.coords.latitude.toFixed(6), found.coords.longitude.toFixed(6)]; },
        () => { box.checked = false; words.textContent = words.dataset.no; },
        { enableHighAccuracy: true, timeout: 15000 },
      );
    });
  }
}

customElements.define("handover-sign", Sign);
customElements.define("handover-place", Place);

const photo = document.getElementById("photo");
photo?.addEventListener("change", async () => {
  const [file] = photo.files;
  const picture = file && (await createImageBitmap(file).catch(() => null));
  if (!picture) return;
  const scale = Math.min(1, EDGE / Math.max(picture.width, picture.height));
  const canvas = make("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  put(photo, await blob(canvas, "image/jpeg"), "photo.jpg");
  photo.parentElement.querySelector("canvas")?.remove();
  photo.after(canvas);
});
document.getElementById("ho-form")?.addEventListener("submit", (event) => { event.target.elements.namedItem("at").value = new Date().toISOString(); });
