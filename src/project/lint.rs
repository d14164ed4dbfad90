//! `[lint]`: limits and severities of rules.

use super::{
    keys::Given,
    value::{Refused, number, text, words},
};
use crate::{
    lint::{Settings, Severity, rules},
    revision::{Range, RevisionId, Target},
};

/// `[lint]`
#[derive(Clone, Debug, Default)]
pub struct LintConfig {
    /// `rows`, `pages`, and the lists of rules by severity.
    pub settings: Settings,
    /// `since`: the first revision that rules apply to.
    pub since: Option<RevisionId>,
}

impl LintConfig {
    /// The revisions that rules apply to; `None` if these are all.
    pub fn since(&self) -> Option<Range> {
        let since = self.since.as_ref()?;
        Some(Range {
            start: Some(Target::Name {
                text: since.to_string(),
            }),
            end: None,
        })
    }
}

/// Gives rules a severity, or turns them off.
pub(super) fn set(
    config: &mut LintConfig,
    given: &Given<'_>,
    severity: Option<Severity>,
) -> Result<(), Refused> {
    for name in words(given)? {
        let Some(rule) = rules::find(&name) else {
            return Err(Refused::Value(
                "expected names of rules, such as `set-not-null`; `migrator explain` lists them",
            ));
        };
        let severities = &mut config.settings.severities;
        if severities
            .insert(rule.name.to_owned(), severity)
            .is_some_and(|it| it != severity)
        {
            return Err(Refused::Value(
                "a rule is in another list as well; keep one",
            ));
        }
    }
    Ok(())
}

/// Parses a number of rows or pages.
pub(super) fn count(given: &Given<'_>) -> Result<u64, Refused> {
    number(given).map(u64::from)
}

/// Parses a revision.
pub(super) fn since(given: &Given<'_>) -> Result<Option<RevisionId>, Refused> {
    let parsed = text(given)?.trim().parse();
    parsed
        .map(Some)
        .map_err(|_| Refused::Value("expected the ID of a revision"))
}
