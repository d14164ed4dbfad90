use std::fmt::Write as _;

use super::{
    Paint, found,
    human::summary,
    words::{growth, locked, wal, work_sentence},
};
use crate::{
    ops::{Hold, RehearseReport, RehearsedRevision},
    report::{
        duration,
        markdown::{code, escaped},
    },
};

/// The report as a comment on a pull request.
pub(super) fn text(report: &RehearseReport) -> String {
    let lines = summary(report, Paint(false));
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    let mut text = format!("### Rehearsal\n\n{}\n", lines.join("\n\n"));
    let has_times = report.has_rows();
    if !report.revisions.is_empty() {
        text.push_str(match has_times {
            true => {
                "\n| revision | time | longest lock | work | growth | WAL |\n|---|---|---|---|---|---|\n"
            }
            false => "\n| revision | strongest lock | work |\n|---|---|---|\n",
        });
    }
    for revision in &report.revisions {
        row(&mut text, revision, has_times);
    }
    for found in found(report) {
        let _ = write!(text, "\n❌ {}: {}\n", found.code, escaped(&found.message));
    }
    text
}

fn row(text: &mut String, revision: &RehearsedRevision, has_times: bool) {
    let hold = match has_times {
        true => revision.holds.first(),
        false => revision.holds.iter().max_by_key(|it| it.mode),
    };
    let hold = hold.map_or_else(String::new, |hold| lock(hold, has_times));
    let works = revision.statements.iter().flat_map(|it| &it.works);
    let mut works: Vec<String> = works.map(work_sentence).collect();
    works.dedup();
    let works = escaped(&works.join("; "));
    let failed = if revision.failure.is_some() {
        " ❌"
    } else {
        ""
    };
    let named = format!(
        "{} {}{failed}",
        cell(revision.subject.as_str()),
        escaped(&revision.message)
    );
    let _ = match has_times {
        true => writeln!(
            text,
            "| {named} | {} | {hold} | {works} | {} | {} |",
            duration(revision.elapsed),
            growth(revision.growth),
            wal(revision.wal).trim_end_matches(" WAL"),
        ),
        false => writeln!(text, "| {named} | {hold} | {works} |"),
    };
}

fn lock(hold: &Hold, has_times: bool) -> String {
    let mode = hold.mode.map_or("write lock", |mode| mode.name());
    let time = match has_times {
        true => format!(" for {}", duration(hold.writes)),
        false => String::new(),
    };
    format!("{mode} on {}{time}", cell(&locked(hold.table.as_ref())))
}

/// Code in a table, where a bar would end the cell.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}
