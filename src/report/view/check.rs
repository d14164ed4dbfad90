use serde_json::json;

use super::{Json, Page, Paint, Verbosity, View, object};
use crate::report::{Diagnostic, Shown, Style, Weight, count};

/// The result of `check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckView {
    /// The directory.
    pub directory: String,
    /// The number of revisions in the directory.
    pub revisions: usize,
    /// The database, or the reason why none was checked.
    pub database: Result<String, &'static str>,
    /// The commit used for comparison.
    pub base: Option<String>,
    /// All findings.
    pub findings: Vec<Diagnostic>,
    /// The width of the terminal in columns.
    pub columns: Option<usize>,
}

impl CheckView {
    fn summary(&self) -> String {
        let mut text = format!(
            "Checked {} ({})",
            self.directory,
            count(self.revisions, "revision")
        );
        match &self.database {
            Ok(database) => text.push_str(&format!(", {database}")),
            Err(reason) => text.push_str(&format!(", no database ({reason})")),
        }
        if let Some(base) = &self.base {
            text.push_str(&format!(", against {base}"));
        }
        text
    }
}

impl View for CheckView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let shown = Shown::of(&self.findings);
        let mut page = shown.human(paint, |found| {
            found.human(paint.0, Weight::Error, self.columns)
        });
        if verbosity == Verbosity::Quiet {
            return page;
        }
        let (style, result) = match self.findings.len() {
            0 => (Style::Good, "nothing found".to_owned()),
            found => (Style::Bad, count(found, "finding")),
        };
        if !page.is_empty() {
            page.blank();
        }
        let result = paint.paint(style, result);
        page.sentence(format!("{}: {result}.", self.summary()));
        page
    }

    fn json(&self) -> Json {
        let mut fields = object(json!({
            "directory": self.directory,
            "revisions": self.revisions,
            "database": self.database.as_ref().ok(),
            "base": self.base,
            "passed": self.findings.is_empty(),
        }));
        fields.extend(Shown::of(&self.findings).json("findings"));
        fields
    }

    fn github(&self, path: &dyn Fn(&str) -> String) -> Page {
        let mut page = Shown::of(&self.findings).github(path);
        let found = count(self.findings.len(), "finding");
        page.sentence(format!("{}: {found}.", self.summary()));
        page
    }
}
