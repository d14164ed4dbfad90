//! Prepared statements in SQLite's C interface, made safe.

use std::{ffi::c_int, ptr::NonNull};

use libsqlite3_sys as ffi;

/// A value that is bound to a parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bind<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
}

impl From<i64> for Bind<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl<'a> From<&'a str> for Bind<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<Option<&'a str>> for Bind<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Self::Null, Self::Text)
    }
}

/// A value of a row that was read, or is there until the next step of its statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<T = String> {
    Null,
    Integer(i64),
    Text(T),
    /// A type that none of our queries expects; its name.
    Other(&'static str),
}

impl Value<&str> {
    /// The same, for longer.
    pub fn kept(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(*value),
            Self::Text(text) => Value::Text((*text).to_owned()),
            Self::Other(name) => Value::Other(name),
        }
    }
}

/// A row that was read.
pub(super) type Row = Vec<Value>;

/// A row that a statement stands at.
pub(super) type Present<'a> = [Value<&'a str>];

/// A statement that is finalized when it is dropped; never kept longer than the handle is borrowed.
pub(super) struct Prepared(NonNull<ffi::sqlite3_stmt>);

impl Prepared {
    /// Of what `sqlite3_prepare_v2` has made; `None` where there was nothing to prepare.
    ///
    /// # Safety
    /// It is null, or a statement that nobody else finalizes, of a connection that stays open as
    /// long as this is there.
    pub unsafe fn new(statement: *mut ffi::sqlite3_stmt) -> Option<Self> {
        NonNull::new(statement).map(Self)
    }

    /// Binds a value to a parameter, from 1. Returns SQLite's code.
    pub fn bind(&self, index: c_int, value: Bind<'_>) -> c_int {
        let statement = self.0.as_ptr();
        // SAFETY: the statement is not finalized; SQLITE_TRANSIENT makes SQLite copy the text
        // before the call returns.
        unsafe {
            match value {
                Bind::Null => ffi::sqlite3_bind_null(statement, index),
                Bind::Integer(value) => ffi::sqlite3_bind_int64(statement, index, value),
                Bind::Text(text) => ffi::sqlite3_bind_text64(
                    statement,
                    index,
                    text.as_ptr().cast(),
                    text.len() as u64,
                    ffi::SQLITE_TRANSIENT(),
                    ffi::SQLITE_UTF8 as u8,
                ),
            }
        }
    }

    /// Goes on to the next row, or to the end. Returns SQLite's code.
    pub fn step(&mut self) -> c_int {
        // SAFETY: the statement is not finalized.
        unsafe { ffi::sqlite3_step(self.0.as_ptr()) }
    }

    /// Back to where it has not begun. The code is the one that `step` returned.
    pub fn reset(&mut self) {
        // SAFETY: the statement is not finalized.
        unsafe { ffi::sqlite3_reset(self.0.as_ptr()) };
    }

    /// The row that the last step came to.
    pub fn row(&self) -> Vec<Value<&str>> {
        // SAFETY: the statement is not finalized.
        let columns = unsafe { ffi::sqlite3_column_count(self.0.as_ptr()) };
        (0..columns).map(|column| self.value(column)).collect()
    }

    fn value(&self, column: c_int) -> Value<&str> {
        let statement = self.0.as_ptr();
        // SAFETY: the statement is not finalized and stands at a row, and `column` is one of its.
        match unsafe { ffi::sqlite3_column_type(statement, column) } {
            ffi::SQLITE_NULL => Value::Null,
            // SAFETY: as above.
            ffi::SQLITE_INTEGER => {
                Value::Integer(unsafe { ffi::sqlite3_column_int64(statement, column) })
            }
            ffi::SQLITE_TEXT => self.text(column),
            ffi::SQLITE_FLOAT => Value::Other("a real number"),
            _ => Value::Other("a blob"),
        }
    }

    fn text(&self, column: c_int) -> Value<&str> {
        let statement = self.0.as_ptr();
        // SAFETY: as in `value`; the length is asked for after the text, as SQLite wants it, and
        // the bytes stay until the next step, which takes `&mut self`.
        let bytes = unsafe {
            let start = ffi::sqlite3_column_text(statement, column);
            let length = ffi::sqlite3_column_bytes(statement, column);
            match usize::try_from(length) {
                Ok(length) if !start.is_null() => std::slice::from_raw_parts(start, length),
                _ => &[],
            }
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text),
            Err(_) => Value::Other("text that is not UTF-8"),
        }
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // SAFETY: nobody else finalizes it. The code it returns is the one that `step` returned.
        unsafe { ffi::sqlite3_finalize(self.0.as_ptr()) };
    }
}
