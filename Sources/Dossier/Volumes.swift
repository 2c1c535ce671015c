// Volumes.swift: plots of how much was shown when.

internal import RecordReading

extension Telling {
    /// Identities shown over the period, and by hour of the day.
    var volumes: Markup {
        guard !reckoning.hours.isEmpty else { return .empty }
        let shown = say(
            "identités affichées (un patient autant de fois qu’affiché)",
            "identities shown (a patient as often as shown)")
        let fresh = say(
            "patients affichés pour la première fois", "patients shown for the first time")
        let (bars, unit, first, length) = overTime(reckoning.hours)
        let ended = first + UInt64(bars.count) * length
        let marks = reckoning.neutralizations
            .filter { $0.time >= first && $0.time < ended + length }
            .map { order in
                (
                    place: Double(order.time - first) / Double(length),
                    label: say("neutralisation", "neutralized")
                )
            }
        let plot = Plot(
            title: say(
                "Identités affichées par \(unit).", "Identities shown by \(unit)."),
            across: say("\(unit) (heure de Paris)", "\(unit) (Paris time)"),
            upwards: say("identités", "identities"),
            legend: (outlined: shown, filled: fresh), bars: bars, marks: marks, language: language)
        let total = reckoning.hoursOfDay.reduce(0, +)
        let off = reckoning.accountTallies.values.reduce(0) { $0 + $1.offHours }
        let hourPlot = Plot(
            title: say(
                "Identités affichées selon l’heure de la journée.",
                "Identities shown by hour of the day."),
            across: say("heure (Paris)", "hour (Paris)"),
            upwards: say("identités", "identities"), legend: nil,
            bars: reckoning.hoursOfDay.enumerated().map { hour, value in
                Bar(label: say("\(hour) h", "\(hour):00"), value: value, inner: 0)
            }, language: language)
        return section(
            "volumes", say("Volumes", "Volumes"), plot.markup,
            total > 0 ? hourPlot.markup : .empty,
            paragraph(
                say(
                    "\(counted(off, .accesses)) sur "
                        + "\(language.number(reckoning.accesses.count)) la nuit (de 20 h à 7 h) "
                        + "ou le week-end.",
                    "\(counted(off, .accesses)) of \(language.number(reckoning.accesses.count)) "
                        + "at night (20:00 to 7:00) or on a week-end.")))
    }

    /// Bars of an hour, a day, a week or four weeks, whichever shows the period in at most 120;
    /// where the first begins, and how long each is.
    private func overTime(
        _ hours: [Int32: DayTally]
    ) -> (bars: [Bar], unit: String, first: UInt64, length: UInt64) {
        let present = hours.filter { $0.value.shown > 0 || $0.value.refused > 0 }.keys
        let low = present.min() ?? 0
        let high = present.max() ?? 0
        if high - low < 72 {
            let bars = (low...high).map { hour in
                let local = Hour(UInt64(hour) * 3_600_000)
                let day = Paris(UInt64(hour) * 3_600_000).frenchDay.prefix(5)
                return Bar(
                    label: "\(day) " + say("\(local.ofDay) h", "\(local.ofDay):00"),
                    value: hours[hour]?.shown ?? 0, inner: hours[hour]?.fresh ?? 0)
            }
            return (bars, say("heure", "hour"), UInt64(low) * 3_600_000, 3_600_000)
        }
        var days: [Int32: DayTally] = [:]
        for (hour, tally) in hours {
            days[Hour(UInt64(hour) * 3_600_000).day, default: DayTally()] += tally
        }
        let (bars, width) = dayBars(days)
        let first = days.filter { $0.value.shown > 0 || $0.value.refused > 0 }.keys.min() ?? 0
        let begin = UInt64(first) * 86_400_000
        let unit =
            [
                1: say("jour", "day"), 7: say("semaine", "week"),
            ][width] ?? say("période de \(width) jours", "\(width) days")
        return (
            bars, unit, begin - min(begin, UInt64(max(0, Paris.offset(at: begin))) * 1000),
            UInt64(width) * 86_400_000
        )
    }

    /// Bars of days, or of as many days as keep them below 120; and how many days each is.
    func dayBars(_ days: [Int32: DayTally]) -> (bars: [Bar], width: Int) {
        let present = days.filter { $0.value.shown > 0 || $0.value.refused > 0 }.keys
        guard let low = present.min(), let high = present.max() else { return ([], 1) }
        let span = Int(high - low) + 1
        let width = span <= 120 ? 1 : span <= 840 ? 7 : 28
        let bars = stride(from: low, through: high, by: width).map { begin in
            var sum = DayTally()
            for day in begin..<(begin + Int32(width)) { sum += days[day] ?? DayTally() }
            // Noon, so that no change of clocks makes it another day.
            let date = Paris(UInt64(begin) * 86_400_000 + 43_200_000).frenchDay
            return Bar(
                label: span > 300 ? date : String(date.prefix(5)), value: sum.shown,
                inner: sum.fresh)
        }
        return (bars, width)
    }
}
