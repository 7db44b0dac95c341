// The examiner's light table and opinion. Without this file: two pictures, links and radio buttons.
(() => {
  "use strict";
  const bench = document.getElementById("bench");
  if (bench) table(bench);
  for (const form of document.querySelectorAll("form[data-draft]")) draft(form);
  for (const done of document.querySelectorAll("[data-committed]")) done.dataset.committed.split(" ").forEach((name) => sessionStorage.removeItem(key(name)));
  const answers = document.getElementById("opinion");
  if (answers) choices(answers);

  // Nobody who signs in here later finds what somebody else began.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[action='/logout']")) return;
    for (const name of Object.keys(sessionStorage)) if (name.startsWith("draft.")) sessionStorage.removeItem(name);
  });

  function key(name) { return `draft.${name}`; }

  function table(bench) {
    const fresh = () => ({ zoom: 1, x: 0, y: 0, mirror: 1, light: 1, contrast: 1 });
    const sides = { left: fresh(), right: fresh() };
    const LEAST = 1, MOST = 8, STEP = 1.25, BLINK = 700;
    const tools = bench.querySelector(".tools");
    const together = bench.querySelector("[data-together]");
    const mix = bench.querySelector("[data-mix]");
    const frames = () => bench.querySelectorAll(".frame");
    let blinking = 0;
    tools.hidden = false;
    ready();
    document.addEventListener("htmx:afterSwap", ready);

    function ready() {
      for (const frame of frames()) {
        frame.tabIndex = 0;
        frame.setAttribute("role", "group");
        frame.setAttribute("aria-label", frame.querySelector("figcaption").textContent);
      }
      paint();
    }

    function paint() {
      for (const [name, side] of Object.entries(sides)) {
        const room = 50 * (side.zoom - 1);
        side.x = Math.max(-room, Math.min(room, side.x));
        side.y = Math.max(-room, Math.min(room, side.y));
        const set = (what, value) => bench.style.setProperty(`--${name}-${what}`, value);
        set("zoom", side.zoom); set("across", side.zoom * side.mirror);
        set("x", `${side.x}%`); set("y", `${side.y}%`);
        set("light", side.light); set("contrast", side.contrast);
        bench.querySelector(`[data-mirror=${name}]`).setAttribute("aria-pressed", String(side.mirror < 0));
      }
      bench.querySelector("[data-zoom-shown]").textContent = `${Math.round(sides.left.zoom * 100)}%`;
      bench.toggleAttribute("data-near", Object.values(sides).some((side) => side.zoom > 1));
      bench.style.setProperty("--mix", mix.value / 100);
    }

    function meant(name) { return together.checked || !name ? Object.values(sides) : [sides[name]]; }
    function zoom(name, factor) {
      for (const side of meant(name)) {
        const before = side.zoom;
        side.zoom = Math.max(LEAST, Math.min(MOST, side.zoom * factor));
        side.x *= side.zoom / before; side.y *= side.zoom / before;
      }
      paint();
    }
    function move(name, x, y) { for (const side of meant(name)) { side.x += x; side.y += y; } paint(); }
    function reset() {
      for (const name of Object.keys(sides)) sides[name] = fresh();
      for (const dial of bench.querySelectorAll("[data-dial]")) dial.value = 100;
      mix.value = 50;
      paint();
    }
    function mirror(name) { sides[name].mirror *= -1; paint(); }
    function show(mode) {
      bench.dataset.mode = mode;
      for (const button of tools.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
      tools.querySelector(".mix").hidden = mode !== "overlay";
      clearInterval(blinking);
      bench.dataset.front = "left";
      if (mode === "blink") blinking = setInterval(() => { bench.dataset.front = bench.dataset.front === "left" ? "right" : "left"; }, BLINK);
    }

    tools.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.mode) show(button.dataset.mode);
      else if (button.dataset.zoom) zoom("", button.dataset.zoom > 0 ? STEP : 1 / STEP);
      else if (button.dataset.mirror) mirror(button.dataset.mirror);
      else reset();
    });
    tools.addEventListener("input", (event) => {
      const [side, what] = (event.target.dataset.dial || "").split(".");
      if (what) sides[side][what] = event.target.value / 100;
      paint();
    });

    // Letters and arrows are keys of the table alone, and of it only while it has the focus.
    bench.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, summary")) return;
      const name = event.target.closest(".frame")?.dataset.frame;
      const far = 5 * (event.shiftKey ? 4 : 1);
      const letters = {
        s: () => show("beside"), o: () => show("overlay"), b: () => show("blink"), m: () => mirror("left"), n: () => mirror("right"),
        "+": () => zoom(name, STEP), "=": () => zoom(name, STEP), "-": () => zoom(name, 1 / STEP), 0: reset,
      };
      const arrows = { ArrowLeft: [far, 0], ArrowRight: [-far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
      const act = letters[event.key.toLowerCase()];
      if (act) act();
      else if (name && arrows[event.key] && sides[name].zoom > 1) move(name, ...arrows[event.key]);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });

    // Fingers and mouse: one moves, two enlarge.
    const touching = new Map();
    let apart = 0;
    const spread = () => { const [a, b] = [...touching.values()]; return Math.hypot(a.x - b.x, a.y - b.y); };
    bench.addEventListener("pointerdown", (event) => {
      const frame = event.target.closest(".frame");
      if (!frame || event.button) return;
      touching.set(event.pointerId, { x: event.clientX, y: event.clientY, name: frame.dataset.frame, size: frame.clientWidth });
      if (touching.size === 2) apart = spread();
      if (sides[frame.dataset.frame].zoom > 1 || touching.size === 2) frame.setPointerCapture(event.pointerId);
    });
    bench.addEventListener("pointermove", (event) => {
      const held = touching.get(event.pointerId);
      if (!held) return;
      const x = event.clientX - held.x, y = event.clientY - held.y;
      held.x = event.clientX; held.y = event.clientY;
      if (touching.size === 1) move(held.name, 100 * x / held.size, 100 * y / held.size);
      else if (touching.size === 2 && apart) { const now = spread(); zoom(held.name, now / apart); apart = now; }
    });
    for (const over of ["pointerup", "pointercancel"]) document.addEventListener(over, (event) => { touching.delete(event.pointerId); apart = 0; });
    bench.addEventListener("dblclick", (event) => {
      const frame = event.target.closest(".frame");
      if (frame) zoom(frame.dataset.frame, sides[frame.dataset.frame].zoom > 1 ? 1 / MOST : STEP ** 3);
    });
    bench.addEventListener("wheel", (event) => {
      const frame = event.target.closest(".frame");
      if (!frame || !(event.ctrlKey || frame === document.activeElement)) return;
      event.preventDefault();
      zoom(frame.dataset.frame, event.deltaY < 0 ? STEP : 1 / STEP);
    }, { passive: false });
  }

  // What was typed stays in this window until it is committed, discarded, or somebody signs out.
  function draft(form) {
    const name = key(form.dataset.draft);
    const offer = document.querySelector("[data-offer]");
    const fields = () => [...form.elements].filter((field) => field.name && !["hidden", "submit"].includes(field.type));
    const kept = JSON.parse(sessionStorage.getItem(name) || "null");
    if (kept && offer && !("again" in form.dataset)) {
      offer.hidden = false;
      offer.querySelector("[data-restore]").addEventListener("click", () => {
        for (const field of fields()) {
          if (["radio", "checkbox"].includes(field.type)) field.checked = (kept[field.name] ?? "") === field.value;
          else field.value = kept[field.name] ?? field.value;
        }
        offer.hidden = true;
        form.dispatchEvent(new Event("change"));
        fields()[0].focus();
      });
      offer.querySelector("[data-discard]").addEventListener("click", () => { sessionStorage.removeItem(name); offer.hidden = true; form.querySelector("input:not([type=hidden])").focus(); });
    }
    const keep = () => {
      const data = Object.fromEntries([...new FormData(form)].filter(([field, value]) => value && form.elements[field]?.type !== "hidden"));
      // While the offer stands, neither what was kept nor what is typed beside it may be lost.
      sessionStorage.setItem(name, JSON.stringify(offer && !offer.hidden ? { ...kept, ...data } : data));
    };
    form.addEventListener("input", keep);
    if ("again" in form.dataset) keep();
  }

  // One key, one answer; and back again, until it is committed.
  function choices(form) {
    const undo = form.querySelector("[data-undo]");
    const keys = document.querySelector("[data-keys]");
    const numbered = form.querySelectorAll("[data-key]");
    const chosen = () => form.querySelector("[name=opinion]:checked");
    const before = [];
    let last = chosen();
    undo.hidden = false;
    keys.checked = localStorage.getItem("opinion-keys") !== "off";
    listen();

    function listen() {
      for (const answer of numbered) {
        answer.dataset.number ??= answer.dataset.key;
        if (keys.checked) answer.dataset.key = answer.dataset.number;
        else delete answer.dataset.key;
      }
      undo.disabled = !chosen();
    }
    function note() {
      const now = chosen();
      if (now !== last) { before.push(last); last = now; form.dispatchEvent(new Event("input")); }
      listen();
    }
    function back() {
      const now = chosen();
      if (!now) return;
      const earlier = before.pop() ?? null;
      now.checked = false;
      if (earlier) earlier.checked = true;
      last = earlier;
      form.dispatchEvent(new Event("input"));
      listen();
      (earlier || form.querySelector("[name=opinion]")).focus();
    }
    form.addEventListener("change", note);
    document.addEventListener("keyup", note);
    undo.addEventListener("click", back);
    keys.addEventListener("change", () => { localStorage.setItem("opinion-keys", keys.checked ? "on" : "off"); listen(); });
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox])");
      if (event.key === "Backspace" && keys.checked && !typing) { back(); event.preventDefault(); }
    });
  }
})();
