//! Metrics in the text format of Prometheus.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    ops::{FleetStatusReport, RevisionLine, StateSummary, StatusReport},
    plan::Relation,
};

/// Metrics, all with the labels of one database or one fleet.
struct Metrics {
    text: String,
    labels: String,
}

impl Metrics {
    fn new(labels: &[(&str, &str)]) -> Self {
        Self {
            text: String::new(),
            labels: joined(labels),
        }
    }

    /// Adds a metric with one value.
    fn add(&mut self, name: &str, help: &str, value: usize) {
        self.all(name, help, &[("", value)]);
    }

    /// Adds a metric with a value for each set of further labels.
    fn all(&mut self, name: &str, help: &str, values: &[(&str, usize)]) {
        self.head(name, help);
        for (labels, value) in values {
            self.value(name, labels, *value);
        }
    }

    fn head(&mut self, name: &str, help: &str) {
        let text = &mut self.text;
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
    }

    fn value(&mut self, name: &str, labels: &str, value: usize) {
        let comma = if labels.is_empty() { "" } else { "," };
        let own = &self.labels;
        let _ = writeln!(self.text, "{name}{{{own}{comma}{labels}}} {value}");
    }
}

/// Labels with their values, as they are written between braces.
fn joined(labels: &[(&str, &str)]) -> String {
    let pairs = labels.iter().map(|(name, value)| {
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    });
    pairs.collect::<Vec<_>>().join(",")
}

/// The IDs of revisions, with commas between them.
fn ids(lines: &[RevisionLine]) -> String {
    let ids: Vec<_> = lines.iter().map(|line| line.id.as_str()).collect();
    ids.join(",")
}

/// The metrics of `status`. `schema_changes` is the number of objects that differ from what the applied
/// scripts make, if they were compared.
pub(super) fn of_status(status: &StatusReport, schema_changes: Option<usize>) -> String {
    let mut metrics = Metrics::new(&[("database", &status.database)]);
    let info = [
        ("directory", status.directory.as_str()),
        ("current", &ids(&status.current)),
        ("heads", &ids(&status.heads)),
        ("version_table", &status.version_table),
        ("tool_version", env!("CARGO_PKG_VERSION")),
    ];
    let help = "The revisions and the places that the other metrics are about; always 1.";
    metrics.all("migrator_info", help, &[(&joined(&info), 1)]);
    let drift = &status.drift;
    let due = status.repeatables.iter().filter(|it| it.state.is_due());
    let due = due.count();
    for (name, help, value) in [
        (
            "migrator_revisions",
            "Revisions in the directory.",
            status.revisions,
        ),
        (
            "migrator_applied_revisions",
            "Applied revisions, without partially applied ones.",
            status.applied,
        ),
        (
            "migrator_pending_revisions",
            "Revisions that an upgrade to all heads would apply.",
            status.pending.len(),
        ),
        (
            "migrator_partial_revisions",
            "Partially applied or reverted revisions.",
            drift.partial.len(),
        ),
        (
            "migrator_due_repeatable_scripts",
            "Repeatable scripts that the next upgrade would run.",
            due,
        ),
        (
            "migrator_obstacles",
            "Reasons why a first upgrade would be refused.",
            status.obstacles.len(),
        ),
    ] {
        metrics.add(name, help, value);
    }
    let kinds = [
        ("kind=\"edited_up\"", drift.edited_up.len()),
        ("kind=\"edited_down\"", drift.edited_down.len()),
        ("kind=\"unknown\"", drift.unknown.len()),
        ("kind=\"out_of_order\"", drift.out_of_order.len()),
        ("kind=\"halfway\"", status.halfway.len()),
    ];
    let help = "Revisions about which database and directory disagree.";
    metrics.all("migrator_drift_revisions", help, &kinds);
    let ahead = usize::from(drift.relation == Relation::Ahead);
    let help = "Whether the database is ahead of the directory.";
    metrics.add("migrator_ahead", help, ahead);
    if let Some(changes) = schema_changes {
        let help = "Objects that differ from what the applied scripts make.";
        metrics.add("migrator_schema_drift_objects", help, changes);
    }
    metrics.text
}

/// The metrics of `fleet status`.
pub(super) fn of_fleet(report: &FleetStatusReport) -> String {
    let mut metrics = Metrics::new(&[("environment", &report.environment)]);
    let number = |is_it: fn(&StateSummary) -> bool| {
        let states = report.states.iter().filter(|(state, _)| is_it(state));
        states.map(|(_, targets)| targets.len()).sum()
    };
    let most = report.states.iter().map(|(state, _)| state.pending).max();
    for (name, help, value) in [
        (
            "migrator_fleet_revisions",
            "Revisions in the directory.",
            report.revisions,
        ),
        (
            "migrator_fleet_targets",
            "Selected targets.",
            report.targets,
        ),
        (
            "migrator_fleet_pending_targets",
            "Targets with pending revisions.",
            number(|state| state.pending > 0),
        ),
        (
            "migrator_fleet_most_pending_revisions",
            "Pending revisions of the target that has the most.",
            most.unwrap_or(0),
        ),
        (
            "migrator_fleet_partial_targets",
            "Targets with a partially applied or reverted revision.",
            number(|state| !state.partial.is_empty()),
        ),
        (
            "migrator_fleet_drifted_targets",
            "Targets with edited or unknown revisions.",
            number(StateSummary::is_drifted),
        ),
        (
            "migrator_fleet_ahead_targets",
            "Targets that are ahead of the directory.",
            number(|state| state.is_ahead),
        ),
        (
            "migrator_fleet_missing_targets",
            "Targets that do not exist.",
            report.tally.skipped,
        ),
        (
            "migrator_fleet_unreadable_targets",
            "Targets that could not be read.",
            report.tally.failed,
        ),
    ] {
        metrics.add(name, help, value);
    }
    let mut positions = BTreeMap::new();
    for (state, targets) in &report.states {
        let current: Vec<_> = state.current.iter().map(|id| id.as_str()).collect();
        *positions.entry(current.join(",")).or_insert(0) += targets.len();
    }
    let name = "migrator_fleet_targets_at";
    metrics.head(name, "Targets by their current revisions.");
    for (current, targets) in positions {
        metrics.value(name, &joined(&[("current", &current)]), targets);
    }
    metrics.text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_are_escaped() {
        let labels = joined(&[("a", "x\"y\\z\nw"), ("b", "")]);
        assert_eq!(labels, r#"a="x\"y\\z\nw",b="""#);
        let mut metrics = Metrics::new(&[("database", "sqlite:a\".db")]);
        metrics.all("m", "What it is.", &[("", 1), ("kind=\"x\"", 2)]);
        let expected = "# HELP m What it is.\n# TYPE m gauge\n\
                        m{database=\"sqlite:a\\\".db\"} 1\nm{database=\"sqlite:a\\\".db\",kind=\"x\"} 2\n";
        assert_eq!(metrics.text, expected);
    }
}
