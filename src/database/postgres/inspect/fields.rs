//! The fields of rows, which are text in simple-query messages.

use std::str::FromStr;

use sqlx::{Row, ValueRef, postgres::PgRow};

use super::super::error;
use crate::schema::postgres::Options;

/// The reason why the catalogs could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The server reported an error, or the connection broke.
    #[error("{}", error::reason(.0))]
    Sql(#[from] sqlx::Error),
    /// An object was dropped after the snapshot was taken: there is no text for an expression of
    /// it.
    #[error("an object was dropped")]
    Dropped,
    /// A value has another form than in PostgreSQL's catalogs.
    #[error("unexpected contents of the system catalogs: {0}")]
    Malformed(String),
}

/// SQLSTATEs of functions that do not find an object that was dropped.
const NOT_FOUND: [&str; 7] = [
    "XX000", "42P01", "42703", "42704", "42883", "3F000", "42P10",
];

impl Fault {
    /// Whether a concurrent change of the schema is the cause.
    pub fn is_change(&self) -> bool {
        match self {
            Self::Dropped => true,
            Self::Sql(error) => error::code(error).is_some_and(|code| NOT_FOUND.contains(&code)),
            Self::Malformed(_) => false,
        }
    }

    /// Whether the connection broke.
    pub fn is_of_connection(&self) -> bool {
        matches!(self, Self::Sql(_)) && !self.is_of_server()
    }

    /// Whether the server reported an error, which leaves the session in the failed transaction.
    pub fn is_of_server(&self) -> bool {
        matches!(self, Self::Sql(error) if error::from_server(error).is_some())
    }
}

/// Reads the fields of a row in order.
pub(super) struct Fields<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Fields<'r> {
    pub fn of(row: &'r PgRow) -> Self {
        Self { row, next: 0 }
    }

    /// Reads the fields from a place on.
    pub fn from(row: &'r PgRow, next: usize) -> Self {
        Self { row, next }
    }

    /// The text, or `None` for NULL.
    pub fn optional(&mut self) -> Result<Option<&'r str>, Fault> {
        let value = self.row.try_get_raw(self.next)?;
        self.next += 1;
        if value.is_null() {
            return Ok(None);
        }
        value
            .as_str()
            .map(Some)
            .map_err(|error| Fault::Malformed(error.to_string()))
    }

    /// The text of a value that is not NULL unless the object was dropped.
    pub fn text(&mut self) -> Result<&'r str, Fault> {
        self.optional()?.ok_or(Fault::Dropped)
    }

    pub fn string(&mut self) -> Result<String, Fault> {
        self.text().map(str::to_owned)
    }

    pub fn optional_string(&mut self) -> Result<Option<String>, Fault> {
        Ok(self.optional()?.map(str::to_owned))
    }

    pub fn flag(&mut self) -> Result<bool, Fault> {
        Ok(self.text()? == "t")
    }

    pub fn number<T: FromStr>(&mut self) -> Result<T, Fault> {
        number(self.text()?)
    }

    pub fn optional_number<T: FromStr>(&mut self) -> Result<Option<T>, Fault> {
        self.optional()?.map(number).transpose()
    }

    pub fn oid(&mut self) -> Result<u32, Fault> {
        self.number()
    }

    /// The elements of an array; NULL is an empty one.
    pub fn list(&mut self) -> Result<Vec<String>, Fault> {
        self.optional()?.map_or(Ok(Vec::new()), array)
    }

    /// The elements of an array, or `None` for NULL.
    pub fn optional_list(&mut self) -> Result<Option<Vec<String>>, Fault> {
        self.optional()?.map(array).transpose()
    }

    /// The numbers of a vector (`1 2`) or of an array (`{1,2}`); NULL is an empty one.
    pub fn numbers<T: FromStr>(&mut self) -> Result<Vec<T>, Fault> {
        let text = self.optional()?.unwrap_or_default();
        let inner = text.trim_start_matches('{').trim_end_matches('}');
        let parts = inner.split([' ', ',']).filter(|part| !part.is_empty());
        parts.map(number).collect()
    }

    /// An array of `name=value`.
    pub fn options(&mut self) -> Result<Options, Fault> {
        let pairs = self.list()?.into_iter().map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
            (name.to_owned(), value.to_owned())
        });
        Ok(pairs.collect())
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, Fault> {
    let number = text.parse();
    number.map_err(|_| Fault::Malformed(format!("`{text}` is not a number")))
}

/// The elements of a one-dimensional array as the server shows it. NULL elements are left out.
pub(super) fn array(text: &str) -> Result<Vec<String>, Fault> {
    let malformed = || Fault::Malformed(format!("`{text}` is not an array"));
    let inner = text.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
    let inner = inner.ok_or_else(malformed)?;
    let mut elements = Vec::new();
    if inner.is_empty() {
        return Ok(elements);
    }
    let mut chars = inner.chars().peekable();
    loop {
        if chars.next_if_eq(&'"').is_some() {
            elements.push(quoted(&mut chars).ok_or_else(malformed)?);
        } else {
            let mut element = String::new();
            while let Some(c) = chars.next_if(|c| *c != ',') {
                element.push(c);
            }
            if element != "NULL" {
                elements.push(element);
            }
        }
        match chars.next() {
            None => return Ok(elements),
            Some(',') => {}
            Some(_) => return Err(malformed()),
        }
    }
}

/// The rest of a quoted element.
fn quoted(chars: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut element = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(element),
            '\\' => element.push(chars.next()?),
            c => element.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_read_as_the_server_shows_them() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(array(text).unwrap(), expected, "{text}");
        };
        check("{}", &[]);
        check("{a}", &["a"]);
        check("{a,b=1,\"c d\"}", &["a", "b=1", "c d"]);
        check(
            r#"{"","a\"b","c\\d","x,y",z}"#,
            &["", "a\"b", "c\\d", "x,y", "z"],
        );
        check(r#"{NULL,"NULL",a}"#, &["NULL", "a"]);
        for text in ["", "a", "{\"a}", "{\"a\"b}"] {
            assert!(array(text).is_err(), "{text}");
        }
    }
}
