//! SQL as text: tokens, statements and what kind of statement each one is.
//!
//! Pure: no disk, no database. What differs between the dialects is in
//! `dialect.rs`, and in a directory for each below `dialect/`.

mod bytes;
mod canonical;
mod classify;
mod dialect;
mod dropped;
mod invisible;
mod lexer;
mod mention;
mod placeholder;
mod position;
mod row_change;
mod scan;
mod shell;
mod split;
mod words;
mod wrapper;

pub use canonical::{Canonical, canonicalize};
pub use classify::{
    ConcurrentIndex, LayoutPragma, SessionChange, StatementKind, TransactionControl,
};
pub use dialect::{Capabilities, Dialect};
pub use dropped::{Dropped, dropped};
pub use invisible::{Invisible, invisible};
pub use lexer::{Lexer, Token, TokenKind, lex};
pub use mention::mentions;
pub use placeholder::{Expanded, PlaceholderFault, Placeholders, Vars, expand};
pub use position::{Position, Positions, position};
pub use row_change::{NoRowChange, RowChange, RowVerb, row_change};
pub use shell::{comment, for_shell};
pub use split::{SqlProblem, SqlProblemKind, Statement, place_in, split};
pub use wrapper::{Wrapper, unwrap};
