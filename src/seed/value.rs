//! Values that are written alike in all dialects.

use chrono::{Days, NaiveDate};

use super::{random::mix, wanted::sized};

/// The date with that number; all are after 2023.
pub(super) fn date(number: u64) -> String {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap_or_default();
    let day = first.checked_add_days(Days::new(number % 100_000));
    day.unwrap_or(first).to_string()
}

/// The UUID with that number.
pub(super) fn uuid(number: u64) -> String {
    let (high, low) = (mix(number + 1), mix(number ^ 0x5eed));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// The text with that number, of at most `max` characters.
pub(super) fn text(max: usize, number: u64) -> String {
    let text = format!("seed-{number}");
    match text.len() <= max {
        true => text,
        false => sized(number, max.min(4)),
    }
}

/// Texts with quotes, letters beyond ASCII, and the longest.
pub(super) fn texts(max: usize) -> Vec<String> {
    let mut found = vec![String::new()];
    for text in ["it's \"q\" \\ back", "żółć 表 🙂"] {
        found.push(text.chars().take(max).collect());
    }
    if max <= 1000 {
        found.push("Z".repeat(max));
    }
    found
}
