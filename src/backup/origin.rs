use std::{io::Read, path::Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{database::Location, files};

/// The identity of a backed-up database. A path or name alone is not enough, since other machines
/// may have the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The address of the database without a user, equal for all spellings.
    pub address: String,
    /// Whether the address means another database on another machine.
    pub local: bool,
    /// The name of the machine that created the backup.
    pub host: String,
    /// A fingerprint of that machine's ID, if it has one.
    #[serde(default)]
    pub machine: Option<String>,
    /// PostgreSQL's system identifier, if the role may see it.
    #[serde(default)]
    pub cluster: Option<String>,
}

impl Origin {
    /// The identity of a database as seen from this machine.
    pub fn of(location: &Location, cluster: Option<String>) -> Self {
        Self {
            address: location.address(),
            local: location.is_local(),
            host: host(),
            machine: machine(),
            cluster,
        }
    }

    /// Whether both identities were recorded on the same machine.
    pub fn is_same_machine(&self, other: &Self) -> bool {
        self.host == other.host && self.machine == other.machine
    }

    /// Whether the identity was recorded on this machine.
    pub fn is_of_this_machine(&self) -> bool {
        self.host == host() && self.machine == machine()
    }

    /// Whether both identities are proven to mean the same database.
    pub fn is_same_database(&self, other: &Self) -> bool {
        // From another machine, a network name may lead to another server, unless the server has
        // identified itself.
        let needs_machine = self.local || self.cluster.is_none();
        self.address == other.address
            && self.local == other.local
            && self.cluster == other.cluster
            && (!needs_machine || self.is_same_machine(other))
    }
}

fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// The files in which systems keep a machine ID.
const IDS: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// A fingerprint of the machine ID, which itself is confidential.
fn machine() -> Option<String> {
    IDS.iter().find_map(|path| {
        let mut id = String::new();
        files::open(Path::new(path))
            .ok()?
            .take(1024)
            .read_to_string(&mut id)
            .ok()?;
        let id = id.trim();
        let mut digits = format!("{:x}", Sha256::digest(format!("migrator backup {id}")));
        digits.truncate(16);
        (!id.is_empty()).then_some(digits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str, local: bool, host: &str, cluster: Option<&str>) -> Origin {
        Origin {
            address: address.to_owned(),
            local,
            host: host.to_owned(),
            machine: None,
            cluster: cluster.map(str::to_owned),
        }
    }

    #[test]
    fn databases_are_told_apart_by_more_than_their_path() {
        let check = |one: &Origin, other: &Origin, expected: bool| {
            assert_eq!(one.is_same_database(other), expected, "{one:?} {other:?}");
            assert_eq!(other.is_same_database(one), expected, "{one:?} {other:?}");
        };
        let file = |host| origin("sqlite:/srv/app.db", true, host, None);
        check(&file("a"), &file("a"), true);
        check(&file("a"), &file("b"), false);
        let other_id = Origin {
            machine: Some("0123".to_owned()),
            ..file("a")
        };
        check(&file("a"), &other_id, false);
        check(
            &file("a"),
            &origin("sqlite:/srv/b.db", true, "a", None),
            false,
        );

        let here = |host, cluster| origin("postgres://:5432/app", true, host, cluster);
        check(&here("a", Some("7")), &here("a", Some("7")), true);
        // A copy of the server's files has the same identifier.
        check(&here("a", Some("7")), &here("b", Some("7")), false);
        check(&here("a", Some("7")), &here("a", Some("8")), false);

        let far = |host, cluster| origin("postgres://db:5432/app", false, host, cluster);
        check(&far("a", Some("7")), &far("b", Some("7")), true);
        check(&far("a", Some("7")), &far("a", None), false);
        check(&far("a", None), &far("a", None), true);
        check(&far("a", None), &far("b", None), false);
    }

    #[test]
    fn a_machine_is_the_same_each_time() {
        let location = Location::Sqlite("/app.db".into());
        let (one, other) = (Origin::of(&location, None), Origin::of(&location, None));
        assert_eq!(one, other);
        assert!(one.local && one.is_same_database(&other) && one.is_of_this_machine());
        if let Some(machine) = one.machine {
            assert_eq!(machine.len(), 16);
        }
    }
}
