// The intake form made quick on a phone: sliders, the body to point at, the place where one stands, places as one types,
// and a draft that outlives a reload and a lost connection. The form does its whole job without this file.
(() => {
  "use strict";
  const DRAFT_DELAY = 500;
  const outbox = () => window.guituOutbox;

  // Two numbers, and a slider under each.
  const sliders = () => {
    for (const slider of document.querySelectorAll("[data-slides]")) {
      const number = document.getElementById(slider.dataset.slides);
      const others = [...slider.closest("fieldset").querySelectorAll("[data-slides]")];
      const follow = () => { if (number.value !== "" && !Number.isNaN(Number(number.value))) slider.value = number.value; };
      slider.hidden = false;
      slider.addEventListener("input", () => {
        number.value = slider.value;
        const least = slider === others[0];
        const other = others[least ? 1 : 0];
        const field = document.getElementById(other.dataset.slides);
        const crossed = least ? Number(other.value) < Number(slider.value) : Number(other.value) > Number(slider.value);
        if (crossed) other.value = slider.value;
        if (crossed || field.value === "") field.value = other.value;
      });
      number.addEventListener("input", follow);
      number.addEventListener("restored", follow);
      follow();
    }
  };

  // The body: a place that is pointed at becomes a row of the marks.
  const body = () => {
    const map = document.querySelector("[data-body]");
    const rows = document.querySelector("[data-rows=marks]");
    if (map === null) return;
    map.hidden = false;
    const part = (row, name) => row.querySelector(`[name$=".${name}"]`);
    const at = (row, place) => part(row, "region").value === place.region && part(row, "side").value === place.side;
    const empty = (row) => !part(row, "region").value && !part(row, "kind").value && !part(row, "detail").value;
    const paint = () => {
      for (const place of map.querySelectorAll("[data-region]")) {
        place.setAttribute("aria-pressed", String([...rows.children].some((row) => at(row, place.dataset))));
      }
    };
    const point = (place) => {
      let row = [...rows.children].find((one) => at(one, place.dataset)) ?? [...rows.children].find(empty);
      if (row === undefined) {
        rows.nextElementSibling.click();
        row = rows.lastElementChild;
      }
      part(row, "region").value = place.dataset.region;
      part(row, "side").value = place.dataset.side;
      part(row, "kind").focus();
      part(row, "kind").dispatchEvent(new Event("input", { bubbles: true }));
    };
    map.addEventListener("click", (event) => {
      const place = event.target.closest("[data-region]");
      if (place) point(place);
    });
    map.addEventListener("keydown", (event) => {
      const place = event.target.closest("[data-region]");
      if (place === null) return;
      const places = [...place.parentElement.querySelectorAll("[data-region]")];
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (step) {
        const next = places[(places.indexOf(place) + step + places.length) % places.length];
        place.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      } else if (event.key === "Enter" || event.key === " ") point(place);
      else return;
      event.preventDefault();
    });
    rows.addEventListener("input", paint);
    rows.addEventListener("change", paint);
    rows.addEventListener("restored", paint);
    paint();
  };

  const locate = () => {
    const place = document.querySelector("[data-locate]");
    if (place === null || !("geolocation" in navigator)) return;
    const button = place.querySelector("button");
    const told = place.querySelector("[role=status]");
    button.hidden = false;
    button.addEventListener("click", () => {
      told.textContent = "…";
      navigator.geolocation.getCurrentPosition(({ coords }) => {
        const field = place.querySelector("input");
        field.value = `${coords.latitude.toFixed(5)}, ${coords.longitude.toFixed(5)}`;
        told.textContent = `± ${Math.round(coords.accuracy)} m`;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }, () => { told.textContent = place.dataset.failed; }, { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 });
    });
  };

  // The draft: everything in the form but its token.
  const fieldsOf = (form) => {
    const fields = [];
    const files = [];
    for (const [name, value] of new FormData(form)) {
      if (value instanceof File) { if (value.size) files.push([name, value]); }
      else if (name !== "csrf_token") fields.push([name, value]);
    }
    return { fields, files };
  };

  const fill = (form, entry) => {
    for (const rows of form.querySelectorAll("[data-rows]")) {
      const numbers = entry.fields.map(([name]) => name.split("."))
        .filter(([group]) => group === rows.dataset.rows).map(([, number]) => Number(number));
      while (rows.childElementCount <= Math.max(...numbers)) rows.nextElementSibling.click();
    }
    for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = false;
    for (const [name, value] of entry.fields) {
      const field = form.elements[name];
      if (field === undefined || name === "action" || name.startsWith("face.")) continue;
      if (field.type === "checkbox") field.checked = true;
      else field.value = value;
      if (value && field.closest) for (let place = field.closest("details"); place; place = place.parentElement.closest("details")) {
        if (field.defaultValue !== value && field.tagName !== "SELECT") place.open = true;
      }
    }
    fillPhotographs(form, entry);
    for (const place of form.querySelectorAll("[data-slides], [data-rows]")) {
      (document.getElementById(place.dataset.slides) ?? place).dispatchEvent(new Event("restored"));
    }
  };

  const fillPhotographs = (form, entry) => {
    const faces = new Map(entry.fields.filter(([name]) => name.startsWith("face.")));
    for (const kept of form.querySelectorAll("[data-kept]")) {
      const files = entry.files.filter(([name]) => name === kept.name).map(([, file]) => file);
      const chosen = files.map((_, at) => faces.get(`face.${kept.name}.${at}`));
      if (files.length) kept.dispatchEvent(new CustomEvent("restore", { detail: { files, faces: chosen } }));
    }
  };

  const draft = async (form) => {
    const panel = await outbox().ready();
    const user = panel.dataset.user;
    const status = form.querySelector(".kept");
    const waits = document.querySelector("[data-waits]");
    const key = form.elements.form_key;
    const forget = form.querySelector("[data-forget]");
    let timer = 0;
    let busy = Promise.resolve();
    let idle = true;

    const clock = (moment) => new Date(moment).toLocaleTimeString(panel.dataset.lang, { hour: "2-digit", minute: "2-digit" });
    const entry = () => ({ key: key.value, user, path: form.getAttribute("action"), state: "draft", saved_at: Date.now(), ...fieldsOf(form) });
    const keep = () => {
      clearTimeout(timer);
      timer = 0;
      const now = entry();
      busy = busy.then(() => outbox().put(now)).then(() => {
        status.textContent = `${status.dataset.keptAt} ${clock(now.saved_at)}`;
        forget.hidden = false;
      }, () => { status.textContent = status.dataset.notKept; });
      return busy;
    };
    const soon = () => {
      if (!idle) return;
      clearTimeout(timer);
      timer = setTimeout(keep, DRAFT_DELAY);
    };
    const current = () => { panel.dataset.current = key.value; return outbox().show(); };

    // A form with the service's remarks stands as it is; its photographs come back. Else the last draft does.
    const kept = (await outbox().all().catch(() => [])).filter((one) => one.path === form.getAttribute("action") && one.state !== "waiting");
    if ("refused" in form.dataset) {
      const same = kept.find((one) => one.key === key.value);
      if (same) fillPhotographs(form, same);
    } else {
      const wanted = new URLSearchParams(location.search).get("entry");
      const last = kept.find((one) => one.key === wanted) ?? kept.sort((a, b) => b.saved_at - a.saved_at)[0];
      if (last) {
        key.value = last.key;
        fill(form, last);
        clearTimeout(timer);
        status.textContent = `${status.dataset.restored} ${clock(last.saved_at)}`;
        forget.hidden = false;
      }
    }
    await current();

    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    window.addEventListener("pagehide", () => { if (timer) keep(); });
    document.addEventListener("visibilitychange", () => { if (timer && document.hidden) keep(); });

    const anew = async () => {
      idle = false;
      form.reset();
      key.value = crypto.randomUUID();
      clearTimeout(timer);
      for (const rows of form.querySelectorAll("[data-rows]")) {
        while (rows.childElementCount > 1) rows.lastElementChild.remove();
        rows.dispatchEvent(new Event("restored"));
      }
      show(true);
      status.textContent = "";
      forget.hidden = true;
      idle = true;
      await current();
      window.scrollTo(0, 0);
    };
    const show = (writing) => {
      form.hidden = !writing;
      waits.hidden = writing;
      delete form.dataset.sent;
    };

    forget.addEventListener("click", async () => {
      if (!confirm(panel.dataset.sure)) return;
      clearTimeout(timer);
      await busy;
      await outbox().drop(key.value);
      await anew();
    });
    document.addEventListener("dropped", (event) => { if (event.detail.key === key.value && form.hidden) anew(); });
    waits.querySelector("[data-next]").addEventListener("click", anew);
    waits.querySelector("[data-change]").addEventListener("click", async () => {
      show(true);
      await keep();
      await current();
    });

    const answered = ({ state, address, html }) => {
      if (state === "sent") location.assign(address);
      else if (state === "refused") {
        // The service's own page says what is wrong beside each field; the photographs come back from the draft.
        document.open();
        document.write(html);
        document.close();
      } else if (state === "waiting") {
        show(false);
        waits.focus();
      }
    };
    document.addEventListener("outbox:answered", (event) => {
      if (event.detail.key === key.value && form.hidden) answered(event.detail.state === "waiting" ? {} : event.detail);
    });
    // On a phone the key that ends a line must not hand a half-written person in.
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (!idle) return;
      idle = false;
      clearTimeout(timer);
      timer = 0;
      await busy;
      const now = entry();
      now.fields.push(["action", event.submitter?.value ?? "submit"]);
      status.textContent = status.dataset.sending;
      const answer = await outbox().deliver(now);
      idle = true;
      status.textContent = "";
      answered(answer);
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const notice of document.querySelectorAll("[data-without-script]")) notice.hidden = "indexedDB" in window;
    sliders();
    body();
    locate();
    const form = document.querySelector("form[data-outbox]");
    if (form) draft(form);
  });
})();
