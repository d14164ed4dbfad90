//! A cheap look at many databases: which of them are in one state.

use sha2::{Digest as _, Sha256};

use crate::revision::{Observed, RevisionId, State};

/// The digest of a state. Databases with the same digest are in the same state, apart from times and
/// actors, and partially applied revisions.
pub type StateDigest = [u8; 32];

/// What a look at a database tells. It changes nothing and takes no lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Glance {
    /// The database, or its schema, does not exist.
    Missing,
    /// The state.
    State {
        /// The digest.
        digest: StateDigest,
        /// The rows, unless the digest was known. They are of the same snapshot.
        observed: Option<Observed>,
    },
    /// Only a session can tell: a table is not one that migrator has made and nobody has changed, a
    /// revision is partially applied, or the database is busy.
    Doubtful,
}

/// Whether a digest is known, so that the rows need not be read.
pub type Known<'a> = &'a (dyn Fn(&StateDigest) -> bool + Sync);

/// The digest of rows that were read. `None` if a revision is partially applied: such states are told
/// apart by more than their rows.
pub fn state_digest(observed: &Observed) -> Option<StateDigest> {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    let ids = |ids: &[RevisionId]| {
        ids.iter()
            .map(RevisionId::as_str)
            .collect::<Vec<_>>()
            .join(",")
    };
    part("rows");
    part(&format!("{:?}", observed.layout));
    for row in &observed.applied {
        if row.state != State::Applied {
            return None;
        }
        part(&row.sequence.to_string());
        part(row.revision.as_str());
        part(&row.message);
        part(&ids(&row.parents));
        part(&ids(&row.depends_on));
        part(&row.up_checksum.to_string());
        part(
            &row.down_checksum
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        );
    }
    part("repeatables");
    for row in &observed.repeatables {
        part(&row.sequence.to_string());
        part(row.id.as_str());
        part(&row.message);
        part(&ids(&row.upon));
        part(&row.checksum.to_string());
    }
    Some(hash.finalize().into())
}
