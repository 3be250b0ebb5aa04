/// How pages of runs look: one column, light and dark, on phones and on paper.
public enum PageStyle {
  public static let css = """
    :root { color-scheme: light dark; --ink: #1c1f23; --paper: #ffffff; --line: #d5d9de; --faint: #667085;
      --executed: #2460c8; --cached: #1c7549; --failed: #b92d22; --skipped: #626c7a; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #15181c; --line: #363c44; --faint: #98a1ad;
      --executed: #7ea8ff; --cached: #5cc08f; --failed: #ff8a80; --skipped: #98a1ad; } }
    body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
    h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
    .facts, small { color: var(--faint); } .wide { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
    @media print { body { margin: 0; max-width: none; } .wide { overflow: visible; } tr { break-inside: avoid; } }
    .wide:focus-visible { outline: 2px solid var(--executed); }
    .number { text-align: right; white-space: nowrap; } code, pre { font-family: ui-monospace, monospace; font-size: .85em; } pre { white-space: pre-wrap; margin: .3rem 0; }
    .status { font-size: .8rem; padding: .1rem .5rem; border-radius: 1rem; border: 1px solid currentColor; white-space: nowrap; }
    .executed { color: var(--executed); } .cached, .succeeded { color: var(--cached); } .failed { color: var(--failed); } .skipped, .cancelled { color: var(--skipped); }
    .mistake, .warning { border-left: 3px solid var(--failed); padding: .2rem .8rem; margin: .6rem 0; } .warning { border-color: var(--skipped); }
    svg { font: 12px system-ui, sans-serif; } svg text { fill: var(--ink); } svg rect { fill: currentColor; } svg path { fill: none; stroke: var(--faint); }
    svg .box { fill: var(--paper); stroke: currentColor; stroke-width: 1.5; } svg .kind { fill: var(--faint); font-size: 10px; }
    a { color: var(--executed); }
    """
}
