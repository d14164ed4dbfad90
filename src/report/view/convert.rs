use serde_json::json;

use super::{Json, Paint, Verbosity, View, object};
use crate::{ops::ConvertReport, report::Style};

impl View for ConvertReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        let directory = paint.paint(Style::Strong, &self.directory);
        let mut text = format!(
            "Converted {} revisions ({}) into {} scripts in {directory}.\n",
            self.revisions,
            self.layout,
            self.files.len()
        );
        if verbosity > Verbosity::Quiet {
            text.push_str(&format!(
                "In migrator.toml, write `migrations = \"{}\"` and take `layout` and `leave-out` out.\n",
                self.directory
            ));
        }
        text
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
