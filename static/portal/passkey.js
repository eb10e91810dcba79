// Creates and uses passkeys. What the browser answers is said on the page.
"use strict";

(() => {
  const bytesOf = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const textOf = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  const withBytes = (list) => (list || []).map((each) => ({ ...each, id: bytesOf(each.id) }));

  const create = async (asked) => {
    const options = asked.publicKey;
    // Kept by the device together with the name, so that it also works without a password.
    const selection = { ...options.authenticatorSelection, residentKey: "required", requireResidentKey: true, userVerification: "required" };
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytesOf(options.challenge),
        user: { ...options.user, id: bytesOf(options.user.id) },
        excludeCredentials: withBytes(options.excludeCredentials),
        authenticatorSelection: selection,
      },
    });
    return {
      ...common(made),
      response: {
        clientDataJSON: textOf(made.response.clientDataJSON),
        attestationObject: textOf(made.response.attestationObject),
        transports: made.response.getTransports ? made.response.getTransports() : [],
      },
    };
  };

  const get = async (asked) => {
    const options = asked.publicKey;
    const used = await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: bytesOf(options.challenge),
        allowCredentials: withBytes(options.allowCredentials),
      },
    });
    const handle = used.response.userHandle;
    return {
      ...common(used),
      response: {
        clientDataJSON: textOf(used.response.clientDataJSON),
        authenticatorData: textOf(used.response.authenticatorData),
        signature: textOf(used.response.signature),
        userHandle: handle ? textOf(handle) : null,
      },
    };
  };

  const common = (credential) => ({
    type: credential.type,
    id: credential.id,
    rawId: textOf(credential.rawId),
    clientExtensionResults: credential.getClientExtensionResults(),
  });

  const optionsOf = async (form) => {
    if (!form.dataset.passkeyAsk) {
      return JSON.parse(form.querySelector("#passkey-options").textContent);
    }
    const answer = await fetch(form.dataset.passkeyAsk, { headers: { Accept: "application/json" } });
    if (!answer.ok) {
      throw new TypeError("no options");
    }
    return (await answer.json()).request_options;
  };

  const kindOf = (error) => {
    if (error.name === "NotAllowedError" || error.name === "AbortError") {
      return "cancelled";
    }
    if (error.name === "InvalidStateError") {
      return "known";
    }
    if (error.name === "SecurityError") {
      return "address";
    }
    return error instanceof TypeError ? "line" : "unsupported";
  };

  const say = (form, kind) => {
    const box = form.querySelector("[data-passkey-problem]");
    box.querySelector("[data-passkey-words]").textContent = box.dataset[kind];
    box.hidden = false;
    box.focus();
  };

  const start = async (form, button) => {
    if (!window.PublicKeyCredential) {
      say(form, window.isSecureContext ? "unsupported" : "address");
      return;
    }
    button.disabled = true;
    try {
      const options = await optionsOf(form);
      const credential = await (form.dataset.passkey === "create" ? create : get)(options);
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch (error) {
      say(form, kindOf(error));
      button.disabled = false;
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-passkey-start]");
    if (button) {
      start(button.closest("form"), button);
    }
  });
})();
