//! SQL as text: tokens, statements and what kind of statement each one is.
//!
//! Pure: no disk, no database. Everything that differs between the lexical
//! rules of PostgreSQL and SQLite lives here.

mod boundary;
mod bytes;
mod canonical;
mod classify;
mod dialect;
mod lexer;
mod mention;
mod placeholder;
mod position;
mod row_change;
mod scan;
mod session_change;
mod shell;
mod split;
mod words;
mod wrapper;

pub use canonical::{Canonical, canonicalize};
pub use classify::{
    ConcurrentIndex, StatementKind, TransactionControl, concurrent_index, may_break_foreign_keys,
};
pub use dialect::Dialect;
pub use lexer::{Lexer, Token, TokenKind, lex};
pub use mention::mentions;
pub use placeholder::{Expanded, PlaceholderFault, Placeholders, Vars, expand};
pub use position::{Position, Positions, position};
pub use row_change::{NoRowChange, RowChange, RowVerb, row_change};
pub use session_change::{SessionChange, session_change};
pub use shell::{comment, for_shell};
pub use split::{SqlProblem, SqlProblemKind, Statement, place_in, split};
pub use wrapper::{Wrapper, foreign_keys_pragma, unwrap};
