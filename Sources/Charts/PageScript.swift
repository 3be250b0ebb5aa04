/// What the tables of a page can do: sort, filter, be saved as CSV. Without a script they are plain tables.
enum PageScript {
  /// Click or key on a heading sorts by it, again turns it round; equal cells keep their order, missing ones stay last. The filter
  /// shows the rows that hold every word typed. What is saved are the rows shown, numbers as they are and not as they are written.
  /// Pictures that are wider than the screen can be scrolled by keyboard.
  static let text = #"""
    "use strict";
    const cellValue = (cell) => cell.dataset.value === undefined ? cell.textContent : cell.dataset.value === "null" ? "" : cell.dataset.value;
    const quoted = (text) => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    for (const picture of document.querySelectorAll(".picture")) if (picture.scrollWidth > picture.clientWidth) picture.tabIndex = 0;
    for (const frame of document.querySelectorAll(".table")) {
      const table = frame.querySelector("table");
      const heads = [...table.tHead.rows[0].cells];
      const body = table.tBodies[0];
      const name = frame.getAttribute("aria-label");
      const tools = document.createElement("div");
      tools.className = "tools";
      const all = [...body.rows];
      if (all.length > 5) {
        const filter = document.createElement("input");
        filter.type = "search";
        filter.placeholder = "Filter rows";
        filter.setAttribute("aria-label", `Filter rows: ${name}`);
        const count = document.createElement("output");
        filter.addEventListener("input", () => {
          const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
          let shown = 0;
          for (const row of all) {
            const text = row.textContent.toLowerCase();
            row.hidden = !words.every((word) => text.includes(word));
            if (!row.hidden) shown += 1;
          }
          count.textContent = words.length ? `${shown} of ${all.length} rows` : "";
        });
        tools.append(filter, count);
      }
      const save = document.createElement("button");
      save.type = "button";
      save.textContent = "Save as CSV";
      save.setAttribute("aria-label", `Save as CSV: ${name}`);
      save.addEventListener("click", () => {
        const lines = [heads.map((head) => quoted(head.textContent)).join(",")];
        for (const row of body.rows) {
          if (!row.hidden) lines.push([...row.cells].map((cell) => quoted(cellValue(cell))).join(","));
        }
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv;charset=utf-8" }));
        const heading = frame.closest("section")?.querySelector("h2")?.textContent ?? name;
        link.download = (heading.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "table") + ".csv";
        link.click();
        URL.revokeObjectURL(link.href);
      });
      tools.append(save);
      frame.before(tools);
      heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
        const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        const rows = [...body.rows].map((row) => {
          const cell = row.cells[column];
          const raw = cell.dataset.value;
          return { row, text: cell.textContent, value: raw === undefined ? null : raw === "" || raw === "null" ? NaN : Number(raw) };
        });
        rows.sort((a, b) => {
          const [m, n] = [Number.isNaN(a.value), Number.isNaN(b.value)];
          if (m || n) return m - n;
          if (a.value !== null && b.value !== null) return sign * (a.value - b.value);
          return sign * a.text.localeCompare(b.text, undefined, { numeric: true });
        });
        body.append(...rows.map((entry) => entry.row));
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      }));
    }
    """#
}
