//! The rules of SQLite.

mod boundary;
mod classify;
mod lexer;
mod outside;
mod pragma;
mod session_change;
mod shell;

pub(super) use boundary::Boundary;
pub(super) use classify::classify;
pub(super) use lexer::token;

use super::{Capabilities, Lexical, Names, Rows, Rules, Shell, Statements};
use crate::sql::{
    SqlProblemKind,
    bytes::{self, Class},
    words::Words,
};

pub(super) static RULES: Rules = Rules {
    name: "sqlite",
    title: "SQLite",
    capabilities: Capabilities {
        replicas: false,
        // The runner uses BEGIN IMMEDIATE, which has no other modes.
        transaction_modes: false,
        concurrent_writers: false,
    },
    lexical: Lexical {
        comments_nest: false,
        line_ends: &['\n'],
        strings_continue: false,
        passed_over: &[],
        parameter: lexer::parameter,
        conforming_strings: |_| None,
        backslash_escapes: false,
        command: SqlProblemKind::DotCommand,
    },
    names: Names {
        in_strings: true,
        fold_quoted: true,
        max_bytes: None,
    },
    rows: Rows {
        replace: true,
        or_clause: true,
        merge: false,
        only: false,
        drop_deletes: true,
    },
    statements: Statements {
        repeatable: &[
            "PRAGMA journal_mode",
            "PRAGMA synchronous",
            "PRAGMA wal_checkpoint",
            "VACUUM",
        ],
        leaves_indexes: &[],
        concurrent_index: |_| None,
        session_change: session_change::session_change,
        foreign_keys: pragma::foreign_keys,
        may_break_foreign_keys: classify::may_break_foreign_keys,
        reaches_outside: outside::reaches_outside,
        layout_pragma: pragma::layout,
        begin,
        commit,
    },
    shell: Shell {
        escapes: shell::escapes,
    },
};

pub(super) static CLASSES: &[Class; 256] = &bytes::classes(&[
    // A variable, which continues like a name.
    (b'$', Class::Word),
]);

/// See [`Statements::begin`].
fn begin(mut words: Words) -> Option<String> {
    if !words.eat("BEGIN") {
        return None;
    }
    words.eat_any(&["DEFERRED", "IMMEDIATE", "EXCLUSIVE"]);
    transaction_name(words).then(String::new)
}

/// See [`Statements::commit`].
fn commit(mut words: Words) -> bool {
    words.eat_any(&["COMMIT", "END"]).is_some() && transaction_name(words)
}

/// Returns whether only `TRANSACTION name` or nothing follows BEGIN or COMMIT. It has no effect.
fn transaction_name(mut words: Words) -> bool {
    if words.eat("TRANSACTION") {
        words.next();
    }
    words.is_done()
}
