/// The `user@host` of this process, for the records.
pub fn actor() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(variable)
        .or_else(|| whoami::username().ok())
        .or_else(uid)
        .unwrap_or_else(|| "unknown".to_owned());
    let host = gethostname::gethostname();
    format!("{user}@{}", host.to_string_lossy())
}

/// Containers may run as a user that has only a number.
#[cfg(target_os = "linux")]
fn uid() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let process = std::fs::metadata("/proc/self").ok()?;
    Some(format!("uid {}", process.uid()))
}

#[cfg(not(target_os = "linux"))]
fn uid() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_has_a_number_for_its_user() {
        let number = uid().and_then(|uid| uid.strip_prefix("uid ")?.parse::<u32>().ok());
        assert!(number.is_some());
    }
}
