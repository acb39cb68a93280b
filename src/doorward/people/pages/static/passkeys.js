// Passkeys: enrol one, sign in with one. The server makes and checks every challenge.
"use strict";

async function ask(path, body) {
  const answer = await fetch("/api/v1" + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Doorward-CSRF": "1" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail || "This did not work: try again.");
  return said;
}

function say(trouble) {
  const place = document.querySelector("[data-passkey-trouble]");
  place.textContent = trouble.name === "NotAllowedError" ? "Nothing was chosen: try again." : trouble.message;
  place.hidden = false;
}

async function signIn() {
  const { options } = await ask("/sign-in/passkey/options");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options));
  const credential = await navigator.credentials.get({ publicKey });
  await ask("/sign-in/passkey", { answer: JSON.stringify(credential.toJSON()) });
  location.assign("/");
}

async function enrol() {
  const { options } = await ask("/account/passkeys/options");
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options));
  const credential = await navigator.credentials.create({ publicKey });
  const label = document.querySelector("[data-passkey-label]").value;
  const made = await ask("/account/passkeys", { answer: JSON.stringify(credential.toJSON()), label });
  if (made.recovery_codes.length === 0) return location.assign("/account");
  showCodes(made.recovery_codes);
}

function showCodes(codes) {
  const list = document.querySelector("[data-recovery-codes]");
  for (const code of codes) list.append(Object.assign(document.createElement("li"), { textContent: code }));
  for (const card of document.querySelectorAll("main .card")) card.hidden = !card.matches("[data-recovery]");
  document.querySelector("[data-recovery] h2").scrollIntoView();
}

function wire(selector, deed) {
  const button = document.querySelector(selector);
  if (button === null) return;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try { await deed(); } catch (trouble) { say(trouble); } finally { button.disabled = false; }
  });
}

if (window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON) {
  for (const hidden of document.querySelectorAll("[data-passkeys]")) hidden.hidden = false;
  wire("[data-passkey-sign-in]", signIn);
  wire("[data-passkey-enrol]", enrol);
}
