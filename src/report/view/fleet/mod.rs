//! Results over fleets.

mod findings;
mod run;
mod status;

use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, object};
use crate::{
    fleet::{Cause, Outcome, Tally, Target},
    ops::FleetListReport,
    report::{Style, fleet::names},
};

pub use findings::{FleetCheckView, FleetFindings, FleetVerifyView};
pub use run::{FleetPlanView, FleetRunView, target_json};
pub use status::FleetStatusView;

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
