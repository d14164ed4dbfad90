use std::path::PathBuf;

use super::RehearseError;
use crate::files::{self, Space};

/// The room that a copy takes somewhere.
pub(super) struct Need {
    /// A directory.
    pub place: PathBuf,
    /// The bytes.
    pub bytes: u64,
}

/// Fails if a file system cannot take what is needed of it and keep a tenth of that free. One that does
/// not tell how much is free is not judged.
///
/// # Errors
/// [`RehearseError::NoSpace`]
pub(super) fn check(needs: &[Need]) -> Result<(), RehearseError> {
    let found = needs
        .iter()
        .filter_map(|need| Some((need, files::space(&need.place)?)));
    judged(&found.collect::<Vec<_>>())
}

fn judged(needs: &[(&Need, Space)]) -> Result<(), RehearseError> {
    for (need, space) in needs {
        let there = needs
            .iter()
            .filter(|(_, other)| other.device == space.device);
        let bytes: u64 = there.map(|(other, _)| other.bytes).sum();
        let needed = bytes.saturating_add(bytes / 10);
        if needed > space.free {
            return Err(RehearseError::NoSpace {
                place: need.place.clone(),
                needed,
                free: space.free,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_file_system_takes_is_added_up() {
        let check = |needs: [(u64, u64, u64); 2], fits: bool| {
            let places = needs.map(|(bytes, ..)| Need {
                place: PathBuf::from("/copy"),
                bytes,
            });
            let spaces = needs.map(|(_, device, free)| Space { device, free });
            let needs: Vec<_> = places.iter().zip(spaces).collect();
            assert_eq!(judged(&needs).is_ok(), fits, "{spaces:?}");
        };
        check([(100, 1, 110), (100, 2, 110)], true);
        check([(100, 1, 110), (100, 2, 109)], false);
        check([(100, 1, 110), (100, 1, 110)], false);
        check([(100, 1, 220), (100, 1, 220)], true);
    }

    #[test]
    fn the_temporary_directory_has_room_for_nothing() {
        let place = std::env::temp_dir();
        assert!(check(&[Need { place, bytes: 0 }]).is_ok());
    }
}
