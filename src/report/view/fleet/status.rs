//! Which states the targets of a fleet are in.

use serde_json::json;

use super::{
    super::{Json, Page, Paint, Verbosity, View, history::ids, metrics, object},
    causes, causes_json, facts, name_of, target_names,
};
use crate::{
    fleet::{Outcome, Target},
    ops::{FleetStatusReport, StateSummary},
    report::{Style, count, fleet::names},
};

/// The result of `fleet status`.
pub struct FleetStatusView<'a> {
    /// The result.
    pub report: &'a FleetStatusReport,
    /// The targets of the fleet.
    pub targets: &'a [Target],
}

impl FleetStatusView<'_> {
    /// The number of targets whose state is like that.
    fn number(&self, is_it: impl Fn(&StateSummary) -> bool) -> usize {
        let states = self.report.states.iter().filter(|(state, _)| is_it(state));
        states.map(|(_, targets)| targets.len()).sum()
    }

    /// The target with the most pending revisions.
    fn oldest(&self) -> Option<(&StateSummary, usize)> {
        let (state, targets) = self.report.states.first()?;
        (state.pending > 0).then_some((state, *targets.first()?))
    }
}

/// What is remarkable about a state.
fn remarks(state: &StateSummary) -> Vec<String> {
    let mut remarks = Vec::new();
    let list = |ids: &[_]| self::ids(ids).join(", ");
    if !state.has_table {
        remarks.push("no version table".to_owned());
    }
    if state.pending > 0 {
        remarks.push(format!("{} pending", state.pending));
    }
    if !state.partial.is_empty() {
        remarks.push(format!("partially applied: {}", list(&state.partial)));
    }
    if !state.edited.is_empty() {
        remarks.push(format!("changed since: {}", list(&state.edited)));
    }
    if !state.unknown.is_empty() {
        let what = if state.is_ahead {
            "ahead"
        } else {
            "not in this directory"
        };
        remarks.push(format!("{what}: {}", list(&state.unknown)));
    }
    remarks
}

impl View for FleetStatusView<'_> {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let report = self.report;
        let mut page = Page::default();
        let mut fact = |name: &str, values: Vec<String>| facts(&mut page, paint, name, values);
        let fleet = format!(
            "{} ({})",
            report.environment,
            count(report.targets, "target")
        );
        fact("Fleet", vec![fleet]);
        let directory = format!(
            "{} ({})",
            report.directory,
            count(report.revisions, "revision")
        );
        fact("Directory", vec![directory]);
        let widest = report
            .states
            .iter()
            .map(|(_, targets)| targets.len().to_string().len())
            .max();
        let widest = widest.unwrap_or(0);
        let states = report.states.iter().map(|(state, targets)| {
            let number = format!("{:>widest$}", targets.len());
            let at = paint.paint(Style::Id, &state.position);
            let remarks = remarks(state);
            if remarks.is_empty() && verbosity < Verbosity::Verbose {
                return format!("{number}  {at}");
            }
            let names = names(targets, &name_of(self.targets));
            let remarks = match remarks.is_empty() {
                true => String::new(),
                false => format!(", {}", paint.paint(Style::Warning, remarks.join(", "))),
            };
            format!("{number}  {at}{remarks}: {names}")
        });
        fact("At", states.collect());
        let tally = &report.tally;
        if tally.skipped > 0 {
            let mut lines = vec![tally.skipped.to_string()];
            lines.extend(causes(tally, Outcome::Skipped, self.targets, true));
            fact("Missing", lines);
        }
        if tally.failed > 0 {
            let mut lines = vec![paint.paint(Style::Bad, tally.failed.to_string())];
            lines.extend(causes(tally, Outcome::Failed, self.targets, false));
            fact("Unreadable", lines);
        }
        if let Some((state, oldest)) = self.oldest() {
            let name = name_of(self.targets)(oldest);
            fact(
                "Oldest",
                vec![format!(
                    "{name} at {}, {} pending",
                    state.position, state.pending
                )],
            );
        }
        page
    }

    fn json(&self) -> Json {
        let report = self.report;
        let states = report.states.iter().map(|(state, targets)| {
            json!({
                "position": state.position,
                "current": ids(&state.current),
                "applied": state.applied,
                "pending": state.pending,
                "partial": ids(&state.partial),
                "edited": ids(&state.edited),
                "unknown": ids(&state.unknown),
                "ahead": state.is_ahead,
                "version_table_exists": state.has_table,
                "targets": target_names(self.targets, targets),
            })
        });
        object(json!({
            "environment": report.environment,
            "directory": report.directory,
            "revisions": report.revisions,
            "targets": report.targets,
            "pending": self.number(|state| state.pending > 0),
            "partial": self.number(|state| !state.partial.is_empty()),
            "drifted": self.number(StateSummary::is_drifted),
            "missing": report.tally.skipped,
            "unreadable": report.tally.failed,
            "oldest": self.oldest().map(|(_, oldest)| name_of(self.targets)(oldest)),
            "states": states.collect::<Vec<_>>(),
            "causes": causes_json(&report.tally, self.targets),
        }))
    }

    fn prometheus(&self) -> Option<String> {
        Some(metrics::of_fleet(self.report))
    }
}
