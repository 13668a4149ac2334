//! Patches are made once, and only those that install are used.

use std::fs;

use sha2::{Digest, Sha256};

use crate::support::{entries, fill, reference, shop};

#[test]
fn folders_threads_and_the_cache_change_no_byte() {
    let shop = shop(5, 4000);
    let expected = reference(&shop);
    assert!(!shop.exists("sealift-cache"), "--no-cache keeps nothing");
    // Nothing is there yet: what may only come from the cache is named.
    let said = shop.fails(1, ["pack", "release.toml", "-o", "dist", "--offline"]);
    assert!(said.contains("6 of 6 packages") && said.contains("lamp-9.0-from-3.0") && said.contains("is not in"), "{said}");
    assert!(!shop.exists("dist"));
    shop.ok(["pack", "release.toml", "-o", "dist", "--threads", "1"]);
    assert_eq!(entries(&shop, "sealift-cache").len(), 6);
    for threads in ["1", "2", "5"] {
        shop.ok(["pack", "release.toml", "-o", "again", "--offline", "--threads", threads]);
        assert_eq!(shop.tree("again"), expected, "all from the cache, {threads} threads");
    }
    assert_eq!(shop.tree("dist"), expected);
    // Another folder has the same images: they are known.
    fs::create_dir_all(shop.path("else/where")).unwrap();
    fill(&shop, "else/where/", 5, 4000);
    let cache = shop.path("sealift-cache").display().to_string();
    shop.ok(["pack", "else/where/release.toml", "-o", "else/dist", "--offline", "--cache", &cache]);
    assert_eq!(shop.tree("else/dist"), expected);
    // One image more is one patch more.
    fill(&shop, "else/where/", 5, 4001);
    assert!(shop.fails(1, ["pack", "else/where/release.toml", "-o", "else/dist", "--offline", "--cache", &cache]).contains("6 of 6"));
    let text = String::from_utf8(shop.read("release.toml")).unwrap();
    shop.write("more.toml", text.clone() + "\n[[old]]\nversion = \"8.8\"\npath = \"else/where/old-1.bin\"\n");
    let said = shop.fails(1, ["pack", "more.toml", "-o", "more", "--offline"]);
    assert!(said.contains("1 of 7 packages could not be made (lamp-9.0-from-8.8)"), "{said}");
    // Other options are other patches.
    shop.write("other.toml", text + "\n[delta]\nchunk = 4096\n");
    assert!(shop.fails(1, ["pack", "other.toml", "-o", "other", "--offline"]).contains("6 of 6"));
}

/// An entry of this name around a patch: as a store would serve it that has an enemy.
fn forged(name: &str, patch: &[u8]) -> Vec<u8> {
    let key = sealift::hex::decode::<32>(name).unwrap();
    let mut bytes = b"sealift cache 2\n".to_vec();
    bytes.extend_from_slice(&key);
    bytes.extend_from_slice(&Sha256::new().chain_update(key).chain_update([2, 0, 0, 0]).chain_update(b"{}").chain_update(patch).finalize());
    // A code that is right for nothing, and findings of two bytes.
    bytes.extend_from_slice(&[0x5a; 32]);
    bytes.extend_from_slice(b"\x02\0\0\0{}");
    bytes.extend_from_slice(patch);
    bytes
}

/// What lies before the patch in an entry: magic, key, digest and code, the findings with their length.
fn head(entry: &[u8]) -> usize {
    116 + u32::from_le_bytes(entry[112..116].try_into().unwrap()) as usize
}

#[test]
fn entries_of_others_are_looked_through_and_then_ones_own() {
    let shop = shop(2, 4000);
    let expected = reference(&shop);
    let pack = |secret: &str| {
        let output = shop.command(["pack", "release.toml", "-o", "dist"]).env("SEALIFT_CACHE_SECRET", secret).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(shop.tree("dist"), expected);
        (String::from_utf8(output.stderr).unwrap(), entries(&shop, "sealift-cache").iter().map(|entry| fs::read(entry).unwrap()).collect::<Vec<_>>())
    };
    let (_, theirs) = pack("a secret of another shop");
    let (said, ours) = pack("a secret of this shop, which is longer");
    assert!(said.is_empty(), "{said}");
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert_eq!((&theirs[..80], &theirs[112..]), (&ours[..80], &ours[112..]), "the same patch and findings");
        assert_ne!(theirs[80..112], ours[80..112], "under another code");
    }
    // What cannot be a secret is said, and nothing is believed or made one's own.
    let (said, same) = pack("short");
    assert!(said.contains("SEALIFT_CACHE_SECRET has 5 bytes") && said.contains("installed again"), "{said}");
    assert_eq!(same, ours);
    // Without the variable the secret is the user's own file, for nobody else to read.
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(shop.path("state/sealift/cache-secret")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_store_is_not_trusted() {
    let shop = shop(3, 4000);
    let expected = reference(&shop);
    shop.ok(["pack", "release.toml", "-o", "dist"]);
    let entries = entries(&shop, "sealift-cache");
    let whole: Vec<_> = entries.iter().map(|entry| fs::read(entry).unwrap()).collect();
    let patch = |entry: usize| whole[entry][head(&whole[entry])..].to_vec();
    let name = |entry: usize| entries[entry].file_name().unwrap().to_str().unwrap().to_owned();
    let mut changed = patch(0);
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let evil = [
        ("flipped", {
            let mut bytes = whole[0].clone();
            bytes[200] ^= 4;
            bytes
        }),
        ("cut short", whole[0][..whole[0].len() - 1].to_vec()),
        ("empty", Vec::new()),
        ("of another entry", whole[1].clone()),
        ("another patch, sealed well", forged(&name(0), &patch(1))),
        ("a patch that does not install, sealed well", forged(&name(0), &changed)),
        ("far too long", vec![0; 3 << 20]),
    ];
    for (what, bytes) in evil {
        fs::write(&entries[0], bytes).unwrap();
        let output = shop.run(["pack", "release.toml", "-o", "dist"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.contains("is damaged and is not used"), "{what}: {said}");
        assert_eq!(shop.tree("dist"), expected, "{what}");
        assert_eq!(fs::read(&entries[0]).unwrap(), whole[0], "{what}: the entry is made anew");
    }
}

#[test]
fn writers_at_the_same_time_do_each_other_no_harm() {
    let shop = shop(6, 4000);
    let expected = reference(&shop);
    let runs: Vec<_> = (0..4)
        .map(|number| {
            let dist = format!("dist-{number}");
            (shop.command(["pack", "release.toml", "-o", &dist, "--cache", "shared"]).stdout(std::process::Stdio::null()).spawn().unwrap(), dist)
        })
        .collect();
    for (mut run, dist) in runs {
        assert!(run.wait().unwrap().success());
        assert_eq!(shop.tree(&dist), expected);
    }
    assert_eq!(entries(&shop, "shared").len(), 7, "entries, and nothing beside them");
    shop.ok(["pack", "release.toml", "-o", "dist", "--cache", "shared", "--offline"]);
    assert_eq!(shop.tree("dist"), expected);
}

#[test]
fn two_do_not_make_one_release_at_once() {
    let shop = shop(2, 4000);
    let held = sealift::output::PendingFolder::new(&shop.path("dist")).unwrap();
    let said = shop.fails(1, ["pack", "release.toml", "-o", "dist"]);
    assert!(said.contains("is being made by another process") && said.contains("hint: wait"), "{said}");
    drop(held);
    shop.ok(["pack", "release.toml", "-o", "dist"]);
}
