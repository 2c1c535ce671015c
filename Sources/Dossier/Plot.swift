// Plot.swift: bars over time as SVG that reads the same on black-and-white paper.

internal import Foundation

/// One bar: all of it outlined, the part that matters most filled black.
struct Bar {
    let label: String
    let value: Int
    let inner: Int
}

/// A plot of bars with its words.
struct Plot {
    let title: String
    let across: String
    let upwards: String
    /// What the outlined and the black parts are.
    let legend: (outlined: String, filled: String)?
    let bars: [Bar]
    /// Moments to show, at a place between 0 and the number of bars.
    var marks: [(place: Double, label: String)] = []
    let language: Language

    private static let width = 720.0
    private static let height = 270.0
    private static let left = 64.0
    private static let right = 708.0
    private static let top = 34.0
    private static let bottom = 214.0

    /// Where one bar would hide all others, heights are of logarithms.
    private var isLogarithmic: Bool {
        let values = bars.map(\.value).filter { $0 > 0 }
        guard let most = values.max() else { return false }
        return most > 100 * max(1, median(values))
    }

    private var most: Int { max(1, bars.map(\.value).max() ?? 1) }

    /// Values with a line across: at most six.
    private var ticks: [Int] {
        if isLogarithmic {
            var ticks = [1]
            while let last = ticks.last, last < most { ticks.append(last * 10) }
            return ticks
        }
        var step = 1
        var factor = 0
        while step * 5 < most {
            step = step / [1, 2, 5][factor % 3] * [2, 5, 10][factor % 3]
            factor += 1
        }
        return Array(stride(from: 0, through: (most + step - 1) / step * step, by: step))
    }

    /// How high a value stands, from 0 to 1.
    private func share(_ value: Int, _ limit: Int) -> Double {
        guard isLogarithmic else { return Double(value) / Double(max(1, limit)) }
        guard value > 0 else { return 0 }
        // A value of 1 is still to be seen.
        let floor = log10(0.5)
        return (log10(Double(value)) - floor) / (log10(Double(limit)) - floor)
    }

    var markup: Markup {
        let ticks = self.ticks
        let limit = ticks.last ?? 1
        var drawn: [Markup] = [.element("title", [], .text(title))]
        for tick in ticks {
            let y = Self.bottom - share(tick, limit) * (Self.bottom - Self.top)
            drawn.append(line(Self.left, y, Self.right, y, "grid"))
            drawn.append(text(Self.left - 6, y + 4, language.number(tick), "end"))
        }
        let step = (Self.right - Self.left) / Double(max(1, bars.count))
        for (index, bar) in bars.enumerated() where bar.value > 0 {
            let x = Self.left + Double(index) * step
            let gap = step > 4 ? step * 0.12 : 0
            func drawBar(_ value: Int, _ kind: String) {
                let height = share(value, limit) * (Self.bottom - Self.top)
                drawn.append(
                    .element(
                        "rect",
                        [
                            ("x", digits(x + gap)), ("y", digits(Self.bottom - height)),
                            ("width", digits(step - 2 * gap)), ("height", digits(height)),
                            ("class", kind),
                        ], .empty))
            }
            drawBar(bar.value, "outlined")
            if bar.inner > 0 { drawBar(bar.inner, "filled") }
        }
        drawn.append(line(Self.left, Self.bottom, Self.right, Self.bottom, "axis"))
        drawn.append(line(Self.left, Self.top, Self.left, Self.bottom, "axis"))
        drawn += labels(step) + marked(step) + words
        let drawing = Markup.element(
            "svg",
            [
                ("xmlns", "http://www.w3.org/2000/svg"), ("role", "img"),
                ("viewBox", "0 0 \(Int(Self.width)) \(Int(Self.height))"),
            ], drawn.together)
        let words = Markup.element("figcaption", [], .text(caption))
        return .element("figure", [], drawing + words)
    }

    private var caption: String {
        var caption = title
        if let legend {
            caption += language.of(" Barre blanche : ", " White bar: ") + legend.outlined
            caption += language.of(" ; partie noire : ", "; black part: ") + legend.filled + "."
        }
        if isLogarithmic {
            caption += language.of(
                " Échelle logarithmique : chaque trait horizontal vaut dix fois celui d’en dessous.",
                " Logarithmic scale: each line across is ten times the one below.")
        }
        return caption
    }

    /// At most eight labels below the axis.
    private func labels(_ step: Double) -> [Markup] {
        let every = max(1, (bars.count + 7) / 8)
        return stride(from: 0, to: bars.count, by: every).flatMap { index -> [Markup] in
            let x = Self.left + (Double(index) + 0.5) * step
            return [
                line(x, Self.bottom, x, Self.bottom + 4, "axis"),
                text(x, Self.bottom + 18, bars[index].label, "middle"),
            ]
        }
    }

    private func marked(_ step: Double) -> [Markup] {
        marks.prefix(8).flatMap { mark -> [Markup] in
            let x = min(Self.right, Self.left + mark.place * step)
            return [
                line(x, Self.top - 8, x, Self.bottom, "mark"),
                text(x, Self.top - 12, mark.label, x > Self.right - 90 ? "end" : "middle"),
            ]
        }
    }

    private var words: [Markup] {
        let middle = digits((Self.top + Self.bottom) / 2)
        return [
            text((Self.left + Self.right) / 2, Self.height - 12, across, "middle"),
            .element(
                "text",
                [
                    ("transform", "translate(14 \(middle)) rotate(-90)"),
                    ("text-anchor", "middle"),
                ], .text(upwards)),
        ]
    }

    private func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ kind: String
    ) -> Markup {
        .element(
            "line",
            [
                ("x1", digits(x1)), ("y1", digits(y1)), ("x2", digits(x2)), ("y2", digits(y2)),
                ("class", kind),
            ], .empty)
    }

    private func text(_ x: Double, _ y: Double, _ text: String, _ anchor: String) -> Markup {
        .element(
            "text", [("x", digits(x)), ("y", digits(y)), ("text-anchor", anchor)], .text(text))
    }
}

/// A length with two digits after its point.
private func digits(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let rest = abs(hundredths) % 100
    return "\(hundredths < 0 ? "-" : "")\(abs(hundredths) / 100).\(rest < 10 ? "0" : "")\(rest)"
}
