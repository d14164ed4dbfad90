use serde_json::json;

use super::{Json, Paint, Verbosity, View, object};
use crate::report::{Diagnostic, Style, annotation, count};

/// `check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckView {
    /// The directory.
    pub directory: String,
    /// Its revisions.
    pub revisions: usize,
    /// The database; why none was asked otherwise.
    pub database: Result<String, &'static str>,
    /// The commit it was compared with.
    pub base: Option<String>,
    /// All that was found.
    pub findings: Vec<Diagnostic>,
    /// Columns of the terminal.
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
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        let findings = self.findings.iter();
        let shown: Vec<_> = findings
            .map(|found| found.human(paint.0, false, self.columns))
            .collect();
        let mut text = shown.join("\n");
        if verbosity == Verbosity::Quiet {
            return text;
        }
        let (style, result) = match self.findings.len() {
            0 => (Style::Good, "nothing found".to_owned()),
            found => (Style::Bad, count(found, "finding")),
        };
        let gap = if text.is_empty() { "" } else { "\n" };
        let result = paint.paint(style, result);
        text.push_str(&format!("{gap}{}: {result}.\n", self.summary()));
        text
    }

    fn json(&self) -> Json {
        let findings = self.findings.iter().map(Diagnostic::json);
        object(json!({
            "directory": self.directory,
            "revisions": self.revisions,
            "database": self.database.as_ref().ok(),
            "base": self.base,
            "passed": self.findings.is_empty(),
            "findings": findings.collect::<Vec<_>>(),
        }))
    }

    fn github(&self, path: &dyn Fn(&str) -> String) -> String {
        let findings = self.findings.iter();
        let lines: String = findings.map(|found| annotation(found, path)).collect();
        let found = count(self.findings.len(), "finding");
        format!("{lines}{}: {found}.\n", self.summary())
    }
}
