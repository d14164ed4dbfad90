use serde_json::{Value, json};

use super::{Json, Paint, Verbosity, View, object};
use crate::{
    ops::{EditReport, EnsureVersionReport, TemplateLine, TemplatesReport},
    report::{Style, format::wrapped},
};

impl View for EditReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        if verbosity == Verbosity::Quiet {
            return String::new();
        }
        let files = self.files.iter();
        files
            .map(|file| format!("edited {}\n", paint.paint(Style::Strong, file)))
            .collect()
    }

    fn json(&self) -> Json {
        object(json!({ "revision": self.id.as_str(), "files": self.files }))
    }
}

/// Files that a command wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenView {
    /// In order.
    pub files: Vec<String>,
}

impl View for WrittenView {
    fn human(&self, paint: Paint, _: Verbosity) -> String {
        let files = self.files.iter();
        files
            .map(|file| format!("wrote {}\n", paint.paint(Style::Strong, file)))
            .collect()
    }

    fn json(&self) -> Json {
        object(json!({ "files": self.files }))
    }
}

impl View for TemplatesReport {
    fn human(&self, paint: Paint, _: Verbosity) -> String {
        let names = self.templates.iter().map(|line| line.name.len());
        let width = names.max().unwrap_or(0);
        let line = |line: &TemplateLine| {
            let name = paint.paint(Style::Strong, format!("{:<width$}", line.name));
            let source = line.file.as_deref().unwrap_or("built in");
            let source = paint.paint(Style::Dim, format!("({source})"));
            match line.about.as_str() {
                "" => format!("{name}  {source}\n"),
                about => format!("{name}  {about}  {source}\n"),
            }
        };
        self.templates.iter().map(line).collect()
    }

    fn json(&self) -> Json {
        let line = |line: &TemplateLine| {
            json!({
                "name": line.name,
                "about": line.about,
                "built_in": line.file.is_none(),
                "file": line.file,
            })
        };
        object(json!({ "templates": self.templates.iter().map(line).collect::<Vec<_>>() }))
    }
}

impl View for EnsureVersionReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        let Self {
            database, table, ..
        } = self;
        match (verbosity, self.made) {
            (Verbosity::Quiet, _) => String::new(),
            (_, true) => format!(
                "{} {table} and its log in {database}.\n",
                paint.paint(Style::Good, "Made")
            ),
            (_, false) => format!("Nothing to do: {table} is in {database} already.\n"),
        }
    }

    fn json(&self) -> Json {
        object(json!({
            "database": self.database,
            "version_table": self.table,
            "made": self.made,
        }))
    }
}

/// An error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExplainedCode {
    /// `M203`.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// In a few sentences.
    pub explanation: &'static str,
    /// How the process ends with it when nothing was changed.
    pub exit_status: u8,
}

impl ExplainedCode {
    fn json(&self) -> Value {
        json!({
            "code": self.id,
            "title": self.title,
            "explanation": self.explanation,
            "exit_status": self.exit_status,
        })
    }
}

/// `explain CODE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainView {
    /// The code.
    pub code: ExplainedCode,
}

/// Columns of an explanation.
const WIDTH: usize = 80;

impl View for ExplainView {
    fn human(&self, paint: Paint, _: Verbosity) -> String {
        let code = &self.code;
        format!(
            "{}: {}\n\n{}\n\nExit status {}.\n",
            paint.paint(Style::Strong, code.id),
            code.title,
            wrapped(code.explanation, WIDTH),
            code.exit_status,
        )
    }

    fn json(&self) -> Json {
        object(self.code.json())
    }
}

/// `explain` without a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodesView {
    /// In order.
    pub codes: Vec<ExplainedCode>,
}

impl View for CodesView {
    fn human(&self, paint: Paint, _: Verbosity) -> String {
        let line = |code: &ExplainedCode| {
            let id = paint.paint(Style::Strong, code.id);
            format!("{id}  {}\n", code.title)
        };
        self.codes.iter().map(line).collect()
    }

    fn json(&self) -> Json {
        let codes: Vec<_> = self.codes.iter().map(ExplainedCode::json).collect();
        object(json!({ "codes": codes }))
    }
}
