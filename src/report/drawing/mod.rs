//! Pictures of tables and their foreign keys.

mod mermaid;

use serde_json::json;

use super::{Json, Page, Paint, Verbosity, View};
use crate::ops::SchemaDrawReport;

/// The form of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawingFormat {
    /// An entity relationship diagram of Mermaid.
    Mermaid,
}

impl DrawingFormat {
    /// All forms.
    pub const ALL: &'static [Self] = &[Self::Mermaid];

    /// The name of the form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mermaid => "mermaid",
        }
    }
}

/// The result of `schema draw`.
#[derive(Debug)]
pub struct SchemaDrawView {
    report: SchemaDrawReport,
    form: DrawingFormat,
    text: String,
}

impl SchemaDrawView {
    /// Draws the picture.
    pub fn new(report: SchemaDrawReport, form: DrawingFormat) -> Self {
        let text = match form {
            DrawingFormat::Mermaid => mermaid::draw(&report.diagram),
        };
        Self { report, form, text }
    }
}

impl View for SchemaDrawView {
    fn human(&self, _: Paint, _: Verbosity) -> Page {
        Page::default()
    }

    /// Only the picture, so that a file of it can be used as it is.
    fn exact(&self) -> Option<&str> {
        Some(&self.text)
    }

    fn json(&self) -> Json {
        Json::from_iter([
            ("source".to_owned(), json!(self.report.source)),
            ("form".to_owned(), json!(self.form.name())),
            ("tables".to_owned(), json!(self.report.diagram.tables.len())),
            ("picture".to_owned(), json!(self.text)),
        ])
    }
}
