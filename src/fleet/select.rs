use super::Target;
use crate::{nearest::misspelt, schema::glob};

/// Which targets a command is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Patterns of names, of which one has to match; all names without any.
    pub only: Vec<String>,
    /// Patterns of names that are left out.
    pub except: Vec<String>,
    /// The most targets, the first ones in order.
    pub limit: Option<usize>,
}

/// A selection that is not what was meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectProblem {
    /// A pattern matches no target.
    #[error("no target is named `{pattern}`")]
    NoMatch {
        /// The pattern as written.
        pattern: String,
        /// The nearest name.
        nearest: Option<String>,
    },
}

/// The indices of the selected targets, in order.
///
/// # Errors
/// [`SelectProblem`] of each pattern that matches nothing, since it would be a misspelt name.
pub fn select(targets: &[Target], wanted: &Selection) -> Result<Vec<usize>, Vec<SelectProblem>> {
    let mut problems = Vec::new();
    for pattern in wanted.only.iter().chain(&wanted.except) {
        if !targets.iter().any(|target| glob(pattern, &target.name)) {
            let names = targets.iter().map(|target| &*target.name);
            problems.push(SelectProblem::NoMatch {
                pattern: pattern.clone(),
                nearest: misspelt(pattern, names).map(str::to_owned),
            });
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let is_in = |patterns: &[String], name: &str| patterns.iter().any(|it| glob(it, name));
    let selected = targets.iter().enumerate().filter(|(_, target)| {
        let is_wanted = wanted.only.is_empty() || is_in(&wanted.only, &target.name);
        is_wanted && !is_in(&wanted.except, &target.name)
    });
    let selected = selected.map(|(index, _)| index);
    Ok(selected.take(wanted.limit.unwrap_or(usize::MAX)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_select_names() {
        let targets: Vec<_> = ["acme", "acme_test", "beta", "eu/acme"]
            .map(Target::named)
            .into();
        let check = |only: &[&str], except: &[&str], limit, expected: &[usize]| {
            let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
            let wanted = Selection {
                only: owned(only),
                except: owned(except),
                limit,
            };
            assert_eq!(
                select(&targets, &wanted).as_deref(),
                Ok(expected),
                "{wanted:?}"
            );
        };
        check(&[], &[], None, &[0, 1, 2, 3]);
        check(&["acme"], &[], None, &[0]);
        check(&["acme*", "b*"], &[], None, &[0, 1, 2]);
        check(&["*acme*"], &["*_test"], None, &[0, 3]);
        check(&[], &["a*"], Some(1), &[2]);
        check(&[], &[], Some(9), &[0, 1, 2, 3]);
    }

    #[test]
    fn patterns_that_match_nothing_are_misspelt() {
        let targets: Vec<_> = ["acme", "beta"].map(Target::named).into();
        let wanted = Selection {
            only: vec!["acmee".to_owned()],
            except: vec!["zzz*".to_owned()],
            limit: None,
        };
        let problem = |pattern: &str, nearest: Option<&str>| SelectProblem::NoMatch {
            pattern: pattern.to_owned(),
            nearest: nearest.map(str::to_owned),
        };
        let expected = vec![problem("acmee", Some("acme")), problem("zzz*", None)];
        assert_eq!(select(&targets, &wanted), Err(expected));
    }
}
