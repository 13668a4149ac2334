//! A real package, small enough to be read by eye: one group, its literals in a zstd frame of one raw block.

use sealift_formats::cbor::{Writer, encode};
use sealift_formats::cose::digest_item;
use sealift_formats::manifest::Manifest;
use sealift_formats::patch::{FastParameters, GroupHead, SegmentListHead};

use crate::apply_support::writer::{Parts, Patch, Settings};
use crate::fixture::{self, Package, claims, oem, operator};

pub const OLD: &[u8] = b"firmware 1.0: hello, old world";
pub const NEW: &[u8] = b"firmware 1.1: hello, new world!";

/// A frame that needs no encoder, so that its bytes never depend on one.
pub fn raw_frame(content: &[u8], window_log: u8) -> Vec<u8> {
    let block = (content.len() as u32) << 3 | 1;
    [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, (window_log - 10) << 3][..], &block.to_le_bytes()[..3], content].concat()
}

pub fn parts(old: &[u8], new: &[u8]) -> Parts {
    let settings = Settings { chunk_log2: 8, group_log2: 8, window_log: 12 };
    let literal = raw_frame(new, settings.window_log);
    Parts {
        old: old.to_vec(),
        new: new.to_vec(),
        settings,
        parameters: FastParameters { window_log: settings.window_log, projection: None, exact: false, large: false }.to_bytes(),
        list_head: SegmentListHead { count: 0, raw_size: 0, packed_size: 0 },
        list: Vec::new(),
        groups: vec![(GroupHead { literal_packed: literal.len() as u64, residual_packed: 0 }, literal, Vec::new())],
        tail: Vec::new(),
    }
}

pub fn patch() -> Patch {
    parts(OLD, NEW).finish()
}

/// The manifest for a patch.
pub fn manifest_of(patch: &Patch) -> Manifest<'static> {
    let expected = patch.expected;
    Manifest { old: expected.old, new: expected.new, patch: expected.patch, apply: expected.apply, ..fixture::manifest() }
}

pub fn manifest() -> Manifest<'static> {
    manifest_of(&patch())
}

/// A package of this manifest with the good patch, by nobody yet.
pub fn of(manifest: &Manifest<'_>) -> Package {
    Package { payload: Some(patch().bytes), ..Package::of(manifest) }
}

/// Signed by the OEM, approved by the operator.
pub fn good() -> Package {
    signed(of(&manifest()))
}

pub fn signed(package: Package) -> Package {
    package.signed(&oem()).approved(&operator(), claims())
}

/// A package that no writer would put together.
pub struct Raw {
    pub digest_item: Vec<u8>,
    pub blocks: Vec<Vec<u8>>,
    pub manifest: Vec<u8>,
    pub text: Option<Vec<u8>>,
    pub payload: Option<Vec<u8>>,
}

impl From<Package> for Raw {
    fn from(package: Package) -> Self {
        let digest_item = digest_item(&package.digest()).to_vec();
        Raw { digest_item, blocks: package.blocks, manifest: package.manifest, text: package.text, payload: package.payload }
    }
}

impl Raw {
    pub fn wrapper(&self) -> Vec<u8> {
        encode(|writer| {
            writer.array(1 + self.blocks.len() as u64).bytes(&self.digest_item);
            self.blocks.iter().for_each(|block| {
                writer.bytes(block);
            });
        })
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_with(0, |_| {})
    }

    /// With further members, written between manifest and text.
    pub fn bytes_with(&self, members: u64, more: impl FnOnce(&mut Writer)) -> Vec<u8> {
        encode(|writer| {
            let count = 2 + members + u64::from(self.text.is_some()) + u64::from(self.payload.is_some());
            writer.tag(107).map(count).integer(2).bytes(&self.wrapper()).integer(3).bytes(&self.manifest);
            more(writer);
            if let Some(text) = &self.text {
                writer.integer(23).bytes(text);
            }
            if let Some(payload) = &self.payload {
                writer.text("#patch").bytes(payload);
            }
        })
    }
}

/// `bytes` with every `from` replaced by `to`, `times` times.
#[track_caller]
pub fn replaced(bytes: &[u8], from: &[u8], to: &[u8], times: usize) -> Vec<u8> {
    let (mut out, mut at, mut found) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(from) {
            out.extend(to);
            at += from.len();
            found += 1;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    assert_eq!(found, times, "{from:02x?}");
    out
}
