//! What tests of plans share.

use super::{Ahead, OutOfOrder, Situation};
use crate::{
    revision::{History, Observed},
    sql::{Dialect, Vars},
};

/// With the settings that are usual.
pub fn situation<'a>(
    history: &'a History,
    observed: &'a Observed,
    dialect: Dialect,
) -> Situation<'a> {
    Situation {
        history,
        observed,
        dialect,
        vars: Vars::none(),
        out_of_order: OutOfOrder::Error,
        ahead: Ahead::Warn,
        one_transaction: false,
    }
}
