//! Damaged `compact` streams that get past the gate, as from a maker whose key was stolen or whose generator is broken: each ends in an error, or in the one
//! right image. Never in a panic, a hang, a read outside the old image or a write beyond the new one's size.

use sealift::install;
use sealift_delta::{Choice, InstructionSet, Options, Profile, RamClass, generate};
use sealift_formats::patch::{Header, Parsed, chain};
use sealift_verify::applier::Expectation;
use sealift_verify::storage::{ReadImage, WriteImage};
use sha2::{Digest, Sha256};

const V1_0: &[u8] = include_bytes!("../../testdata/images/app-1.0.bin");
const V2_0: &[u8] = include_bytes!("../../testdata/images/app-2.0.bin");

/// A slot as large as the new image, which stops the test when anything else is written.
struct Slot {
    bytes: Vec<u8>,
    size: u64,
}

impl WriteImage for &mut Slot {
    type Error = std::io::Error;

    fn capacity(&self) -> u64 {
        self.size
    }

    fn begin(&mut self, size: u64) -> Result<(), Self::Error> {
        assert!(size <= self.size, "an image of {size} bytes in a slot of {}", self.size);
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Self::Error> {
        assert_eq!(offset, self.bytes.len() as u64, "writes are in order");
        assert!(offset + bytes.len() as u64 <= self.size, "a write beyond the new image");
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct Old<'a>(&'a [u8]);

impl ReadImage for Old<'_> {
    type Error = std::io::Error;

    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let start = usize::try_from(offset).unwrap();
        bytes.copy_from_slice(self.0.get(start..start + bytes.len()).expect("a read outside the old image"));
        Ok(())
    }
}

/// A pair of images and the body of a patch between them.
struct Case {
    old: &'static [u8],
    new: &'static [u8],
    body: Vec<u8>,
    chunk_log2: u8,
    header_length: usize,
}

impl Case {
    fn new(set: Choice, ram: u64) -> Self {
        // Small, so that thousands can be tried: the vector table, code and literal pools are there.
        let (old, new) = (&V1_0[..2000], &V2_0[..2100]);
        let options = Options { profile: Profile::Compact, ram: RamClass::fitting(ram), instruction_set: set, chunk_log2: Some(0), ..Options::default() };
        let body = generate(old, new, &options).unwrap().bytes;
        let Ok(Parsed::Complete { length, .. }) = Header::parse(&body) else { panic!("a good header") };
        assert!(body.len() > 100 && length < 60, "{} bytes", body.len());
        Self { old, new, body, chunk_log2: 0, header_length: length }
    }

    /// Whether the body gives an image, which is then the right one.
    fn accepts(&self, body: &[u8]) -> bool {
        let Ok(patch) = chain(body, self.chunk_log2, |chunk| Sha256::digest(chunk).into()) else { return false };
        let mut slot = Slot { bytes: Vec::new(), size: self.new.len() as u64 };
        let applied = install::apply(Old(self.old), &mut slot, &patch, Expectation::Unsigned, &mut |_| {}).is_ok();
        assert!(!applied || slot.bytes == self.new, "another image was accepted");
        applied
    }
}

/// Numbers that are the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

/// Changes a body in one to four places: most often in the payload, since faults of the header are found at once.
fn mutate(case: &Case, numbers: &mut Numbers) -> Vec<u8> {
    let mut body = case.body.clone();
    for _ in 0..=numbers.below(4) {
        let from = if numbers.below(8) == 0 { 0 } else { case.header_length };
        let at = from + numbers.below(body.len().saturating_sub(from));
        match numbers.below(8) {
            0 => body[at] ^= 1 << numbers.below(8),
            1 => body[at] = numbers.byte(),
            2 => body[at] = [0x00, 0xFF, 0x7F, 0x80][numbers.below(4)],
            3 => {
                let end = (at + 1 + numbers.below(16)).min(body.len());
                body[at..end].iter_mut().for_each(|byte| *byte = numbers.byte());
            }
            // These keep the size, which the header states.
            4 => body[at..].rotate_left(1),
            5 => {
                let other = from + numbers.below(body.len() - from);
                body.swap(at, other);
            }
            6 => {
                let fill = numbers.byte();
                body[at..].fill(fill);
            }
            _ => {
                let end = (at + numbers.below(8)).min(body.len());
                body.drain(at..end);
            }
        }
    }
    body
}

/// Tries so many mutations; how many were refused.
fn try_many(case: &Case, seed: u64, count: usize) -> usize {
    assert!(case.accepts(&case.body), "the patch is good before it is damaged");
    let mut numbers = Numbers(seed);
    (0..count).filter(|_| !case.accepts(&mutate(case, &mut numbers))).count()
}

#[test]
fn every_byte_damaged() {
    for (set, ram) in [(Choice::Auto, 8 << 10), (Choice::Given(InstructionSet::AArch64), 64 << 10)] {
        let case = Case::new(set, ram);
        let mut refused = 0;
        for at in 0..case.body.len() {
            for mask in [0x01, 0x10, 0x80, 0xFF] {
                let mut body = case.body.clone();
                body[at] ^= mask;
                refused += usize::from(!case.accepts(&body));
            }
        }
        // Another spelling of the same (a larger RAM class whose model codes the same, a chunk size for one chunk) may be accepted.
        assert!(refused > case.body.len() * 4 - 40, "{refused} of {}", case.body.len() * 4);
        for length in 0..case.body.len() {
            assert!(!case.accepts(&case.body[..length]), "cut at {length}");
        }
    }
}

#[test]
fn six_thousand_mutations_for_a_small_microcontroller() {
    let refused = try_many(&Case::new(Choice::Auto, 8 << 10), 1, 6000);
    assert!(refused > 5500, "{refused}");
}

#[test]
fn two_thousand_mutations_in_chunks() {
    let mut case = Case::new(Choice::Auto, 16 << 10);
    case.body[5] = 8;
    case.chunk_log2 = 8;
    assert!(case.body.len() > 300, "several chunks");
    let refused = try_many(&case, 2, 2000);
    assert!(refused > 1800, "{refused}");
}

#[test]
fn two_thousand_mutations_with_every_instruction_set() {
    use InstructionSet as Set;
    for (seed, set) in (10..).zip([Set::None, Set::AArch64, Set::RiscV32, Set::RiscV64, Set::Xtensa, Set::Arm, Set::X86_64, Set::PowerPc]) {
        let refused = try_many(&Case::new(Choice::Given(set), 32 << 10), seed, 250);
        assert!(refused > 220, "{set:?}: {refused}");
    }
}

/// The header says that there is type information, and there is none: whatever the stream then says about types is nonsense.
#[test]
fn nonsense_in_place_of_type_information() {
    let mut case = Case::new(Choice::Given(InstructionSet::AArch64), 4 << 20);
    let Ok(Parsed::Complete { header, .. }) = Header::parse(&case.body) else { panic!("a good header") };
    let data = case.header_length - 1 - header.parameters.len();
    assert_eq!(&case.body[data..][..header.parameters.len()], header.parameters);
    case.body[data] |= 16;
    let mut numbers = Numbers(3);
    for _ in 0..300 {
        assert!(!case.accepts(&mutate(&case, &mut numbers)));
    }
}
