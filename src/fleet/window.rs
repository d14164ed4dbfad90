use std::{fmt, str::FromStr};

/// A minute of the day, from 0 to 1439.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(u16);

impl Minute {
    /// The minute at `hour` and `minute`, if there is one.
    pub fn at(hour: u32, minute: u32) -> Option<Self> {
        let minutes = (hour < 24 && minute < 60).then_some(hour * 60 + minute)?;
        u16::try_from(minutes).ok().map(Self)
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A part of every day in which targets may be started: `02:00-04:00`. One that begins late goes on
/// after midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    from: Minute,
    to: Minute,
}

impl Window {
    /// Whether `now` is in the window, whose end is not.
    pub fn contains(self, now: Minute) -> bool {
        if self.from < self.to {
            self.from <= now && now < self.to
        } else {
            self.from <= now || now < self.to
        }
    }
}

impl FromStr for Window {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let is_two = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            let is_time = is_two(hour) && is_two(minute);
            Minute::at(is_time.then_some(hour)?.parse().ok()?, minute.parse().ok()?)
        };
        let (from, to) = text.split_once('-').ok_or(())?;
        let (from, to) = minute(from).zip(minute(to)).ok_or(())?;
        if from == to {
            Err(())
        } else {
            Ok(Self { from, to })
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_and_end() {
        let check = |window: &str, inside: &[(u32, u32)], outside: &[(u32, u32)]| {
            let parsed: Window = window.parse().unwrap();
            assert_eq!(parsed.to_string(), window);
            let contains = |(hour, minute)| parsed.contains(Minute::at(hour, minute).unwrap());
            assert!(inside.iter().all(|it| contains(*it)), "{window}");
            assert!(!outside.iter().any(|it| contains(*it)), "{window}");
        };
        check(
            "02:00-04:00",
            &[(2, 0), (3, 59)],
            &[(1, 59), (4, 0), (23, 0)],
        );
        check(
            "23:30-01:15",
            &[(23, 30), (0, 0), (1, 14)],
            &[(1, 15), (12, 0), (23, 29)],
        );
        for text in [
            "",
            "02:00",
            "2:00-4:00",
            "02:00-02:00",
            "24:00-25:00",
            "02:60-04:00",
            "02:00-04:00 UTC",
        ] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
    }
}
