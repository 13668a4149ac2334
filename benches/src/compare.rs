//! Whether two files are the same, in little memory.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Whether both files hold the same bytes.
pub(crate) fn same(left: &Path, right: &Path) -> Result<bool> {
    let open = |path: &Path| File::open(path).map(BufReader::new).with_context(|| format!("cannot read {}", path.display()));
    let (mut left, mut right) = (open(left)?, open(right)?);
    loop {
        let (ours, theirs) = (left.fill_buf()?, right.fill_buf()?);
        if ours.is_empty() || theirs.is_empty() {
            return Ok(ours.is_empty() && theirs.is_empty());
        }
        let length = ours.len().min(theirs.len());
        if ours[..length] != theirs[..length] {
            return Ok(false);
        }
        left.consume(length);
        right.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn files_of_the_same_bytes_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let long = vec![7; 100_000];
        let (a, b, shorter) = (file("a", &long), file("b", &long), file("c", &long[1..]));
        let mut other = long.clone();
        other[99_999] = 8;
        assert!(same(&a, &b).unwrap() && !same(&a, &shorter).unwrap() && !same(&shorter, &a).unwrap());
        assert!(!same(&a, &file("d", &other)).unwrap() && !same(&a, &file("e", &[])).unwrap());
    }
}
