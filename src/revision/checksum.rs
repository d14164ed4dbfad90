use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256, digest::Output};

use super::{ForeignKeys, Headers, TransactionMode};
use crate::sql::{Canonical, Placeholders};

/// `v1:` and 64 hexadecimal digits: SHA-256 of a script's canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checksum([u8; 32]);

/// The error for text that is not a checksum known to this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a checksum of the form v1:<64 hexadecimal digits>")]
pub struct ChecksumError(pub String);

impl Checksum {
    /// Returns the checksum of a script, taken from its canonical form and from settings that
    /// change how it runs, if they differ from the default. The result is stable, as defined in
    /// `docs/checksums.md`.
    pub fn of(canonical: &Canonical, headers: &Headers) -> Self {
        let mut hash = Sha256::new();
        hash.update(settings(canonical, headers));
        hash.update(b"\n");
        match headers.transaction {
            TransactionMode::On => hash.update(&canonical.bytes),
            TransactionMode::Off => {
                hash.update(&canonical.before);
                hash.update(&canonical.bytes);
                hash.update(&canonical.after);
            }
        }
        Self(hash.finalize().into())
    }

    /// Returns the raw hash.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Returns lines `key=value`. A mode has only letters and spaces, so it cannot add a line.
fn settings(canonical: &Canonical, headers: &Headers) -> String {
    let transaction = headers.transaction == TransactionMode::On;
    // Without a transaction, the pragma is an ordinary statement.
    let pragma = canonical.foreign_keys.filter(|_| transaction);
    let foreign_keys = match headers.foreign_keys {
        Some(header) => header == ForeignKeys::On,
        None => pragma.unwrap_or(false),
    };
    let mut settings = String::new();
    if !transaction {
        settings.push_str("transaction=off\n");
    }
    if foreign_keys {
        settings.push_str("foreign-keys=on\n");
    }
    if transaction && !canonical.modes.is_empty() {
        settings.push_str(&format!("begin={}\n", canonical.modes));
    }
    match headers.placeholders {
        Some(Placeholders::DOLLAR) => settings.push_str("vars=dollar\n"),
        Some(_) => settings.push_str("vars=on\n"),
        None => {}
    }
    settings
}

impl FromStr for Checksum {
    type Err = ChecksumError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digest = text.strip_prefix("v1:").and_then(hex_digest);
        digest
            .map(Self)
            .ok_or_else(|| ChecksumError(text.to_owned()))
    }
}

/// Parses 64 hexadecimal digits in lower case.
pub(super) fn hex_digest(hex: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let mut digest = [0; 32];
    if pairs.len() != digest.len() || !rest.is_empty() {
        return None;
    }
    let mut seen = 0;
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| VALUES[usize::from(digit)]);
        seen |= high | low;
        *byte = high << 4 | low;
    }
    (seen < 16).then_some(digest)
}

/// Maps the byte of a digit to its value; other bytes map to a value above 15. A table, because
/// every start parses thousands of digits.
const VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let (digits, mut value) = (b"0123456789abcdef", 0);
    while value < 16 {
        values[digits[value as usize] as usize] = value;
        value += 1;
    }
    values
};

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest: Output<Sha256> = self.0.into();
        f.pad(&format!("v1:{digest:x}"))
    }
}

#[cfg(test)]
mod tests;
