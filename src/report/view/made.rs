use serde_json::json;

use super::{Json, Paint, Verbosity, View, object};
use crate::{
    ops::{InitReport, NewRevisionReport},
    report::Style,
};

impl View for NewRevisionReport {
    fn human(&self, paint: Paint, _: Verbosity) -> String {
        let files = self
            .files
            .iter()
            .map(|file| format!("created {}\n", paint.paint(Style::Strong, file)));
        files.collect()
    }

    fn json(&self) -> Json {
        object(json!({
            "revision": self.id.as_str(),
            "parents": super::history::ids(&self.parents),
            "files": self.files,
        }))
    }
}

impl View for InitReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        let mut text: String = self
            .files
            .iter()
            .map(|file| format!("created {}\n", paint.paint(Style::Strong, file)))
            .collect();
        if verbosity > Verbosity::Quiet {
            text.push_str(&next_steps(self.dir.as_deref()));
        }
        text
    }

    fn json(&self) -> Json {
        object(json!({ "files": self.files }))
    }
}

fn next_steps(dir: Option<&str>) -> String {
    let enter = dir.map_or_else(String::new, |dir| format!("  cd {dir}\n"));
    format!(
        "Set the url in migrator.toml, then:\n{enter}  \
         migrator revision -m \"first revision\"\n  \
         migrator upgrade\n\
         With git: add app.db* and .env to .gitignore, and commit the rest.\n"
    )
}
