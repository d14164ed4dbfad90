//! The rules of PostgreSQL.

mod boundary;
mod classify;
mod lexer;
mod outside;
mod shell;

pub(super) use boundary::Boundary;
pub(super) use classify::classify;
pub(super) use lexer::token;

use super::{Capabilities, Lexical, Names, Rows, Rules, Shell, Statements};
use crate::sql::{
    SqlProblemKind, TokenKind,
    bytes::{self, Class},
    words::Words,
};

pub(super) static RULES: Rules = Rules {
    name: "postgres",
    title: "PostgreSQL",
    capabilities: Capabilities {
        replicas: true,
        transaction_modes: true,
        concurrent_writers: true,
    },
    lexical: Lexical {
        comments_nest: true,
        line_ends: &['\n', '\r'],
        strings_continue: true,
        // pg_dump writes these around its output.
        passed_over: &["restrict", "unrestrict"],
        // The server rejects bind parameters itself, and PREPARE may have them.
        parameter: |_| None,
        conforming_strings: classify::conforming_strings,
        backslash_escapes: true,
        command: SqlProblemKind::PsqlCommand,
    },
    names: Names {
        in_strings: false,
        fold_quoted: false,
        max_bytes: Some(63),
    },
    rows: Rows {
        replace: false,
        or_clause: false,
        merge: true,
        only: true,
        drop_deletes: false,
    },
    statements: Statements {
        repeatable: &[
            "ALTER SYSTEM",
            "CLUSTER",
            "DISCARD ALL",
            "REINDEX DATABASE",
            "REINDEX SCHEMA",
            "REINDEX SYSTEM",
            "VACUUM",
        ],
        leaves_indexes: &["REINDEX CONCURRENTLY"],
        concurrent_index: classify::concurrent_index,
        // The kinds of statements cover all session effects.
        session_change: |_| None,
        // Foreign keys are enforced or checked at the commit, whatever the session settings.
        foreign_keys: |_| None,
        may_break_foreign_keys: |_| false,
        reaches_outside: outside::reaches_outside,
        layout_pragma: |_| None,
        begin,
        commit,
    },
    shell: Shell {
        escapes: shell::escapes,
    },
};

pub(super) static CLASSES: &[Class; 256] = &bytes::classes(&[
    // White space since version 16, an error before.
    (0x0B, Class::Space),
    (b'$', Class::Dollar),
]);

/// See [`Statements::begin`].
fn begin(mut words: Words) -> Option<String> {
    if words.eat("BEGIN") {
        words.eat_any(&["WORK", "TRANSACTION"]);
    } else if !words.eat_all(&["START", "TRANSACTION"]) {
        return None;
    }
    let mut modes = Vec::new();
    for item in words.filter(|item| item.text != ",") {
        if item.kind != TokenKind::Word {
            return None;
        }
        modes.push(item.text.to_ascii_uppercase());
    }
    Some(modes.join(" "))
}

/// See [`Statements::commit`].
fn commit(mut words: Words) -> bool {
    if words.eat_any(&["COMMIT", "END"]).is_none() {
        return false;
    }
    words.eat_any(&["WORK", "TRANSACTION"]);
    words.eat_all(&["AND", "NO", "CHAIN"]);
    words.is_done()
}
