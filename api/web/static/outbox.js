// What was written and is not sent yet: kept in this browser by user, sent once as soon as there is a connection.
// Whatever is sent twice is made once: the service knows the form by its key.
(() => {
  "use strict";
  const STORE = "entries";
  const AGAIN_MILLISECONDS = 15_000;
  const DRAFT_MILLISECONDS = 7 * 24 * 3600 * 1000;
  const sending = new Set();
  const sent = new Map(); // key → address, to be shown until the page is left
  const needsSignIn = new Set();
  let panel = null;
  let token = "";
  let closed = false;

  const opened = () => new Promise((resolve, reject) => {
    const request = indexedDB.open("guitu", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const run = async (mode, work) => {
    const base = await opened();
    try {
      return await new Promise((resolve, reject) => {
        const transaction = base.transaction(STORE, mode);
        const request = work(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
      });
    } finally {
      base.close();
    }
  };
  const all = () => run("readonly", (store) => store.getAll());
  const put = (entry) => (closed ? Promise.resolve() : run("readwrite", (store) => store.put(entry)));
  const drop = (key) => run("readwrite", (store) => store.delete(key));
  const mine = async () => (await all()).filter((entry) => entry.user === panel?.dataset.user);

  // The list of what waits, in words that the service wrote; on pages without it, fetched once something waits.
  const ready = async () => {
    panel ??= document.getElementById("outbox");
    if (panel === null && (await all()).length) {
      const answer = await fetch("/intake/outbox");
      if (!answer.ok || answer.redirected) return null;
      const made = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("outbox");
      if (made === null) return null;
      document.getElementById("main").prepend(made);
      panel = made;
    }
    if (panel && !token) {
      token = panel.dataset.token;
      panel.addEventListener("click", pressed);
      setInterval(sendAll, AGAIN_MILLISECONDS);
    }
    return panel;
  };

  const pressed = async (event) => {
    const what = event.target.closest("[data-do]")?.dataset.do;
    const key = event.target.closest("li")?.dataset.key;
    if (what === "send") await sendAll();
    if (what === "drop" && confirm(panel.dataset.sure)) {
      await drop(key);
      await show();
      panel.dispatchEvent(new CustomEvent("dropped", { bubbles: true, detail: { key } }));
    }
  };

  const show = async () => {
    if ((await ready().catch(() => null)) === null) return;
    const list = panel.querySelector("ul");
    const line = (state, entry) => {
      const item = panel.querySelector(`template[data-state=${state}]`).content.firstElementChild.cloneNode(true);
      item.dataset.key = entry.key;
      item.dataset.state = state;
      const time = item.querySelector("time");
      time.dateTime = new Date(entry.saved_at).toISOString();
      time.textContent = new Date(entry.saved_at).toLocaleString(panel.dataset.lang, { dateStyle: "medium", timeStyle: "short" });
      const open = item.querySelector("[data-open]");
      if (open) open.href = entry.address ?? `/cases/new?entry=${entry.key}`;
      return item;
    };
    const items = [];
    for (const entry of await all().catch(() => [])) {
      if (entry.user !== panel.dataset.user) items.push(line("foreign", entry));
      else if (entry.key === panel.dataset.current && entry.state !== "waiting") continue; // it stands in the form below
      else if (sending.has(entry.key)) items.push(line("sending", entry));
      else items.push(line(entry.state === "waiting" && needsSignIn.has(entry.key) ? "signin" : entry.state, entry));
    }
    for (const entry of sent.values()) items.push(line("sent", entry));
    list.replaceChildren(...items);
    panel.hidden = items.length === 0;
  };

  const post = async (entry) => {
    const body = new FormData();
    for (const [name, value] of entry.fields) body.append(name, value);
    for (const [name, file] of entry.files) body.append(name, file, file.name);
    body.set("csrf_token", token);
    return fetch(entry.path, { method: "POST", body, headers: { Accept: "application/json" } });
  };

  // "sent" with its address; "waiting": there is no connection, or nobody is signed in; "refused" with the page that says why.
  const deliver = async (entry) => {
    if (sending.has(entry.key)) return { state: "sending" };
    sending.add(entry.key);
    entry = { ...entry, state: "waiting" };
    try {
      await put(entry).catch(() => {});
      await show();
      let answer = await post(entry);
      let html = answer.status === 409 ? await answer.text() : "";
      const fresh = html && new DOMParser().parseFromString(html, "text/html");
      const given = fresh && fresh.querySelector("[name=csrf_token]")?.value;
      if (given && given !== token && fresh.getElementById("outbox")?.dataset.user === entry.user) {
        token = given; // the same user has signed in anew meanwhile
        for (const field of document.querySelectorAll("[name=csrf_token]")) field.value = token;
        answer = await post(entry);
        html = "";
      }
      if (answer.status === 201) {
        await drop(entry.key).catch(() => {});
        sent.set(entry.key, { ...entry, address: answer.headers.get("Location"), files: [] });
        return { state: "sent", address: answer.headers.get("Location") };
      }
      if (answer.status === 401) needsSignIn.add(entry.key);
      if (answer.status === 401 || answer.status === 429 || answer.status >= 500) return { state: "waiting" };
      html ||= await answer.text();
      await put({ ...entry, state: "refused" }).catch(() => {});
      return { state: "refused", html };
    } catch {
      return { state: "waiting" };
    } finally {
      sending.delete(entry.key);
      await show();
    }
  };

  const sendAll = async () => {
    for (const entry of await mine().catch(() => [])) {
      if (entry.state !== "waiting") continue;
      const answer = await deliver(entry);
      document.dispatchEvent(new CustomEvent("outbox:answered", { detail: { key: entry.key, ...answer } }));
      if (answer.state === "waiting") return;
    }
  };

  const signOut = async (form) => {
    try {
      await ready();
      const kept = await mine();
      if (kept.some((entry) => entry.state !== "draft") && !confirm(panel.dataset.leaving)) return;
      closed = true;
      for (const entry of kept) await drop(entry.key);
    } catch { /* a browser that keeps nothing has nothing to delete */ }
    form.submit();
  };

  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") !== "/logout") return;
    event.preventDefault();
    event.stopPropagation();
    signOut(event.target);
  }, true);
  window.addEventListener("online", sendAll);
  document.addEventListener("DOMContentLoaded", async () => {
    try {
      for (const entry of await all()) {
        if (entry.state === "draft" && Date.now() - entry.saved_at > DRAFT_MILLISECONDS) await drop(entry.key);
      }
      await show();
      await sendAll();
    } catch { /* no IndexedDB here: the pages work as without scripts */ }
  });
  window.guituOutbox = { all: mine, put, drop, deliver, show, ready };
})();
