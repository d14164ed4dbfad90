use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256, digest::Output};

use super::{ForeignKeys, Headers, TransactionMode};
use crate::sql::{Canonical, Placeholders};

/// `v1:` and 64 hexadecimal digits: SHA-256 of a script's canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checksum([u8; 32]);

/// The text is not a checksum this version knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a checksum of the form v1:<64 hexadecimal digits>")]
pub struct ChecksumError(pub String);

impl Checksum {
    /// The checksum of a script: its canonical form and those of its settings
    /// that change how it runs, where they differ from the default. Frozen, as
    /// `docs/checksums.md` defines it.
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

    /// The hash itself.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Lines `key=value`; a mode has only letters and spaces, so none breaks out of its line.
fn settings(canonical: &Canonical, headers: &Headers) -> String {
    let transaction = headers.transaction == TransactionMode::On;
    // Without a transaction the pragma is a statement like any other.
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

/// What 64 digits, without upper case, write.
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

/// Of a digit by its byte; a table, as every start reads thousands of digits. Others have more
/// than 15.
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
