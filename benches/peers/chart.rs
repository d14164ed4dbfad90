//! docs/benchmarks.svg: time over revisions, both axes logarithmic.

use std::{fmt::Write as _, fs, ops::RangeInclusive, path::Path};

use super::measure::{Measured, Scenario};

const WIDTH: f64 = 550.0;
const HEIGHT: f64 = 410.0;

/// Told apart by those who see no difference of red and green, too.
const COLORS: [&str; 9] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7f3c8d", "#999999",
    "#000000",
];

/// A logarithmic axis: values of a range on pixels of another.
struct Axis {
    values: (f64, f64),
    pixels: (f64, f64),
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.values.0.ln(), self.values.1.ln());
        let share = (value.ln() - low) / (high - low);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    /// The powers of ten in it, and where there are few of them, their multiples by two and five.
    fn marks(&self) -> Vec<f64> {
        let decades: RangeInclusive<i32> =
            self.values.0.log10().floor() as i32..=self.values.1.log10().ceil() as i32;
        let of_steps = |steps: &[f64]| -> Vec<f64> {
            let all = decades
                .clone()
                .flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
            all.filter(|mark| (self.values.0..=self.values.1).contains(mark))
                .collect()
        };
        let powers = of_steps(&[1.0]);
        if powers.len() < 3 {
            of_steps(&[1.0, 2.0, 5.0])
        } else {
            powers
        }
    }
}

/// Draws what was measured.
pub fn draw(measured: &Measured, file: &Path) {
    let mut all: Vec<&str> = measured.keys().flat_map(|key| measured.who(key)).collect();
    all.sort_unstable();
    all.dedup();
    let kinds = [
        ("SQLite", Scenario::Nothing, "nothing to do"),
        ("PostgreSQL", Scenario::Nothing, "nothing to do"),
        ("SQLite", Scenario::Empty, "from empty"),
        ("PostgreSQL", Scenario::Empty, "from empty"),
    ];
    let (width, height) = (2.0 * WIDTH, 2.0 * HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (number, (database, scenario, title)) in kinds.into_iter().enumerate() {
        let of_who = |who: &str| -> Vec<(f64, f64)> {
            let keys = measured
                .keys()
                .filter(|key| (key.0, key.1) == (database, scenario));
            let points = keys.filter_map(|key| {
                let time = measured.time(key, who)?;
                Some((key.2 as f64, time.as_secs_f64() * 1e3))
            });
            points.collect()
        };
        let lines: Vec<_> = all.iter().map(|who| (*who, of_who(who))).collect();
        let (left, top) = ((number % 2) as f64 * WIDTH, (number / 2) as f64 * HEIGHT);
        writeln!(svg, "<g transform=\"translate({left} {top})\">").unwrap();
        panel(&mut svg, &format!("{database}, {title}"), &lines);
        svg += "</g>\n";
    }
    svg += "</svg>\n";
    fs::write(file, svg).unwrap();
}

/// Draws the lines of one kind; a color is the same in all panels.
fn panel(svg: &mut String, title: &str, lines: &[(&str, Vec<(f64, f64)>)]) {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let least = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(0.0, f64::max);
    let across = Axis {
        values: (least(|it| it.0), most(|it| it.0)),
        pixels: (66.0, WIDTH - 14.0),
    };
    let up = Axis {
        values: (least(|it| it.1) / 1.3, most(|it| it.1) * 1.3),
        pixels: (HEIGHT - 46.0, 34.0),
    };
    let (left, right) = across.pixels;
    let (bottom, top) = up.pixels;
    let mut text = |x: f64, y: f64, anchor: &str, text: &str| {
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        )
        .unwrap();
    };
    text(WIDTH / 2.0, 20.0, "middle", title);
    text(
        f64::midpoint(left, right),
        HEIGHT - 10.0,
        "middle",
        "revisions",
    );
    text(left - 8.0, top - 8.0, "end", "ms");
    for mark in across.marks() {
        text(across.at(mark), bottom + 16.0, "middle", &mark.to_string());
    }
    for mark in up.marks() {
        text(left - 8.0, up.at(mark) + 4.0, "end", &mark.to_string());
    }
    let mut path = |style: &str, points: &[(f64, f64)]| {
        let points: Vec<_> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let points = points.join(" ");
        writeln!(svg, "<polyline fill=\"none\" {style} points=\"{points}\"/>").unwrap();
    };
    for mark in up.marks() {
        let y = up.at(mark);
        path("stroke=\"#ddd\"", &[(left, y), (right, y)]);
    }
    for mark in across.marks() {
        let x = across.at(mark);
        path("stroke=\"#ddd\"", &[(x, bottom), (x, top)]);
    }
    path(
        "stroke=\"#000\"",
        &[(left, top), (left, bottom), (right, bottom)],
    );
    let mut shown = Vec::new();
    for (at, (who, points)) in lines.iter().enumerate() {
        if points.is_empty() {
            continue;
        }
        let width = if *who == "migrator" { 4 } else { 2 };
        let style = format!(
            "stroke=\"{}\" stroke-width=\"{width}\"",
            COLORS[at % COLORS.len()]
        );
        let points: Vec<_> = points
            .iter()
            .map(|(x, y)| (across.at(*x), up.at(*y)))
            .collect();
        path(&style, &points);
        let y = top + 14.0 + 16.0 * shown.len() as f64;
        path(&style, &[(left + 10.0, y), (left + 28.0, y)]);
        shown.push((who, y));
    }
    for (who, y) in shown {
        writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\">{who}</text>",
            left + 34.0,
            y + 4.0
        )
        .unwrap();
    }
}
