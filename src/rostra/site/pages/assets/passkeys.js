// Passkeys (WebAuthn Level 3): the browser's ceremony between two small requests to the site.

async function ask(form, address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ csrf: form.elements.csrf.value, ...body }),
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

export async function register(form) {
  const { options, sealed } = await ask(form, "/settings/passkeys/options", {});
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey });
  const { next } = await ask(form, "/settings/passkeys", {
    sealed, credential: JSON.stringify(credential.toJSON()), name: form.elements.name.value,
  });
  location.assign(next);
}

export async function logIn(form) {
  const { options, sealed } = await ask(form, "/login/passkey/options", {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials.get({ publicKey });
  const { next } = await ask(form, "/login/passkey", {
    sealed, credential: JSON.stringify(credential.toJSON()), next: form.elements.next.value,
  });
  location.assign(next);
}
