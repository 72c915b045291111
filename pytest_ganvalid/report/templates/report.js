// Nothing here is needed for reading: a filter by name, and folded parts that open where one goes, or prints.
(() => {
  const form = document.getElementById("ganvalid-filter");
  const box = form.querySelector("input");
  const told = form.querySelector("output");
  const named = [...document.querySelectorAll("[data-name]")];
  const shown = [...document.querySelectorAll(".index > [data-name]")];
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(" ").filter(Boolean);
    for (const part of named) {
      part.hidden = !words.every((word) => part.dataset.name.includes(word));
    }
    told.textContent = words.length ? `${shown.filter((part) => !part.hidden).length} of ${shown.length}` : "";
  });
  const open = () => {
    const place = document.getElementById(location.hash.slice(1));
    for (let part = place; part; part = part.parentElement) {
      if (part.tagName === "DETAILS") part.open = true;
    }
    if (place) place.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
})();
