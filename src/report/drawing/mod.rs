//! Pictures of tables and their foreign keys.

mod card;
mod dot;
mod ends;
mod html;
mod layout;
mod legend;
mod mermaid;
mod scene;
mod svg;
mod text;

use serde_json::json;

use self::{scene::Scene, svg::Caption};
use super::{Json, Page, Paint, Verbosity, View};
use crate::ops::SchemaDrawReport;

/// The form of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawingFormat {
    /// An entity relationship diagram of Mermaid.
    Mermaid,
    /// A graph of Graphviz.
    Dot,
    /// A vector image.
    Svg,
    /// A page with the image that can be moved, searched and printed.
    Html,
}

impl DrawingFormat {
    /// All forms.
    pub const ALL: &'static [Self] = &[Self::Mermaid, Self::Dot, Self::Svg, Self::Html];

    /// The name of the form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mermaid => "mermaid",
            Self::Dot => "dot",
            Self::Svg => "svg",
            Self::Html => "html",
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
        let scene = Scene::new(&report.diagram);
        let caption = Caption {
            source: &report.source,
            last: report.last,
        };
        let text = match form {
            DrawingFormat::Mermaid => mermaid::draw(&scene),
            DrawingFormat::Dot => dot::draw(&scene, caption),
            DrawingFormat::Svg => svg::draw(&scene, caption),
            DrawingFormat::Html => html::draw(&scene, caption),
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
