//! Large images (SPEC section 3.5), tried on small ones: the naive applier of the test data makes the new image of every patch.

use sealift_delta::{ImageFile, Options, generate, generate_files};
use sealift_testdata::oracle;
use sealift_testdata::synthetic::elf::{BLOCK, executable, file_system, noise, roots};

fn options() -> Options {
    Options { large_from: 0, ..Options::default() }
}

/// The patch, found right.
fn patch(old: &[u8], new: &[u8], options: &Options) -> sealift_delta::Patch {
    let patch = generate(old, new, options).unwrap();
    assert!(oracle::apply(old, &patch.bytes).as_deref() == Ok(new), "{:?}", oracle::apply(old, &patch.bytes).map(|image| image.len()));
    patch
}

#[test]
fn a_file_system_whose_files_moved() {
    let [old, new] = roots();
    let made = patch(&old, &new, &options());
    let plain = patch(&old, &new, &Options { large_from: u64::MAX, ..options() });
    // The new file is noise, three blocks of it; what moved and what refers to it costs little.
    assert!(made.bytes.len() < 3 * BLOCK + 4_000, "{} bytes, {:?}", made.bytes.len(), made.statistics);
    assert!(made.bytes.len() < plain.bytes.len(), "{} bytes, and {} without", made.bytes.len(), plain.bytes.len());
}

#[test]
fn references_of_executables_are_projected_in_their_own_addresses() {
    let [old, new] = [1, 2].map(|revision| executable(5, revision, 1200));
    let [old, new] = [file_system(300, &[(7, &old)]), file_system(300, &[(11, &new)])];
    let made = patch(&old, &new, &options());
    // Some 6,000 calls and 1,200 pointers changed.
    // In an image that starts with no header, nothing is known of addresses.
    let plain = patch(&old, &new, &Options { large_from: u64::MAX, ..options() });
    assert!(
        made.statistics.missed * 3 < plain.statistics.missed && made.bytes.len() * 2 < plain.bytes.len(),
        "{:?}, and plain {:?}",
        made.statistics,
        plain.statistics
    );
}

#[test]
fn odd_images() {
    let noise = noise(4, 5 * BLOCK + 77);
    let shifted = [&[1, 2, 3], noise.as_slice()].concat();
    let zeros = vec![0; 9 * BLOCK];
    let images = [vec![7], noise[..BLOCK].to_vec(), noise[..BLOCK + 1].to_vec(), noise.clone(), shifted, zeros, [noise.as_slice(), &noise].concat(), vec![]];
    for old in &images {
        for new in &images {
            let size = patch(old, new, &options()).bytes.len();
            assert!(size <= new.len() + new.len() / 100 + 80, "{} -> {}: {size}", old.len(), new.len());
        }
    }
}

#[test]
fn headers_that_lie_do_no_harm() {
    let [good, new] = [1, 2].map(|revision| executable(5, revision, 300));
    for (at, value) in (16..200).step_by(7).flat_map(|at| [(at, 0xFF), (at, 0x80), (at, 0)]) {
        let mut old = good.clone();
        old[at] = value;
        old[at + 1] = value;
        let (old, new) = (file_system(100, &[(1, &old)]), file_system(100, &[(2, &new)]));
        let made = generate(&old, &new, &Options { level: 1, ..options() }).unwrap();
        assert!(oracle::apply(&old, &made.bytes).as_deref() == Ok(&new), "byte {at} set to {value}");
    }
}

#[test]
fn neither_threads_nor_maps_change_a_byte() {
    let [old, new] = roots();
    let made = generate(&old, &new, &Options { threads: Some(1), ..options() }).unwrap().bytes;
    assert!(made == generate(&old, &new, &Options { threads: Some(2), ..options() }).unwrap().bytes);
    let folder = tempfile::tempdir().unwrap();
    let files = [("old", &old), ("new", &new)].map(|(name, image)| {
        std::fs::write(folder.path().join(name), image).unwrap();
        ImageFile::open(folder.path().join(name)).unwrap()
    });
    assert!(made == generate_files(&files[0], &files[1], &options()).unwrap().bytes);
}

#[test]
fn images_beyond_four_gibibytes() {
    use std::io::{Seek, SeekFrom, Write};
    const OLD_SIZE: u64 = 64 << 20;
    const SIZE: u64 = (1 << 32) + (32 << 20);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, size: u64, parts: &[(u64, &[u8])]| {
        let mut file = std::fs::File::create(folder.path().join(name)).unwrap();
        file.set_len(size).unwrap();
        for (at, bytes) in parts {
            file.seek(SeekFrom::Start(*at)).unwrap();
            file.write_all(bytes).unwrap();
        }
        ImageFile::open(folder.path().join(name)).unwrap()
    };
    let [first, second] = [1, 2].map(|revision| executable(6, revision, 900));
    let kept = noise(8, 40 * BLOCK);
    let old = write("old", OLD_SIZE, &[(5 << 12, &kept), (48 << 20, &first)]);
    let new = write("new", SIZE, &[(1 << 32, &kept), ((1 << 32) + (1 << 20), &second)]);
    let made = generate_files(&old, &new, &Options { level: 3, ..Options::default() }).unwrap();
    let statistics = made.statistics;
    assert_eq!((made.summary.old_size, made.summary.new_size), (OLD_SIZE, SIZE));
    assert!(statistics.missed < 2_000 && statistics.literals < 20_000 && made.bytes.len() < 30_000, "{} bytes, {statistics:?}", made.bytes.len());
}

/// `SEALIFT_WRITE_VECTORS=1` writes the files anew: a change of the patch is a change of the format.
#[test]
fn the_vector_is_made_as_it_is() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors/large");
    let [first, second] = [1, 2].map(|revision| executable(7, revision, 500));
    let [old, new] = [file_system(26, &[(1, &first)]), file_system(28, &[(3, &second)])];
    let made = patch(&old, &new, &Options { group_log2: Some(13), ..options() }).bytes;
    for (name, bytes) in [("old.bin", &old), ("new.bin", &new), ("moved.patch", &made)] {
        if std::env::var_os("SEALIFT_WRITE_VECTORS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        assert!(std::fs::read(folder.join(name)).unwrap() == *bytes, "{name} is another one");
    }
}
