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

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = form.querySelector("[data-passkey-error]");
    error.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify((await passkey(form)).toJSON());
      form.elements.password?.setAttribute("disabled", "");
      form.submit();
    } catch (failed) {
      if (failed instanceof Error && !(failed instanceof DOMException) && failed.message) error.textContent = failed.message;
      error.hidden = false;
    }
  });
}
