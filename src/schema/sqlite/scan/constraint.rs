use super::{
    NameAt, ScanError, Span,
    keys::{KeyScan, names, sort_keys},
};
use crate::{
    schema::sqlite::{ForeignKey, Identifier, KeyColumn, tokens::Cursor},
    sql::TokenKind,
};

/// A constraint or another clause of a column or a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstraintScan {
    /// The name behind CONSTRAINT.
    pub name: Option<NameAt>,
    /// What the clause says.
    pub definition: Definition,
    /// The whole clause, from CONSTRAINT on.
    pub span: Span,
}

/// What a clause of a column or a table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition {
    /// PRIMARY KEY.
    PrimaryKey {
        /// The columns; at a column, that column.
        columns: Vec<KeyColumn>,
        /// The algorithm of ON CONFLICT, unless it is ABORT.
        conflict: Option<String>,
        /// Whether AUTOINCREMENT is given.
        autoincrement: bool,
    },
    /// UNIQUE.
    Unique {
        /// The columns; at a column, that column.
        columns: Vec<KeyColumn>,
        /// The algorithm of ON CONFLICT, unless it is ABORT.
        conflict: Option<String>,
    },
    /// NOT NULL.
    NotNull {
        /// The algorithm of ON CONFLICT, unless it is ABORT.
        conflict: Option<String>,
    },
    /// NULL, which has no effect.
    Null,
    /// CHECK with what is between its parentheses.
    Check(Span),
    /// DEFAULT with its value.
    Default(Span),
    /// COLLATE.
    Collate(NameAt),
    /// A generated column.
    Generated {
        /// What is between the parentheses.
        expression: Span,
        /// Whether STORED is given.
        stored: bool,
    },
    /// A foreign key.
    ForeignKey(ForeignKey),
    /// DEFERRABLE that does not follow its foreign key directly: whether the last foreign key before
    /// it is deferred.
    Deferrable(bool),
    /// A name without a constraint, which has no effect.
    NameOnly,
}

/// Whether a constraint of a table follows, and not a column.
pub(super) fn starts_table_constraint(cursor: &Cursor<'_>) -> bool {
    cursor.is_any(&["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"])
}

/// Takes a clause of the column `column`, if one follows.
pub(super) fn column_constraint(
    cursor: &mut Cursor<'_>,
    column: &str,
) -> Result<Option<ConstraintScan>, ScanError> {
    let start = cursor.start();
    let name = constraint_name(cursor)?;
    let key = |descending| {
        let column = column.into();
        vec![KeyColumn {
            column,
            descending,
            ..KeyColumn::default()
        }]
    };
    let definition = if cursor.eat("PRIMARY") {
        cursor.expect("KEY")?;
        let descending = cursor.eat_any(&["ASC", "DESC"]) == Some("DESC");
        Definition::PrimaryKey {
            columns: key(descending),
            conflict: conflict(cursor)?,
            autoincrement: cursor.eat("AUTOINCREMENT"),
        }
    } else if cursor.eat("UNIQUE") {
        Definition::Unique {
            columns: key(false),
            conflict: conflict(cursor)?,
        }
    } else if cursor.eat_all(&["NOT", "NULL"]) {
        let conflict = conflict(cursor)?;
        Definition::NotNull { conflict }
    } else if cursor.eat("NULL") {
        conflict(cursor)?;
        Definition::Null
    } else if cursor.eat("CHECK") {
        Definition::Check(cursor.parentheses()?)
    } else if cursor.eat("DEFAULT") {
        Definition::Default(default(cursor)?)
    } else if cursor.eat("COLLATE") {
        Definition::Collate(cursor.name()?)
    } else if cursor.eat_all(&["GENERATED", "ALWAYS", "AS"]) || cursor.eat("AS") {
        Definition::Generated {
            expression: cursor.parentheses()?,
            stored: cursor.eat_any(&["STORED", "VIRTUAL"]) == Some("STORED"),
        }
    } else if cursor.eat("REFERENCES") {
        Definition::ForeignKey(references(cursor, vec![column.into()])?)
    } else if let Some(deferred) = deferrable(cursor)? {
        Definition::Deferrable(deferred)
    } else if name.is_some() {
        Definition::NameOnly
    } else {
        return Ok(None);
    };
    let span = cursor.since(start);
    Ok(Some(ConstraintScan {
        name,
        definition,
        span,
    }))
}

/// Takes a constraint of a table.
pub(super) fn table_constraint(cursor: &mut Cursor<'_>) -> Result<ConstraintScan, ScanError> {
    let start = cursor.start();
    let name = constraint_name(cursor)?;
    let definition = if cursor.eat_all(&["PRIMARY", "KEY"]) {
        let (keys, autoincrement) = sort_keys(cursor)?;
        Definition::PrimaryKey {
            columns: key_columns(cursor.text, &keys)?,
            conflict: conflict(cursor)?,
            autoincrement,
        }
    } else if cursor.eat("UNIQUE") {
        let (keys, _) = sort_keys(cursor)?;
        Definition::Unique {
            columns: key_columns(cursor.text, &keys)?,
            conflict: conflict(cursor)?,
        }
    } else if cursor.eat("CHECK") {
        let expression = cursor.parentheses()?;
        conflict(cursor)?;
        Definition::Check(expression)
    } else if cursor.eat_all(&["FOREIGN", "KEY"]) {
        let columns = names(cursor)?;
        cursor.expect("REFERENCES")?;
        Definition::ForeignKey(references(cursor, columns)?)
    } else if name.is_some() {
        Definition::NameOnly
    } else {
        return Err(cursor.error());
    };
    let span = cursor.since(start);
    Ok(ConstraintScan {
        name,
        definition,
        span,
    })
}

/// Takes the name of a constraint. Of several ones, the last counts.
fn constraint_name(cursor: &mut Cursor<'_>) -> Result<Option<NameAt>, ScanError> {
    let mut name = None;
    while cursor.eat("CONSTRAINT") {
        name = Some(cursor.name()?);
    }
    Ok(name)
}

/// Takes ON CONFLICT. ABORT is the default.
fn conflict(cursor: &mut Cursor<'_>) -> Result<Option<String>, ScanError> {
    if !cursor.eat_all(&["ON", "CONFLICT"]) {
        return Ok(None);
    }
    let algorithms = ["ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"];
    let algorithm = cursor.eat_any(&algorithms).ok_or_else(|| cursor.error())?;
    Ok((algorithm != "ABORT").then(|| algorithm.to_owned()))
}

/// Takes the value of a default: an expression in parentheses, a name, or a number with its sign.
fn default(cursor: &mut Cursor<'_>) -> Result<Span, ScanError> {
    let start = cursor.start();
    if cursor
        .peek()
        .is_some_and(|(kind, _)| kind == TokenKind::Open)
    {
        cursor.parentheses()?;
        return Ok(cursor.since(start));
    }
    let _ = cursor.eat_symbol("+") || cursor.eat_symbol("-");
    let starts_with_point = cursor.eat_symbol(".");
    let (kind, text) = cursor.peek().ok_or_else(|| cursor.error())?;
    cursor.skip();
    // The sign of an exponent divides a number into several tokens.
    let exponent = kind == TokenKind::Number
        && text.ends_with(['e', 'E'])
        && (starts_with_point || !text.starts_with("0x") && !text.starts_with("0X"));
    if exponent && cursor.touches() && (cursor.eat_symbol("+") || cursor.eat_symbol("-")) {
        cursor.skip();
    }
    Ok(cursor.since(start))
}

/// Takes what follows REFERENCES.
fn references(cursor: &mut Cursor<'_>, columns: Vec<Identifier>) -> Result<ForeignKey, ScanError> {
    let mut key = ForeignKey {
        columns,
        references: cursor.name()?.name.into(),
        ..ForeignKey::default()
    };
    if cursor
        .peek()
        .is_some_and(|(kind, _)| kind == TokenKind::Open)
    {
        key.referenced_columns = names(cursor)?;
    }
    loop {
        if cursor.eat("MATCH") {
            key.match_clause = Some(cursor.name()?.name.into());
        } else if cursor.eat_all(&["ON", "DELETE"]) {
            key.on_delete = action(cursor)?;
        } else if cursor.eat_all(&["ON", "UPDATE"]) {
            key.on_update = action(cursor)?;
        } else if cursor.eat_all(&["ON", "INSERT"]) {
            action(cursor)?;
        } else {
            break;
        }
    }
    key.deferred = deferrable(cursor)?.unwrap_or(false);
    Ok(key)
}

/// Takes the action of a foreign key. NO ACTION is the default.
fn action(cursor: &mut Cursor<'_>) -> Result<Option<String>, ScanError> {
    for (words, action) in [
        (&["SET", "NULL"][..], Some("SET NULL")),
        (&["SET", "DEFAULT"], Some("SET DEFAULT")),
        (&["CASCADE"], Some("CASCADE")),
        (&["RESTRICT"], Some("RESTRICT")),
        (&["NO", "ACTION"], None),
    ] {
        if cursor.eat_all(words) {
            return Ok(action.map(str::to_owned));
        }
    }
    Err(cursor.error())
}

/// Takes DEFERRABLE with what belongs to it. Returns whether the check is deferred.
fn deferrable(cursor: &mut Cursor<'_>) -> Result<Option<bool>, ScanError> {
    let not = cursor.eat_all(&["NOT", "DEFERRABLE"]);
    if !not && !cursor.eat("DEFERRABLE") {
        return Ok(None);
    }
    if !cursor.eat("INITIALLY") {
        return Ok(Some(false));
    }
    let when = cursor.eat_any(&["DEFERRED", "IMMEDIATE"]);
    let when = when.ok_or_else(|| cursor.error())?;
    Ok(Some(!not && when == "DEFERRED"))
}

/// The keys of a constraint, which are columns.
fn key_columns(text: &str, keys: &[KeyScan]) -> Result<Vec<KeyColumn>, ScanError> {
    let column = |key: &KeyScan| {
        let at = key.expression.start;
        Ok(KeyColumn {
            column: key.column(text).ok_or(ScanError { at })?.into(),
            collation: key.collation.clone(),
            descending: key.descending,
        })
    };
    keys.iter().map(column).collect()
}
