use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256, digest::Output};

use super::{Checksum, checksum::hex_digest};

/// A digest of the checksums of statements, in order. The digest of n statements is SHA-256 of the
/// digest of the first n - 1, followed by the checksum of the last. The digest of no statement is
/// 32 zero bytes.
///
/// Its size does not depend on the number of statements, so the record of a script's progress
/// does not grow with the progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StatementsDigest([u8; 32]);

/// The error for text that is neither a digest nor a list of checksums.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest of the form digest:v1:<64 hexadecimal digits>")]
pub struct StatementsDigestError(pub String);

/// The prefix of a stored digest.
const PREFIX: &str = "digest:v1:";

impl StatementsDigest {
    /// Returns the digest of `checksums`.
    pub fn of<'a>(checksums: impl IntoIterator<Item = &'a Checksum>) -> Self {
        let checksums = checksums.into_iter();
        checksums.fold(Self::default(), |digest, checksum| digest.then(checksum))
    }

    /// Returns the digest with one more statement.
    #[must_use]
    pub fn then(&self, checksum: &Checksum) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(checksum.bytes());
        Self(hash.finalize().into())
    }

    /// Returns the digests of the first 0, 1, 2 and so on of `checksums`, up to all of them.
    pub fn of_each<'a>(checksums: impl IntoIterator<Item = &'a Checksum>) -> Vec<Self> {
        let mut all = vec![Self::default()];
        for checksum in checksums {
            let last = all[all.len() - 1];
            all.push(last.then(checksum));
        }
        all
    }
}

impl fmt::Display for StatementsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest: Output<Sha256> = self.0.into();
        write!(f, "{PREFIX}{digest:x}")
    }
}

/// Parses a digest, or the list of checksums that layout 1 of the version table stores instead.
impl FromStr for StatementsDigest {
    type Err = StatementsDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || StatementsDigestError(text.to_owned());
        if let Some(hex) = text.strip_prefix(PREFIX) {
            return hex_digest(hex).map(Self).ok_or_else(error);
        }
        let listed = text.split(',').filter(|_| !text.is_empty());
        let checksums: Result<Vec<Checksum>, _> = listed.map(str::parse).collect();
        checksums.map(|all| Self::of(&all)).map_err(|_| error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revision::testing::checksum;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        for letters in ["", "a", "ab"] {
            let digest = StatementsDigest::of(&letters.chars().map(checksum).collect::<Vec<_>>());
            assert_eq!(digest.to_string().parse(), Ok(digest), "{letters}");
            assert_eq!(digest.to_string().len(), PREFIX.len() + 64);
        }
    }

    /// The form is stored in databases and must not change.
    #[test]
    fn digests_are_frozen() {
        let check = |letters: &str, expected: &str| {
            let all: Vec<_> = letters.chars().map(checksum).collect();
            assert_eq!(
                StatementsDigest::of(&all).to_string(),
                format!("{PREFIX}{expected}")
            );
        };
        check("", &"0".repeat(64));
        check("a", GOLDEN_A);
        check("ab", GOLDEN_AB);
    }

    // Computed with another implementation of SHA-256.
    const GOLDEN_A: &str = "9ef814b42fa0be12d197c44d3e8e03441a4b1118237658368ba1351090e556ed";
    const GOLDEN_AB: &str = "aaf51febf5ed5e45e5bcd62d127a21328f3b78b943377466fb57cf303b814b9a";

    #[test]
    fn order_and_number_of_the_statements_count() {
        let [a, b] = ['a', 'b'].map(checksum);
        let digests = [
            StatementsDigest::of([]),
            StatementsDigest::of([&a]),
            StatementsDigest::of([&a, &a]),
            StatementsDigest::of([&a, &b]),
            StatementsDigest::of([&b, &a]),
        ];
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "{index}");
        }
        let each = StatementsDigest::of_each([&a, &b]);
        assert_eq!(each, [digests[0], digests[1], digests[3]]);
    }

    #[test]
    fn the_list_of_layout_1_is_read_as_its_digest() {
        let [a, b] = ['a', 'b'].map(checksum);
        let check = |text: &str, expected| assert_eq!(text.parse(), Ok(expected), "{text}");
        check("", StatementsDigest::of([]));
        check(&a.to_string(), StatementsDigest::of([&a]));
        check(&format!("{a},{b}"), StatementsDigest::of([&a, &b]));
        for wrong in ["x", "progress", "digest:v1:", "digest:v1:12", ",", "v1:12"] {
            let read = wrong.parse::<StatementsDigest>();
            assert_eq!(read, Err(StatementsDigestError(wrong.to_owned())));
        }
    }
}
