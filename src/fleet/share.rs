use std::{fmt, str::FromStr};

/// A number of targets, or a part of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// A number, at least one.
    Count(usize),
    /// A part, in millionths; never zero, and at most the whole.
    Millionths(usize),
}

/// The whole in millionths.
const WHOLE: usize = 1_000_000;

impl Share {
    /// The number of targets of `total`, rounded up: at least one.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Millionths(part) => (total * part).div_ceil(WHOLE).max(1),
        }
    }
}

impl FromStr for Share {
    type Err = ();

    /// Parses `5`, `10%` or `0.5%`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        let Some(percent) = text.strip_suffix('%') else {
            let count = text.parse().map_err(|_| ())?;
            return if count == 0 {
                Err(())
            } else {
                Ok(Self::Count(count))
            };
        };
        let (whole, digits) = percent
            .trim_end()
            .split_once('.')
            .unwrap_or((percent.trim_end(), "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(digits) || digits.len() > 4 || whole.len() > 3 {
            return Err(());
        }
        let parts: usize = format!("{whole}{digits:0<4}").parse().map_err(|_| ())?;
        match parts {
            1..=WHOLE => Ok(Self::Millionths(parts)),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Millionths(part) => {
                let digits = format!("{:04}", part % 10_000);
                let digits = digits.trim_end_matches('0');
                let dot = if digits.is_empty() { "" } else { "." };
                write!(f, "{}{dot}{digits}%", part / 10_000)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_counts_or_percentages() {
        let check = |text: &str, of_1000: usize, of_3: usize| {
            let share: Share = text.parse().unwrap();
            assert_eq!((share.of(1000), share.of(3)), (of_1000, of_3), "{text}");
            assert_eq!(share.to_string().parse(), Ok(share), "{text}");
        };
        check("5", 5, 5);
        check("1%", 10, 1);
        check("0.5%", 5, 1);
        check("0.01%", 1, 1);
        check("12.5%", 125, 1);
        check("50%", 500, 2);
        check("100%", 1000, 3);
        for text in [
            "",
            "0",
            "-1",
            "0%",
            "101%",
            "1.00001%",
            "%",
            "a%",
            ".5%",
            "5 %x",
            "1e2%",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<Share>(), Err(()), "{text}");
        }
    }
}
