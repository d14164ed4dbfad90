use std::{fmt, str::FromStr};

use super::{Target, TargetSyntaxError};

/// A range `A:B`, `A:` or `:B`: the revisions for `history -r`, or the states that `--sql` starts
/// and ends at. At least one end is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The target before the colon.
    pub start: Option<Target>,
    /// The target after the colon.
    pub end: Option<Target>,
}

impl Range {
    /// Returns whether `text` is a range rather than a single target.
    pub fn is_range(text: &str) -> bool {
        text.contains(':')
    }
}

impl FromStr for Range {
    type Err = TargetSyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |reason| TargetSyntaxError {
            text: text.to_owned(),
            reason,
        };
        let (start, end) = text
            .split_once(':')
            .ok_or_else(|| refuse("a range has the form `A:B`, `A:` or `:B`"))?;
        let range = Self {
            start: side(start)?,
            end: side(end)?,
        };
        if range.start.is_none() && range.end.is_none() {
            return Err(refuse("a range needs at least one end"));
        }
        Ok(range)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |target: &Option<Target>| target.as_ref().map(Target::to_string);
        let (start, end) = (side(&self.start), side(&self.end));
        f.pad(&format!(
            "{}:{}",
            start.unwrap_or_default(),
            end.unwrap_or_default()
        ))
    }
}

fn side(text: &str) -> Result<Option<Target>, TargetSyntaxError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    text.parse().map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_end_or_two() {
        let check = |text: &str, start: Option<Target>, end: Option<Target>| {
            assert_eq!(text.parse(), Ok(Range { start, end }), "{text}");
        };
        let name = |text: &str| Target::Name {
            text: text.to_owned(),
        };
        check("1:2", Some(name("1")), Some(name("2")));
        check("base:", Some(Target::Base), None);
        check(":head", None, Some(Target::Head));
        check(
            "-2:current",
            Some(Target::Relative(-2)),
            Some(Target::Current(0)),
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", ":", " : ", "a", "a:b:c", "heads+1:", "x@y:head"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_prints_and_parses_again(text in "[a-z0-9@+-]{0,4}:?.{0,4}") {
            match text.parse::<Range>() {
                Ok(range) => prop_assert_eq!(range.to_string().parse::<Range>(), Ok(range)),
                Err(error) => prop_assert!(!error.reason.is_empty()),
            }
        }
    }
}
