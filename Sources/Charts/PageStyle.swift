/// What every page looks like.
enum PageStyle {
  /// Colours of the pictures are those of `Theme.light`; on a dark screen the attribute selectors repaint them.
  static var css: String { base + "\n" + recolored }

  private static let base = """
    :root { --paper: #ffffff; --panel: #f5f7fa; --ink: #1b2733; --muted: #52606d; --rule: #dfe4ea; --accent: #005f95; }
    @media (prefers-color-scheme: dark) {
      :root { --paper: #12181f; --panel: #1b232c; --ink: #e8edf2; --muted: #a9b4c0; --rule: #2e3945; --accent: #6fbdec; }
    }
    * { box-sizing: border-box; }
    html { scroll-behavior: smooth; }
    body { margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 3rem) 3rem; max-width: 76rem; background: var(--paper);
      color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
    h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; margin: .5rem 0 .25rem; }
    h2 { font-size: 1.35rem; margin: 2.5rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
    h3 { font-size: 1.05rem; margin: 0 0 .5rem; }
    p, li { max-width: 72ch; }
    .subtitle, footer, figcaption, caption, dt, .remark { color: var(--muted); }
    .subtitle { margin: 0; font-size: 1.05rem; }
    nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0 0; padding: 0; }
    a { color: var(--accent); }
    dl, dd { margin: 0; }
    .headlines { display: grid; grid-template-columns: repeat(auto-fit, minmax(12.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0; }
    .headlines > div, .card { background: var(--panel); border: 1px solid var(--rule); border-radius: 10px; padding: .9rem 1.1rem; }
    .headlines dt { font-size: .85rem; }
    .headlines .figure { font-size: 1.5rem; overflow-wrap: anywhere; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
    .remark { font-size: .82rem; }
    .cards, .gallery { display: grid; gap: 1rem; margin: 1rem 0; }
    .cards { grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); }
    .gallery { grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
    .card p { margin: .35rem 0; }
    .pairs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr)); gap: .15rem 2rem; margin: .75rem 0; }
    .pairs > div { display: flex; justify-content: space-between; gap: 1rem; border-bottom: 1px solid var(--rule); padding: .25rem 0; }
    .pairs dt { flex: none; max-width: 72%; }
    .pairs dd { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
    .card .note { margin: .25rem 0 .6rem; padding: .4rem .7rem; font-size: .95rem; }
    .card .pairs { grid-template-columns: 1fr; }
    .skip { position: absolute; left: -100rem; }
    .skip:focus { position: static; }
    .note { border-left: 4px solid var(--accent); background: var(--panel); padding: .6rem 1rem; }
    figure { margin: 1rem 0; min-width: 0; }
    .gallery figure { margin: 0; }
    .picture { border: 1px solid var(--rule); border-radius: 10px; overflow-x: auto; background: var(--paper); }
    .picture svg { display: block; width: 100%; height: auto; max-width: 960px; margin: 0 auto; }
    figcaption { font-size: .88rem; margin-top: .35rem; }
    .tools { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; margin: 1rem 0 -.5rem; }
    .tools input, .tools button { font: inherit; font-size: .9rem; color: var(--ink); background: var(--paper); border: 1px solid var(--rule);
      border-radius: 8px; padding: .35rem .7rem; min-height: 2.4rem; }
    .tools input { flex: 1 1 12rem; max-width: 24rem; }
    .tools button { cursor: pointer; }
    .tools input:focus-visible, .tools button:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
    .tools output { color: var(--muted); font-size: .85rem; }
    .table { overflow: auto; max-height: 34rem; margin: 1rem 0; border: 1px solid var(--rule); border-radius: 10px; }
    table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
    caption { text-align: left; padding: .6rem .8rem; }
    th, td { padding: .4rem .8rem; text-align: left; border-top: 1px solid var(--rule); white-space: nowrap; }
    th { position: sticky; top: 0; background: var(--panel); padding: 0; }
    th button { all: unset; box-sizing: border-box; width: 100%; padding: .5rem .8rem; cursor: pointer; font-weight: 600; }
    th button:focus-visible, a:focus-visible, summary:focus-visible, .table:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
    th[aria-sort="ascending"] button::after { content: " \\25B2"; }
    th[aria-sort="descending"] button::after { content: " \\25BC"; }
    .number, .number button { text-align: right; }
    tbody tr:hover { background: var(--panel); }
    details { margin: 1rem 0; }
    summary { cursor: pointer; font-weight: 600; }
    footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); font-size: .85rem; overflow-wrap: anywhere; }
    footer p { margin: .2rem 0; max-width: none; }
    @media (max-width: 40rem) { .picture svg { min-width: 26rem; } }
    @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
    @media print {
      body { padding: 0; max-width: none; font-size: 11pt; }
      nav, .tools { display: none; }
      .table { overflow: visible; max-height: none; }
      th { position: static; }
      figure, .card, .headlines > div, tr { break-inside: avoid; }
      h2, h3 { break-after: avoid; }
    }
    """

  private static var recolored: String {
    let (light, dark) = (Theme.light, Theme.dark)
    var pairs = [(light.ink, dark.ink), (light.muted, dark.muted), (light.rule, dark.rule), (light.background, dark.background)]
    pairs += zip(light.series, dark.series).map { ($0, $1) } + [(light.other, dark.other)]
    var rules = "@media screen and (prefers-color-scheme: dark) {\n"
    // The ground of a whole picture is written by name.
    rules += "  .picture svg > rect[fill=\"white\"], .picture svg > rect[fill=\"\(light.background)\"] { fill: \(dark.background); }\n"
    for (from, to) in pairs {
      rules += "  .picture [fill=\"\(from)\"] { fill: \(to); } .picture [stroke=\"\(from)\"] { stroke: \(to); }\n"
    }
    return rules + "}"
  }
}
