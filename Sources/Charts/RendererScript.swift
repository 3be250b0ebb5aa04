/// What a child process runs. A line of JSON in asks for one chart, by its specification or by the SVG that was made of it; the
/// answer is a line `ok SVG-LENGTH PNG-LENGTH HTML-LENGTH` and that many bytes, or `error LENGTH` and the renderer's message. The
/// first line out is the version of vl-convert, or `missing` and why.
enum RendererScript {
  /// The Vega-Lite that specifications are compiled with.
  static let vegaLite = "5.21"

  static let source = #"""
    import sys
    # An empty entry is the current folder, whose files must not pass for modules.
    sys.path[:] = ([sys.argv[1]] if sys.argv[1] else []) + [p for p in sys.path if p]
    import json, os, signal, tempfile

    # The parent decides on Ctrl-C; when it dies, so does this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
        if os.getppid() != int(sys.argv[2]):
            os._exit(1)

    out = sys.stdout.buffer

    def answer(head, *parts):
        out.write((" ".join([head] + [str(len(p)) for p in parts]) + "\n").encode())
        for part in parts:
            out.write(part)
        out.flush()

    # Only the fonts inside the renderer: those of the machine would change the picture from machine to machine, and their files
    # would be opened for every word. A fontconfig file that names no existing folder hides them. Fonts are looked for once,
    # with the first picture; the file has to have a name until then: one without is passed over.
    with tempfile.NamedTemporaryFile(prefix="millrace-fonts-") as fonts:
        fonts.write(b"<fontconfig><dir>/nonexistent</dir></fontconfig>")
        fonts.flush()
        os.environ["FONTCONFIG_FILE"] = os.path.realpath(fonts.name)
        try:
            import vl_convert
            vl_convert.svg_to_png('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')
        except Exception as problem:
            answer("missing", str(problem).encode())
            sys.exit(0)
    answer("version", vl_convert.__version__.encode())

    for line in sys.stdin.buffer:
        job = json.loads(line)
        svg = png = html = b""
        try:
            settings = {"vl_version": job["vegaLite"]}
            drawn = job.get("svg")
            if drawn is None:
                # Text, so that the order of fields and the digits of numbers arrive as they were written.
                spec = json.dumps(job["spec"], ensure_ascii=False)
                if "svg" in job["formats"] or "png" in job["formats"]:
                    drawn = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[], **settings)
                    svg = drawn.encode()
                if "html" in job["formats"]:
                    html = vl_convert.vegalite_to_html(spec, bundle=True, renderer="svg", **settings).encode()
            # The bytes that vegalite_to_png makes, without laying the chart out a second time.
            if "png" in job["formats"]:
                png = vl_convert.svg_to_png(drawn, scale=job["scale"])
            answer("ok", svg, png, html)
        except Exception as problem:
            answer("error", str(problem).encode())
    """#
}
