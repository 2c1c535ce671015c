// Page.swift: an HTML page that needs nothing but itself, on a screen and on paper.

internal import Foundation

/// A page: its language, title and body.
struct Page {
    let language: Language
    let title: String
    let body: Markup

    /// What paper and screens are told; black on white, so that it prints on anything.
    private static let style: StaticString = """
        @page { size: A4; margin: 18mm 16mm 20mm; @bottom-right { content: counter(page) " / " \
        counter(pages); font: 9pt sans-serif; } }
        * { box-sizing: border-box; }
        body { font: 10.5pt/1.45 "DejaVu Sans", "Liberation Sans", Arial, sans-serif; color: #000; \
        background: #fff; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
        h1 { font-size: 1.7em; line-height: 1.2; margin: 0 0 .5em; }
        h2 { font-size: 1.25em; margin: 1.8em 0 .5em; border-bottom: 2px solid #000; \
        break-after: avoid; }
        h3 { font-size: 1.05em; margin: 1.3em 0 .4em; break-after: avoid; }
        p, ul, ol { margin: .5em 0; orphans: 3; widows: 3; }
        a { color: inherit; }
        code { font: .9em "DejaVu Sans Mono", "Liberation Mono", monospace; \
        overflow-wrap: anywhere; }
        code.short { white-space: nowrap; }
        pre { font: .85em/1.3 "DejaVu Sans Mono", "Liberation Mono", monospace; \
        white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #000; padding: .6em; }
        table { border-collapse: collapse; width: 100%; margin: .6em 0 1.2em; font-size: .88em; }
        caption { text-align: left; font-weight: bold; padding: .3em 0; break-after: avoid; }
        th, td { border: 1px solid #666; padding: .25em .45em; text-align: left; \
        vertical-align: top; overflow-wrap: break-word; }
        thead { display: table-header-group; break-after: avoid; }
        .small, .facts { break-inside: avoid; }
        thead th { background: #e6e6e6; border-bottom: 2px solid #000; }
        tr { break-inside: avoid; }
        .number { text-align: right; white-space: nowrap; }
        .facts th { width: 36%; font-weight: normal; background: #f3f3f3; }
        .utc { white-space: nowrap; font-size: .88em; }
        .warning { border: 2px solid #000; border-left-width: 8px; padding: .5em .8em; \
        font-weight: bold; break-inside: avoid; }
        .blank { border-bottom: 1px dotted #000; display: inline-block; min-width: 16em; }
        figure { margin: .8em 0 1.2em; break-inside: avoid; }
        figcaption { font-size: .88em; }
        svg { width: 100%; height: auto; }
        svg text { font: 11px "DejaVu Sans", Arial, sans-serif; fill: #000; }
        .grid { stroke: #bbb; stroke-width: .6; } .axis { stroke: #000; stroke-width: 1; }
        .mark { stroke: #000; stroke-width: 1.4; stroke-dasharray: 5 3; }
        .outlined { fill: #fff; stroke: #000; stroke-width: .8; } .filled { fill: #000; }
        .letter { break-after: page; min-height: 20em; }
        .letter:last-child { break-after: auto; }
        .letter h1 { font-size: 1.1em; margin: 1.5em 0 1em; }
        .letter h2 { font-size: 1em; border: 0; margin: 1em 0 .2em; }
        .letter p, .letter ul { margin: .35em 0; }
        .letter .to { margin: 1.5em 0 1.5em 50%; min-height: 5em; }
        .top { margin: 0; }
        @media print { body { max-width: none; padding: 0; font-size: 9.5pt; } \
        a { text-decoration: none; } .page { break-before: page; } }
        @media screen { .letter { border-bottom: 3px double #000; padding-bottom: 2em; } \
        table { display: block; overflow-x: auto; } }
        """

    var html: String {
        let style = String(describing: Self.style)
        let policy =
            "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
            + Data(sha256(of: style)).base64EncodedString() + "'"
        let head: [Markup] = [
            .element("meta", [("charset", "utf-8")]),
            .element("meta", [("http-equiv", "Content-Security-Policy"), ("content", policy)]),
            .element(
                "meta", [("name", "viewport"), ("content", "width=device-width, initial-scale=1")]),
            .element("meta", [("name", "robots"), ("content", "noindex")]),
            .element("meta", [("name", "referrer"), ("content", "no-referrer")]),
            .element("title", [], .text(title)), .element("style", [], .constant(Self.style)),
        ]
        let shown = Markup.element("body", [], .element("main", [], body))
        let page = Markup.element(
            "html", [("lang", language.rawValue), ("xmlns", "http://www.w3.org/1999/xhtml")],
            .element("head", [], head.together) + shown)
        return "<!DOCTYPE html>\n" + page.html + "\n"
    }
}
