use std::{fmt, str::FromStr};

use super::{RevisionId, header::is_label};

/// A target as written by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// `head`: the only head.
    Head,
    /// `heads`: all heads.
    Heads,
    /// `base`: before every revision.
    Base,
    /// `current`: the applied revision, with an offset along the edges (`current-1`).
    Current(i64),
    /// `+N` or `-N`.
    Relative(i64),
    /// An ID, a prefix of one, or a slug, with an offset (`REV+2`). Also `head`
    /// and `base` with an offset.
    Name {
        /// The text as written, offset included: an exact slug takes precedence over arithmetic.
        text: String,
    },
    /// `LABEL@head`, with an offset.
    Label {
        /// The branch's label.
        label: String,
        /// Number of edges to walk from its head.
        offset: i64,
    },
}

/// The error for text that is not a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a target: {reason}")]
pub struct TargetSyntaxError {
    /// The text as written.
    pub text: String,
    /// The reason why it is not a target.
    pub reason: &'static str,
}

/// The resolved form of a target in a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Before every revision.
    Base,
    /// These revisions.
    Revisions(Vec<RevisionId>),
    /// `+N`: the next N revisions of the plan to head.
    Next(usize),
    /// `-N`: the N most recently applied revisions.
    Last(usize),
}

/// A reason why a target cannot be resolved in a history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// `head` is used with several heads.
    #[error("there are {} heads: {}", .0.len(), list(.0))]
    SeveralHeads(Vec<RevisionId>),
    /// `head` or `LABEL@head` is used without any revision.
    #[error("there are no revisions")]
    NoRevisions,
    /// No revision has this name.
    #[error("no revision matches `{text}`")]
    Unknown {
        /// The text as written.
        text: String,
        /// The nearest IDs or slugs.
        nearest: Vec<String>,
    },
    /// Several revisions match.
    #[error("`{text}` matches {} revisions: {}", candidates.len(), list(candidates))]
    Ambiguous {
        /// The text as written.
        text: String,
        /// The matching revisions.
        candidates: Vec<RevisionId>,
    },
    /// A prefix is shorter than four characters.
    #[error("`{text}` is too short; a prefix needs at least 4 characters")]
    ShortPrefix {
        /// The text as written.
        text: String,
    },
    /// Walking edges reaches a fork.
    #[error("`{text}` is ambiguous: from {} it leads to any of {}", at.as_ref().map_or("base", RevisionId::as_str), list(ways))]
    Fork {
        /// The text as written.
        text: String,
        /// The revision at the fork; `None` for base.
        at: Option<RevisionId>,
        /// The revisions that the walk could continue to.
        ways: Vec<RevisionId>,
    },
    /// Walking edges goes past the end.
    #[error("`{text}` goes past {end}")]
    PastTheEnd {
        /// The text as written.
        text: String,
        /// `head` or `base`.
        end: &'static str,
    },
    /// `current` is used with several applied heads, or below it with nothing applied.
    #[error("`current` is ambiguous: {}", if .0.is_empty() { "nothing is applied".to_owned() } else { list(.0) })]
    NoSingleCurrent(Vec<RevisionId>),
    /// The target is an applied revision that is not in the directory, but must be.
    #[error("`{text}` is revision {revision}, which is not in this directory")]
    NotInDirectory {
        /// The text as written.
        text: String,
        /// The revision.
        revision: RevisionId,
    },
    /// No revision has the label.
    #[error("no revision has the label `{label}`")]
    UnknownLabel {
        /// The label as written.
        label: String,
        /// The nearest label.
        nearest: Option<String>,
    },
}

fn list(ids: &[RevisionId]) -> String {
    ids.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

impl FromStr for Target {
    type Err = TargetSyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        match text {
            "" => return refuse(text, "it is empty"),
            "head" => return Ok(Self::Head),
            "heads" => return Ok(Self::Heads),
            "base" => return Ok(Self::Base),
            "current" => return Ok(Self::Current(0)),
            _ => {}
        }
        if text.contains(':') {
            return refuse(text, "a range is not allowed here");
        }
        if let Some((name, rest)) = text.split_once('@') {
            return label(text, name, rest);
        }
        match split_offset(text) {
            Some(("", 0)) => refuse(text, "the number of steps must be at least 1"),
            Some(("", steps)) => Ok(Self::Relative(steps)),
            Some(("current", offset)) => Ok(Self::Current(offset)),
            Some(("heads", _)) => refuse(text, "`heads` cannot have an offset"),
            _ => Ok(Self::Name {
                text: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = |offset: &i64| match offset {
            0 => String::new(),
            _ => format!("{offset:+}"),
        };
        match self {
            Self::Head => f.pad("head"),
            Self::Heads => f.pad("heads"),
            Self::Base => f.pad("base"),
            Self::Current(steps) => f.pad(&format!("current{}", offset(steps))),
            Self::Relative(steps) => f.pad(&format!("{steps:+}")),
            Self::Name { text } => f.pad(text),
            Self::Label {
                label,
                offset: steps,
            } => f.pad(&format!("{label}@head{}", offset(steps))),
        }
    }
}

/// Splits the sign and digits off the end of `text`. A number too large for a machine integer
/// becomes the largest: it leads past every end.
pub(super) fn split_offset(text: &str) -> Option<(&str, i64)> {
    let at = text.rfind(['+', '-'])?;
    let (name, offset) = text.split_at(at);
    let (sign, digits) = offset.split_at(1);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let steps = digits.parse().unwrap_or(i64::MAX);
    Some((name, if sign == "-" { -steps } else { steps }))
}

fn label(text: &str, name: &str, rest: &str) -> Result<Target, TargetSyntaxError> {
    let offset = match (rest, split_offset(rest)) {
        ("head", _) => 0,
        (_, Some(("head", offset))) => offset,
        _ => return refuse(text, "a branch has the form `LABEL@head`"),
    };
    if !is_label(name) {
        return refuse(text, "the text before `@` is not a label");
    }
    Ok(Target::Label {
        label: name.to_owned(),
        offset,
    })
}

fn refuse(text: &str, reason: &'static str) -> Result<Target, TargetSyntaxError> {
    Err(TargetSyntaxError {
        text: text.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<Target, &str>) {
        let found = text.parse::<Target>().map_err(|error| error.reason);
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn words_and_offsets() {
        check("head", Ok(Target::Head));
        check(" heads ", Ok(Target::Heads));
        check("base", Ok(Target::Base));
        check("current", Ok(Target::Current(0)));
        check("current+2", Ok(Target::Current(2)));
        check("current-1", Ok(Target::Current(-1)));
        check("+2", Ok(Target::Relative(2)));
        check("-1", Ok(Target::Relative(-1)));
        check("-99999999999999999999", Ok(Target::Relative(-i64::MAX)));
        check("+0", Err("the number of steps must be at least 1"));
        check("-0", Err("the number of steps must be at least 1"));
        check("heads-1", Err("`heads` cannot have an offset"));
        check("", Err("it is empty"));
        check("a:b", Err("a range is not allowed here"));
    }

    #[test]
    fn everything_else_is_a_name() {
        for text in [
            "20261122093000",
            "2026",
            "add_users",
            "add-2",
            "20261122093000-1",
            "head-1",
            "base+1",
            "heads-up",
            "HEAD",
            "+",
            "-x",
            "żółć",
        ] {
            let text = text.to_owned();
            check(&text.clone(), Ok(Target::Name { text }));
        }
    }

    #[test]
    fn labels() {
        let label = |label: &str, offset| Target::Label {
            label: label.to_owned(),
            offset,
        };
        check("billing@head", Ok(label("billing", 0)));
        check("billing-2@head-2", Ok(label("billing-2", -2)));
        check("b_1@head+1", Ok(label("b_1", 1)));
        for text in ["x@", "x@heads", "x@head1", "x@base", "x@y", "x@head-"] {
            check(text, Err("a branch has the form `LABEL@head`"));
        }
        for text in ["@head", "head@head", "1x@head", "a b@head"] {
            check(text, Err("the text before `@` is not a label"));
        }
    }

    proptest! {
        #[test]
        fn what_parses_prints_and_parses_again(
            text in "(head|heads|base|current|[a-z0-9]{1,3}|.{0,8})(@head|@)?([+-][0-9]{0,20})?",
        ) {
            if let Ok(target) = text.parse::<Target>() {
                prop_assert_eq!(target.to_string().parse::<Target>(), Ok(target));
            }
        }
    }
}
