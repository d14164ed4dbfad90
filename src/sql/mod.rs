//! SQL as text: tokens, statements and their kinds.
//!
//! This module is pure: it uses neither disk nor database. The differences between dialects are in
//! `dialect.rs` and in a directory for each dialect below `dialect/`.

mod bytes;
mod canonical;
mod classify;
mod dialect;
mod dropped;
mod identifier;
mod invisible;
mod keeps_rows;
mod lexer;
mod mention;
mod placeholder;
mod position;
mod renamed_from;
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
pub use identifier::{cut_quoted, in_quotes};
pub use invisible::{Invisible, invisible};
pub use keeps_rows::keeps_rows;
pub use lexer::{Lexer, Token, TokenKind, lex};
pub use mention::mentions;
pub use placeholder::{Expanded, PlaceholderFault, Placeholders, Vars, expand};
pub use position::{Position, Positions, position};
pub use renamed_from::{RenamedFrom, renamed_from};
pub use row_change::{NoRowChange, RowChange, RowVerb, row_change};
pub use shell::{comment, for_shell};
pub use split::{SqlProblem, SqlProblemKind, Statement, place_in, split};
pub use wrapper::{Wrapper, unwrap};
