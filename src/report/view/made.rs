use serde_json::json;

use super::{Json, Page, Paint, Verbosity, View, object};
use crate::{
    ops::{InitReport, NewRevisionReport},
    report::Style,
};

impl View for NewRevisionReport {
    fn human(&self, paint: Paint, _: Verbosity) -> Page {
        created(&self.files, paint)
    }

    fn has_changed(&self) -> bool {
        true
    }

    fn json(&self) -> Json {
        object(json!({
            "revision": self.id.as_str(),
            "parents": super::history::ids(&self.parents),
            "files": self.files,
        }))
    }
}

fn created(files: &[String], paint: Paint) -> Page {
    let mut page = Page::default();
    for file in files {
        page.row(format!("created {}", paint.paint(Style::Strong, file)));
    }
    page
}

impl View for InitReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = created(&self.files, paint);
        if verbosity > Verbosity::Quiet {
            next_steps(&mut page, self);
        }
        page
    }

    fn has_changed(&self) -> bool {
        true
    }

    fn json(&self) -> Json {
        object(json!({ "files": self.files }))
    }
}

fn next_steps(page: &mut Page, report: &InitReport) {
    page.sentence("Set url in migrator.toml, then:");
    if let Some(dir) = &report.dir {
        page.exact(format!("  cd {dir}"));
    }
    page.exact("  migrator revision -m \"first revision\"");
    page.exact("  migrator upgrade");
    page.sentence(match report.ignores {
        true => "With git: commit all of these files.",
        false => {
            "With git: .gitignore exists already; add /app.db*, /backups/ and /.env to it, and commit the rest."
        }
    });
}
