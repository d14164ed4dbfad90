use serde_json::json;

use super::{Json, Paint, Verbosity, View, object};
use crate::{
    report::Style,
    revision::{RevisionId, Subject},
};

/// `revision`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRevisionView {
    /// The new id or name.
    pub id: Subject,
    /// What it revises.
    pub parents: Vec<RevisionId>,
    /// The files that were written.
    pub files: Vec<String>,
}

impl View for NewRevisionView {
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

/// `init`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitView {
    /// What was made.
    pub files: Vec<String>,
    /// Where, when that is not the working directory.
    pub dir: Option<String>,
}

impl View for InitView {
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
