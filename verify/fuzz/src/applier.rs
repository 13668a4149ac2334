//! A patch: into memory, and by the update engine into flash.

use std::cell::RefCell;
use std::convert::Infallible;

use crc::{CRC_32_ISO_HDLC, Crc};
use sealift_formats::patch::{Header, Parsed};
use sealift_verify::applier::{Applier, Expectation};
use sealift_verify::storage::WriteImage;
use sealift_verify::update::{Boot, Device, Settings, Update};

use crate::flash::{Buffers, decompressors, device, goal, image_id, layout};

/// Old images: the first byte of the input chooses.
const OLD: [&[u8]; 8] = [
    b"",
    include_bytes!("../../../testdata/vectors/compact/thumb.old.bin"),
    include_bytes!("../../../testdata/vectors/compact/aarch64.old.bin"),
    include_bytes!("../../../testdata/vectors/compact/riscv32.old.bin"),
    include_bytes!("../../../testdata/vectors/compact/x86-64.old.bin"),
    include_bytes!("../../../testdata/vectors/compact/xtensa.old.bin"),
    include_bytes!("../../../testdata/vectors/compact/types.old.bin"),
    include_bytes!("../../../testdata/vectors/compact/none.old.bin"),
];
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// Bytes of the largest new image.
const MOST: usize = 1 << 16;

/// The body. The first byte chooses the old image and how the patch is cut; the patch follows.
pub fn run(bytes: &[u8]) {
    let Some((choice, patch)) = bytes.split_first() else { return };
    let old = OLD[usize::from(choice % 8)];
    let piece = [usize::MAX, 1, 97, 4096][usize::from(choice / 8 % 4)];
    let made = in_memory(old, patch, piece);
    if choice / 32 % 2 == 1 || made.is_some() {
        in_flash(old, patch, piece, made.as_deref());
    }
}

fn in_memory(old: &[u8], patch: &[u8], piece: usize) -> Option<Vec<u8>> {
    let new = RefCell::new(Vec::new());
    let mut buffers = Buffers::of(patch);
    let mut applier = Applier::new(old, Sink(&new), buffers.memory(), decompressors(), Expectation::Unsigned).ok()?;
    for piece in patch.chunks(piece) {
        applier.update(piece).ok()?;
    }
    let applied = applier.finish().ok()?;
    let new = new.into_inner();
    let Ok(Parsed::Complete { header, .. }) = Header::parse(patch) else { panic!("applied without a header") };
    assert_eq!((applied.new_size, applied.new_crc), (new.len() as u64, CRC.checksum(&new)));
    assert_eq!((header.new_size, header.new_crc), (applied.new_size, applied.new_crc));
    Some(new)
}

/// The engine makes what the applier alone has made; what the applier has refused it starts the old image after.
fn in_flash(old: &[u8], patch: &[u8], piece: usize, made: Option<&[u8]>) {
    let new = made.map_or(image_id(b"nothing has this digest"), image_id);
    let Some(goal) = goal(old, new, patch) else { return };
    let chips = device(old);
    let mut device = Device::open(&chips, layout(), Settings::default()).expect("a sound layout");
    device.provision(image_id(old), 0, 0).expect("the factory");
    let mut buffers = Buffers::of(patch);
    let finished = match Update::begin_vouched(&mut device, &goal, buffers.memory(), decompressors()) {
        Ok(mut update) => patch.chunks(piece).all(|piece| update.update(piece).is_ok()) && update.finish().is_ok(),
        Err(_) => false,
    };
    assert!(made.is_some() || !finished, "the engine takes what the applier refuses");
    let mut device = Device::open(&chips, layout(), Settings::default()).expect("a sound layout");
    match device.boot() {
        Ok(Boot::Start(start)) => {
            let expected = if finished { new } else { image_id(old) };
            assert_eq!(start.image, expected);
            let held = chips.borrow();
            let slot = held.contents(&layout().primary);
            assert_eq!(image_id(&slot[..usize::try_from(expected.size).expect("small")]), expected, "another image is started");
        }
        Ok(Boot::Unfinished { .. }) if goal.expected.apply.sector_log2 != 0 => {}
        other => panic!("the device starts nothing: {other:?}"),
    }
}

/// A new image in memory that may not be large.
struct Sink<'a>(&'a RefCell<Vec<u8>>);

impl WriteImage for Sink<'_> {
    type Error = Infallible;

    fn capacity(&self) -> u64 {
        MOST as u64
    }

    fn begin(&mut self, size: u64) -> Result<(), Infallible> {
        assert!(size <= self.capacity());
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Infallible> {
        let mut new = self.0.borrow_mut();
        assert_eq!(offset, new.len() as u64);
        new.extend_from_slice(bytes);
        assert!(new.len() <= MOST);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
