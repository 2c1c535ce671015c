// WebAuthnScript.swift: `webauthn.js`, the one script of the gate's pages.
//
// A form that asks for a key has the options in `data-options` and, in the page's language, what
// to say in `data-…`; the script asks the browser, puts the answer in the field `credential` and
// sends the form. It runs under `script-src 'self'`, keeps nothing and fetches nothing.

/// Served as `/.herse/webauthn.js`, `text/javascript; charset=utf-8`.
package let webAuthnScript = #"""
    "use strict";
    (() => {
      const bytesOf = (text) =>
        Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

      const textOf = (buffer) => {
        let letters = "";
        for (const byte of new Uint8Array(buffer)) letters += String.fromCharCode(byte);
        return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
      };

      const withID = (key) => ({ ...key, id: bytesOf(key.id) });

      const create = async (options) => {
        const key = await navigator.credentials.create({
          publicKey: {
            ...options,
            challenge: bytesOf(options.challenge),
            user: withID(options.user),
            excludeCredentials: options.excludeCredentials.map(withID),
          },
        });
        return answer(key, {
          attestationObject: textOf(key.response.attestationObject),
          transports: key.response.getTransports ? key.response.getTransports() : [],
        });
      };

      const get = async (options) => {
        const key = await navigator.credentials.get({
          publicKey: {
            ...options,
            challenge: bytesOf(options.challenge),
            allowCredentials: options.allowCredentials.map(withID),
          },
        });
        const handle = key.response.userHandle;
        return answer(key, {
          authenticatorData: textOf(key.response.authenticatorData),
          signature: textOf(key.response.signature),
          userHandle: handle && handle.byteLength ? textOf(handle) : null,
        });
      };

      const answer = (key, response) =>
        JSON.stringify({
          id: textOf(key.rawId),
          rawId: textOf(key.rawId),
          type: key.type,
          response: { clientDataJSON: textOf(key.response.clientDataJSON), ...response },
        });

      // What went wrong, as the page's `data-…` name it.
      const reason = (error) => {
        switch (error && error.name) {
          case "NotAllowedError":
          case "AbortError":
            return "cancelled";
          case "InvalidStateError":
            return "known";
          case "SecurityError":
            return "address";
          case "NotSupportedError":
          case "ConstraintError":
            return "unsupported";
          default:
            return "failed";
        }
      };

      const prepare = (form) => {
        const alert = form.querySelector("[role=alert]");
        const status = form.querySelector("[role=status]");
        const button = form.querySelector("button");
        let isWaiting = false;

        const say = (what) => {
          isWaiting = what === "waiting";
          form.setAttribute("aria-busy", String(isWaiting));
          button.setAttribute("aria-disabled", String(isWaiting));
          status.textContent = isWaiting ? form.dataset.waiting : "";
          alert.textContent = isWaiting || !what ? "" : form.dataset[what] || form.dataset.failed;
        };

        if (!window.PublicKeyCredential || !navigator.credentials) {
          say("unsupported");
          return;
        }
        button.disabled = false;
        form.addEventListener("submit", async (event) => {
          event.preventDefault();
          if (isWaiting) return;
          say("waiting");
          try {
            const ask = form.dataset.webauthn === "create" ? create : get;
            form.elements.namedItem("credential").value = await ask(JSON.parse(form.dataset.options));
            HTMLFormElement.prototype.submit.call(form);
          } catch (error) {
            say(reason(error));
            button.focus();
          }
        });
        // A page that comes back from the browser's memory waits for nothing any more.
        window.addEventListener("pageshow", () => say(""));
      };

      document.querySelectorAll("form[data-webauthn]").forEach(prepare);
    })();

    """#
