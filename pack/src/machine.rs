//! What the machine has.

use std::fs;
use std::path::Path;

/// Bytes of memory that this process may use: what the machine has, or its control group allows. `None`: nobody says.
#[must_use]
pub fn memory() -> Option<u64> {
    memory_below(Path::new("/"))
}

fn memory_below(root: &Path) -> Option<u64> {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    let machine = read("proc/meminfo").and_then(|text| total(&text));
    let groups = read("proc/self/cgroup").unwrap_or_default();
    let limits = groups.lines().flat_map(|line| limits(root, line));
    machine.into_iter().chain(limits).min()
}

/// `MemTotal` of `/proc/meminfo`.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The limits of a group and of those around it, from a line of `/proc/self/cgroup`: version 2, or the memory controller of version 1.
fn limits(root: &Path, line: &str) -> Vec<u64> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { return Vec::new() };
    let (base, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        _ if controllers.split(',').any(|name| name == "memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return Vec::new(),
    };
    let group = Path::new(path.trim_start_matches('/'));
    // "max" is no number.
    let limit = |group: &Path| fs::read_to_string(root.join(base).join(group).join(file)).ok()?.trim().parse().ok();
    group.ancestors().filter_map(limit).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{memory, memory_below};

    #[test]
    fn this_machine_has_some() {
        assert!(memory().is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn the_least_limit_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(memory_below(root.path()), None);
        write("proc/meminfo", "MemTotal:       24683928 kB\nMemFree: 1 kB\n");
        assert_eq!(memory_below(root.path()), Some(24_683_928 << 10));
        write("proc/self/cgroup", "0::/jobs/seven\n");
        write("sys/fs/cgroup/jobs/seven/memory.max", "max\n");
        assert_eq!(memory_below(root.path()), Some(24_683_928 << 10));
        write("sys/fs/cgroup/jobs/memory.max", "1073741824\n");
        assert_eq!(memory_below(root.path()), Some(1 << 30));
        write("proc/self/cgroup", "5:cpu:/x\n3:memory:/slurm/job\n");
        write("sys/fs/cgroup/memory/slurm/job/memory.limit_in_bytes", "536870912\n");
        assert_eq!(memory_below(root.path()), Some(512 << 20));
    }
}
