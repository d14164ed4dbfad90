use std::fmt::Write;

use super::{super::words, grouped, text};
use crate::{
    ops::{Blocks, LockSpan, RehearseReport, RehearsedRevision, RehearsedStatement},
    report::{duration, format::bytes},
};

/// A heading, the statements as a table, and what the revision costs.
pub(super) fn write(out: &mut String, report: &RehearseReport, number: usize) {
    let revision = &report.revisions[number];
    let failed = match &revision.failure {
        Some(_) => "<a class=\"tag bad\" href=\"#failures\">failed</a>",
        None => "",
    };
    let _ = writeln!(
        out,
        "<section class=\"revision\" id=\"r{}\"><h3><span class=\"number\">{}</span> <code>{}</code> {} {failed}</h3>",
        number + 1,
        number + 1,
        text(revision.subject.as_str()),
        text(&revision.message),
    );
    let _ = writeln!(out, "<p class=\"costs\">{}</p>", costs(report, revision));
    if !revision.statements.is_empty() {
        statements(out, report, number);
    }
    if !revision.rows.is_empty() {
        rows(out, revision);
    }
    out.push_str("</section>\n");
}

fn costs(report: &RehearseReport, revision: &RehearsedRevision) -> String {
    let mut costs = vec![format!("<code>{}</code>", text(&revision.file))];
    if report.has_rows() {
        costs.push(format!("{} in all", duration(revision.elapsed)));
        let more = [words::growth(revision.growth), words::wal(revision.wal)];
        costs.extend(more.into_iter().filter(|it| !it.is_empty()));
    }
    let mut lines = vec![costs.join(" · ")];
    let holds = revision.holds.iter();
    lines.extend(holds.map(|it| text(&words::hold_sentence(it, report.has_rows()))));
    lines.join("<br>")
}

fn statements(out: &mut String, report: &RehearseReport, number: usize) {
    let revision = &report.revisions[number];
    let has_times = report.has_rows();
    let has_wal = has_times && revision.statements.iter().any(|it| it.wal.is_some());
    out.push_str("<div class=\"wide\"><table class=\"statements\"><thead><tr><th>Line</th><th>Statement</th>");
    if has_times {
        out.push_str("<th class=\"number\">Time</th>");
    }
    out.push_str("<th>Locks</th><th>Work</th>");
    if has_wal {
        out.push_str("<th class=\"number\">WAL</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (at, statement) in revision.statements.iter().enumerate() {
        let class = match statement.has_failed {
            true => " class=\"bad\"",
            false => "",
        };
        let _ = write!(
            out,
            "<tr{class}><td class=\"number\">{}</td><td>{}</td>",
            statement.line,
            sql(statement)
        );
        if has_times {
            let _ = write!(
                out,
                "<td class=\"number\">{}</td>",
                duration(statement.elapsed)
            );
        }
        let taken = report.locks.iter();
        let taken = taken.filter(|it| it.revision == number && it.statement == at);
        let works = statement.works.iter();
        let works: Vec<String> = works.map(|it| text(&words::work_sentence(it))).collect();
        let _ = write!(
            out,
            "<td>{}</td><td>{}</td>",
            locks(taken),
            works.join("<br>")
        );
        if has_wal {
            let wal = statement.wal.map_or_else(String::new, bytes);
            let _ = write!(out, "<td class=\"number\">{wal}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

/// The characters from which a statement is folded.
const LONG: usize = 160;

fn sql(statement: &RehearsedStatement) -> String {
    let sql = statement.sql.trim_end();
    let times = match statement.times {
        1 => String::new(),
        times => format!(" <small>{} times</small>", grouped(times)),
    };
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONG) {
        None => format!("<code>{}</code>{times}", text(&line)),
        Some((at, _)) => format!(
            "<details><summary><code>{}…</code>{times}</summary><pre>{}</pre></details>",
            text(&line[..at]),
            text(sql)
        ),
    }
}

fn locks<'a>(taken: impl Iterator<Item = &'a LockSpan>) -> String {
    let locks = taken.map(|span| {
        let class = match span.blocks {
            Blocks::Nothing => "nothing",
            Blocks::Rows => "rows",
            Blocks::Writes => "writes",
            Blocks::Everything => "everything",
        };
        let mode = span.mode.map_or("write lock", |mode| mode.name());
        format!(
            "<span class=\"mode\"><i class=\"{class}\"></i>{mode}</span> {}",
            text(&words::locked(span.table.as_ref()))
        )
    });
    locks.collect::<Vec<_>>().join("<br>")
}

fn rows(out: &mut String, revision: &RehearsedRevision) {
    out.push_str(
        "<table class=\"counts\"><thead><tr><th>Table</th><th class=\"number\">Rows before</th>\
         <th class=\"number\">after</th></tr></thead><tbody>\n",
    );
    for counted in &revision.rows {
        let number = |rows: Option<u64>| rows.map_or_else(|| "–".to_owned(), grouped);
        let class = match counted.lost() {
            0 => "",
            _ => " class=\"bad\"",
        };
        let _ = writeln!(
            out,
            "<tr{class}><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            text(&counted.table.to_string()),
            number(counted.before),
            number(counted.after),
        );
    }
    out.push_str("</tbody></table>\n");
}
