use serde_json::json;

use super::{Json, Page, Paint, Verbosity, View, object};
use crate::{
    ops::{Baseline, InitReport, NewRevisionReport},
    report::Style,
    revision::RevisionId,
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
        if let Some(baseline) = &self.baseline {
            baseline_steps(&mut page, self, baseline, (paint, verbosity));
            return page;
        }
        if verbosity > Verbosity::Quiet {
            next_steps(&mut page, self);
        }
        page
    }

    fn has_changed(&self) -> bool {
        true
    }

    fn json(&self) -> Json {
        let mut fields = object(json!({ "files": self.files }));
        if let Some(baseline) = &self.baseline {
            let (with_rows, reason) = super::autogenerate::proof(&baseline.proof);
            let value = json!({
                "revision": baseline.revision.as_ref().map(RevisionId::as_str),
                "proof": { "with_rows": with_rows, "reason": reason },
                "left_out": baseline.left_out,
                "stamped": baseline.stamped,
            });
            fields.insert("baseline".to_owned(), value);
        }
        fields
    }
}

fn baseline_steps(
    page: &mut Page,
    report: &InitReport,
    baseline: &Baseline,
    (paint, verbosity): (Paint, Verbosity),
) {
    for left_out in &baseline.left_out {
        let text = format!("not in the baseline: {} {}", left_out.kind, left_out.name);
        page.row(paint.paint(Style::Warning, text));
    }
    if verbosity == Verbosity::Quiet {
        return;
    }
    let Some(revision) = &baseline.revision else {
        page.sentence("The database is empty, so there is no baseline.");
        return;
    };
    super::autogenerate::proof_sentences(page, &baseline.proof, paint);
    if baseline.stamped {
        page.sentence(format!(
            "{revision} is recorded as applied in the database."
        ));
    }
    let mut steps = Vec::new();
    if let Some(dir) = &report.dir {
        steps.push(format!("  cd {dir}"));
    }
    if !baseline.has_url {
        steps.push("  export DATABASE_URL=…  # has a password, so it was not written".to_owned());
    }
    if !baseline.stamped {
        steps.push("  migrator stamp head    # where the schema is there already".to_owned());
    }
    if !steps.is_empty() {
        page.sentence("Next:");
    }
    for step in steps {
        page.exact(step);
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
