use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, object};
use crate::{
    database::{ScratchEntry, ScratchKind},
    ops::{ScratchDropReport, ScratchListReport},
    report::{Style, bytes, duration},
};

impl View for ScratchListReport {
    fn human(&self, paint: Paint, _: Verbosity) -> Page {
        if self.entries.is_empty() {
            return Page::of("No scratch databases.");
        }
        let now = Utc::now();
        let mut page = Page::default();
        let lines = self.entries.iter().map(|entry| Line::of(entry, now));
        let lines: Vec<Line<'_>> = lines.collect();
        let width = |cell: for<'b> fn(&'b Line<'_>) -> &'b str| {
            let widths = lines.iter().map(|line| cell(line).chars().count());
            widths.max().unwrap_or(0)
        };
        let (name, label) = (width(|line| line.name), width(|line| line.label));
        let age = width(|line| &line.age);
        for line in &lines {
            let named = format!("{:<name$}", line.name);
            let state = match line.state {
                "abandoned" => paint.paint(Style::Bad, line.state),
                state => state.to_owned(),
            };
            page.row(format!(
                "{}  {:<8}  {:<label$}  {:>age$}  {:>8}  {state}",
                paint.paint(Style::Id, named),
                line.kind,
                line.label,
                line.age,
                line.size,
            ));
        }
        page
    }

    fn json(&self) -> Json {
        object(json!({ "databases": entries(&self.entries) }))
    }
}

impl View for ScratchDropReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if verbosity == Verbosity::Quiet {
            return Page::default();
        }
        let mut page = Page::default();
        for entry in &self.dropped {
            let dropped = paint.paint(Style::Good, "Dropped");
            page.row(format!("{dropped} {} {}.", kind(entry), entry.name));
        }
        match self.dropped.is_empty() {
            true => Page::of("Nothing to drop."),
            false => page,
        }
    }

    fn has_changed(&self) -> bool {
        !self.dropped.is_empty()
    }

    fn json(&self) -> Json {
        object(json!({ "dropped": entries(&self.dropped) }))
    }
}

/// The cells of a line of the list.
struct Line<'a> {
    name: &'a str,
    kind: &'static str,
    label: &'a str,
    age: String,
    size: String,
    state: &'static str,
}

impl<'a> Line<'a> {
    fn of(entry: &'a ScratchEntry, now: DateTime<Utc>) -> Self {
        let age = entry.made_at.and_then(|at| (now - at).to_std().ok());
        Self {
            name: &entry.name,
            kind: kind(entry),
            label: entry.label.as_deref().unwrap_or("-"),
            age: age.map_or_else(|| "-".to_owned(), duration),
            size: entry.size.map_or_else(|| "-".to_owned(), bytes),
            state: match (entry.kind, entry.in_use) {
                (_, true) => "in use",
                (ScratchKind::Scratch, false) => "abandoned",
                (ScratchKind::Template, false) => "kept",
            },
        }
    }
}

fn kind(entry: &ScratchEntry) -> &'static str {
    match entry.kind {
        ScratchKind::Scratch => "scratch",
        ScratchKind::Template => "template",
    }
}

fn entries(entries: &[ScratchEntry]) -> Vec<Value> {
    let entries = entries.iter().map(|entry| {
        json!({
            "name": entry.name,
            "kind": kind(entry),
            "target": entry.label,
            "made_at": entry.made_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            "size": entry.size,
            "in_use": entry.in_use,
        })
    });
    entries.collect()
}
