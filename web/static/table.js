// Tables: sort by heading (mouse or keyboard), filter, count, and download what is shown as CSV.
(() => {
  "use strict";
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });

  const cellValue = (row, at) => {
    const cell = row.cells[at];
    return cell.dataset.value ?? cell.textContent.trim();
  };

  function compare(a, b, numeric) {
    if (!numeric) return collator.compare(a, b);
    const [x, y] = [Number.parseFloat(a), Number.parseFloat(b)];
    return (Number.isNaN(x) ? Infinity : x) - (Number.isNaN(y) ? Infinity : y) || 0;
  }

  function sort(table, heading) {
    const at = heading.cellIndex;
    const down = heading.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numeric = "numeric" in heading.dataset;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => compare(cellValue(a, at), cellValue(b, at), numeric) * (down ? -1 : 1));
    table.tBodies[0].append(...rows);
  }

  function filter(table) {
    const text = document.querySelector(`[data-filter="${table.id}"]`)?.value.trim().toLowerCase() || "";
    const state = document.querySelector(`[data-state-filter="${table.id}"]`)?.value || "";
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.textContent.toLowerCase().includes(text) || (state && row.dataset.state !== state);
      shown += row.hidden ? 0 : 1;
    }
    const count = document.querySelector(`[data-count="${table.id}"]`);
    if (count) count.textContent = count.dataset.words.replace("{count}", shown.toLocaleString());
    const empty = document.querySelector(`[data-empty="${table.id}"]`);
    if (empty) empty.hidden = shown > 0;
  }

  function quote(text) {
    // A leading = + - @ would be run as a formula by a spreadsheet.
    const safe = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? `'${text}` : text;
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  function csv(table) {
    const text = (cell) => cell.dataset.value ?? cell.textContent.trim().replace(/\s+/g, " ");
    const rows = [...table.rows].filter((row) => !row.hidden);
    return rows.map((row) => [...row.cells].map((cell) => quote(text(cell))).join(",")).join("\r\n");
  }

  function download(table) {
    const link = document.createElement("a");
    // The mark tells spreadsheets that the file is UTF-8.
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv(table)], { type: "text/csv" }));
    link.download = `${table.id}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    table.querySelectorAll("thead th button").forEach((button) => {
      button.addEventListener("click", () => sort(table, button.closest("th")));
    });
    document.querySelectorAll(`[data-filter="${table.id}"], [data-state-filter="${table.id}"]`)
      .forEach((input) => input.addEventListener("input", () => filter(table)));
    document.querySelectorAll(`[data-csv="${table.id}"]`)
      .forEach((button) => button.addEventListener("click", () => download(table)));
    filter(table);
  }
})();
