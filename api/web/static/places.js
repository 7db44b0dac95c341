// Places as one types them, in characters, pinyin or initials: the list that a browser's own one would leave out, because
// "qnq" is not in "钦南区". Without this file the browser's list is used.
(() => {
  "use strict";
  const known = new WeakSet();
  let numbers = 0;

  const enhance = (input) => {
    if (known.has(input)) return;
    known.add(input);
    const offered = input.parentElement.querySelector("datalist");
    const list = input.parentElement.querySelector("[role=listbox]") ?? document.createElement("ul");
    list.id = `places-${++numbers}`;
    list.className = "places";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0]?.textContent.trim() ?? "");
    offered.after(list);
    input.removeAttribute("list");
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
    })) input.setAttribute(name, value);

    const options = () => [...list.children];
    const active = () => list.querySelector("[aria-selected=true]");
    const show = (shown) => {
      list.hidden = !shown;
      list.style.top = `${input.offsetTop + input.offsetHeight}px`;
      input.setAttribute("aria-expanded", String(shown));
      if (!shown) input.removeAttribute("aria-activedescendant");
    };
    const go = (option) => {
      active()?.setAttribute("aria-selected", "false");
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    };
    const take = (option) => {
      input.value = option.dataset.value;
      show(false);
      input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    new MutationObserver(() => {
      list.replaceChildren(...[...offered.options].map(({ value }, at) => {
        const option = document.createElement("li");
        const code = value.slice(value.lastIndexOf(" ") + 1);
        option.id = `${list.id}-${at}`;
        option.dataset.value = value;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = value.slice(0, -code.length);
        const small = document.createElement("small");
        small.textContent = code;
        option.append(small);
        return option;
      }));
      show(list.childElementCount > 0 && document.activeElement === input);
    }).observe(offered, { childList: true });
    input.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      const all = options();
      const place = all.indexOf(active());
      if (event.key === "ArrowDown") go(all[(place + 1) % all.length]);
      else if (event.key === "ArrowUp") go(all[place > 0 ? place - 1 : all.length - 1]);
      else if (event.key === "Enter" && active()) take(active());
      else if (event.key === "Escape") show(false);
      else return;
      event.preventDefault();
    });
    input.addEventListener("blur", () => show(false));
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) take(option);
    });
  };

  document.addEventListener("focusin", (event) => {
    if (event.target.matches("input[data-divisions]")) enhance(event.target);
  });
})();
