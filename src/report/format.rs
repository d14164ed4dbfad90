use std::time::Duration;

use crate::revision::Subject;

/// A duration with about three significant digits: `8 ms`, `1.24 s`, `3 min 5 s`.
pub fn duration(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1000.0;
    match duration.as_secs() {
        _ if millis < 9.95 => format!("{millis:.1} ms"),
        _ if millis < 999.5 => format!("{millis:.0} ms"),
        0..60 => format!("{:.2} s", duration.as_secs_f64()),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A number with its noun: `1 revision`, `4 revisions`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The number of steps: `4 revisions`, `1 revision and 2 repeatable scripts`, `1 repeatable
/// script`.
pub fn count_steps<'a>(steps: impl IntoIterator<Item = &'a Subject>) -> String {
    let (mut revisions, mut repeatables) = (0, 0);
    for step in steps {
        match step {
            Subject::Revision(_) => revisions += 1,
            Subject::Repeatable(_) => repeatables += 1,
        }
    }
    let scripts = count(repeatables, "repeatable script");
    match (revisions, repeatables) {
        (_, 0) => count(revisions, "revision"),
        (0, _) => scripts,
        _ => format!("{} and {scripts}", count(revisions, "revision")),
    }
}

/// A size with about three significant digits: `812 bytes`, `56.1 kB`, `1.24 GB`.
pub fn bytes(size: u64) -> String {
    if size < 1000 {
        return format!("{size} bytes");
    }
    let mut size = size as f64;
    for unit in ["kB", "MB", "GB", "TB"] {
        size /= 1000.0;
        if size < 999.5 || unit == "TB" {
            let digits = if size < 9.995 {
                2
            } else if size < 99.95 {
                1
            } else {
                0
            };
            return format!("{size:.digits$} {unit}");
        }
    }
    unreachable!("the last unit is for all that is larger")
}

/// `text` wrapped between words to `width` columns.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let mut wrapped = String::new();
    let mut used = 0;
    for (index, word) in text.split(' ').enumerate() {
        let columns = console::measure_text_width(word);
        if index > 0 {
            let fits = used + 1 + columns <= width;
            wrapped.push(if fits { ' ' } else { '\n' });
            used = if fits { used + 1 } else { 0 };
        }
        wrapped.push_str(word);
        used += columns;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let check = |millis: f64, expected: &str| {
            assert_eq!(duration(Duration::from_secs_f64(millis / 1000.0)), expected);
        };
        check(0.04, "0.0 ms");
        check(1.24, "1.2 ms");
        check(9.96, "10 ms");
        check(999.4, "999 ms");
        check(999.6, "1.00 s");
        check(1_240.0, "1.24 s");
        check(59_990.0, "59.99 s");
        check(185_000.0, "3 min 5 s");
        check(7_380_000.0, "2 h 3 min");
    }

    #[test]
    fn sizes_are_short() {
        let check = |size, expected: &str| assert_eq!(bytes(size), expected);
        check(0, "0 bytes");
        check(999, "999 bytes");
        check(1_000, "1.00 kB");
        check(56_149, "56.1 kB");
        check(999_499, "999 kB");
        check(999_500, "1.00 MB");
        check(1_240_000_000, "1.24 GB");
        check(12_000_000_000_000_000, "12000 TB");
    }

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(count(0, "revision"), "0 revisions");
        assert_eq!(count(1, "revision"), "1 revision");
        assert_eq!(count(2, "statement"), "2 statements");
    }

    #[test]
    fn repeatable_scripts_are_counted_apart() {
        let check = |steps: &str, expected: &str| {
            let steps = steps.split_whitespace().map(|one| one.parse().unwrap());
            assert_eq!(count_steps(&steps.collect::<Vec<Subject>>()), expected);
        };
        check("", "0 revisions");
        check("1 2", "2 revisions");
        check("1 R_a R_b", "1 revision and 2 repeatable scripts");
        check("R_a", "1 repeatable script");
    }

    #[test]
    fn lines_are_broken_between_words() {
        let check = |text: &str, width, expected: &str| assert_eq!(wrapped(text, width), expected);
        check("one two three", 80, "one two three");
        check("one two three", 7, "one two\nthree");
        check("one two three", 6, "one\ntwo\nthree");
        check("extraordinary", 3, "extraordinary");
        check("", 3, "");
        check("żółw żółw", 4, "żółw\nżółw");
    }
}
