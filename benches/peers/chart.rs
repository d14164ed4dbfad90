//! docs/benchmarks.svg: time over revisions, both axes logarithmic.

use std::path::Path;

use plotters::prelude::*;

use super::measure::{Measured, Scenario};

/// Draws what was measured.
pub fn draw(measured: &Measured, file: &Path) {
    let root = SVGBackend::new(file, (1100, 820)).into_drawing_area();
    root.fill(&WHITE).unwrap();
    let panels = root.split_evenly((2, 2));
    let mut all: Vec<&str> = measured.keys().flat_map(|key| measured.who(key)).collect();
    all.sort_unstable();
    all.dedup();
    let kinds = [
        ("SQLite", Scenario::Nothing, "nothing to do"),
        ("PostgreSQL", Scenario::Nothing, "nothing to do"),
        ("SQLite", Scenario::Empty, "from empty"),
        ("PostgreSQL", Scenario::Empty, "from empty"),
    ];
    for (panel, (database, scenario, title)) in panels.iter().zip(kinds) {
        let keys: Vec<_> = measured
            .keys()
            .filter(|key| (key.0, key.1) == (database, scenario))
            .collect();
        let points = |who: &str| -> Vec<(f64, f64)> {
            let of_who = keys.iter().filter_map(|key| {
                Some((key.2 as f64, measured.time(*key, who)?.as_secs_f64() * 1e3))
            });
            of_who.collect()
        };
        let times: Vec<f64> = all
            .iter()
            .flat_map(|who| points(who))
            .map(|point| point.1)
            .collect();
        let low = times.iter().copied().fold(f64::INFINITY, f64::min) / 1.3;
        let high = times.iter().copied().fold(0.0, f64::max) * 1.3;
        let sizes: Vec<f64> = keys.iter().map(|key| key.2 as f64).collect();
        let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
        let mut chart = ChartBuilder::on(panel)
            .caption(format!("{database}, {title}"), ("sans-serif", 16))
            .margin(10)
            .x_label_area_size(34)
            .y_label_area_size(56)
            .build_cartesian_2d((first..last).log_scale(), (low..high).log_scale())
            .unwrap();
        chart
            .configure_mesh()
            .x_desc("revisions")
            .y_desc("ms")
            .light_line_style(WHITE)
            .draw()
            .unwrap();
        for (at, who) in all.iter().enumerate() {
            let points = points(who);
            if points.is_empty() {
                continue;
            }
            let color = Palette99::pick(at).to_rgba();
            let style = color.stroke_width(if *who == "migrator" { 4 } else { 2 });
            chart
                .draw_series(LineSeries::new(points, style))
                .unwrap()
                .label(*who)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .draw()
            .unwrap();
    }
    root.present().unwrap();
}
