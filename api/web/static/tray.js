// Photographs before they are sent: previews, advice on each, the person's face among several. The files themselves stay
// in the form's own fields, so that it is sent as it always was.
(() => {
  "use strict";
  const ENOUGH_SIDE = 1600; // pixels: enough to judge a face by, little enough for a slow line
  const SMALL_FILE = 400_000;
  const known = new WeakSet();
  const faces = new WeakMap(); // a file's chosen face
  const told = new WeakMap(); // a file's advice, once it came
  let queue = Promise.resolve();

  const reduced = async (file) => {
    if (file.size < SMALL_FILE) return file;
    try {
      const picture = await createImageBitmap(file);
      const scale = Math.min(1, ENOUGH_SIDE / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((made) => canvas.toBlob(made, "image/jpeg", 0.88));
      return blob && blob.size < file.size ? blob : file;
    } catch {
      return file; // HEIC, say: the service reads what this browser does not
    }
  };

  const ask = async (tray, file) => {
    if (told.has(file)) return told.get(file);
    const body = new FormData();
    body.set("csrf_token", tray.closest("form").elements.csrf_token.value);
    body.set("photo", await reduced(file), "photo");
    const answer = await fetch(tray.dataset.advice, { method: "POST", body });
    if (!answer.ok) throw new Error(String(answer.status));
    const html = await answer.text();
    told.set(file, html);
    return html;
  };

  const start = (tray) => {
    known.add(tray);
    tray.classList.add("scripted");
    for (const block of tray.querySelectorAll("[data-view]")) view(tray, block);
  };

  const view = (tray, block) => {
    const kept = block.querySelector("[data-kept]");
    const camera = block.querySelector("[data-camera]");
    const list = block.querySelector(".taken");
    const shown = new Map(); // file → its tile
    let files = [];

    const same = (a, b) => a.name === b.name && a.size === b.size && a.lastModified === b.lastModified;

    const set = (wanted) => {
      files = wanted.filter((file, at) => wanted.findIndex((other) => same(file, other)) === at);
      const transfer = new DataTransfer();
      for (const file of files) transfer.items.add(file);
      kept.files = transfer.files;
      for (const [file, tile] of shown) {
        if (files.includes(file)) continue;
        URL.revokeObjectURL(tile.querySelector("img").src);
        tile.remove();
        shown.delete(file);
      }
      for (const file of files) if (!shown.has(file)) shown.set(file, add(file));
      list.hidden = files.length === 0;
      mark();
      kept.dispatchEvent(new Event("input", { bubbles: true }));
    };

    // The face that was pointed at goes with the form under its file's place.
    const mark = () => {
      for (const old of block.querySelectorAll("input[type=hidden]")) old.remove();
      files.forEach((file, at) => {
        if (!faces.has(file)) return;
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name: `face.${kept.name}.${at}`, value: faces.get(file) });
        block.append(field);
      });
    };

    const add = (file) => {
      const tile = tray.querySelector("template[data-shot]").content.firstElementChild.cloneNode(true);
      const image = tile.querySelector("img");
      image.src = URL.createObjectURL(file);
      image.alt = file.name;
      image.addEventListener("error", () => { image.hidden = true; });
      tile.querySelector("button").addEventListener("click", () => {
        set(files.filter((other) => other !== file));
        (list.querySelector("button") || kept).focus();
      });
      list.append(tile);
      // One after the other: a phone and a slow line have enough with one.
      queue = queue.then(() => judge(file, tile));
      return tile;
    };

    const judge = async (file, tile) => {
      if (!tile.isConnected) return;
      const place = tile.querySelector(".told");
      try {
        place.innerHTML = await ask(tray, file); // the service's own markup: every word in it is escaped there
      } catch {
        place.textContent = tray.querySelector(".told-later").textContent;
        return;
      }
      tile.dataset.tone = place.querySelector("[data-tone]")?.dataset.tone ?? "plain";
      const boxes = place.querySelector("svg");
      if (boxes) choose(file, tile, boxes);
    };

    const choose = (file, tile, boxes) => {
      tile.querySelector(".preview").append(boxes);
      const name = `face-of-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
      const answers = [...tile.querySelectorAll("input[type=radio]")];
      for (const answer of answers) {
        answer.name = name;
        answer.setAttribute("form", "none"); // the hidden field is what is sent
        answer.checked = faces.get(file) === answer.value;
        answer.addEventListener("change", () => {
          faces.set(file, answer.value);
          tile.dataset.tone = "good";
          mark();
          show();
          kept.dispatchEvent(new Event("input", { bubbles: true }));
        });
      }
      const show = () => {
        for (const box of boxes.querySelectorAll("rect")) box.classList.toggle("chosen", box.dataset.box === faces.get(file));
      };
      show();
      boxes.addEventListener("click", (event) => {
        const box = event.target.closest("rect");
        answers.find((answer) => box && answer.value === box.dataset.box)?.click();
      });
    };

    kept.addEventListener("change", () => set([...files, ...kept.files]));
    camera.addEventListener("change", () => {
      const taken = [...camera.files];
      camera.value = "";
      set([...files, ...taken]);
    });
    // What was kept of this form comes back.
    kept.addEventListener("restore", (event) => {
      event.detail.files.forEach((file, at) => {
        if (event.detail.faces[at]) faces.set(file, event.detail.faces[at]);
      });
      set(event.detail.files);
    });
    kept.form?.addEventListener("reset", () => set([]));
    if (kept.files.length) set([...kept.files]); // "back" in the browser
  };

  const look = (root) => {
    for (const tray of root.querySelectorAll("[data-tray]")) if (!known.has(tray)) start(tray);
  };
  document.addEventListener("DOMContentLoaded", () => look(document));
  document.addEventListener("htmx:load", (event) => look(event.target.parentElement ?? document));
})();
