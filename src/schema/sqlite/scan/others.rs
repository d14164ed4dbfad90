use super::{
    NameAt, ScanError, Span, create,
    keys::{KeyScan, names, sort_keys},
};
use crate::{
    schema::sqlite::{Identifier, tokens::Cursor},
    sql::TokenKind,
};

/// What a CREATE INDEX says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexScan {
    /// The name.
    pub name: NameAt,
    /// The table.
    pub table: NameAt,
    /// Whether UNIQUE is given.
    pub unique: bool,
    /// The keys in order.
    pub keys: Vec<KeyScan>,
    /// What follows WHERE.
    pub condition: Option<Span>,
}

/// Reads a CREATE INDEX.
///
/// # Errors
/// Fails when SQLite would not keep such a text.
pub fn scan_index(text: &str) -> Result<IndexScan, ScanError> {
    let mut cursor = Cursor::new(text);
    cursor.expect("CREATE")?;
    let unique = cursor.eat("UNIQUE");
    cursor.expect("INDEX")?;
    cursor.eat_all(&["IF", "NOT", "EXISTS"]);
    let name = cursor.qualified_name()?;
    cursor.expect("ON")?;
    let table = cursor.name()?;
    let (keys, _) = sort_keys(&mut cursor)?;
    let condition = if cursor.eat("WHERE") {
        Some(rest(&mut cursor)?)
    } else {
        None
    };
    done(&cursor)?;
    Ok(IndexScan {
        name,
        table,
        unique,
        keys,
        condition,
    })
}

/// What a CREATE VIEW says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewScan {
    /// The name.
    pub name: NameAt,
    /// The names of the columns, if they are given.
    pub columns: Vec<Identifier>,
    /// What follows AS.
    pub query: Span,
}

/// Reads a CREATE VIEW.
///
/// # Errors
/// Fails when SQLite would not keep such a text.
pub fn scan_view(text: &str) -> Result<ViewScan, ScanError> {
    let mut cursor = create(text, &["VIEW"])?;
    let name = cursor.qualified_name()?;
    let columns = if cursor.eat("AS") {
        Vec::new()
    } else {
        let columns = names(&mut cursor)?;
        cursor.expect("AS")?;
        columns
    };
    let query = rest(&mut cursor)?;
    Ok(ViewScan {
        name,
        columns,
        query,
    })
}

/// What a CREATE TRIGGER says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerScan {
    /// The name.
    pub name: NameAt,
    /// The table or view.
    pub table: NameAt,
    /// `BEFORE`, `AFTER` or `INSTEAD OF`.
    pub timing: &'static str,
    /// `INSERT`, `UPDATE` or `DELETE`.
    pub event: &'static str,
    /// The columns of UPDATE OF.
    pub columns: Vec<Identifier>,
    /// What follows WHEN.
    pub condition: Option<Span>,
    /// The statements between BEGIN and END.
    pub body: Span,
}

/// Reads a CREATE TRIGGER.
///
/// # Errors
/// Fails when SQLite would not keep such a text.
pub fn scan_trigger(text: &str) -> Result<TriggerScan, ScanError> {
    let mut cursor = create(text, &["TRIGGER"])?;
    let name = cursor.qualified_name()?;
    let timing = if cursor.eat_all(&["INSTEAD", "OF"]) {
        "INSTEAD OF"
    } else {
        cursor.eat_any(&["BEFORE", "AFTER"]).unwrap_or("BEFORE")
    };
    let event = cursor.eat_any(&["INSERT", "UPDATE", "DELETE"]);
    let event = event.ok_or_else(|| cursor.error())?;
    let mut columns = Vec::new();
    if cursor.eat("OF") {
        columns.push(cursor.name()?.name.into());
        while cursor.eat_symbol(",") {
            columns.push(cursor.name()?.name.into());
        }
    }
    cursor.expect("ON")?;
    let table = cursor.qualified_name()?;
    cursor.eat_all(&["FOR", "EACH", "ROW"]);
    let condition = if cursor.eat("WHEN") {
        let start = cursor.start();
        cursor.skip_nested(starts_body);
        Some(cursor.since(start))
    } else {
        None
    };
    cursor.expect("BEGIN")?;
    let (start, mut end) = (cursor.start(), cursor.end());
    while !cursor.is_done() {
        end = cursor.end();
        cursor.skip();
    }
    Ok(TriggerScan {
        name,
        table,
        timing,
        event,
        columns,
        condition,
        // The last token is END.
        body: Span {
            start,
            end: end.max(start),
        },
    })
}

/// Whether BEGIN and a statement follow, since BEGIN alone could be a name.
fn starts_body(cursor: &Cursor<'_>) -> bool {
    const VERBS: [&str; 7] = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES",
    ];
    cursor.is("BEGIN") && VERBS.iter().any(|verb| cursor.is_at(1, verb))
}

/// What a CREATE VIRTUAL TABLE says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualTableScan {
    /// The name.
    pub name: NameAt,
    /// The module.
    pub module: NameAt,
    /// The arguments of the module.
    pub arguments: Vec<Span>,
}

/// Reads a CREATE VIRTUAL TABLE.
///
/// # Errors
/// Fails when SQLite would not keep such a text.
pub fn scan_virtual_table(text: &str) -> Result<VirtualTableScan, ScanError> {
    let mut cursor = create(text, &["VIRTUAL", "TABLE"])?;
    let name = cursor.qualified_name()?;
    cursor.expect("USING")?;
    let module = cursor.name()?;
    let mut arguments = Vec::new();
    if cursor.eat_symbol("(") {
        loop {
            let start = cursor.start();
            cursor.skip_nested(|cursor| cursor.peek().is_some_and(|(_, text)| text == ","));
            let argument = cursor.since(start);
            let is_comma = cursor.eat_symbol(",");
            if is_comma || !arguments.is_empty() || argument.start < argument.end {
                arguments.push(argument);
            }
            if !is_comma {
                break;
            }
        }
        cursor.expect_symbol(")")?;
    }
    done(&cursor)?;
    Ok(VirtualTableScan {
        name,
        module,
        arguments,
    })
}

/// Takes everything up to the end.
fn rest(cursor: &mut Cursor<'_>) -> Result<Span, ScanError> {
    let start = cursor.start();
    if cursor.is_done() {
        return Err(cursor.error());
    }
    while !cursor.is_done() {
        let is_end = cursor
            .peek()
            .is_some_and(|(kind, _)| kind == TokenKind::Semicolon);
        if is_end {
            break;
        }
        cursor.skip();
    }
    Ok(cursor.since(start))
}

fn done(cursor: &Cursor<'_>) -> Result<(), ScanError> {
    if cursor.is_done() {
        Ok(())
    } else {
        Err(cursor.error())
    }
}
