//! Helpers for tests of plans.

use super::PlanContext;
use crate::{
    revision::{Ahead, History, Observed, OutOfOrder},
    sql::{Dialect, Vars},
};

/// Returns a context with the default settings.
pub fn context<'a>(
    history: &'a History,
    observed: &'a Observed,
    dialect: Dialect,
) -> PlanContext<'a> {
    PlanContext {
        history,
        observed,
        dialect,
        vars: Vars::none(),
        out_of_order: OutOfOrder::Error,
        ahead: Ahead::Warn,
        one_transaction: false,
        expand_only: false,
    }
}
