use std::time::Duration;

/// The longest timeout that PostgreSQL accepts: 2,147,483,647 ms.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// Parses a duration in headers and configuration: `500ms`, `2s`, `5min` or `5m`, `1h`, and `0`.
///
/// Returns `None` for a number without a unit, except zero, because PostgreSQL would read it as
/// milliseconds where users mean seconds. Also returns `None` for more than 24 days, which exceeds
/// PostgreSQL's limit for a timeout.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let factor = match unit {
        "" if number == 0 => 1,
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let duration = Duration::from_millis(number.checked_mul(factor)?);
    (duration <= LONGEST).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        let check = |text, milliseconds: Option<u64>| {
            let expected = milliseconds.map(Duration::from_millis);
            assert_eq!(parse_duration(text), expected, "{text:?}");
        };
        check("0", Some(0));
        check("0s", Some(0));
        check("500ms", Some(500));
        check("2s", Some(2_000));
        check("5min", Some(300_000));
        check("5m", Some(300_000));
        check("1h", Some(3_600_000));
        check("2147483647ms", Some(2_147_483_647));
        for text in [
            "", "5", "s", "-1s", "+1s", "1.5s", "2 s", "2S", "1d", "٣s", " 1s",
        ] {
            check(text, None);
        }
        check("2147483648ms", None);
        check("18446744073709551615h", None);
        check("99999999999999999999s", None);
    }
}
