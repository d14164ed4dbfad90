use serde_json::json;

use super::{Json, Page, Paint, Verbosity, View, history::ids, object};
use crate::{
    ops::SquashReport,
    report::{Style, count},
};

impl View for SquashReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if verbosity == Verbosity::Quiet && !self.dry_run {
            return Page::default();
        }
        let squash = &self.squash;
        let verb = match self.dry_run {
            true => "Would make".to_owned(),
            false => paint.paint(Style::Good, "Made"),
        };
        let mut page = Page::of(format!(
            "{verb} {} the baseline of {}: {}.",
            paint.paint(Style::Id, &squash.baseline),
            count(squash.replaces.len() + 1, "revision"),
            count(squash.statements, "statement"),
        ));
        for file in squash.files.iter().filter(|file| file.after.is_some()) {
            let change = format!("{} -> {}", file.from, file.to);
            page.row(format!("  {}", paint.paint(Style::Strong, change)));
        }
        let gone: Vec<_> = squash
            .files
            .iter()
            .filter(|file| file.after.is_none())
            .collect();
        if verbosity == Verbosity::Verbose || gone.len() <= LISTED {
            for file in gone {
                let change = format!("{} (removed)", file.from);
                page.row(format!("  {}", paint.paint(Style::Dim, change)));
            }
        } else {
            let what = format!("{} removed (-v lists them)", count(gone.len(), "file"));
            page.row(format!("  {}", paint.paint(Style::Dim, what)));
        }
        if !squash.irreversible.is_empty() {
            let names = ids(&squash.irreversible);
            let names = match names.len() {
                0..=5 => names.join(", "),
                more => format!("{more} of them"),
            };
            let what = format!("It is irreversible, because {names} cannot be reverted.");
            page.sentence(paint.paint(Style::Warning, what));
        }
        if self.dry_run {
            page.sentence("Nothing was changed.");
        }
        page
    }

    fn has_changed(&self) -> bool {
        !self.dry_run
    }

    fn json(&self) -> Json {
        let files = self.squash.files.iter().map(|file| {
            let to = file.after.is_some().then_some(&file.to);
            json!({ "from": file.from, "to": to })
        });
        object(json!({
            "baseline": self.squash.baseline.as_str(),
            "message": self.squash.message,
            "replaces": ids(&self.squash.replaces),
            "statements": self.squash.statements,
            "irreversible": ids(&self.squash.irreversible),
            "files": files.collect::<Vec<_>>(),
            "recovered": false,
            "dry_run": self.dry_run,
        }))
    }
}

/// The maximum number of removed files listed without `-v`.
const LISTED: usize = 10;
