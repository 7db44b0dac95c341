// Small comforts. Every page works without this file.
(() => {
  "use strict";
  const typing = (element) => element.closest("textarea, select, input:not([type=radio]):not([type=checkbox])") !== null;

  // One key, one opinion: only on the examiner's page, and never while somebody types.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const answer = document.querySelector(`input[type=radio][data-key="${CSS.escape(event.key)}"]`);
    if (answer === null) return;
    answer.checked = true;
    answer.focus();
    event.preventDefault();
  });

  // A face that is pointed at is the face that is chosen.
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-face]");
    const answer = box && document.getElementById(box.dataset.face);
    if (answer) { answer.checked = true; answer.focus(); }
  });

  // One menu is open at a time; a click elsewhere or Escape closes it.
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) {
      const inside = menu.contains(document.activeElement);
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    }
  });

  // More rows for names, relatives, places, telephones and marks: the last row again, empty, under the next number.
  for (const rows of document.querySelectorAll("[data-rows]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain small";
    button.textContent = rows.dataset.more;
    rows.after(button);
    button.addEventListener("click", () => {
      const last = rows.lastElementChild;
      const from = `${rows.dataset.rows}.${rows.childElementCount - 1}.`;
      const to = `${rows.dataset.rows}.${rows.childElementCount}.`;
      const row = last.cloneNode(true);
      for (const element of [row, ...row.querySelectorAll("*")]) {
        for (const name of ["id", "for", "name", "list", "aria-describedby", "aria-labelledby", "hx-target"]) {
          const value = element.getAttribute(name);
          if (value !== null) element.setAttribute(name, value.replaceAll(from, to));
        }
        element.removeAttribute("aria-invalid");
      }
      for (const input of row.querySelectorAll("input")) input.value = "";
      for (const wrong of row.querySelectorAll(".wrong")) wrong.remove();
      rows.append(row);
      if (window.htmx) window.htmx.process(row);
      row.querySelector("input, select").focus();
    });
  }

  // The picker asks under one name, whatever its field is called.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.matches("[data-divisions]")) event.detail.parameters = { q: event.detail.elt.value };
  });

  // A page that loads itself anew must not lose what somebody is writing.
  let touched = false;
  document.addEventListener("input", () => { touched = true; });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (touched && event.detail.elt.matches("[data-progress]")) event.preventDefault();
  });

  // An open page hears at once that what it shows has changed. Not while it is hidden: browsers allow few streams.
  const streams = new Map();
  const follow = () => {
    for (const [part, stream] of streams) {
      if (!document.hidden && part.isConnected) continue;
      stream.close();
      streams.delete(part);
    }
    if (document.hidden) return;
    for (const part of document.querySelectorAll("[data-live]")) {
      if (streams.has(part)) continue;
      const stream = new EventSource(part.dataset.live);
      stream.addEventListener("changed", () => {
        stream.close();
        if (window.htmx) window.htmx.trigger(part, "news");
      });
      stream.addEventListener("gone", () => {
        stream.close();
        if (!touched) window.location.reload();
      });
      streams.set(part, stream);
    }
  };
  document.addEventListener("htmx:load", follow);
  document.addEventListener("visibilitychange", follow);

  // A form goes once; one that brings a file leaves its page open, and may be sent again.
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-download]")) return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
})();
