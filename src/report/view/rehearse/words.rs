use crate::{
    lint::{Size, Work, WorkKind},
    ops::{Blocks, CopySource, Hold, RehearseReport, RowCount},
    report::{count, duration, format::bytes},
    schema::Name,
};

/// What a report without rows cannot say.
pub(super) const WITHOUT_ROWS: &str = "No rows were copied: locks, rewrites and scans are as in the database, whose \
    own sizes are given. Times, and failures on rows, are not known.";

/// What was copied.
pub(super) fn copied(report: &RehearseReport) -> String {
    match &report.copied {
        CopySource::Database => format!("a copy of {}", report.database),
        CopySource::Backup(file) => format!("a backup of {}, {file},", report.database),
        CopySource::Schema { .. } => format!("the schema of {} without rows", report.database),
    }
}

/// A table, or the whole database.
pub(super) fn locked(table: Option<&Name>) -> String {
    table.map_or_else(|| "the whole database".to_owned(), Name::to_string)
}

/// How long others wait; who waits, if times are not known.
pub(super) fn hold_sentence(hold: &Hold, has_times: bool) -> String {
    let size = hold
        .size
        .map_or_else(String::new, |size| format!(" ({})", size_sentence(size)));
    let table = format!("{}{size}", locked(hold.table.as_ref()));
    let wait = match (hold.reads.is_zero(), hold.reads == hold.writes) {
        (true, _) if !has_times => format!("writes of {table} wait"),
        (false, _) if !has_times => format!("reads and writes of {table} wait"),
        (true, _) => format!("writes of {table} wait for {}", duration(hold.writes)),
        (false, true) => format!(
            "reads and writes of {table} wait for {}",
            duration(hold.writes)
        ),
        (false, false) => format!(
            "writes of {table} wait for {}, reads for {}",
            duration(hold.writes),
            duration(hold.reads)
        ),
    };
    let mode = hold
        .mode
        .map_or_else(String::new, |mode| format!(": {mode}"));
    format!("{wait}{mode} from line {}", hold.line)
}

/// Rows and bytes of a table.
pub(super) fn size_sentence(size: Size) -> String {
    let rows = count(usize::try_from(size.rows).unwrap_or(usize::MAX), "row");
    match size.pages {
        0 => rows,
        pages => format!("{rows}, {}", bytes(pages * 8192)),
    }
}

/// What a statement does to a table.
pub(super) fn work_sentence(work: &Work) -> String {
    let table = &work.relation;
    match &work.kind {
        WorkKind::Rewrite => format!("rewrites {table}"),
        WorkKind::Build { index } if index.name.is_empty() => format!("builds an index on {table}"),
        WorkKind::Build { index } => format!("builds {} on {table}", index.name),
        WorkKind::Scan => format!("reads {table}"),
        WorkKind::Change { .. } => format!("changes rows of {table}"),
    }
}

/// What waits for a lock.
pub(super) fn blocks_sentence(blocks: Blocks) -> &'static str {
    match blocks {
        Blocks::Nothing => "nobody waits",
        Blocks::Rows => "writes of the changed rows wait",
        Blocks::Writes => "writes wait",
        Blocks::Everything => "reads and writes wait",
    }
}

/// The rows of a table before and after.
pub(super) fn rows_sentence(counted: &RowCount) -> String {
    let rows = |rows: u64| count(usize::try_from(rows).unwrap_or(usize::MAX), "row");
    match (counted.before, counted.after) {
        (None, Some(after)) => format!("new, {}", rows(after)),
        (Some(before), None) => format!("gone, {}", rows(before)),
        (Some(before), Some(after)) => format!("{before} → {}", rows(after)),
        (None, None) => String::new(),
    }
}

/// By how much a database grew; empty if it did not.
pub(super) fn growth(change: i64) -> String {
    let size = bytes(change.unsigned_abs());
    match change {
        0 => String::new(),
        1.. => format!("+{size}"),
        _ => format!("-{size}"),
    }
}

/// What the server wrote to its log; empty if that is not known, or nothing.
pub(super) fn wal(written: Option<u64>) -> String {
    match written {
        None | Some(0) => String::new(),
        Some(written) => format!("{} WAL", bytes(written)),
    }
}
