//! Results over fleets.

use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, history::ids, metrics, object};
use crate::{
    fleet::{Cause, Outcome, Tally, Target, TargetLine},
    ops::{
        FleetEnded, FleetListReport, FleetPlanReport, FleetRunReport, FleetStatusReport,
        FleetVerifyReport, StateSummary, fleet_millis,
    },
    report::{Diagnostic, Shown, Style, Weight, count, duration, fleet::names},
    revision::Direction,
};

/// The width of the name column.
const NAMES: usize = 12;

/// A name and its values, one a line.
fn facts(page: &mut Page, paint: Paint, name: &str, values: Vec<String>) {
    for (index, value) in values.into_iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        let name = paint.paint(Style::Dim, format!("{name:<NAMES$}"));
        page.fact(name, value, NAMES);
    }
}

/// The targets by name.
fn name_of(targets: &[Target]) -> impl Fn(usize) -> String {
    |index| {
        targets
            .get(index)
            .map_or_else(String::new, |target| target.name.to_string())
    }
}

fn target_names(targets: &[Target], indices: &[usize]) -> Vec<String> {
    indices
        .iter()
        .map(|index| name_of(targets)(*index))
        .collect()
}

impl View for FleetListReport {
    fn human(&self, paint: Paint, _: Verbosity) -> Page {
        let mut page = Page::default();
        let width = |text: &str| console::measure_text_width(&crate::report::shown(text));
        let widest = self.targets.iter().map(|target| width(&target.name)).max();
        let widest = widest.unwrap_or(0).min(40);
        let mut stage = "";
        for target in &self.targets {
            if target.stage != stage {
                stage = &target.stage;
                page.sentence(paint.paint(Style::Dim, stage));
            }
            let room = " ".repeat(widest.saturating_sub(width(&target.name)));
            let schema = target
                .schema
                .as_ref()
                .map(|schema| format!(" schema {schema}"));
            let name = paint.paint(Style::Id, &target.name);
            let schema = schema.unwrap_or_default();
            page.row(format!("  {name}{room}  {}{schema}", target.database));
        }
        page
    }

    fn json(&self) -> Json {
        let targets = self.targets.iter().map(|target| {
            json!({
                "name": target.name,
                "group": target.group,
                "database": target.database,
                "schema": target.schema,
                "stage": target.stage,
            })
        });
        object(json!({
            "environment": self.environment,
            "targets": targets.collect::<Vec<_>>(),
        }))
    }
}

/// The result of `fleet upgrade` and `fleet downgrade`.
pub struct FleetRunView<'a> {
    /// The result.
    pub report: &'a FleetRunReport,
    /// The targets of the fleet.
    pub targets: &'a [Target],
    /// The lines of the targets, unless they were printed before.
    pub lines: Vec<Value>,
}

/// The account of one target.
pub fn target_json(target: &Target, line: &TargetLine) -> Value {
    let reason = line.reason.as_ref();
    json!({
        "name": target.name,
        "group": target.group,
        "from": line.from,
        "to": line.to,
        "ms": fleet_millis(line),
        "outcome": line.outcome.as_str(),
        "code": reason.map(|it| it.code),
        "place": reason.and_then(|it| it.place.as_deref()),
        "message": reason.map(|it| it.message.as_str()),
    })
}

fn ended(ended: FleetEnded) -> (&'static str, &'static str) {
    match ended {
        FleetEnded::Stopped => ("stopped", "the run was stopped"),
        FleetEnded::Closed => ("deadline", "the time for it was over"),
        FleetEnded::Canary => ("canary", "a canary failed"),
        FleetEnded::Failures => ("max_failures", "too many targets failed"),
    }
}

fn cause_json(cause: &Cause, targets: &[Target]) -> Value {
    json!({
        "outcome": cause.outcome.as_str(),
        "code": cause.reason.code,
        "place": cause.reason.place,
        "message": cause.reason.message,
        "targets": target_names(targets, &cause.targets),
    })
}

fn causes_json(tally: &Tally, targets: &[Target]) -> Vec<Value> {
    let causes = tally.causes().into_iter();
    causes.map(|cause| cause_json(cause, targets)).collect()
}

/// The causes with an outcome, a line each.
fn causes(tally: &Tally, outcome: Outcome, targets: &[Target], is_short: bool) -> Vec<String> {
    let causes = tally
        .causes()
        .into_iter()
        .filter(|cause| cause.outcome == outcome);
    let line = |cause: &Cause| {
        let reason = &cause.reason;
        let place = reason
            .place
            .as_ref()
            .map(|place| format!(" at {place}"))
            .unwrap_or_default();
        let names = names(&cause.targets, &name_of(targets));
        match is_short {
            true => format!("{}: {names}", reason.code),
            false => format!("{}{place}: {names}", reason.code),
        }
    };
    causes.map(line).collect()
}

impl FleetRunView<'_> {
    /// Tells of targets that were not upgraded.
    fn left(&self, paint: Paint, fact: &mut dyn FnMut(&str, Vec<String>)) {
        let report = self.report;
        let tally = &report.tally;
        if tally.skipped > 0 {
            let mut lines = vec![format!("{}: they do not exist", tally.skipped)];
            lines.extend(causes(tally, Outcome::Skipped, self.targets, true));
            fact("Skipped", lines);
        }
        if tally.failed > 0 {
            let mut lines = vec![paint.paint(Style::Bad, tally.failed.to_string())];
            lines.extend(causes(tally, Outcome::Failed, self.targets, false));
            fact("Failed", lines);
        }
        if tally.not_started > 0 {
            let why = report
                .ended
                .map(|it| format!(": {}", ended(it).1))
                .unwrap_or_default();
            fact(
                "Not started",
                vec![paint.paint(Style::Warning, format!("{}{why}", tally.not_started))],
            );
        }
    }
}

impl View for FleetRunView<'_> {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = Page::default();
        if verbosity == Verbosity::Quiet {
            return page;
        }
        let report = self.report;
        let tally = &report.tally;
        let mut fact = |name: &str, values: Vec<String>| facts(&mut page, paint, name, values);
        let fleet = format!("{} ({})", report.environment, count(tally.total, "target"));
        fact("Fleet", vec![fleet]);
        let (done, steps) = match report.direction {
            Direction::Up => ("Upgraded", "step"),
            Direction::Down => ("Downgraded", "step"),
        };
        let text = format!("{} ({})", tally.done, count(tally.steps, steps));
        let style = if tally.done > 0 {
            Style::Good
        } else {
            Style::Dim
        };
        fact(done, vec![paint.paint(style, text)]);
        fact("Up to date", vec![tally.current.to_string()]);
        let mut fact = |name: &str, values: Vec<String>| facts(&mut page, paint, name, values);
        self.left(paint, &mut fact);
        let warnings = report.warnings.iter().map(|warning| {
            let names = names(&warning.targets, &name_of(self.targets));
            paint.paint(Style::Warning, format!("{} ({names})", warning.text))
        });
        fact("Warnings", warnings.collect());
        fact("Time", vec![duration(report.elapsed)]);
        page
    }

    fn has_changed(&self) -> bool {
        self.report.tally.steps > 0
    }

    fn json(&self) -> Json {
        let report = self.report;
        let tally = &report.tally;
        let warnings = report.warnings.iter().map(|warning| {
            json!({
                "message": warning.text,
                "targets": target_names(self.targets, &warning.targets),
            })
        });
        let mut fields = object(json!({
            "environment": report.environment,
            "direction": report.direction.as_str(),
            "targets": tally.total,
            "done": tally.done,
            "current": tally.current,
            "skipped": tally.skipped,
            "failed": tally.failed,
            "not_started": tally.not_started,
            "steps": tally.steps,
            "ended": report.ended.map(|it| ended(it).0),
            "causes": causes_json(tally, self.targets),
            "warnings": warnings.collect::<Vec<_>>(),
            "ms": (report.elapsed.as_secs_f64() * 1e6).round() / 1e3,
        }));
        if !self.lines.is_empty() {
            fields.insert("lines".to_owned(), json!(self.lines));
        }
        fields
    }
}

/// The result of `fleet upgrade --dry-run` and `fleet downgrade --dry-run`.
pub struct FleetPlanView<'a> {
    /// The result.
    pub report: &'a FleetPlanReport,
    /// The targets of the fleet.
    pub targets: &'a [Target],
}

impl View for FleetPlanView<'_> {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let report = self.report;
        let mut page = Page::default();
        let fleet = format!(
            "{} ({})",
            report.environment,
            count(report.targets, "target")
        );
        facts(&mut page, paint, "Fleet", vec![fleet]);
        facts(
            &mut page,
            paint,
            "Up to date",
            vec![report.current.to_string()],
        );
        let mut missing = causes(&report.tally, Outcome::Skipped, self.targets, true);
        if report.tally.skipped > 0 {
            missing.insert(0, format!("{}: they do not exist", report.tally.skipped));
        }
        facts(&mut page, paint, "Skipped", missing);
        for one in &report.plans {
            page.blank();
            let names = names(&one.targets, &name_of(self.targets));
            let head = format!("In {}: {names}", count(one.targets.len(), "target"));
            page.sentence(paint.paint(Style::Strong, head));
            page.append(one.plan.human(paint, verbosity));
        }
        page
    }

    fn json(&self) -> Json {
        let report = self.report;
        let plans = report.plans.iter().map(|one| {
            let mut fields = one.plan.json();
            fields.remove("database");
            fields.remove("schema");
            fields.insert("from".to_owned(), json!(one.plan.from));
            fields.insert(
                "targets".to_owned(),
                json!(target_names(self.targets, &one.targets)),
            );
            Value::Object(fields)
        });
        object(json!({
            "environment": report.environment,
            "direction": report.direction.as_str(),
            "targets": report.targets,
            "current": report.current,
            "plans": plans.collect::<Vec<_>>(),
            "causes": causes_json(&report.tally, self.targets),
        }))
    }
}

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
    let list = |ids: &[_]| super::history::ids(ids).join(", ");
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

/// The result of `fleet check`.
pub struct FleetCheckView<'a> {
    /// The environment.
    pub environment: &'a str,
    /// The directory.
    pub directory: &'a str,
    /// The number of revisions in the directory.
    pub revisions: usize,
    /// The number of selected targets.
    pub checked: usize,
    /// All findings, with the names of their targets.
    pub findings: Vec<(Diagnostic, Vec<usize>)>,
    /// Targets that do not exist or cannot be read.
    pub tally: &'a Tally,
    /// The targets of the fleet.
    pub targets: &'a [Target],
    /// The width of the terminal in columns.
    pub columns: Option<usize>,
}

/// Findings with notes of the targets that have them.
fn noted(findings: &[(Diagnostic, Vec<usize>)], targets: &[Target]) -> Vec<Diagnostic> {
    let noted = findings.iter().map(|(found, indices)| {
        let mut found = found.clone();
        if !indices.is_empty() {
            let note = crate::report::fleet::in_targets(indices, &name_of(targets));
            found.notes.push(note);
        }
        found
    });
    noted.collect()
}

/// How many of the targets just counted do not exist.
fn of_missing(tally: &Tally) -> String {
    match tally.skipped {
        0 => String::new(),
        missing => format!(", {missing} of which do not exist"),
    }
}

fn findings_json(findings: &[(Diagnostic, Vec<usize>)], targets: &[Target]) -> Vec<Value> {
    let findings = findings.iter().map(|(found, indices)| {
        let mut value = found.json();
        value["targets"] = json!(target_names(targets, indices));
        value
    });
    findings.collect()
}

impl View for FleetCheckView<'_> {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let noted = noted(&self.findings, self.targets);
        let mut page = Shown::of(&noted).human(paint, |found| {
            found.human(paint.0, Weight::Error, self.columns)
        });
        if verbosity == Verbosity::Quiet {
            return page;
        }
        if !page.is_empty() {
            page.blank();
        }
        let (style, result) = match self.findings.len() {
            0 => (Style::Good, "nothing found".to_owned()),
            found => (Style::Bad, count(found, "finding")),
        };
        let result = paint.paint(style, result);
        let missing = of_missing(self.tally);
        page.sentence(format!(
            "Checked {} ({}) and {} of {}{missing}: {result}.",
            self.directory,
            count(self.revisions, "revision"),
            count(self.checked, "target"),
            self.environment,
        ));
        page
    }

    fn json(&self) -> Json {
        object(json!({
            "environment": self.environment,
            "directory": self.directory,
            "revisions": self.revisions,
            "targets": self.checked,
            "passed": self.findings.is_empty() && self.tally.failed == 0,
            "findings": findings_json(&self.findings, self.targets),
            "causes": causes_json(self.tally, self.targets),
        }))
    }
}

/// The result of `fleet verify`.
pub struct FleetVerifyView<'a> {
    /// The result.
    pub report: &'a FleetVerifyReport,
    /// The differences, with their targets.
    pub findings: Vec<(Diagnostic, Vec<usize>)>,
    /// The targets of the fleet.
    pub targets: &'a [Target],
    /// The width of the terminal in columns.
    pub columns: Option<usize>,
}

impl View for FleetVerifyView<'_> {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let noted = noted(&self.findings, self.targets);
        let mut page = Shown::of(&noted).human(paint, |found| {
            found.human(paint.0, Weight::Error, self.columns)
        });
        if verbosity == Verbosity::Quiet {
            return page;
        }
        if !page.is_empty() {
            page.blank();
        }
        let report = self.report;
        let differ: usize = report.drifts.iter().map(|found| found.targets.len()).sum();
        let (style, result) = match differ {
            0 => (Style::Good, "none differs".to_owned()),
            1 => (Style::Bad, "1 differs".to_owned()),
            number => (Style::Bad, format!("{number} differ")),
        };
        let missing = of_missing(&report.tally);
        page.sentence(format!(
            "Compared {} of {}{missing}: {}.",
            count(report.targets, "target"),
            report.environment,
            paint.paint(style, result)
        ));
        page
    }

    fn json(&self) -> Json {
        let report = self.report;
        object(json!({
            "environment": report.environment,
            "targets": report.targets,
            "equal": report.equal,
            "passed": self.findings.is_empty() && report.tally.failed == 0,
            "findings": findings_json(&self.findings, self.targets),
            "causes": causes_json(&report.tally, self.targets),
        }))
    }
}
