use serde_json::json;

use super::{Json, Page, Paint, Verbosity, View, object};
use crate::{ops::ConvertReport, report::Style};

impl View for ConvertReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let directory = paint.paint(Style::Strong, &self.directory);
        let mut page = Page::of(format!(
            "Converted {} revisions ({}) into {} scripts in {directory}.",
            self.revisions,
            self.layout,
            self.files.len()
        ));
        if verbosity > Verbosity::Quiet {
            page.sentence(format!(
                "In migrator.toml, write `migrations = \"{}\"` and remove `layout` and `leave-out`.",
                self.directory
            ));
        }
        page
    }

    fn has_changed(&self) -> bool {
        true
    }

    fn json(&self) -> Json {
        object(json!({
            "layout": self.layout.as_str(),
            "directory": self.directory,
            "revisions": self.revisions,
            "files": self.files,
        }))
    }
}
