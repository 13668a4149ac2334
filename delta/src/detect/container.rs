//! Headers that say what an image is.

use super::layout::Region;
use super::{Container, Detected, InstructionSet};
use super::{DataKinds, Layout};

fn bytes<const N: usize>(image: &[u8], at: u64) -> Option<[u8; N]> {
    image.get(usize::try_from(at).ok()?..)?.first_chunk().copied()
}

fn half(image: &[u8], at: u64) -> Option<u64> {
    bytes(image, at).map(|b| u64::from(u16::from_le_bytes(b)))
}

pub(super) fn word(image: &[u8], at: u64) -> Option<u64> {
    bytes(image, at).map(|b| u64::from(u32::from_le_bytes(b)))
}

pub(super) fn double(image: &[u8], at: u64) -> Option<u64> {
    bytes(image, at).map(u64::from_le_bytes)
}

fn plain(container: Container, set: InstructionSet, layout: Layout) -> Detected {
    Detected { container, set, layout, kinds: DataKinds::default(), calls: (0, 0), strings: (0, 0), other_base: 0 }
}

/// The first header that fits.
pub(super) fn look(image: &[u8]) -> Option<Detected> {
    elf(image)
        .or_else(|| linux_arm64(image))
        .or_else(|| pe(image))
        .or_else(|| mcuboot(image))
        .or_else(|| esp(image))
        .or_else(|| uboot(image))
        .or_else(|| is_vector_table(image, 0).then(|| plain(Container::VectorTable, InstructionSet::Thumb, Layout::flat(0))))
}

fn elf_machine(machine: u64, wide: bool) -> InstructionSet {
    match (machine, wide) {
        (40, _) => InstructionSet::Arm,
        (62, _) => InstructionSet::X86_64,
        (94, _) => InstructionSet::Xtensa,
        (183, _) => InstructionSet::AArch64,
        (243, false) => InstructionSet::RiscV32,
        (243, true) => InstructionSet::RiscV64,
        (20 | 21, _) => InstructionSet::PowerPc,
        _ => InstructionSet::None,
    }
}

fn elf(image: &[u8]) -> Option<Detected> {
    if !image.starts_with(b"\x7fELF") {
        return None;
    }
    let wide = *image.get(4)? == 2;
    let big = *image.get(5)? == 2;
    let half = |at| bytes(image, at).map(|b| u64::from(if big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) }));
    let word = |at| bytes(image, at).map(|b| u64::from(if big { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) }));
    let double = |at| bytes(image, at).map(|b| if big { u64::from_be_bytes(b) } else { u64::from_le_bytes(b) });
    let mut set = elf_machine(half(18)?, wide);
    // The entry point of Thumb code is odd.
    let entry = if wide { double(24)? } else { word(24)? };
    if set == InstructionSet::Arm && entry & 1 == 1 {
        set = InstructionSet::Thumb;
    }
    let (table, size, count) = if wide { (double(32)?, half(54)?, half(56)?) } else { (word(28)?, half(42)?, half(44)?) };
    let mut layout = Layout::flat(0);
    for number in 0..count.min(64) {
        let at = table.wrapping_add(number.wrapping_mul(size));
        if word(at) != Some(1) {
            continue;
        }
        let (offset, address, length) = if wide {
            (double(at.wrapping_add(8))?, double(at.wrapping_add(16))?, double(at.wrapping_add(32))?)
        } else {
            (word(at.wrapping_add(4))?, word(at.wrapping_add(8))?, word(at.wrapping_add(16))?)
        };
        layout.push(Region { offset, address, length });
    }
    Some(plain(Container::Elf, set, layout))
}

/// What is loaded of an ELF file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loaded {
    pub(crate) offset: u64,
    pub(crate) address: u64,
    /// Bytes in the file, and in memory.
    pub(crate) length: u64,
    pub(crate) memory: u64,
}

/// The headers of an ELF file at the start of some bytes.
pub(crate) struct Elf<'a> {
    bytes: &'a [u8],
    wide: bool,
    pub(crate) big_endian: bool,
    pub(crate) set: InstructionSet,
    pub(crate) loaded: Vec<Loaded>,
    /// Place, entry size and number of the section headers.
    sections: (u64, u64, u64),
}

impl<'a> Elf<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        if !bytes.starts_with(b"\x7fELF") {
            return None;
        }
        let (wide, big_endian) = (*bytes.get(4)? == 2, *bytes.get(5)? == 2);
        let mut file = Self { bytes, wide, big_endian, set: InstructionSet::None, loaded: Vec::new(), sections: (0, 0, 0) };
        file.set = elf_machine(file.half(18)?, wide);
        if file.set == InstructionSet::Arm && file.word(24)? & 1 == 1 {
            file.set = InstructionSet::Thumb;
        }
        let header = if wide { (file.double(32)?, file.half(54)?, file.half(56)?) } else { (file.word(28)?, file.half(42)?, file.half(44)?) };
        file.sections = if wide { (file.double(40)?, file.half(58)?, file.half(60)?) } else { (file.word(32)?, file.half(46)?, file.half(48)?) };
        for number in 0..header.2.min(64) {
            let at = header.0.checked_add(number.checked_mul(header.1)?)?;
            if file.word(at)? == 1 {
                let read = |wide_at, narrow_at| if wide { file.double(at + wide_at) } else { file.word(at + narrow_at) };
                let piece = Loaded { offset: read(8, 4)?, address: read(16, 8)?, length: read(32, 16)?, memory: read(40, 20)? };
                file.loaded.push(piece);
            }
        }
        Some(file)
    }

    /// Bytes of the file, by its headers.
    pub(crate) fn length(&self) -> Option<u64> {
        let (place, size, count) = self.sections;
        let sections = place.checked_add(size.checked_mul(count)?)?;
        self.loaded.iter().try_fold(sections, |end, piece| Some(end.max(piece.offset.checked_add(piece.length)?)))
    }

    /// Place of the section headers.
    pub(crate) fn sections(&self) -> u64 {
        self.sections.0
    }

    /// Whether the section headers are at `place`, and speak of a file of `length` bytes.
    pub(crate) fn sections_are_sound(&self, place: u64, length: u64) -> bool {
        let (_, size, count) = self.sections;
        let sound = |number: u64| {
            let at = place + number * size;
            let (kind, offset, bytes) = if self.wide {
                (self.word(at + 4), self.double(at + 24), self.double(at + 32))
            } else {
                (self.word(at + 4), self.word(at + 16), self.word(at + 20))
            };
            match (kind, offset, bytes) {
                (Some(0), Some(0), _) => number == 0,
                // No bits in the file.
                (Some(8), ..) => true,
                (Some(_), Some(offset), Some(bytes)) => number > 0 && offset.checked_add(bytes).is_some_and(|end| end <= length),
                _ => false,
            }
        };
        count > 0 && size >= 40 && (0..count).all(sound)
    }

    fn half(&self, at: u64) -> Option<u64> {
        bytes(self.bytes, at).map(|b| u64::from(if self.big_endian { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) }))
    }

    fn word(&self, at: u64) -> Option<u64> {
        bytes(self.bytes, at).map(|b| u64::from(if self.big_endian { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) }))
    }

    fn double(&self, at: u64) -> Option<u64> {
        bytes(self.bytes, at).map(|b| if self.big_endian { u64::from_be_bytes(b) } else { u64::from_le_bytes(b) })
    }
}

/// Bytes of the PE file at the start of `image`, by its sections.
pub(crate) fn pe_length(image: &[u8]) -> Option<usize> {
    let header = word(image, 60)?;
    if bytes(image, header)? != *b"PE\0\0" {
        return None;
    }
    let first = header + 24 + half(image, header + 20)?;
    let mut ends = (0..half(image, header + 6)?.min(64)).map(|number| {
        let at = first + number * 40;
        Some(word(image, at + 16)? + word(image, at + 20)?)
    });
    let end = ends.try_fold(0, |end, next| Some(next?.max(end)))?;
    usize::try_from(end).ok()
}

/// Linux arm64: the text is at the start, the base is what the relocations say.
pub(crate) fn linux_arm64(image: &[u8]) -> Option<Detected> {
    if image.get(56..60)? != b"ARM\x64" {
        return None;
    }
    let size = double(image, 16)?;
    let mut lowest = u64::MAX;
    let mut seen = 0_u32;
    for entry in image.chunks_exact(8).zip(image.chunks_exact(8).skip(1)) {
        let (Some(place), Some(kind)) = (double(entry.0, 0), double(entry.1, 0)) else { continue };
        // Kernel addresses only; the kind is R_AARCH64_RELATIVE.
        if kind == 0x403 && place >= 0xffff_0000_0000_0000 {
            lowest = lowest.min(place);
            seen = seen.saturating_add(1);
        }
    }
    // Relocated words are in the data, which starts less than the image's size after the text; kernels are linked at 2 MiB steps
    // of which the 64 KiB-aligned text takes the first.
    let base = if seen > 100 { text_start(image, lowest, size) } else { 0 };
    Some(plain(Container::LinuxArm64, InstructionSet::AArch64, Layout::flat(base)))
}

/// The load address such that most relocated places are words of zero, among the 2 MiB steps below `lowest`.
fn text_start(image: &[u8], lowest: u64, size: u64) -> u64 {
    let step = 0x20_0000_u64;
    let mut best = (0_u32, lowest & !0x1f_ffff);
    let mut base = lowest & !0x1f_ffff;
    let end = lowest.saturating_sub(size);
    while base > end {
        let mut zero = 0_u32;
        let mut tried = 0_u32;
        for at in (0..image.len()).step_by(8) {
            if tried >= 4096 {
                break;
            }
            let at = sealift_formats::isa::bits::offset64(at);
            if double(image, at.wrapping_add(8)) == Some(0x403)
                && let Some(place) = double(image, at)
                && place >= 0xffff_0000_0000_0000
            {
                tried = tried.saturating_add(1);
                // A place that is zero between neighbours that are not says more than one in the middle of zeros.
                let offset = place.wrapping_sub(base);
                let here = double(image, offset);
                let near = double(image, offset.wrapping_add(8));
                zero = zero.saturating_add(u32::from(here == Some(0)).saturating_add(u32::from(here == Some(0) && near != Some(0))));
            }
        }
        if zero > best.0 {
            best = (zero, base);
        }
        base = base.wrapping_sub(step);
    }
    best.1
}

fn pe(image: &[u8]) -> Option<Detected> {
    if !image.starts_with(b"MZ") {
        return None;
    }
    let header = word(image, 60)?;
    if bytes(image, header)? != *b"PE\0\0" {
        return None;
    }
    let set = match half(image, header.wrapping_add(4))? {
        0xaa64 => InstructionSet::AArch64,
        0x8664 => InstructionSet::X86_64,
        0x5032 => InstructionSet::RiscV32,
        0x5064 => InstructionSet::RiscV64,
        0x1c2 | 0x1c4 => InstructionSet::Thumb,
        _ => InstructionSet::None,
    };
    let sections = half(image, header.wrapping_add(6))?;
    let optional = header.wrapping_add(24);
    let first = optional.wrapping_add(half(image, header.wrapping_add(20))?);
    let base = if half(image, optional)? == 0x20b { double(image, optional.wrapping_add(24))? } else { word(image, optional.wrapping_add(28))? };
    let mut layout = Layout::flat(base);
    let headers = word(image, optional.wrapping_add(60))?;
    layout.push(Region { offset: 0, address: base, length: headers });
    for number in 0..sections.min(64) {
        let at = first.wrapping_add(number.wrapping_mul(40));
        let address = base.wrapping_add(word(image, at.wrapping_add(12))?);
        let (length, offset) = (word(image, at.wrapping_add(16))?, word(image, at.wrapping_add(20))?);
        layout.push(Region { offset, address, length });
    }
    Some(plain(Container::Pe, set, layout))
}

fn mcuboot(image: &[u8]) -> Option<Detected> {
    if word(image, 0)? != 0x96f3_b83d {
        return None;
    }
    let header = half(image, 8)?;
    let set = if is_vector_table(image, header) { InstructionSet::Thumb } else { InstructionSet::None };
    Some(plain(Container::McuBoot, set, Layout::flat(word(image, 4)?)))
}

fn esp(image: &[u8]) -> Option<Detected> {
    let &[0xe9, count @ 1..=16, mode, _] = image.first_chunk::<4>()? else { return None };
    if mode > 5 {
        return None;
    }
    // The extended header came with the ESP32; its chip number says which. The ESP8266 has none: try it last.
    let chip = half(image, 12)?;
    let set = match chip {
        0 | 2 | 9 => InstructionSet::Xtensa,
        5 | 12 | 13 | 16 | 18 | 20 | 23 => InstructionSet::RiscV32,
        _ => InstructionSet::None,
    };
    [(24_u64, set), (8, InstructionSet::Xtensa)].into_iter().find_map(|(start, set)| {
        let mut layout = Layout::flat(0);
        let mut at = start;
        for _ in 0..count {
            let (address, length) = (word(image, at)?, word(image, at.wrapping_add(4))?);
            let offset = at.wrapping_add(8);
            at = offset.wrapping_add(length);
            if length & 3 != 0 || at > sealift_formats::isa::bits::offset64(image.len()) {
                return None;
            }
            layout.push(Region { offset, address, length });
        }
        (set != InstructionSet::None).then(|| plain(Container::Esp, set, layout))
    })
}

fn uboot(image: &[u8]) -> Option<Detected> {
    let big = |at| bytes(image, at).map(|b| u64::from(u32::from_be_bytes(b)));
    if big(0)? != 0x2705_1956 {
        return None;
    }
    let set = match image.get(29)? {
        2 => InstructionSet::Arm,
        7 => InstructionSet::PowerPc,
        22 => InstructionSet::AArch64,
        24 => InstructionSet::X86_64,
        26 => InstructionSet::RiscV64,
        _ => InstructionSet::None,
    };
    let mut layout = Layout::flat(0);
    layout.push(Region { offset: 64, address: big(16)?, length: sealift_formats::isa::bits::offset64(image.len()).saturating_sub(64) });
    Some(plain(Container::UBoot, set, layout))
}

/// Whether a Cortex-M vector table is at `at`: a stack pointer in RAM, then odd handlers close to each other, zeros allowed.
pub(super) fn is_vector_table(image: &[u8], at: u64) -> bool {
    let vector = |number: u64| word(image, at.wrapping_add(number.wrapping_mul(4)));
    let Some(stack) = vector(0) else { return false };
    let in_ram = (0x1000_0000..0x1200_0000).contains(&stack) || (0x1fff_0000..0x2200_0000).contains(&stack);
    if !in_ram || stack & 3 != 0 {
        return false;
    }
    let Some(reset) = vector(1) else { return false };
    let size = sealift_formats::isa::bits::offset64(image.len());
    let handler = |value: u64| value & 1 == 1 && value.abs_diff(reset) < size;
    // Non-maskable interrupt and hard fault are always there; the others may be empty.
    let fixed = [1, 2, 3].into_iter().all(|number| vector(number).is_some_and(handler));
    let others = [4, 5, 6, 11, 14, 15].into_iter().all(|number| vector(number).is_some_and(|value| value == 0 || handler(value)));
    fixed && others
}
