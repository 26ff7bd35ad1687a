// A form that a passkey fills in: the browser makes one or lets one sign, and the form is sent as any other.

async function passkey(form) {
  const csrf = form.elements._csrf_token.value;
  const answer = await fetch(form.dataset.options, { method: "POST", headers: { "x-csrftoken": csrf }, body: new URLSearchParams(new FormData(form)) });
  const options = await answer.json();
  if (!answer.ok) throw new Error(options.message);
  if (form.dataset.passkey === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

/** Around such a form, wherever it is put: also in the dialog to log in again, whose own listener hears of it when it is filled in. */
class Passkey extends HTMLElement {
  connectedCallback() {
    const form = this.querySelector("form");
    form.hidden = !globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON;
    this.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const error = form.querySelector("[data-passkey-error]");
      error.hidden = true;
      try {
        form.elements.credential.value = JSON.stringify((await passkey(form)).toJSON());
        form.elements.password?.setAttribute("disabled", "");
        form.requestSubmit();
      } catch (failed) {
        if (failed instanceof Error && !(failed instanceof DOMException) && failed.message) error.textContent = failed.message;
        error.hidden = false;
      }
    }, true);
  }
}

customElements.define("two-factor-passkey", Passkey);
