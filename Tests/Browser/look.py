"""Opens pages in headless Chromium, uses them as people do, and prints what it saw as one JSON object a page.

    look.py [--axe axe.min.js] [--shots FOLDER] page.html…

A copy of the page gets a script at its end: it waits for errors and violations of the page's own policy, sorts every table by every
column, filters, reads the labels, and runs axe-core where it is given. Exit code 3: there is no Chromium here."""
import argparse, html, json, os, re, shutil, subprocess, sys, tempfile

CHECK = r"""
const told = { errors: [], violations: [], tables: [] };
addEventListener("error", (event) => told.errors.push(String(event.message)));
addEventListener("unhandledrejection", (event) => told.errors.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => told.violations.push(event.blockedURI + " " + event.violatedDirective));
"""

USE = r"""
addEventListener("load", async () => {
  const value = (cell) => cell.dataset.value === undefined ? cell.textContent : cell.dataset.value === "" || cell.dataset.value === "null" ? null : Number(cell.dataset.value);
  const ordered = (cells, sign) => cells.every((cell, at) => at === 0 || (() => {
    const [a, b] = [cells[at - 1], cell];
    if (b === null) return true;
    if (a === null) return false;
    return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true })) <= 0;
  })());
  for (const frame of document.querySelectorAll("div.table")) {
    const table = frame.querySelector("table");
    const seen = { name: frame.getAttribute("aria-label"), rows: table.tBodies[0].rows.length, sorts: true, filters: null };
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      for (const sign of [1, -1]) {
        head.querySelector("button").click();
        const cells = [...table.tBodies[0].rows].map((row) => value(row.cells[column]));
        const said = head.getAttribute("aria-sort") === (sign > 0 ? "ascending" : "descending");
        if (!said || !ordered(cells, sign)) seen.sorts = `${head.textContent} ${sign}: ${JSON.stringify(cells.slice(0, 8))}`;
      }
    });
    const filter = frame.previousElementSibling?.querySelector("input");
    if (filter) {
      const rows = [...table.tBodies[0].rows];
      const word = rows[0].cells[0].textContent;
      filter.value = word;
      filter.dispatchEvent(new Event("input"));
      const right = rows.every((row) => row.hidden !== row.textContent.toLowerCase().includes(word.toLowerCase()));
      seen.filters = right && rows.some((row) => !row.hidden) ? true : `"${word}"`;
      filter.value = "";
      filter.dispatchEvent(new Event("input"));
      if (rows.some((row) => row.hidden)) seen.filters = "does not end";
    }
    told.tables.push(seen);
  }
  told.title = document.title;
  told.headings = [...document.querySelectorAll("h1, h2, h3")].map((heading) => heading.textContent);
  told.figures = [...document.querySelectorAll("main > .headlines > div")].map((one) => [one.querySelector("dt").textContent, one.querySelector("dd").textContent]);
  told.pictures = [...document.querySelectorAll("[role=img]")].map((one) => one.getAttribute("aria-label"));
  told.requests = performance.getEntriesByType("resource").map((entry) => entry.name);
  told.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  told.unnamed = [...document.querySelectorAll("button, input, a, [role=region], [role=img]")]
    .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim())).map((one) => one.outerHTML.slice(0, 80));
  const levels = told.headings.length ? [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((heading) => Number(heading.tagName[1])) : [];
  told.skipped = levels.filter((level, at) => at > 0 && level > levels[at - 1] + 1).length;
  if (window.axe) {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    told.axe = found.violations.map((one) => ({ id: one.id, impact: one.impact, nodes: one.nodes.length, first: one.nodes[0].html.slice(0, 120) }));
  }
  const out = document.createElement("script");
  out.type = "application/json";
  out.id = "seen-by-the-test";
  out.textContent = JSON.stringify(told);
  document.body.append(out);
});
"""


def chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    return None


def run(program, folder, *arguments):
    return subprocess.run(
        [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND", "--force-color-profile=srgb",
         "--user-data-dir=" + folder, "--enable-logging=stderr", "--v=0", *arguments], capture_output=True, text=True, timeout=180)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--axe")
    parser.add_argument("--shots")
    parser.add_argument("pages", nargs="+")
    options = parser.parse_args()
    program = chromium()
    if program is None:
        return 3
    axe = ""
    if options.axe and os.path.exists(options.axe):
        axe = "<script>" + open(options.axe, encoding="utf-8").read().replace("</script", "<\\/script") + "</script>"
    with tempfile.TemporaryDirectory() as folder:
        for number, page in enumerate(options.pages):
            text = open(page, encoding="utf-8").read()
            head = text.index("<head>") + len("<head>")
            end = text.rindex("</body>")
            # The page's own policy stays in force for it: only inline scripts run.
            copy = os.path.join(folder, f"{number}.html")
            with open(copy, "w", encoding="utf-8") as file:
                file.write(text[:head] + f"<script>{CHECK}</script>" + text[head:end]
                           + axe + f"<script>{USE}</script>" + text[end:])
            done = run(program, os.path.join(folder, "profile"), "--virtual-time-budget=30000", "--window-size=1280,900", "--dump-dom", "file://" + copy)
            match = re.search(r'<script type="application/json" id="seen-by-the-test">(.*?)</script>', done.stdout, re.S)
            seen = json.loads(match.group(1)) if match else {"errors": ["the page's script did not come to its end"]}
            seen["console"] = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
            # How wide is it on a phone, and is it readable in the dark?
            phone = run(program, os.path.join(folder, "profile-dark"), "--blink-settings=preferredColorScheme=0", "--virtual-time-budget=30000", "--window-size=500,900", "--dump-dom", "file://" + copy)
            match = re.search(r'<script type="application/json" id="seen-by-the-test">(.*?)</script>', phone.stdout, re.S)
            other = json.loads(match.group(1)) if match else {}
            seen["overflow_phone"] = other.get("overflow")
            if axe:
                seen["axe_dark_phone"] = other.get("axe")
            seen["page"] = os.path.basename(page)
            print(json.dumps(seen, ensure_ascii=False))
            if options.shots:
                os.makedirs(options.shots, exist_ok=True)
                base = os.path.join(options.shots, os.path.splitext(os.path.basename(page))[0])
                for name, size in (("desktop", "1280,2600"), ("phone", "500,2600")):
                    for look in ("light", "dark"):
                        dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if look == "dark" else ["--blink-settings=preferredColorScheme=1"]
                        run(program, os.path.join(folder, "profile-" + look), "--window-size=" + size, *dark, "--virtual-time-budget=5000",
                            f"--screenshot={base}-{name}-{look}.png", "file://" + os.path.abspath(page))
    return 0


sys.exit(main())
