//! The report as a page that needs no network.

mod revision;
mod scale;
mod timeline;

use std::{borrow::Cow, fmt::Write};

use chrono::SecondsFormat;

use super::{
    failure, failures,
    verdict::{Verdict, reverted},
    words::{WITHOUT_ROWS, copied, growth, locked, wal},
};
use crate::{
    ops::{CopySource, Hold, RehearseReport, Reverted},
    report::{
        Diagnostic, Weight, count, duration,
        error::rehearsed_finding,
        escape,
        html::{filled, policy, xml},
    },
};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
pub(super) fn page(report: &RehearseReport) -> String {
    let style = format!("\n{STYLE}{}", least_width(report));
    let script = format!("\n{SCRIPT}");
    let policy = policy(&style, &script);
    let timeline = timeline::draw(report);
    let key = if timeline.is_empty() { "" } else { KEY };
    let scale = match (timeline.is_empty(), report.has_rows()) {
        (true, _) => "No statement ran.",
        (false, true) => {
            "A bar begins with the statement that takes the lock and ends with its transaction. Short statements are drawn wider than they are."
        }
        (false, false) => "Every statement is as wide, since times are not known.",
    };
    let mut revisions = String::new();
    for number in 0..report.revisions.len() {
        revision::write(&mut revisions, report, number);
    }
    let title = format!("Rehearsal: {}", report.database);
    let values = [
        ("policy", &*policy),
        ("title", &*text(&title)),
        ("database", &*text(&report.database)),
        ("about", &about(report)),
        ("state", state(report)),
        ("result", result(report)),
        ("notice", &notice(report)),
        ("facts", &facts(report)),
        ("scale", scale),
        ("key", key),
        ("timeline", &timeline),
        ("revisions", &revisions),
        ("failures", &failed(report)),
        ("downs", &downs(report)),
        ("style", &style),
        ("script", &script),
    ];
    filled(PAGE, &values)
}

/// External text in HTML.
fn text(text: &str) -> String {
    xml(&escape::lines(text)).into_owned()
}

/// A number with its thousands divided.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The least width of the lanes, so that many statements can be told apart.
fn least_width(report: &RehearseReport) -> String {
    let statements: usize = report.revisions.iter().map(|it| it.statements.len()).sum();
    let width = (statements * 8).clamp(560, 20_000);
    format!("@media screen {{ .lanes {{ min-width: {width}px }} }}\n")
}

const KEY: &str = "<ul class=\"key\">\
    <li><i class=\"everything\"></i>reads and writes wait</li>\
    <li><i class=\"writes\"></i>writes wait</li>\
    <li><i class=\"rows\"></i>writes of the changed rows wait</li>\
    <li><i class=\"nothing\"></i>nobody waits</li></ul>";

fn state(report: &RehearseReport) -> &'static str {
    if report.passed() { "good" } else { "bad" }
}

fn result(report: &RehearseReport) -> &'static str {
    match (report.has_failure(), report.passed()) {
        (true, _) => "The deployment would fail",
        (false, false) => "The deployment could not be reverted",
        (false, true) if report.revisions.is_empty() => "Nothing is pending",
        (false, true) => "Nothing failed",
    }
}

/// What was rehearsed, and when.
fn about(report: &RehearseReport) -> String {
    let scripts = count(report.revisions.len(), "script");
    let not_run = match report.not_run.len() {
        0 => String::new(),
        more => format!(", {more} not run"),
    };
    let about = format!(
        "{scripts} from {}{not_run}, on {}, {}. The copy took {}, the rehearsal {}.",
        report.from,
        copied(report),
        report.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        duration(report.copying),
        duration(report.elapsed),
    );
    text(&about)
}

/// What a report without rows does not say.
fn notice(report: &RehearseReport) -> String {
    let CopySource::Schema { lacks } = &report.copied else {
        return String::new();
    };
    let mut out = format!("<div class=\"notice\"><p><b>Without rows.</b> {WITHOUT_ROWS}</p>");
    if !lacks.is_empty() {
        out.push_str("<p>The copy lacks:</p><ul>");
        for lack in lacks {
            let _ = write!(out, "<li>{}</li>", text(lack));
        }
        out.push_str("</ul>");
    }
    out.push_str("</div>");
    out
}

/// What a deployment costs.
fn facts(report: &RehearseReport) -> String {
    let verdict = Verdict::of(report);
    let mut out = String::new();
    if report.has_rows() {
        let scripts = count(report.revisions.len(), "script");
        fact(
            &mut out,
            "Statements take",
            &duration(verdict.time),
            &scripts,
            "",
        );
        let wait = |out: &mut String, name, hold: Option<&Hold>, time: fn(&Hold) -> _, class| {
            let (value, on) = hold.map_or_else(
                || ("0".to_owned(), "no table".to_owned()),
                |hold| (duration(time(hold)), locked(hold.table.as_ref())),
            );
            let class = if hold.is_some() { class } else { "" };
            fact(out, name, &value, &on, class);
        };
        wait(
            &mut out,
            "Longest wait of reads",
            verdict.reads,
            |it| it.reads,
            "everything",
        );
        wait(
            &mut out,
            "Longest wait of writes",
            verdict.writes,
            |it| it.writes,
            "writes",
        );
        lost(&mut out, &verdict);
    }
    let failed = report.revisions.iter().find(|it| it.failure.is_some());
    match failed {
        Some(revision) => fact(
            &mut out,
            "Fails",
            revision.subject.as_str(),
            &revision.message,
            "bad",
        ),
        None => fact(&mut out, "Fails", "nothing", "", ""),
    }
    let class = match &report.reverted {
        Reverted::Failed(..) => "bad",
        Reverted::Done(found) if !found.is_empty() => "bad",
        _ => "",
    };
    let (short, rest) = down_words(report);
    fact(&mut out, "Down scripts", short, &rest, class);
    if report.has_rows() {
        let grown = match growth(verdict.growth) {
            none if none.is_empty() => "0 bytes".to_owned(),
            grown => grown,
        };
        fact(&mut out, "Database grows by", &grown, &wal(verdict.wal), "");
    }
    out
}

fn lost(out: &mut String, verdict: &Verdict<'_>) {
    let tables: Vec<String> = verdict
        .lost
        .iter()
        .map(|(table, rows)| format!("{table}: {}", grouped(*rows)))
        .collect();
    let all: u64 = verdict.lost.values().sum();
    match all {
        0 => fact(out, "Rows lost", "none", "", ""),
        all => fact(out, "Rows lost", &grouped(all), &tables.join(", "), "bad"),
    }
}

/// What the down scripts did: in short, and the rest.
fn down_words(report: &RehearseReport) -> (&'static str, String) {
    match &report.reverted {
        Reverted::Not => ("not tried", String::new()),
        Reverted::NoDown(id) => ("missing", format!("{id} has none")),
        Reverted::Failed(id, _) => ("fail", format!("that of {id}")),
        Reverted::Done(found) if !found.is_empty() => ("do not restore", String::new()),
        Reverted::Done(_) if report.has_rows() => ("restore", "schema and rows".to_owned()),
        Reverted::Done(_) => ("restore", "the schema".to_owned()),
    }
}

fn fact(out: &mut String, name: &str, value: &str, more: &str, class: &str) {
    let _ = writeln!(
        out,
        "<div class=\"fact {class}\"><dt>{name}</dt><dd><b>{}</b><span>{}</span></dd></div>",
        text(value),
        text(more)
    );
}

/// The failures with their places.
fn failed(report: &RehearseReport) -> String {
    let mut found = failures(report);
    found.iter_mut().for_each(|it| it.hint = None);
    let mut out = shown(&found);
    if !report.not_run.is_empty() {
        let names: Vec<&str> = report.not_run.iter().map(|it| it.as_str()).collect();
        let _ = write!(out, "<p>Not run: {}</p>", text(&names.join(", ")));
    }
    match out.is_empty() {
        true => out,
        false => format!("<section id=\"failures\"><h2>Failures</h2>{out}</section>"),
    }
}

/// What the down scripts did.
fn downs(report: &RehearseReport) -> String {
    let found: Vec<Diagnostic> = match &report.reverted {
        Reverted::Failed(_, failed) => vec![failure(failed, "down")],
        Reverted::Done(findings) => findings.iter().map(rehearsed_finding).collect(),
        Reverted::Not | Reverted::NoDown(_) => Vec::new(),
    };
    let mut sentence = reverted(report);
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("<p>{}.</p>{}", text(&sentence), shown(&found))
}

fn shown(found: &[Diagnostic]) -> String {
    let texts = found.iter().map(|it| {
        let page = it.human(false, Weight::Error, Some(100));
        let shown = page.text(None);
        let shown: Cow<'_, str> = xml(shown.trim_end());
        format!("<pre class=\"error\">{shown}</pre>")
    });
    texts.collect()
}
