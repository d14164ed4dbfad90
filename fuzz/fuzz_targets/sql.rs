//! Tokens are the text; splitting, classifying and canonicalizing never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use migrator::internals::sql::{Dialect, canonicalize, lex, may_break_foreign_keys, split, unwrap};

fuzz_target!(|bytes: &[u8]| {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let mut at = 0;
        for token in lex(dialect, bytes) {
            assert!(token.start == at && token.end > at);
            at = token.end;
        }
        assert_eq!(at, bytes.len());
        let Ok(text) = std::str::from_utf8(bytes) else {
            continue;
        };
        canonicalize(dialect, text);
        if let Ok(statements) = split(dialect, text) {
            unwrap(text, &statements);
            for statement in &statements {
                may_break_foreign_keys(dialect, statement.text(text));
            }
        }
    }
});
