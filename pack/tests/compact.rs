//! Profile `compact`: generator and applier meet here, on our own firmware and on odd images. `compact_damage.rs` has damaged patches,
//! `delta/tests/compact.rs` threads and maps.

use std::path::Path;

use sealift::install;
use sealift_delta::{Choice, InstructionSet, Options, Patch, Profile, RamClass, generate};
use sealift_verify::applier::Expectation;
use sealift_verify::storage::WriteImage;

const V1_0: &[u8] = include_bytes!("../../testdata/images/app-1.0.bin");
const V1_1: &[u8] = include_bytes!("../../testdata/images/app-1.1.bin");
const V2_0: &[u8] = include_bytes!("../../testdata/images/app-2.0.bin");

const CLASSES: [u64; 6] = [8 << 10, 16 << 10, 32 << 10, 64 << 10, 256 << 10, 4 << 20];

fn options(ram: u64) -> Options {
    Options { profile: Profile::Compact, ram: RamClass::fitting(ram), ..Options::default() }
}

fn made(old: &[u8], new: &[u8], options: &Options) -> Patch {
    generate(old, new, options).expect("any two images have a patch")
}

/// A slot in memory that refuses a byte too many.
#[derive(Default)]
struct Slot {
    bytes: Vec<u8>,
    size: u64,
}

impl WriteImage for &mut Slot {
    type Error = std::io::Error;

    fn capacity(&self) -> u64 {
        1 << 30
    }

    fn begin(&mut self, size: u64) -> Result<(), Self::Error> {
        self.size = size;
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Self::Error> {
        assert_eq!(offset, self.bytes.len() as u64, "writes are in order");
        assert!(offset + bytes.len() as u64 <= self.size, "nothing is written beyond the new image");
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn apply(old: &[u8], patch: &[u8]) -> Result<Vec<u8>, String> {
    let mut slot = Slot::default();
    let old = Old(old);
    install::apply(old, &mut slot, patch, Expectation::Unsigned, &mut |_| {}).map_err(|error| error.to_string())?;
    Ok(slot.bytes)
}

/// The old image in memory, with an error type that hosts can report.
struct Old<'a>(&'a [u8]);

impl sealift_verify::storage::ReadImage for Old<'_> {
    type Error = std::io::Error;

    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let start = usize::try_from(offset).expect("small");
        let source = self.0.get(start..start + bytes.len()).ok_or_else(|| std::io::Error::other("the applier read outside the old image"))?;
        bytes.copy_from_slice(source);
        Ok(())
    }
}

#[test]
fn our_own_firmware_in_every_ram_class() {
    for (old, new, most) in [(V1_0, V1_1, 800), (V1_0, V2_0, 8_500), (V1_1, V2_0, 8_500), (V2_0, V1_0, 6_000)] {
        for ram in CLASSES {
            let patch = made(old, new, &options(ram));
            assert_eq!(patch.summary.instruction_set, InstructionSet::Thumb, "a vector table is recognised");
            assert!(patch.bytes.len() < most, "{} bytes at {ram} bytes of RAM", patch.bytes.len());
            assert!(apply(old, &patch.bytes).expect("a good patch") == new);
        }
    }
}

#[test]
fn odd_images() {
    let noise: Vec<u8> = (0..30_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    let erased = vec![0xFF; 20_000];
    let images: [&[u8]; 6] = [&[], &[7], &noise, &erased, V1_0, b"text, and no code at all; text, and no code at all"];
    for old in images {
        for new in images {
            for choice in [Choice::Auto, Choice::Given(InstructionSet::AArch64), Choice::Given(InstructionSet::X86_64)] {
                let patch = made(old, new, &Options { instruction_set: choice, ..options(64 << 10) }).bytes;
                assert!(apply(old, &patch).expect("a good patch") == new, "{} -> {} bytes", old.len(), new.len());
                assert!(patch.len() <= new.len() + new.len() / 50 + 64, "{} -> {} bytes: {}", old.len(), new.len(), patch.len());
                if old == new {
                    assert!(patch.len() <= 64, "the same image: {} bytes", patch.len());
                }
            }
        }
    }
}

#[test]
fn real_pairs_round_trip() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/corpus");
    let mut pairs = 0;
    for name in ["pybricks-cityhub-b4-b5", "moondancer-023-024", "espboot-esp32-42-45", "makecode-v1-706-8110"] {
        let (Ok(old), Ok(new)) = (std::fs::read(corpus.join(name).join("old.bin")), std::fs::read(corpus.join(name).join("new.bin"))) else {
            eprintln!("SKIPPED {name}: get it with `cargo run -p sealift-testdata -- fetch {name}`");
            continue;
        };
        for ram in [16 << 10, 256 << 10] {
            let patch = made(&old, &new, &options(ram)).bytes;
            assert!(apply(&old, &patch).expect("a good patch") == new);
        }
        pairs += 1;
    }
    eprintln!("{pairs} real pairs");
}
