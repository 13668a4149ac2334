//! Releases with many old images.

use std::fmt::Write as _;

use crate::common::Workshop;

/// Everything below `dist`.
pub type Tree = Vec<(String, Vec<u8>)>;

/// A workshop with a release from `olds` old images of about `size` bytes, not made yet.
pub fn shop(olds: u32, size: usize) -> Workshop {
    let shop = Workshop::new();
    shop.keys();
    fill(&shop, "", olds, size);
    shop
}

/// Writes the images and the release file of [`shop`] into a folder of the workshop, whose name ends with a slash.
pub fn fill(shop: &Workshop, folder: &str, olds: u32, size: usize) {
    let mut text = String::from(
        "[release]\nproduct = \"lamp\"\nversion = \"9.0\"\nsequence = 20\ncomponent = \"app\"\nvendor = \"example.com\"\nclass = \"lamp-mk2\"\nnew = \"new.bin\"\n",
    );
    for version in 0..olds {
        shop.write(&format!("{folder}old-{version}.bin"), image(version, size));
        write!(text, "\n[[old]]\nversion = \"{version}.0\"\npath = \"old-{version}.bin\"\n").unwrap();
    }
    shop.write(&format!("{folder}new.bin"), image(olds, size));
    text.push_str("\n[signing]\nkey = \"oem.key.pem\"\n");
    if !folder.is_empty() {
        shop.write(&format!("{folder}oem.key.pem"), shop.read("oem.key.pem"));
    }
    shop.write(&format!("{folder}release.toml"), text);
}

/// An image: bytes like code's, some of them other ones in each version, and a part that no version has in common.
pub fn image(version: u32, size: usize) -> Vec<u8> {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut bytes: Vec<u8> = (0..size).map(|_| (random.next() >> 40) as u8 & 0x1f).collect();
    let mut random = Random(u64::from(version) + 1);
    for _ in 0..size / 400 + 1 {
        let at = random.below(size as u64) as usize;
        bytes[at] ^= 0x40 | version as u8;
    }
    let own: Vec<u8> = (0..200).map(|_| random.next() as u8).collect();
    bytes.splice(size / 2..size / 2, own);
    bytes
}

/// Splitmix64: the same numbers each time.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// The release, made on one machine without a cache.
pub fn reference(shop: &Workshop) -> Tree {
    shop.ok(["pack", "release.toml", "-o", "reference", "--no-cache"]);
    shop.tree("reference")
}

/// Every entry of a cache in a folder of the workshop.
pub fn entries(shop: &Workshop, cache: &str) -> Vec<std::path::PathBuf> {
    let mut entries = Vec::new();
    for folder in std::fs::read_dir(shop.path(cache).join("patches")).into_iter().flatten() {
        entries.extend(std::fs::read_dir(folder.unwrap().path()).unwrap().map(|entry| entry.unwrap().path()));
    }
    entries.sort();
    entries
}
