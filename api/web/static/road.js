// In the street: where I am now, and a look at the photographs before they go. Every form works without this file.
(() => {
  "use strict";

  for (const point of document.querySelectorAll("[data-point]")) {
    if (!("geolocation" in navigator) || !window.isSecureContext) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain small";
    button.textContent = point.dataset.point;
    const told = document.createElement("span");
    told.setAttribute("role", "status");
    point.prepend(button, told);
    button.addEventListener("click", () => {
      told.textContent = point.dataset.finding;
      navigator.geolocation.getCurrentPosition(({ coords }) => {
        point.querySelector("[name=latitude]").value = coords.latitude.toFixed(6);
        point.querySelector("[name=longitude]").value = coords.longitude.toFixed(6);
        told.textContent = point.dataset.found.replace("{metres}", Math.round(coords.accuracy));
      }, () => { told.textContent = point.dataset.missing; }, { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 });
    });
  }

  // A photograph needs its ground: asked for as soon as one is chosen, not after the upload.
  for (const input of document.querySelectorAll("[data-preview]")) {
    const shown = document.createElement("div");
    shown.className = "preview";
    input.after(shown);
    input.addEventListener("change", () => {
      for (const image of shown.children) URL.revokeObjectURL(image.src);
      shown.replaceChildren(...[...input.files].map((file) => {
        const image = document.createElement("img");
        image.src = URL.createObjectURL(file);
        image.alt = file.name;
        return image;
      }));
      const ground = input.form.elements.photo_basis;
      if (ground) ground.required = input.files.length > 0;
    });
  }
})();
