//! Reads the texts of CREATE statements that SQLite keeps. They are valid, so that nothing is
//! checked that need not be known.
//!
//! The places of columns, constraints and clauses are kept beside their meaning, for what edits
//! such a text.

mod constraint;
mod keys;
mod others;
mod table;

pub use constraint::{ConstraintScan, Definition};
pub use keys::KeyScan;
pub use others::{
    IndexScan, TriggerScan, ViewScan, VirtualTableScan, scan_index, scan_trigger, scan_view,
    scan_virtual_table,
};
pub use table::{ColumnScan, TableScan, scan_table};

use super::tokens::Cursor;
pub use super::tokens::{NameAt, Span};

/// The error of a text that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is not understood at byte {at}")]
pub struct ScanError {
    /// The offset of the first token that is not understood.
    pub at: usize,
}

/// Takes the words before the name of what is created.
fn create<'a>(text: &'a str, what: &[&str]) -> Result<Cursor<'a>, ScanError> {
    let mut cursor = Cursor::new(text);
    cursor.expect("CREATE")?;
    cursor.eat_any(&["TEMP", "TEMPORARY"]);
    for word in what {
        cursor.expect(word)?;
    }
    cursor.eat_all(&["IF", "NOT", "EXISTS"]);
    Ok(cursor)
}

#[cfg(test)]
mod tests;
