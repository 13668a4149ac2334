"use strict";
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const wanted = new URLSearchParams(location.search);

  // Colours: what the system says, until somebody says otherwise.
  const theme = $("#theme");
  const root = document.documentElement;
  const remembered = () => { try { return localStorage.getItem("sealift-theme"); } catch { return null; } };
  const dark = () => (root.style.colorScheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const show = () => { theme.textContent = dark() ? "Light colours" : "Dark colours"; };
  const first = wanted.get("theme") || remembered();
  if (first === "dark" || first === "light") root.style.colorScheme = first;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.style.colorScheme = dark() ? "light" : "dark";
    try { localStorage.setItem("sealift-theme", root.style.colorScheme); } catch { /* not from a file, in some browsers */ }
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();

  // Sorting: every head becomes a button.
  const body = $("#table tbody");
  const rows = all("tr", body);
  const natural = new Intl.Collator("en", { numeric: true });
  const heads = all("#table thead th");
  const value = (row, column, kind) => {
    const cell = row.cells[column];
    return kind === "number" ? Number(cell.dataset.value) : cell.textContent.trim();
  };
  const sort = (column, order) => {
    const kind = heads[column].dataset.kind;
    const sign = order === "descending" ? -1 : 1;
    const keyed = rows.map((row, place) => ({ row, place, key: value(row, column, kind) }));
    keyed.sort((a, b) => sign * (kind === "number" ? a.key - b.key : natural.compare(a.key, b.key)) || a.place - b.place);
    body.append(...keyed.map(({ row }) => row));
    heads.forEach((head, number) => number === column ? head.setAttribute("aria-sort", order) : head.removeAttribute("aria-sort"));
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(column, head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending"));
  });

  // Filter: every word must be in the row.
  const details = new Map(all("details.package").map((part) => [part.dataset.package, part]));
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const field = $("#filter");
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, number) => {
      const fits = words.every((word) => texts[number].includes(word));
      row.hidden = !fits;
      details.get(row.dataset.package).hidden = !fits;
      count += fits;
    });
    $("#shown").textContent = words.length ? `${count} of ${rows.length} shown` : "";
  };
  field.addEventListener("input", filter);
  if (rows.length > 5 || wanted.has("filter")) $("#tools").hidden = false;

  // Details: a link to one opens it (browsers do, where the page is not yet there); all can be opened at once.
  const reveal = () => {
    const part = details.get(decodeURIComponent(location.hash.slice(1)));
    if (part) {
      part.open = true;
      $("summary", part).focus({ preventScroll: true });
      part.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  const folds = $("#folds");
  [["Open all", true], ["Close all", false]].forEach(([text, open]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => details.forEach((part) => { part.open = open; }));
    folds.append(button);
  });
  folds.hidden = details.size < 2;
  if (details.size === 1 || wanted.get("open") === "all") details.forEach((part) => { part.open = true; });

  // Commands: a button copies them.
  all(".command").forEach((box) => {
    if (!navigator.clipboard) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    const title = $("h3", box.parentElement).textContent;
    button.setAttribute("aria-label", `Copy the commands: ${title}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText($("code", box).textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select and copy";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    box.append(button);
  });

  // What an address asks for: ?sort=2&order=descending&filter=1.2
  const column = Number(wanted.get("sort"));
  if (wanted.has("sort") && heads[column]) sort(column, wanted.get("order") === "descending" ? "descending" : "ascending");
  if (wanted.has("filter")) {
    field.value = wanted.get("filter");
    filter();
  }
  reveal();
})();
